# The PyTorch twin of bench_softmax.c, bench_mlp.c, bench_lenet.c, bench_resnet.c, bench_lstm.c and bench_vit.c: the same model, data,
# batch, optimiser, rates and epochs.
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


def softmax():
    return nn.Linear(784, 10)


def mlp():
    return nn.Sequential(nn.Linear(784, 256), nn.ReLU(), nn.Linear(256, 128), nn.ReLU(), nn.Linear(128, 10))


def lenet():
    return nn.Sequential(
        nn.Unflatten(1, (1, 28, 28)), nn.Conv2d(1, 8, 5), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(8, 16, 5), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(),
        nn.Linear(256, 120), nn.ReLU(), nn.Linear(120, 84), nn.ReLU(), nn.Linear(84, 10),
    )


class Block(nn.Module):
    """Two convolutions with batch norm, and the input added before the last ReLU."""

    def __init__(self, inputs, outputs, stride):
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False), nn.BatchNorm2d(outputs), nn.ReLU(inplace=True),
            nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False), nn.BatchNorm2d(outputs),
        )
        self.short = nn.Identity()
        if inputs != outputs:
            self.short = nn.Sequential(nn.Conv2d(inputs, outputs, 1, stride, bias=False), nn.BatchNorm2d(outputs))

    def forward(self, x):
        return torch.relu_(self.body(x) + self.short(x))


def resnet():
    return nn.Sequential(
        nn.Unflatten(1, (1, 28, 28)), nn.Conv2d(1, 16, 3, 1, 1, bias=False), nn.BatchNorm2d(16), nn.ReLU(inplace=True),
        Block(16, 16, 1), Block(16, 16, 1), Block(16, 32, 2), Block(32, 32, 1), Block(32, 64, 2), Block(64, 64, 1),
        nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(64, 10),
    )


class Reader(nn.Module):
    """Rows of pixels are steps; the last state is scored."""

    def __init__(self):
        super().__init__()
        self.lstm = nn.LSTM(28, 128, batch_first=True)
        self.head = nn.Linear(128, 10)

    def forward(self, x):
        return self.head(self.lstm(x.view(-1, 28, 28))[0][:, -1])


class VitBlock(nn.Module):
    """Pre-norm: attention of 4 heads, then 64-256-64 with GELU. Faster here than nn.TransformerEncoderLayer."""

    def __init__(self, width, heads):
        super().__init__()
        self.heads = heads
        self.norm1, self.norm2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.qkv, self.out = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.mlp = nn.Sequential(nn.Linear(width, 4 * width), nn.GELU(), nn.Linear(4 * width, width))

    def forward(self, x):
        batch, tokens, width = x.shape
        q, k, v = self.qkv(self.norm1(x)).view(batch, tokens, 3, self.heads, -1).permute(2, 0, 3, 1, 4)
        weights = ((q * (width // self.heads) ** -0.5) @ k.transpose(-2, -1)).softmax(-1)
        x = x + self.out((weights @ v).transpose(1, 2).reshape(batch, tokens, width))
        return x + self.mlp(self.norm2(x))


class Vit(nn.Module):
    """49 patches of 4 × 4 pixels and a class token, whose last state is scored."""

    def __init__(self):
        super().__init__()
        self.embed = nn.Conv2d(1, 64, 4, 4)
        self.token = nn.Parameter(0.02 * torch.randn(1, 1, 64))
        self.positions = nn.Parameter(0.02 * torch.randn(50, 64))
        self.blocks = nn.Sequential(*(VitBlock(64, 4) for _ in range(4)))
        self.norm, self.head = nn.LayerNorm(64), nn.Linear(64, 10)

    def forward(self, x):
        patches = self.embed(x.view(-1, 1, 28, 28)).flatten(2).transpose(1, 2)
        x = torch.cat([self.token.expand(len(x), -1, -1), patches], 1) + self.positions
        return self.head(self.norm(self.blocks(x)[:, 0]))


MODELS = {"softmax": softmax, "mlp": mlp, "lenet": lenet, "resnet": resnet, "lstm": Reader, "vit": Vit}


def optimiser_of(name, parameters):
    if name == "vit":
        return torch.optim.AdamW(parameters, lr=1, weight_decay=0.01)
    return (torch.optim.SGD if name == "softmax" else torch.optim.Adam)(parameters, lr=1)


def start(name, seed):
    torch.manual_seed(seed)
    model = MODELS[name]()
    optimiser = optimiser_of(name, model.parameters())
    loss_of = nn.CrossEntropyLoss()

    def step(batch, rate):
        loss = loss_of(model(x[batch]), y[batch])
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        optimiser.param_groups[0]["lr"] = rate
        optimiser.step()

    return model, torch.randperm, step


def test(model):
    model.eval()
    with torch.no_grad():
        parts = [(model(part).argmax(1) == labels).float() for part, labels in zip(test_x.split(500), test_y.split(500))]
    return torch.cat(parts).mean().item()


fashion.answer(f"PyTorch {torch.__version__}", start, test)
