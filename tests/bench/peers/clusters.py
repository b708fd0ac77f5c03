# The twins of bench_kmeans.c, bench_pca.c, bench_iforest.c and bench_logistic.c in scikit-learn: the same data, starts and
# amounts of work. One argument says which: kmeans, pca, eigh (the covariance matrix by numpy), iforest or logistic.
import os
import sys
import time
import warnings

try:
    import numpy
    import sklearn
    from sklearn.cluster import KMeans
    from sklearn.decomposition import PCA
    from sklearn.ensemble import IsolationForest
    from sklearn.linear_model import LogisticRegression, SGDClassifier
    from sklearn.metrics import roc_auc_score
except ImportError:
    sys.exit(1)
import fashion
import peer

warnings.filterwarnings("ignore")  # "not converged": that is what was asked for
THREADS = int(os.environ["OMP_NUM_THREADS"])
x, labels = fashion.load("train")
test, test_labels = fashion.load("t10k")
seed = 0


def timed(call):
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


def kmeans():
    # tol below 0 is not allowed, and 0 stops only where nothing changes
    return KMeans(10, init=x[::6000], n_init=1, max_iter=20, tol=0, algorithm="lloyd").fit(x)


def pca():
    return PCA(50, random_state=0).fit(x)


def eigh():
    centred = x - x.mean(axis=0)
    values, vectors = numpy.linalg.eigh(centred.T @ centred / len(x))
    return values[::-1][:50], vectors[:, ::-1][:, :50], values.sum()


def forest():
    global seed
    seed += 1
    return IsolationForest(n_estimators=100, max_samples=256, n_jobs=THREADS, random_state=seed).fit(x)


def score_seconds():
    model = forest()
    return timed(lambda: model.score_samples(test))


def area():
    model = forest()
    upside_down = test.reshape(-1, 28, 28)[:, ::-1].reshape(-1, 784)
    scores = -numpy.concatenate([model.score_samples(test), model.score_samples(upside_down)])
    return roc_auc_score(numpy.repeat([0, 1], len(test)), scores)


def logistic():
    return LogisticRegression(C=1, max_iter=50, tol=1e-30).fit(x, labels)


def logistic_objective():
    model = logistic()
    scores = x.astype(numpy.float64) @ model.coef_.T + model.intercept_
    scores -= scores.max(axis=1, keepdims=True)
    losses = numpy.log(numpy.exp(scores).sum(axis=1)) - scores[numpy.arange(len(x)), labels]
    return losses.mean() + 0.5 * (model.coef_.astype(numpy.float64) ** 2).sum() / len(x)


def sgd():
    global seed
    seed += 1
    return SGDClassifier(loss="log_loss", max_iter=5, tol=None, n_jobs=THREADS, random_state=seed).fit(x, labels)


ANSWERS = {
    "kmeans": {"fit": lambda _: timed(kmeans), "cost": lambda _: kmeans().inertia_},
    "pca": {"fit": lambda _: timed(pca), "explained": lambda _: pca().explained_variance_ratio_.sum()},
    "eigh": {"fit": lambda _: timed(eigh), "explained": lambda _: eigh()[0].sum() / eigh()[2]},
    "iforest": {"fit": lambda _: timed(forest), "score": lambda _: score_seconds(), "area": lambda _: area()},
    "logistic": {
        "fit": lambda _: timed(logistic),
        "loss": lambda _: logistic_objective(),
        "accuracy": lambda _: logistic().score(test, test_labels),
        "sgd": lambda _: timed(sgd),
        "sgd_accuracy": lambda _: sgd().score(test, test_labels),
    },
}
title = f"numpy {numpy.__version__}" if sys.argv[1] == "eigh" else f"scikit-learn {sklearn.__version__}"
peer.serve(title, ANSWERS[sys.argv[1]])
