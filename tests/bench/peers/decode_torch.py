# The PyTorch twin of bench_decode.c: the same architecture, the same text behind the same beginning, keys and values kept.
# decode_15M has the weights that bench_decode.c writes into the folder given as argument, so that the logits can be compared; those
# of decode_600M are random, for speed does not depend on them. A row times a matrix is computed in the way that is fastest here.
import os
import sys

try:
    import numpy
    import torch
    from torch.nn import functional
except ImportError:
    sys.exit(1)
from peer import calls_per_second, serve

torch.set_num_threads(int(os.environ["OMP_NUM_THREADS"]))
torch.set_grad_enabled(False)
FOLDER = sys.argv[1]
BEGINNING = 16
TYPES = {"fp32": torch.float32, "bf16": torch.bfloat16}
SHAPES = {  # vocabulary, context, layers, heads, key_heads, head_width, width, hidden, query_key_norm
    "decode_15M": (32000, 256, 6, 6, 6, 48, 288, 768, False),
    "decode_600M": (151936, 128, 28, 16, 8, 128, 1024, 3072, True),
}


def norm(x):
    return x * torch.rsqrt(x.float().pow(2).mean(-1, True) + 1e-6).to(x.dtype)


class Linear:
    """x · weightᵀ; of one row in the fastest of the ways that PyTorch has."""

    WAYS = (
        lambda x, w: functional.linear(x, w),
        lambda x, w: torch.mv(w, x[0])[None],
        lambda x, w: (w @ x.t()).t(),
    )
    chosen = {}

    def __init__(self, weight):
        self.weight = weight

    def __call__(self, x):
        if len(x) > 1:
            return functional.linear(x, self.weight)
        key = (self.weight.shape, self.weight.dtype)
        if key not in self.chosen:
            speeds = [calls_per_second(0.05, lambda: way(x, self.weight)) for way in self.WAYS]
            self.chosen[key] = self.WAYS[speeds.index(max(speeds))]
        return self.chosen[key](x, self.weight)


class Model:
    def __init__(self, name, kind):
        self.vocabulary, self.context, layers, self.heads, self.key_heads, self.head, width, hidden, self.normed = SHAPES[name]
        path = os.path.join(FOLDER, name + ".weights")
        numbers = torch.from_numpy(numpy.fromfile(path, numpy.float32)) if name == "decode_15M" else None
        place = 0

        def weight(rows, cols):
            nonlocal place
            if numbers is None:
                return (torch.rand(rows, cols) * 3.4 - 1.7) / cols**0.5
            place += rows * cols
            return numbers[place - rows * cols : place].view(rows, cols)

        kinds = TYPES[kind]
        queries, keys = self.heads * self.head, self.key_heads * self.head
        self.token = Linear(weight(self.vocabulary, width).to(kinds))
        self.layers = []
        for _ in range(layers):
            qkv = torch.cat([weight(queries, width), weight(keys, width), weight(keys, width)])
            out = weight(width, queries)
            up = torch.cat([weight(hidden, width), weight(hidden, width)])
            down = weight(width, hidden)
            self.layers.append([Linear(w.to(kinds)) for w in (qkv, out, up, down)])
        angles = torch.arange(self.context)[:, None] * 10000.0 ** (-torch.arange(0, self.head, 2) / self.head)
        self.cosines, self.sines = angles.cos().repeat(1, 2).to(kinds), angles.sin().repeat(1, 2).to(kinds)
        self.keys = torch.zeros(layers, self.key_heads, self.context, self.head, dtype=kinds)
        self.values = torch.zeros_like(self.keys)
        self.length = 0

    def turn(self, x, positions):
        half = self.head // 2
        other = torch.cat([-x[..., half:], x[..., :half]], -1)
        return x * self.cosines[positions] + other * self.sines[positions]

    def step(self, ids):
        """The logits of the last of these tokens, which are read behind those before them."""
        count, begin, end = len(ids), self.length, self.length + len(ids)
        positions = slice(begin, end)
        x = self.token.weight[torch.tensor(ids)]
        for number, (qkv, out, up, down) in enumerate(self.layers):
            parts = qkv(norm(x)).view(count, -1, self.head).transpose(0, 1)
            q, k, v = parts.split([self.heads, self.key_heads, self.key_heads])
            if self.normed:
                q, k = norm(q), norm(k)
            q = self.turn(q, positions).reshape(self.key_heads, -1, self.head)
            self.keys[number, :, positions], self.values[number, :, positions] = self.turn(k, positions), v
            scores = q @ self.keys[number, :, :end].transpose(1, 2) * self.head**-0.5
            if count > 1:
                later = torch.ones(count, end, dtype=torch.bool).triu(begin + 1)
                scores = scores.view(self.heads, count, end).masked_fill(later, float("-inf")).view_as(scores)
            mixed = torch.softmax(scores, 2) @ self.values[number, :, :end]
            x = x + out(mixed.view(self.heads, count, self.head).transpose(0, 1).reshape(count, -1))
            gate, value = up(norm(x)).chunk(2, 1)
            x = x + down(functional.silu(gate) * value)
        self.length = end
        return self.token(norm(x[-1:]))[0]

    def next_token(self):
        if self.length >= self.context:
            self.length = 0
        if self.length == 0:
            self.step([1, 2, 3] + [0] * (BEGINNING - 3))
        return self.step([self.length % 97])


models = {}


def model(name, kind):
    """One at a time: the large one takes gigabytes."""
    if (name, kind) not in models:
        models.clear()
        models[name, kind] = Model(name, kind)
    return models[name, kind]


def decode(seconds, name, kind):
    asked = model(name, kind)
    return calls_per_second(seconds, asked.next_token)


def logit(seconds, name, kind, tokens):
    """The largest logit behind so many tokens."""
    asked = model(name, kind)
    asked.length = 0
    for _ in range(int(tokens)):
        logits = asked.next_token()
    return logits.float().max().item()


serve(f"PyTorch {torch.__version__}", {"decode": decode, "logit": logit})
