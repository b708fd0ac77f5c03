# The PyTorch twin of bench_gpt.c: the same architecture, initial weights, text, batches and optimiser. The weights and the
# text are files that bench_gpt.c writes into the folder given as argument; its first lines say how.
import os
import sys
import time

try:
    import numpy
    import torch
    from torch import nn
    from torch.nn import functional
except ImportError:
    sys.exit(1)
from peer import serve

torch.set_num_threads(int(os.environ["OMP_NUM_THREADS"]))
FOLDER = sys.argv[1]
VOCABULARY, MEANT_STEPS = 96, 10
SIZES = {  # layers, heads, width, time, batch
    "gpt_small": (4, 4, 128, 128, 16),
    "gpt_medium": (6, 6, 384, 256, 8),
}
text = torch.from_numpy(numpy.fromfile(os.path.join(FOLDER, "gpt.text"), numpy.int32).astype(numpy.int64))


class Block(nn.Module):
    def __init__(self, heads, width):
        super().__init__()
        self.heads = heads
        self.norm1, self.norm2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.qkv, self.out = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.up, self.down = nn.Linear(width, 4 * width), nn.Linear(4 * width, width)

    def attend(self, x, hidden):
        batch, time, width = x.shape
        q, k, v = (part.view(batch, time, self.heads, -1).transpose(1, 2) for part in self.qkv(x).split(width, 2))
        if hasattr(functional, "scaled_dot_product_attention"):
            mixed = functional.scaled_dot_product_attention(q, k, v, is_causal=True)
        else:
            scores = (q @ k.transpose(2, 3)) * (1 / (width // self.heads) ** 0.5)
            mixed = torch.softmax(scores.masked_fill(hidden, float("-inf")), 3) @ v
        return self.out(mixed.transpose(1, 2).reshape(batch, time, width))

    def forward(self, x, hidden):
        x = x + self.attend(self.norm1(x), hidden)
        return x + self.down(functional.gelu(self.up(self.norm2(x))))


class Gpt(nn.Module):
    def __init__(self, layers, heads, width, time):
        super().__init__()
        self.token, self.position = nn.Embedding(VOCABULARY, width), nn.Embedding(time, width)
        self.blocks = nn.ModuleList([Block(heads, width) for _ in range(layers)])
        self.norm = nn.LayerNorm(width)
        self.register_buffer("hidden", torch.ones(time, time, dtype=torch.bool).triu(1))

    def forward(self, ids):
        x = self.token(ids) + self.position.weight
        for block in self.blocks:
            x = block(x, self.hidden)
        return functional.linear(self.norm(x), self.token.weight)

    def read(self, path):
        """All numbers in the order of the C program's parameters; its matrices are the transposes of nn.Linear's."""
        numbers, place = torch.from_numpy(numpy.fromfile(path, numpy.float32)), 0

        def fill(parameter, turned):
            nonlocal place
            part = numbers[place : place + parameter.numel()]
            place += parameter.numel()
            shape = parameter.shape
            parameter.data.copy_(part.view(shape[1], shape[0]).t() if turned else part.view(shape))

        def layer(module):
            fill(module.weight, isinstance(module, nn.Linear))
            fill(module.bias, False)

        fill(self.token.weight, False)
        fill(self.position.weight, False)
        for block in self.blocks:
            for module in (block.norm1, block.qkv, block.out, block.norm2, block.up, block.down):
                layer(module)
        layer(self.norm)
        assert place == len(numbers)


class Training:
    def __init__(self, name):
        layers, heads, width, self.time, self.batch = SIZES[name]
        self.model, self.step = Gpt(layers, heads, width, self.time), 0
        self.model.read(os.path.join(FOLDER, name + ".weights"))
        self.optimiser = torch.optim.AdamW(self.model.parameters(), 1e-3, (0.9, 0.999), 1e-8, 0.01)

    def train(self):
        first = self.step * self.batch
        places = (torch.arange(first, first + self.batch) * self.time) % (len(text) - 1 - self.time)
        ids = places[:, None] + torch.arange(self.time)
        loss = functional.cross_entropy(self.model(text[ids]).view(-1, VOCABULARY), text[ids + 1].view(-1))
        self.optimiser.zero_grad(set_to_none=True)
        loss.backward()
        self.optimiser.step()
        self.step += 1
        return loss


trainings = {}


def train(seconds, name):
    if name not in trainings:
        trainings[name] = Training(name)
    training = trainings[name]
    training.train()
    steps, begin = 0, time.perf_counter()
    while time.perf_counter() - begin < seconds:
        training.train()
        steps += 1
    return steps * training.batch * training.time / (time.perf_counter() - begin)


losses = {}


def loss(seconds, name, steps):
    """The same each time: it is computed once."""
    if name not in losses:
        training = Training(name)
        values = [training.train().item() for _ in range(int(steps))]
        losses[name] = sum(values[-MEANT_STEPS:]) / MEANT_STEPS
    return losses[name]


serve(f"PyTorch {torch.__version__}", {"train": train, "loss": loss})
