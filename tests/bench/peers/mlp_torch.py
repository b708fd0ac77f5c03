"""PyTorch twins of bench_softmax.c and bench_mlp.c: the same model, data, batch, optimiser, rate and epochs.

usage: mlp_torch.py softmax|mlp [seeds]      prints one JSON object for each figure, as the C programs do
"""
import json
import sys
import time

import torch
from torch import nn

import fashion

BATCH = 64
name = sys.argv[1]
seeds = int(sys.argv[2]) if len(sys.argv) > 2 else 1


def model_of(kind):
    if kind == "softmax":
        model = nn.Linear(784, 10)
        return model, torch.optim.SGD(model.parameters(), lr=0.1), 1
    model = nn.Sequential(nn.Linear(784, 256), nn.ReLU(), nn.Linear(256, 128), nn.ReLU(), nn.Linear(128, 10))
    return model, torch.optim.Adam(model.parameters(), lr=1e-3), 5


def train(kind, seed, x, y):
    """The trained model and the training samples per second."""
    torch.manual_seed(seed)
    model, optimiser, epochs = model_of(kind)
    loss_of = nn.CrossEntropyLoss()
    start = time.perf_counter()
    for _ in range(epochs):
        order = torch.randperm(len(x))
        for first in range(0, len(x) - BATCH + 1, BATCH):
            batch = order[first : first + BATCH]
            loss = loss_of(model(x[batch]), y[batch])
            optimiser.zero_grad(set_to_none=True)
            loss.backward()
            optimiser.step()
    return model, epochs * (len(x) // BATCH * BATCH) / (time.perf_counter() - start)


x, y = map(torch.from_numpy, fashion.load("train"))
test_x, test_y = map(torch.from_numpy, fashion.load("t10k"))
rates, accuracies = [], []
for seed in range(1, seeds + 1):
    model, rate = train(name, seed, x, y)
    with torch.no_grad():
        accuracies.append((model(test_x).argmax(1) == test_y).float().mean().item())
    rates.append(rate)
peer = f"torch {torch.__version__}, {torch.get_num_threads()} threads"
rates.sort()
for metric, value in (("samples_per_s", rates[len(rates) // 2]), ("test_accuracy", sum(accuracies) / len(accuracies))):
    print(json.dumps({"name": name, "peer": peer, "metric": metric, "value": round(value, 4)}), flush=True)
