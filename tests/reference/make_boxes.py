#!/usr/bin/env python3
"""Writes boxes.txt, with torchvision 0.14.1, scikit-learn 1.2.1 and scikit-image 0.19.3 (Debian 12's python3-torchvision,
python3-sklearn and python3-skimage).

    python3 tests/reference/make_boxes.py

tests/unit/test_reference_boxes.c compares the library with it, as make.py says of the other files. None of the three knows
the average precision of boxes; scikit-learn gives the precisions and recalls of scores that are right or wrong, without
equal ones, and the area below their envelope is summed here. "found" says which of the detections, one in an image, is
exactly its image's true box; as many images as missed says have a true box and no detection. Boxes are (top, left, bottom,
right), and torchvision's (left, top, right, bottom).
"""
import os

import numpy
import torch
from skimage.metrics import peak_signal_noise_ratio
from sklearn.metrics import accuracy_score, jaccard_score, precision_recall_curve
from torchvision.ops import batched_nms, box_iou, nms

HERE = os.path.dirname(os.path.abspath(__file__))
COUNT, LABELS, MISSED = 40, 3, 4
random = numpy.random.default_rng(12)
out = {}


def put(name, values):
    values = numpy.asarray(values, numpy.float64)
    out[name] = values.reshape(1, -1) if values.ndim < 2 else values


objects = random.integers(0, 8, COUNT)  # several boxes each
corners = numpy.round((random.uniform(0, 40, (8, 2))[objects] + random.normal(0, 1.5, (COUNT, 2))) * 4) / 4
sizes = numpy.round((random.uniform(8, 20, (8, 2))[objects] + random.normal(0, 1.5, (COUNT, 2))) * 4) / 4
boxes = numpy.hstack([corners, corners + sizes])
scores = random.permutation(COUNT) / 64 + 1 / 16  # no two are equal, and all are floats
labels = random.integers(0, LABELS, COUNT)
theirs = torch.tensor(boxes[:, [1, 0, 3, 2]])
put("boxes", boxes)
put("scores", scores)
put("labels", labels)
put("iou", box_iou(theirs, theirs).numpy())
for percent in (20, 50, 80):
    threshold = percent / 100
    put(f"nms.{percent}", nms(theirs, torch.tensor(scores), threshold).numpy())
    put(f"nms_per_label.{percent}", batched_nms(theirs, torch.tensor(scores), torch.tensor(labels), threshold).numpy())

found = random.random(COUNT) < 0.2 + 0.6 * scores
precision, recall, _ = precision_recall_curve(found, scores)  # recall falls, and ends at 0
recall = recall * found.sum() / (found.sum() + MISSED)
envelope = numpy.maximum.accumulate(precision)
put("found", found)
put("average_precision", [numpy.sum((recall[:-1] - recall[1:]) * envelope[:-1])])

truth = random.integers(0, 5, 500)
predicted = numpy.where(random.random(500) < 0.6, truth, random.integers(0, 6, 500))
truth[truth == 3] = 1  # class 3 is only predicted, class 5 as well, class 6 is nowhere
put("truth", truth)
put("predicted", predicted)
put("jaccard", jaccard_score(truth, predicted, average=None, labels=range(6)))
put("accuracy", [accuracy_score(truth, predicted)])

image = random.random((8, 12)).astype(numpy.float32)
noisy = numpy.clip(image + random.normal(0, 0.1, image.shape), 0, 1).astype(numpy.float32)
put("image", image)
put("noisy", noisy)
put("psnr", [peak_signal_noise_ratio(image, noisy, data_range=1),
             peak_signal_noise_ratio(255 * image.astype(float), 255 * noisy.astype(float), data_range=255),
             peak_signal_noise_ratio(image, noisy, data_range=2)])

with open(os.path.join(HERE, "boxes.txt"), "w") as file:
    file.write("# torchvision, scikit-learn, scikit-image: boxes, confusions and noise; make_boxes.py says more\n")
    for name, values in out.items():
        file.write(f"{name} {values.shape[0]} {values.shape[1]}\n")
        for row in values:
            file.write(" ".join(f"{number:.9g}" for number in row) + "\n")
