# The PyTorch twin of bench_unet.c: the same architecture, initial weights, batches and optimiser. Weights and batches are files
# that bench_unet.c writes into the folder given as argument; its first lines say how.
import math
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
BATCH, BATCHES, SIDE, CONDITIONS, FEATURES, WAVES, TOLD = 64, 8, 28, 10, 32, 64, 128
LOSS_STEPS, MEANT_STEPS = 20, 10
FORMAT = torch.contiguous_format  # channels_last is slower here


class Block(nn.Module):
    def __init__(self, inputs, outputs):
        super().__init__()
        self.norm1, self.norm2 = nn.GroupNorm(8, inputs), nn.GroupNorm(8, outputs)
        self.conv1, self.conv2 = nn.Conv2d(inputs, outputs, 3, padding=1), nn.Conv2d(outputs, outputs, 3, padding=1)
        self.shift = nn.Linear(TOLD, outputs)
        self.shortcut = nn.Conv2d(inputs, outputs, 1) if inputs != outputs else None

    def forward(self, x, told):
        y = self.norm2(self.conv1(functional.silu(self.norm1(x)))) + self.shift(told)[:, :, None, None]
        return (self.shortcut(x) if self.shortcut else x) + self.conv2(functional.silu(y))

    def layers(self):
        return [self.norm1, self.conv1, self.shift, self.norm2, self.conv2] + ([self.shortcut] if self.shortcut else [])


class Unet(nn.Module):
    def __init__(self):
        super().__init__()
        f = FEATURES
        self.time, self.condition = nn.Linear(WAVES, TOLD), nn.Linear(CONDITIONS, TOLD, bias=False)
        self.first, self.last = nn.Conv2d(1, f, 3, padding=1), nn.Conv2d(f, 1, 3, padding=1)
        self.down, self.up = nn.Conv2d(f, 2 * f, 4, 2, 1), nn.ConvTranspose2d(2 * f, f, 2, 2)
        self.high, self.back = Block(f, f), Block(2 * f, f)
        self.low1, self.low2 = Block(2 * f, 2 * f), Block(2 * f, 2 * f)
        self.norm = nn.GroupNorm(8, f)
        self.register_buffer("rates", torch.exp(-math.log(10000) / (WAVES // 2) * torch.arange(WAVES // 2)))

    def forward(self, x, times, conditions):
        angles = times[:, None] * self.rates
        waves = torch.cat([torch.sin(angles), torch.cos(angles)], 1)
        told = functional.silu(self.time(waves) + self.condition(conditions))
        high = self.high(self.first(x), told)
        low = self.low2(self.low1(self.down(high), told), told)
        back = self.back(torch.cat([high, self.up(low)], 1), told)
        return self.last(functional.silu(self.norm(back)))

    def read(self, path):
        """All numbers in the order of the C program's parameters; weights stand there with outputs innermost."""
        numbers, place = torch.from_numpy(numpy.fromfile(path, numpy.float32)), 0

        def take(shape):
            nonlocal place
            part = numbers[place : place + math.prod(shape)].view(*shape)
            place += part.numel()
            return part

        layers = [self.time, self.condition, self.first, *self.high.layers(), self.down, *self.low1.layers()]
        layers += [*self.low2.layers(), self.up, *self.back.layers(), self.norm, self.last]
        for layer in layers:
            shape = layer.weight.shape
            if isinstance(layer, (nn.Conv2d, nn.ConvTranspose2d)):
                weight = take((shape[2], shape[3], shape[1], shape[0])).permute(3, 2, 0, 1)
            elif isinstance(layer, nn.Linear):
                weight = take((shape[1], shape[0])).t()
            else:
                weight = take(shape)
            layer.weight.data.copy_(weight)
            if layer.bias is not None:
                layer.bias.data.copy_(take(layer.bias.shape))
        assert place == len(numbers)


def read_batches():
    numbers, count, place = torch.from_numpy(numpy.fromfile(os.path.join(FOLDER, "unet.batches"), numpy.float32)), BATCH * BATCHES, 0
    parts = []
    for width in (SIDE * SIDE, SIDE * SIDE, 1, CONDITIONS):
        parts.append(numbers[place : place + count * width].view(count, width))
        place += count * width
    x, v, times, conditions = parts
    shape = (count, 1, SIDE, SIDE)
    return x.view(shape).contiguous(memory_format=FORMAT), v.view(shape), times.view(-1), conditions


x_t, target, times, conditions = read_batches()


class Training:
    def __init__(self):
        self.model, self.step = Unet(), 0
        self.model.read(os.path.join(FOLDER, "unet.weights"))
        self.model = self.model.to(memory_format=FORMAT)
        self.optimiser = torch.optim.Adam(self.model.parameters(), 1e-3, (0.9, 0.99), 1e-8)

    def train(self):
        first = self.step % BATCHES * BATCH
        rows = slice(first, first + BATCH)
        loss = functional.mse_loss(self.model(x_t[rows], times[rows], conditions[rows]), target[rows])
        self.optimiser.zero_grad(set_to_none=True)
        loss.backward()
        self.optimiser.step()
        self.step += 1
        return loss


training = None


def train(seconds):
    global training
    training = training or Training()
    training.train()
    steps, begin = 0, time.perf_counter()
    while time.perf_counter() - begin < seconds:
        training.train()
        steps += 1
    return steps * BATCH / (time.perf_counter() - begin)


known = None


def loss(seconds):
    """The same each time: it is computed once."""
    global known
    if known is None:
        run = Training()
        values = [run.train().item() for _ in range(LOSS_STEPS)]
        known = sum(values[-MEANT_STEPS:]) / MEANT_STEPS
    return known


serve(f"PyTorch {torch.__version__}", {"train": train, "loss": loss})
