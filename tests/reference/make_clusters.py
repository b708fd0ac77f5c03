#!/usr/bin/env python3
"""Writes clusters.txt, with scikit-learn 1.2.1 and numpy 1.24.2 (Debian 12's python3-sklearn and python3-numpy) in double
precision.

    python3 tests/reference/make_clusters.py

tests/unit/test_reference_clusters.c compares the library with it, as make.py says of the other files. Inputs are rounded to
multiples of 1/64, which a float holds exactly.
"""
import os

import numpy
from sklearn.cluster import KMeans
from sklearn.decomposition import PCA
from sklearn.ensemble._iforest import _average_path_length
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score, roc_curve

HERE = os.path.dirname(os.path.abspath(__file__))
draw = numpy.random.RandomState(1)


def rounded(values):
    return numpy.round(values * 64) / 64


def first_large_positive(rows):
    """The library's sign: the first element of the largest size is positive."""
    chosen = numpy.abs(rows).argmax(axis=1)
    return rows * numpy.sign(rows[numpy.arange(len(rows)), chosen])[:, None]


def write(file, comment, matrices):
    with open(os.path.join(HERE, file + ".txt"), "w") as out:
        out.write(f"# {comment}\n")
        for name, value in matrices.items():
            rows = numpy.atleast_2d(numpy.asarray(value, dtype=float))
            out.write(f"{name} {rows.shape[0]} {rows.shape[1]}\n")
            for row in rows:
                out.write(" ".join(f"{number:.9g}" for number in row) + "\n")


# Three overlapping clouds of 20 rows with 4 columns
labels = numpy.repeat([0, 1, 2], 20)
x = rounded(draw.randn(60, 4) + 1.5 * draw.randn(3, 4)[labels])
out = {"x": x, "labels": labels}

start = x[[0, 1, 2]]
model = KMeans(3, init=start, n_init=1, max_iter=300, tol=0, algorithm="lloyd").fit(x)
out.update({"kmeans.start": start, "kmeans.labels": model.labels_, "kmeans.centres": model.cluster_centers_,
            "kmeans.cost": model.inertia_})
one = KMeans(3, init=start, n_init=1, max_iter=1, tol=0, algorithm="lloyd").fit(x)
out.update({"kmeans.cost_after_one": one.inertia_, "kmeans.centres_after_one": one.cluster_centers_})

model = PCA(3, svd_solver="full").fit(x)
shrink = (len(x) - 1) / len(x)  # scikit-learn divides by N - 1
out.update({"pca.mean": model.mean_, "pca.components": first_large_positive(model.components_),
            "pca.variances": model.explained_variance_ * shrink, "pca.ratio": model.explained_variance_ratio_})

symmetric = x[:8].T @ x[:8] - 2 * numpy.eye(4)
symmetric = rounded(symmetric)
values, vectors = numpy.linalg.eigh(symmetric)
out.update({"symmetric": symmetric, "symmetric.values": values[::-1],
            "symmetric.vectors": first_large_positive(vectors.T[::-1])})

scores = rounded(x[:, 0]).round(1)  # ties
scores = rounded(scores)
positive = labels == 1
false, true, thresholds = roc_curve(positive, scores, drop_intermediate=False)
out.update({"scores": scores, "roc.false": false[1:], "roc.true": true[1:], "roc.thresholds": thresholds[1:],
            "roc.area": roc_auc_score(positive, scores)})

C = 0.5
model = LogisticRegression(C=C, tol=1e-12, max_iter=10000).fit(x, labels)
out.update({"logistic.decay": 1 / (C * len(x)), "logistic.weights": model.coef_.T, "logistic.labels": model.predict(x),
            "logistic.biases": model.intercept_ - model.intercept_.mean()})

sizes = numpy.array([1, 2, 10, 100, 256, 1000])
out.update({"sizes": sizes, "path_lengths": _average_path_length(sizes)})

write("clusters", "scikit-learn: KMeans, PCA, roc_curve, LogisticRegression, lengths of isolation trees; numpy: eigh", out)
