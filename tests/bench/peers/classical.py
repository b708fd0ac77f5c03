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


def tree(seed):
    # the order in which features are tried: it decides between splits that are equally good
    return DecisionTreeClassifier(max_depth=10, random_state=seed).fit(x, labels)


def svc(_):
    return SVC(C=1, kernel="rbf", gamma="scale", cache_size=512).fit(x[:5000], labels[:5000])


model, seed = {"tree": tree, "svc": svc}[sys.argv[1]], 0
fitted = []  # models whose accuracy was not asked for yet: fitting takes long


def fit():
    global seed
    seed += 1
    start = time.perf_counter()
    fitted.append(model(seed))
    return time.perf_counter() - start


def predict():
    if not fitted:
        fit()
    start = time.perf_counter()
    fitted[-1].predict(test[:1000])
    return time.perf_counter() - start


accuracies = []


def accuracy():
    if model is svc and accuracies:  # every fit is the same
        return accuracies[0]
    if not fitted:
        fit()
    accuracies.append(fitted.pop().score(test, test_labels))
    return accuracies[-1]


peer.serve(
    f"scikit-learn {sklearn.__version__}",
    {"fit": lambda _: fit(), "predict": lambda _: predict(), "accuracy": lambda _: accuracy()},
)
