"""Evaluates every function of the article's neural_network.py, and two
optimizers, on small random numbers, as a reference for the Go tests:

    python3 testdata/numpy_json.py > testdata/numpy.json

The output is one object per function: {"in": {name: matrix}, "out": {name:
matrix}} where a matrix is {"shape": [rows, cols], "data": [row by row]}, and a
scalar is 1x1. The floats are written so that they read back to the last bit.
Inputs are there too, so nothing needs NumPy's random numbers. Made with NumPy
1.24; on another machine the last bits of the output may differ.
(Called numpy.py, this file would be what "import numpy" finds.)
"""
import json

import numpy as np

random = np.random.RandomState(1)
randn = random.randn
EPSILON = 1e-15


def normalize(X):
    mean, std = X.mean(axis=0), X.std(axis=0)
    return (X - mean) / np.where(std != 0, std, 1)


def sigmoid(Z):
    with np.errstate(over="ignore"):  # exp(1000) = inf, and 1/inf = 0 is right
        return 1 / (1 + np.exp(-Z))


def relu(Z):
    return np.maximum(0, Z)


def softmax(Z):
    E = np.exp(Z - Z.max(axis=1, keepdims=True))
    return E / E.sum(axis=1, keepdims=True)


def mse_loss(A, y):
    return np.mean((A - y) ** 2)


def binary_cross_entropy(A, y):
    return -np.mean(y * np.log(A + EPSILON) + (1 - y) * np.log(1 - A + EPSILON))


def cross_entropy(A, y):
    return -np.mean(np.sum(y * np.log(A + EPSILON), axis=1))


def gradient_descent(X, y, W, b, lr, batch_size, order, loss, activation):
    """Row e of order is the permutation that epoch e takes its batches from."""
    history = []
    for permutation in order:
        for start in range(0, len(X), batch_size):
            batch = permutation[start:start + batch_size]
            error = activation(X[batch] @ W + b) - y[batch]
            W = W - lr * X[batch].T @ error / len(batch)
            b = b - lr * np.mean(error)
        history.append(loss(activation(X @ W + b), y))
    return W, b, np.array([history])


def numerical_gradient(X, y, params, loss, forward, h):
    gradients = {}
    for name, value in params.items():
        gradients[name] = np.zeros_like(value)
        for i in np.ndindex(value.shape):
            at = value[i]
            value[i] = at + h
            above = loss(forward(X, params), y)
            value[i] = at - h
            below = loss(forward(X, params), y)
            value[i] = at
            gradients[name][i] = (above - below) / (2 * h)
    return gradients


def forward_perceptron(X, W, b):
    return sigmoid(X @ W + b)


def forward_mlp(X, W1, b1, W2, b2):
    A1 = relu(X @ W1 + b1)
    return A1, softmax(A1 @ W2 + b2)


def backward_mlp(X, A1, A2, y, W2, Z1):
    n = len(X)
    d2 = A2 - y
    d1 = (d2 @ W2.T) * (Z1 > 0)
    return (X.T @ d1 / n, d1.mean(axis=0, keepdims=True),
            A1.T @ d2 / n, d2.mean(axis=0, keepdims=True))


def forward_mlp_3layer(X, W1, b1, W2, b2, W3, b3):
    A1 = relu(X @ W1 + b1)
    A2 = relu(A1 @ W2 + b2)
    return A1, A2, softmax(A2 @ W3 + b3)


def backward_mlp_3layer(X, A1, A2, A3, y, W2, W3, Z1, Z2):
    n = len(X)
    d3 = A3 - y
    d2 = (d3 @ W3.T) * (Z2 > 0)
    d1 = (d2 @ W2.T) * (Z1 > 0)
    return (X.T @ d1 / n, d1.mean(axis=0, keepdims=True),
            A1.T @ d2 / n, d2.mean(axis=0, keepdims=True),
            A2.T @ d3 / n, d3.mean(axis=0, keepdims=True))


def momentum(w, G, lr, mu):
    """Row t of the result is w after step t, with the gradient in row t of G."""
    v, steps = np.zeros_like(w), []
    for g in G:
        v = mu * v + g
        w = w - lr * v
        steps.append(w[0])
    return np.array(steps)


