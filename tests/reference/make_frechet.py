#!/usr/bin/env python3
"""Writes frechet.txt, with SciPy 1.10.1 and PyTorch 1.13.0 (Debian 12's python3-scipy and python3-torch).

    python3 tests/reference/make_frechet.py

tests/unit/test_reference_frechet.c compares the library with it, as make.py says of the other files. The distance is the
formula of learning/frechet.h with scipy.linalg.sqrtm of the product of both covariances, which is not symmetric. The loss of
CLIP is PyTorch's cross entropy over both directions of the cosines, with whole labels and with probabilities.
"""
import os

import numpy
import torch
from scipy.linalg import sqrtm

HERE = os.path.dirname(os.path.abspath(__file__))
random = numpy.random.default_rng(25)
out = {}


def put(name, values):
    values = numpy.asarray(values, numpy.float64)
    out[name] = values.reshape(1, -1) if values.ndim < 2 else values


def sixteenths(*shape):
    return numpy.round(random.normal(0, 1, shape) * 16) / 16


for number, (first, second, features) in enumerate([(12, 20, 4), (40, 30, 7), (60, 60, 1)]):
    mixing = sixteenths(features, features)
    a, b = sixteenths(first, features), sixteenths(second, features) @ mixing + sixteenths(features)
    between = numpy.cov(a.T).reshape(features, features) @ numpy.cov(b.T).reshape(features, features)
    distance = ((a.mean(0) - b.mean(0)) ** 2).sum() + numpy.trace(
        numpy.cov(a.T).reshape(features, features) + numpy.cov(b.T).reshape(features, features) - 2 * sqrtm(between).real)
    put(f"a{number}", a)
    put(f"b{number}", b)
    put(f"distance{number}", distance)

images = torch.tensor(sixteenths(5, 6)).requires_grad_()
texts = torch.tensor(sixteenths(5, 6)).requires_grad_()
log_scale = torch.tensor(1.25, dtype=torch.float64).requires_grad_()
captions = torch.tensor([0, 1, 0, 2, 1])
equal = (captions[:, None] == captions[None, :]).double()
put("images", images.detach())
put("texts", texts.detach())
put("captions", captions)
for name, target in [("pairs", torch.arange(5)), ("shared", equal / equal.sum(1, keepdim=True))]:
    logits = log_scale.exp() * torch.nn.functional.normalize(images) @ torch.nn.functional.normalize(texts).T
    loss = (torch.nn.functional.cross_entropy(logits, target) + torch.nn.functional.cross_entropy(logits.T, target)) / 2
    gradients = torch.autograd.grad(loss, [images, texts, log_scale])
    put(name + ".loss", loss.detach())
    put(name + ".d_images", gradients[0])
    put(name + ".d_texts", gradients[1])
    put(name + ".d_log_scale", gradients[2])

with open(os.path.join(HERE, "frechet.txt"), "w") as file:
    file.write("# SciPy, PyTorch: Fréchet distances and the contrastive loss; make_frechet.py says more\n")
    for name, values in out.items():
        file.write(f"{name} {values.shape[0]} {values.shape[1]}\n")
        for row in values:
            file.write(" ".join(f"{value:.9g}" for value in row) + "\n")
