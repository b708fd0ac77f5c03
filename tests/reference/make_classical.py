#!/usr/bin/env python3
"""Writes classical.txt, with scikit-learn 1.2.1 (Debian 12's python3-sklearn; its SVC is libsvm) on tables of datasets/.

    python3 tests/reference/make_classical.py        from the project's root

tests/unit/test_reference_classical.c compares the library with it, as make.py says of the other files.

Trees are grown to the end. Which of several splits that are equally good scikit-learn takes depends on its seed; so what stands
here is what all of 20 seeds agree on, of the first three nodes. Support vector machines see standardised columns (division by N),
C 1, the tolerance 1e-6, y = +1 for the class named below and -1 for the rest.
"""
import csv
import os

import numpy
from sklearn.svm import SVC
from sklearn.tree import DecisionTreeClassifier

HERE = os.path.dirname(os.path.abspath(__file__))
TABLES = {"wine": "class_0", "iris": "versicolor", "breast-cancer": "malignant", "ionosphere": "bad",
          "house-votes-84": "republican"}


def load(name):
    with open(f"datasets/{name}.csv", newline="") as file:
        table = list(csv.reader(file))[1:]
    if name == "house-votes-84":  # the class comes first; a vote not given is half of one
        x = [[{"y": 1.0, "n": 0.0, "": 0.5}[cell] for cell in row[1:]] for row in table]
        words = [row[0] for row in table]
    else:
        x = [[float(cell) for cell in row[:-1]] for row in table]
        words = [row[-1] for row in table]
    order = list(dict.fromkeys(words))  # classes in order of first appearance, as csv_classes has them
    return numpy.array(x, numpy.float32), numpy.array([order.index(w) for w in words]), order


def agreed(values):
    return values[0] if len(set(values)) == 1 else -1


def tree_facts(x, labels):
    """The root, its left and its right child: feature (-2: a leaf), threshold, rows, Gini; -1 for what depends on the seed."""
    trees = [DecisionTreeClassifier(random_state=seed).fit(x, labels).tree_ for seed in range(20)]
    facts = []
    for place in (lambda t: 0, lambda t: t.children_left[0], lambda t: t.children_right[0]):
        nodes = [(t, place(t)) for t in trees]
        split = agreed([(t.feature[n], round(t.threshold[n], 6)) for t, n in nodes])
        feature, threshold = split if split != -1 else (-1, -1)
        leaf = feature == -2
        rows = agreed([t.n_node_samples[n] for t, n in nodes])
        gini = agreed([round(t.impurity[n], 9) for t, n in nodes])
        facts.append([feature, 0 if leaf else threshold, rows, gini])
    return facts


def machine(x, y, gamma):
    model = SVC(C=1, kernel="rbf" if gamma else "linear", gamma=gamma or 1, tol=1e-6).fit(x, y)
    a = model.dual_coef_[0]
    vectors = x[model.support_]
    kernel = vectors @ vectors.T
    if gamma:
        squares = (vectors**2).sum(axis=1)
        kernel = numpy.exp(-gamma * (squares[:, None] + squares[None, :] - 2 * kernel))
    dual = numpy.abs(a).sum() - 0.5 * a @ kernel @ a
    return [dual, len(a), (numpy.abs(a) == 1).sum(), model.intercept_[0]], model.decision_function(x[:10])


out = {}
for name, positive in TABLES.items():
    x, labels, order = load(name)
    out[name + ".tree"] = tree_facts(x, labels)
    wide = x.astype(float)
    deviation = wide.std(axis=0)
    deviation[deviation == 0] = 1
    wide = (wide - wide.mean(axis=0)) / deviation
    y = numpy.where(labels == order.index(positive), 1, -1)
    for kind, gamma in (("linear", 0), ("rbf", 1 / x.shape[1])):
        facts, decisions = machine(wide, y, gamma)
        out[f"{name}.{kind}"] = [facts]
        out[f"{name}.{kind}.decisions"] = [decisions]
    model = SVC(C=1, gamma=1 / x.shape[1], tol=1e-6).fit(wide, labels)
    out[f"{name}.classes"] = [model.predict(wide)]
    if len(order) > 2:
        out[f"{name}.supports"] = [[len(model.support_), *model.n_support_]]

with open(os.path.join(HERE, "classical.txt"), "w") as file:
    file.write("# scikit-learn: trees grown to the end, and SVC, on tables of datasets/; make_classical.py says more\n")
    for name, value in out.items():
        rows = numpy.atleast_2d(numpy.asarray(value, dtype=float))
        file.write(f"{name} {rows.shape[0]} {rows.shape[1]}\n")
        for row in rows:
            file.write(" ".join(f"{number:.9g}" for number in row) + "\n")
