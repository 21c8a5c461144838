"""What scikit-learn says of weighted samples and of metrics, SciPy of Huber's loss and of
temperatures, and the formulas of AdamW and of the calibration error in NumPy, as a reference for the Go tests:

    python3 testdata/sklearn_json.py > testdata/sklearn.json

The output has the form of numpy.json: {"in": {name: matrix}, "out": {name: matrix}} for
each function. Made with scikit-learn 1.2 and NumPy 1.24; on another machine the last
digits may differ.
"""
import json

import numpy as np
from scipy.optimize import minimize_scalar
from scipy.special import huber, log_softmax, softmax
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import (accuracy_score, f1_score, log_loss, mean_absolute_error, precision_score, r2_score,
                             recall_score, roc_auc_score)
from sklearn.utils.class_weight import compute_sample_weight

random = np.random.RandomState(3)


def adamw(w, G, lr, decay):
    """Loshchilov & Hutter 2019, algorithm 2, whose schedule multiplies the decay too; row t
    of the result is w after step t, with the gradient in row t of G."""
    m, v, steps = np.zeros_like(w), np.zeros_like(w), []
    for t, g in enumerate(G, 1):
        m = 0.9 * m + 0.1 * g
        v = 0.999 * v + 0.001 * g ** 2
        w = w - lr * ((m / (1 - 0.9 ** t)) / (np.sqrt(v / (1 - 0.999 ** t)) + 1e-8) + decay * w)
        steps.append(w[0])
    return np.array(steps)


X = random.randn(40, 2)
c = (X[:, 0] + random.randn(40) > 0.8).astype(int)
weights = random.randint(1, 5, 40) * 0.5
fitted = LogisticRegression(penalty=None, solver="newton-cg", tol=1e-9).fit(X, c, sample_weight=weights)

want = random.randn(30, 2)
y = want + 0.5 * random.randn(30, 2)
labels = (want > 0.5).astype(int)

w, G = random.randn(1, 4), random.randn(5, 4)

classes = random.randint(0, 4, 60)
onehot = np.eye(6)[classes]  # the last two have no row,
logits = (onehot + random.randn(60, 6)).round(1)
logits[:, [3, 5]] = -9  # and the last and another no answer
two = (logits[:, 1] - logits[:, 0] + 1.5 * random.randn(60) > -0.2).astype(int)  # the logits have ties

five = np.eye(5)[random.randint(0, 5, 300)]
sure = 3 * (five + random.randn(300, 5))


def calibration(y, want):
    """The temperature of Guo et al. 2017, and the calibration error before and after."""
    loss = lambda b: -(want * log_softmax(b * y, axis=1)).sum(1).mean()
    T = 1 / minimize_scalar(loss, bounds=(1 / 16, 16), method="bounded", options={"xatol": 1e-12}).x

    def error(y):
        p = softmax(y, axis=1)
        top, right = p.max(1), want[np.arange(len(y)), p.argmax(1)]
        bins = (top * 15).astype(int)
        return sum(abs((right - top)[bins == k].mean()) * (bins == k).mean() for k in range(15) if (bins == k).any())
    return {"T": T, "before": error(y), "after": error(y / T)}


def scores(truth, answer, **by):
    return {name: score(truth, answer, zero_division=0, **by) for name, score in
            {"precision": precision_score, "recall": recall_score, "f1": f1_score}.items()}


cases = {
    "logistic_regression": ({"X": X, "c": c, "weights": weights}, {
        "W": fitted.coef_.T, "b": fitted.intercept_,
        "loss": log_loss(c, fitted.predict_proba(X), sample_weight=weights) * weights.mean()}),
    "balanced": ({"c": c}, {"weights": compute_sample_weight("balanced", c)}),
    "r2_score": ({"y": y, "want": want}, {"r2": r2_score(want, y)}),
    "absolute_error": ({"y": y, "want": want}, {"mae": mean_absolute_error(want, y)}),
    "huber": ({"y": y, "want": want, "delta": 0.4}, {"loss": huber(0.4, y - want).mean()}),
    "macro": ({"y": logits, "want": onehot}, scores(classes, logits.argmax(1), average="macro")),
    "binary": ({"y": logits[:, :2], "want": np.eye(2)[two]}, {
        **scores(two, logits[:, :2].argmax(1)), "auc": roc_auc_score(two, logits[:, 1] - logits[:, 0])}),
    "calibration": ({"y": sure, "want": five}, calibration(sure, five)),
    "label_accuracy": ({"y": y, "want": labels}, {"accuracy": accuracy_score(labels.ravel(), y.ravel() > 0)}),
    "adamw": ({"w": w, "G": G, "lr": 0.1, "decay": 0.3}, {"w": adamw(w, G, 0.1, 0.3)}),
}


def matrix(x):
    x = np.atleast_2d(np.asarray(x, dtype=np.float64))
    return {"shape": list(x.shape), "data": x.ravel().tolist()}


print(json.dumps({name: {"in": {k: matrix(v) for k, v in given.items()}, "out": {k: matrix(v) for k, v in out.items()}}
                  for name, (given, out) in cases.items()}))