def adam(w, G, lr, beta1, beta2, epsilon):
    """Kingma & Ba, Adam (ICLR 2015), algorithm 1; the result as momentum's."""
    m, v, steps = np.zeros_like(w), np.zeros_like(w), []
    for t, g in enumerate(G, 1):
        m = beta1 * m + (1 - beta1) * g
        v = beta2 * v + (1 - beta2) * g ** 2
        w = w - lr * (m / (1 - beta1 ** t)) / (np.sqrt(v / (1 - beta2 ** t)) + epsilon)
        steps.append(w[0])
    return np.array(steps)


def batch_norm_step(X, y, W1, gain, b1, W2, b2, mean, var, lr):
    """One step of gradient descent of relu(norm(X W1)) W2 + b2, with the
    gradients as they stand in Ioffe & Szegedy 2015, section 3."""
    m, epsilon = len(X), 1e-5
    x = X @ W1
    mu, sigma2 = x.mean(axis=0, keepdims=True), x.var(axis=0, keepdims=True)
    x_hat = (x - mu) / np.sqrt(sigma2 + epsilon)
    Z1 = gain * x_hat + b1
    A1 = relu(Z1)
    d2 = (softmax(A1 @ W2 + b2) - y) / m
    d1 = (d2 @ W2.T) * (Z1 > 0)
    d_hat = d1 * gain
    d_sigma2 = np.sum(d_hat * (x - mu), axis=0) * -0.5 * (sigma2 + epsilon) ** -1.5
    d_mu = np.sum(-d_hat / np.sqrt(sigma2 + epsilon), axis=0) + d_sigma2 * np.mean(-2 * (x - mu), axis=0)
    d_x = d_hat / np.sqrt(sigma2 + epsilon) + d_sigma2 * 2 * (x - mu) / m + d_mu / m
    gain_step, b1_step = np.sum(d1 * x_hat, axis=0), np.sum(d1, axis=0)
    return (W1 - lr * X.T @ d_x, gain - lr * gain_step, b1 - lr * b1_step,
            W2 - lr * A1.T @ d2, b2 - lr * d2.sum(axis=0, keepdims=True),
            0.9 * mean + 0.1 * mu, 0.9 * var + 0.1 * m / (m - 1) * sigma2)


def batch_norm_predict(X, W1, gain, b1, W2, b2, mean, var):
    x_hat = (X @ W1 - mean) / np.sqrt(var + 1e-5)
    return relu(gain * x_hat + b1) @ W2 + b2


def one_hot(n, classes):
    return np.eye(classes)[random.randint(classes, size=n)]


