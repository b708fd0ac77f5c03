import sys

try:
    import numpy as np
except ImportError:
    sys.exit(1)
from peer import calls_per_second, serve


def gemm(seconds, m, k, n):
    m, k, n = int(m), int(k), int(n)
    random = np.random.default_rng(1)
    a = random.standard_normal((m, k), dtype=np.float32)
    b = random.standard_normal((k, n), dtype=np.float32)
    c = np.empty((m, n), dtype=np.float32)
    return 2e-9 * m * k * n * calls_per_second(seconds, lambda: np.matmul(a, b, out=c))


serve(f"numpy {np.__version__}", {"gemm": gemm})
