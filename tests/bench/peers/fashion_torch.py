# The PyTorch twin of bench_softmax.c and bench_mlp.c: the same model, data, batch, optimiser, rates and epochs.
import os
import sys

try:
    import torch
    from torch import nn
except ImportError:
    sys.exit(1)
import fashion

torch.set_num_threads(int(os.environ["OMP_NUM_THREADS"]))
x, y = map(torch.from_numpy, fashion.load("train"))
test_x, test_y = map(torch.from_numpy, fashion.load("t10k"))


def start(name, seed):
    torch.manual_seed(seed)
    if name == "softmax":
        model = nn.Linear(784, 10)
        optimiser = torch.optim.SGD(model.parameters(), lr=1)
    else:
        model = nn.Sequential(nn.Linear(784, 256), nn.ReLU(), nn.Linear(256, 128), nn.ReLU(), nn.Linear(128, 10))
        optimiser = torch.optim.Adam(model.parameters(), lr=1)
    loss_of = nn.CrossEntropyLoss()

    def step(batch, rate):
        loss = loss_of(model(x[batch]), y[batch])
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        optimiser.param_groups[0]["lr"] = rate
        optimiser.step()

    return model, torch.randperm, step


def test(model):
    with torch.no_grad():
        return (model(test_x).argmax(1) == test_y).float().mean().item()


fashion.answer(f"PyTorch {torch.__version__}", start, test)
