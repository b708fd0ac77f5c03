# The conversation of a peer written in Python with the harness; see bench.h.
import sys
import time


def calls_per_second(seconds, call):
    """As in timing.h: a third of the time to warm up, then the whole of it, measured."""
    calls, batch = 0, 1
    start = time.perf_counter()
    warm = 0.0
    while warm < seconds / 3:
        for _ in range(batch):
            call()
        calls += batch
        batch = min(2 * batch, 1 << 16)
        warm = time.perf_counter() - start
    measured = int(seconds * calls / warm) + 1
    start = time.perf_counter()
    for _ in range(measured):
        call()
    return measured / (time.perf_counter() - start)


def walk_length(m, k, n):
    """How many products of this shape peer.h walks through."""
    return (1 << 25) // (m * k + k * n + m * n) + 1


def serve(title, answers):
    """Answers "SECONDS NAME ARGUMENTS" with answers[NAME](SECONDS, ARGUMENTS…), or with "no"."""
    print("ready", title, flush=True)
    for line in sys.stdin:
        seconds, name, *arguments = line.split()
        answer = answers.get(name)
        value = answer(float(seconds), *arguments) if answer else None
        print("no" if value is None else f"{value:.6g}", flush=True)
