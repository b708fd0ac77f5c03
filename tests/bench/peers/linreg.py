# The twins of bench_linreg.c: the same standardised table, minibatches of 32 (scikit-learn: single examples, its only way),
# 100 epochs, a constant rate. One argument says which library: torch or sklearn.
import csv
import os
import sys

try:
    import numpy
    if sys.argv[1] == "torch":
        import torch
    else:
        import sklearn
        from sklearn.linear_model import SGDRegressor
except ImportError:
    sys.exit(1)
import peer

EPOCHS, BATCH, RATE = 100, 32, 0.02

with open("datasets/diabetes.csv", newline="") as file:
    table = numpy.array([[float(cell) for cell in row] for row in list(csv.reader(file))[1:]])
table = (table - table.mean(axis=0)) / table.std(axis=0)
x, y = table[:, :-1].astype(numpy.float32), table[:, -1].astype(numpy.float32)


def fit_torch():
    examples, targets = torch.from_numpy(x), torch.from_numpy(y)
    weights = torch.zeros(x.shape[1], requires_grad=True)
    optimiser = torch.optim.SGD([weights], lr=RATE)
    for _ in range(EPOCHS):
        order = torch.randperm(len(x))
        for first in range(0, len(x), BATCH):
            batch = order[first:first + BATCH]
            loss = 0.5 * ((examples[batch] @ weights - targets[batch]) ** 2).mean()
            optimiser.zero_grad(set_to_none=True)
            loss.backward()
            optimiser.step()
    return weights.detach().numpy()


def fit_sklearn():
    model = SGDRegressor(penalty=None, fit_intercept=False, learning_rate="constant", eta0=RATE / BATCH, max_iter=EPOCHS,
                         tol=None, n_iter_no_change=EPOCHS)
    return model.fit(x, y).coef_


if sys.argv[1] == "torch":
    torch.set_num_threads(int(os.environ["OMP_NUM_THREADS"]))
    fit, title = fit_torch, f"PyTorch {torch.__version__}"
else:
    fit, title = fit_sklearn, f"scikit-learn {sklearn.__version__}"

peer.serve(title, {
    "fit": lambda seconds: 1 / peer.calls_per_second(seconds, fit),
    "explained": lambda seconds: 1 - float(((x @ fit() - y) ** 2).sum() / (y ** 2).sum()),
})
