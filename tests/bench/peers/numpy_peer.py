import itertools
import sys

try:
    import numpy as np
except ImportError:
    sys.exit(1)
from peer import calls_per_second, serve, walk_length


def products(seconds, m, k, n, count):
    random = np.random.default_rng(1)
    a = random.standard_normal((count, m, k), dtype=np.float32)
    b = random.standard_normal((count, k, n), dtype=np.float32)
    c = np.ones((count, m, n), dtype=np.float32)  # zeros would be pages that nobody has touched
    turn = itertools.cycle(list(zip(a, b, c)))

    def product():
        left, right, out = next(turn)
        np.matmul(left, right, out=out)

    return 2e-9 * m * k * n * calls_per_second(seconds, product)


def gemm(seconds, m, k, n):
    return products(seconds, int(m), int(k), int(n), 1)


def walk(seconds, m, k, n):
    m, k, n = int(m), int(k), int(n)
    return products(seconds, m, k, n, walk_length(m, k, n))


serve(f"numpy {np.__version__}", {"gemm": gemm, "walk": walk})
