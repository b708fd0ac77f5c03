# The twins of bench_tree.c and bench_svc.c in scikit-learn: the same images and the same settings. One argument says which:
# tree or svc.
import sys
import time

try:
    import sklearn
    from sklearn.svm import SVC
    from sklearn.tree import DecisionTreeClassifier
except ImportError:
    sys.exit(1)
import fashion
import peer

x, labels = fashion.load("train")
test, test_labels = fashion.load("t10k")
seed = 0


def tree():
    global seed
    seed += 1  # the order in which features are tried: it decides between splits that are equally good
    return DecisionTreeClassifier(max_depth=10, random_state=seed).fit(x, labels)


def svc():
    return SVC(C=1, kernel="rbf", gamma="scale", cache_size=512).fit(x[:5000], labels[:5000])


def timed(call):
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


def predict_seconds():
    model = svc()
    return timed(lambda: model.predict(test))


fit = {"tree": tree, "svc": svc}[sys.argv[1]]
peer.serve(
    f"scikit-learn {sklearn.__version__}",
    {
        "fit": lambda _: timed(fit),
        "predict": lambda _: predict_seconds(),
        "accuracy": lambda _: fit().score(test, test_labels),
    },
)
