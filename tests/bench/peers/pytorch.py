import itertools
import os
import sys

try:
    import torch
except ImportError:
    sys.exit(1)
from peer import calls_per_second, serve, walk_length

torch.set_num_threads(int(os.environ["OMP_NUM_THREADS"]))
torch.manual_seed(1)


def products(seconds, m, k, n, count):
    turn = itertools.cycle([(torch.randn(m, k), torch.randn(k, n), torch.ones(m, n)) for _ in range(count)])

    def product():
        left, right, out = next(turn)
        torch.mm(left, right, out=out)

    with torch.inference_mode():
        return 2e-9 * m * k * n * calls_per_second(seconds, product)


def gemm(seconds, m, k, n):
    return products(seconds, int(m), int(k), int(n), 1)


def walk(seconds, m, k, n):
    m, k, n = int(m), int(k), int(n)
    return products(seconds, m, k, n, walk_length(m, k, n))


serve(f"PyTorch {torch.__version__}", {"gemm": gemm, "walk": walk})