def cases():
    X = randn(5, 7) * 3 + 1
    X[:, 2] = 0.7  # a column that never varies
    yield "normalize", dict(X=X), dict(Y=normalize(X))

    X, W = randn(5, 7), randn(7, 4)
    yield "matrix_multiply", dict(X=X, W=W), dict(Y=X @ W)

    Z = np.vstack([[[-1000, -30, -1e-9, 0, 1e-9, 30, 1000]], randn(2, 7) * 4])
    yield "sigmoid", dict(Z=Z), dict(A=sigmoid(Z))
    yield "relu", dict(Z=Z), dict(A=relu(Z))

    Z = np.vstack([randn(4, 3), [[1000, 999, -1000]]])
    yield "softmax", dict(Z=Z), dict(A=softmax(Z))

    A, y = randn(5, 1), randn(5, 1)
    yield "mse_loss", dict(A=A, y=y), dict(loss=mse_loss(A, y))

    A = np.vstack([[[0], [1], [0], [1]], random.rand(4, 1)])  # sure and right, sure and wrong
    y = np.array([[0, 1, 1, 0, 0, 1, 0, 1.0]]).T
    yield "binary_cross_entropy", dict(A=A, y=y), dict(loss=binary_cross_entropy(A, y))

    A = np.vstack([np.eye(3)[:2], softmax(randn(3, 3))])
    y = np.eye(3)[[0, 2, 0, 1, 2]]  # row 0 is sure and right, row 1 sure and wrong
    yield "cross_entropy", dict(A=A, y=y), dict(loss=cross_entropy(A, y))

    X, W, b = randn(10, 3), randn(3, 1), randn(1, 1)
    order = np.array([random.permutation(10) for _ in range(5)])
    for name, y, loss, activation in (
            ("gradient_descent", randn(10, 1), mse_loss, lambda Z: Z),
            ("gradient_descent_sigmoid", one_hot(10, 2)[:, :1], binary_cross_entropy, sigmoid)):
        given = dict(X=X, y=y, W=W, b=b, lr=0.1, batch_size=4, order=order)
        yield name, given, dict(zip(("W", "b", "history"), gradient_descent(
            loss=loss, activation=activation, **given)))

    X, W, b, h = randn(5, 3), randn(3, 1), randn(1, 1), 1e-4
    for name, y, loss, activation in (
            ("numerical_gradient", randn(5, 1), mse_loss, lambda Z: Z),
            ("numerical_gradient_sigmoid", one_hot(5, 2)[:, :1], binary_cross_entropy, sigmoid)):
        yield name, dict(X=X, y=y, W=W, b=b, h=h), numerical_gradient(
            X, y, dict(W=W, b=b), loss, lambda X, p: activation(X @ p["W"] + p["b"]), h)

    X, W, b = randn(5, 7), randn(7, 1), randn(1, 1)
    yield "forward_perceptron", dict(X=X, W=W, b=b), dict(A=forward_perceptron(X, W, b))

    X, y = randn(5, 7), one_hot(5, 3)
    p = dict(W1=randn(7, 4), b1=randn(1, 4), W2=randn(4, 3), b2=randn(1, 3))
    A1, A2 = forward_mlp(X, **p)
    yield "forward_mlp", dict(X=X, **p), dict(A1=A1, A2=A2)
    Z1 = X @ p["W1"] + p["b1"]
    yield "backward_mlp", dict(X=X, y=y, **p), dict(zip(
        p, backward_mlp(X, A1, A2, y, p["W2"], Z1)))

    p = dict(W1=randn(7, 4), b1=randn(1, 4), W2=randn(4, 3), b2=randn(1, 3), W3=randn(3, 3), b3=randn(1, 3))
    A1, A2, A3 = forward_mlp_3layer(X, **p)
    yield "forward_mlp_3layer", dict(X=X, **p), dict(A1=A1, A2=A2, A3=A3)
    Z1, Z2 = X @ p["W1"] + p["b1"], A1 @ p["W2"] + p["b2"]
    yield "backward_mlp_3layer", dict(X=X, y=y, **p), dict(zip(
        p, backward_mlp_3layer(X, A1, A2, A3, y, p["W2"], p["W3"], Z1, Z2)))

    w, G = randn(1, 6), randn(10, 6) * [1, 1, 10, 1e-3, 1, 0]
    yield "momentum", dict(w=w, G=G, lr=0.1, mu=0.9), dict(w=momentum(w, G, 0.1, 0.9))
    given = dict(w=w, G=G, lr=0.01, beta1=0.9, beta2=0.999, epsilon=1e-8)
    yield "adam", given, dict(w=adam(**given))

    X, y = randn(9, 7), one_hot(9, 3)
    state = dict(W1=randn(7, 4), gain=1 + randn(1, 4) / 4, b1=randn(1, 4), W2=randn(4, 3), b2=randn(1, 3),
                 mean=np.zeros((1, 4)), var=np.ones((1, 4)))
    given = dict(X=X, y=y, lr=0.5, **state)
    for _ in range(5):
        state = dict(zip(state, batch_norm_step(X, y, lr=0.5, **state)))
    yield "batch_norm", given, dict(logits=batch_norm_predict(X, **state), **state)


def matrices(values):
    values = {name: np.atleast_2d(value) for name, value in values.items()}
    return {name: {"shape": v.shape, "data": v.ravel().tolist()} for name, v in values.items()}


def main():
    lines = []
    for name, given, result in cases():
        case = {"in": matrices(given), "out": matrices(result)}
        lines.append(f'"{name}": {json.dumps(case, allow_nan=False)}')
    print("{\n" + ",\n".join(lines) + "\n}")


main()
