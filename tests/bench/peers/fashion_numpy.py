# The numpy twin of bench_softmax.c and bench_mlp.c: forward and backward written by hand.
import sys

try:
    import numpy
except ImportError:
    sys.exit(1)
import fashion

x, y = fashion.load("train")
test_x, test_y = fashion.load("t10k")


def forward(layers, inputs):
    """The input of each layer, and the scores."""
    values = [inputs]
    for i, (weight, bias) in enumerate(layers):
        out = values[-1] @ weight + bias
        values.append(numpy.maximum(out, 0) if i < len(layers) - 1 else out)
    return values


def gradients(layers, inputs, labels):
    values = forward(layers, inputs)
    scores = values.pop()
    upstream = numpy.exp(scores - scores.max(1, keepdims=True))
    upstream /= upstream.sum(1, keepdims=True)
    upstream[numpy.arange(len(labels)), labels] -= 1
    upstream /= len(labels)
    found = []
    for i in reversed(range(len(layers))):
        found.append((values[i].T @ upstream, upstream.sum(0)))
        if i:
            upstream = (upstream @ layers[i][0].T) * (values[i] > 0)
    return found[::-1]


class Adam:
    def __init__(self, layers):
        self.moments = [[(numpy.zeros_like(p), numpy.zeros_like(p)) for p in layer] for layer in layers]
        self.steps = 0

    def step(self, layers, found, rate):
        self.steps += 1
        correct1, correct2 = 1 - 0.9**self.steps, 1 - 0.999**self.steps
        for layer, layer_found, layer_moments in zip(layers, found, self.moments):
            for p, g, (m, v) in zip(layer, layer_found, layer_moments):
                m *= 0.9
                m += 0.1 * g
                v *= 0.999
                v += 0.001 * g * g
                p -= (rate / correct1) * m / (numpy.sqrt(v / correct2) + 1e-8)


class Sgd:
    def __init__(self, layers):
        pass

    def step(self, layers, found, rate):
        for layer, layer_found in zip(layers, found):
            for p, g in zip(layer, layer_found):
                p -= numpy.float32(rate) * g


def start(name, seed):
    random = numpy.random.default_rng(seed)
    sizes = {"softmax": [784, 10], "mlp": [784, 256, 128, 10]}[name]
    layers = []
    for inputs, outputs in zip(sizes, sizes[1:]):
        reach = inputs**-0.5
        layers.append(tuple(random.uniform(-reach, reach, s).astype(numpy.float32) for s in ((inputs, outputs), outputs)))
    optimiser = (Sgd if name == "softmax" else Adam)(layers)

    def step(batch, rate):
        optimiser.step(layers, gradients(layers, x[batch], y[batch]), rate)

    return layers, random.permutation, step


def test(layers):
    return float((forward(layers, test_x)[-1].argmax(1) == test_y).mean())


fashion.answer(f"numpy {numpy.__version__}", start, test)
