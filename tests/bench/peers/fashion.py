"""Fashion-MNIST for the peers of the benchmarks: the same files that the C programs read, pixels 0 to 1."""
import gzip
import os

import numpy

FOLDER = os.path.join(os.path.dirname(__file__), "..", "..", "..", "datasets", "cache", "fashion-mnist")


def read(name, header):
    with gzip.open(os.path.join(FOLDER, name)) as file:
        return numpy.frombuffer(file.read(), numpy.uint8, offset=header)


def load(part):
    """part: "train" or "t10k". Pictures (N, 784) as float32, labels (N) as int64."""
    pictures = read(part + "-images-idx3-ubyte.gz", 16).reshape(-1, 784)
    return pictures.astype(numpy.float32) / 255, read(part + "-labels-idx1-ubyte.gz", 8).astype(numpy.int64)
