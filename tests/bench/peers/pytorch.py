import os
import sys

try:
    import torch
except ImportError:
    sys.exit(1)
from peer import calls_per_second, serve

torch.set_num_threads(int(os.environ["OMP_NUM_THREADS"]))
torch.manual_seed(1)


def gemm(seconds, m, k, n):
    m, k, n = int(m), int(k), int(n)
    a, b, c = torch.randn(m, k), torch.randn(k, n), torch.empty(m, n)
    with torch.inference_mode():
        return 2e-9 * m * k * n * calls_per_second(seconds, lambda: torch.mm(a, b, out=c))


serve(f"PyTorch {torch.__version__}", {"gemm": gemm})
