# What the training twins share: Fashion-MNIST from the files that the C programs read, and the requests they answer.
import gzip
import math
import os
import time

import numpy

from peer import serve

FOLDER = os.path.join(os.path.dirname(__file__), "..", "..", "..", "datasets", "cache", "fashion-mnist")
BATCH = 64
EPOCHS = {"softmax": 1, "mlp": 5, "lenet": 3, "resnet": 1, "lstm": 1, "vit": 1}
SPEED_BATCHES = {"mlp": 200, "lenet": 100, "resnet": 15, "lstm": 40, "vit": 15}  # as in the C programs; the others: an epoch
WARM_BATCHES, MOST_SECONDS = 2, 2  # before a part of an epoch, not timed; and no more of it than fits into so many seconds
RATE = {"softmax": 0.1, "mlp": 1e-3, "lenet": 1e-3, "resnet": 1e-3, "lstm": 1e-3, "vit": 1e-3}


def read(name, header):
    with gzip.open(os.path.join(FOLDER, name)) as file:
        return numpy.frombuffer(file.read(), numpy.uint8, offset=header)


def load(part):
    """part: "train" or "t10k". Pictures (N, 784) as float32 from 0 to 1, labels (N) as int64."""
    pictures = read(part + "-images-idx3-ubyte.gz", 16).reshape(-1, 784)
    return pictures.astype(numpy.float32) / 255, read(part + "-labels-idx1-ubyte.gz", 8).astype(numpy.int64)


def cosine(rate, step, steps):
    return rate * 0.5 * (1 + math.cos(math.pi * step / steps))


def answer(title, start, test):
    """start(name, seed) makes a model and gives it and its step(epoch_order, first, rate); test(model) its accuracy.

    Requests: "epoch NAME": samples per second of one epoch, or of a part that is long enough. "accuracy NAME": of a whole training, another seed each time.
    """
    count, seed = 60000, 0

    def train(name, epochs, batches=0):
        nonlocal seed
        seed += 1
        model, shuffle, step = start(name, seed)
        warm = WARM_BATCHES if batches else 0
        batches = warm + batches if batches else count // BATCH
        begin, done = time.perf_counter(), 0
        for epoch in range(epochs):
            order = shuffle(count)
            for batch in range(batches):
                if warm and batch == warm:
                    begin = time.perf_counter()
                if warm and batch > warm and time.perf_counter() - begin > MOST_SECONDS:
                    break
                rate = cosine(RATE[name], epoch * batches + batch, epochs * batches)
                step(order[batch * BATCH : (batch + 1) * BATCH], rate)
                done += 1
        return model, (done - warm) * BATCH / (time.perf_counter() - begin)

    serve(
        title,
        {
            "epoch": lambda seconds, name: train(name, 1, SPEED_BATCHES.get(name, 0))[1],
            "accuracy": lambda seconds, name: test(train(name, EPOCHS[name])[0]),
        },
    )
