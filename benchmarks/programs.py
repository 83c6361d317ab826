"""What is measured: losses as a NumPy user writes them, their gradients as an expert writes them by hand, arguments."""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Program:
    """A primal, its derivative by hand (value and gradients), and the arguments that both are called with."""

    title: str
    primal: Callable
    by_hand: Callable
    args: tuple
    argnums: int | tuple[int, ...]


def programs():
    """Return the programs, with the same arguments every time."""
    rng = np.random.default_rng(0)

    def normal(*shape, scale=1.0):
        return scale * rng.standard_normal(shape)

    labels = np.eye(10)[rng.integers(10, size=64)]
    mlp = (normal(784, 256, scale=1 / 28), normal(256), normal(256, 10, scale=1 / 16), normal(10),
           normal(64, 784), labels)
    rnn = (normal(128, 128, scale=0.05), normal(128, 128, scale=0.05), normal(128, scale=0.1), normal(100, 64, 128))
    return [
        Program("scalar loop, 10,000 steps", steps, steps_by_hand, (2.0, 10_000), 0),
        Program("MLP 64 × 784-256-10", mlp_loss, mlp_loss_by_hand, mlp, (0, 1, 2, 3)),
        Program("mixture, 1000 × 10", mixture_loss, mixture_loss_by_hand,
                (normal(10), normal(10), normal(10, scale=0.1), normal(1000, scale=2.0)), (0, 1, 2)),
        Program("RNN, 100 steps of 64 × 128", rnn_loss, rnn_loss_by_hand, rnn, (0, 1, 2)),
    ]


def steps(x: float, n: int):
    for _ in range(n):
        x = math.sin(x) * x
    return x


def steps_by_hand(x, n):
    saved = []
    for _ in range(n):
        saved.append(x)
        x = math.sin(x) * x
    out = x
    x_bar = 1.0
    while saved:
        x = saved.pop()
        x_bar *= math.cos(x) * x + math.sin(x)
    return out, x_bar


def mlp_loss(w1, b1, w2, b2, x, labels):
    hidden = np.tanh(x @ w1 + b1)
    logits = hidden @ w2 + b2
    logits = logits - np.max(logits, axis=1, keepdims=True)
    log_probability = logits - np.log(np.sum(np.exp(logits), axis=1, keepdims=True))
    return -np.sum(labels * log_probability) / len(x)


def mlp_loss_by_hand(w1, b1, w2, b2, x, labels):
    hidden = np.tanh(x @ w1 + b1)
    logits = hidden @ w2 + b2
    logits -= np.max(logits, axis=1, keepdims=True)
    weights = np.exp(logits)
    sums = np.sum(weights, axis=1, keepdims=True)
    out = -np.sum(labels * (logits - np.log(sums))) / len(x)

    logits_bar = (weights / sums * np.sum(labels, axis=1, keepdims=True) - labels) / len(x)
    hidden_bar = logits_bar @ w2.T
    hidden_bar *= 1.0 - hidden * hidden
    return out, (x.T @ hidden_bar, np.sum(hidden_bar, axis=0), hidden.T @ logits_bar, np.sum(logits_bar, axis=0))


def mixture_loss(weights, means, log_scales, x):
    z = (x[:, None] - means) / np.exp(log_scales)
    log_weights = weights - np.log(np.sum(np.exp(weights)))
    terms = log_weights - log_scales - 0.5 * z**2
    top = np.max(terms, axis=1, keepdims=True)
    log_density = top[:, 0] + np.log(np.sum(np.exp(terms - top), axis=1))
    return -np.sum(log_density)


def mixture_loss_by_hand(weights, means, log_scales, x):
    scales = np.exp(log_scales)
    z = (x[:, None] - means) / scales
    shares = np.exp(weights)
    total = np.sum(shares)
    terms = weights - np.log(total) - log_scales - 0.5 * (z * z)
    top = np.max(terms, axis=1, keepdims=True)
    terms -= top
    np.exp(terms, out=terms)
    sums = np.sum(terms, axis=1, keepdims=True)
    out = -np.sum(top + np.log(sums))

    terms /= sums  # the responsibilities: the gradient of each row's log-density
    counts = np.sum(terms, axis=0)
    terms *= z
    means_bar = -np.sum(terms, axis=0) / scales
    terms *= z
    return out, (len(x) * shares / total - counts, means_bar, counts - np.sum(terms, axis=0))


def rnn_loss(wx, wh, b, x):
    h = np.zeros((x.shape[1], len(b)))
    for t in range(len(x)):
        h = np.tanh(x[t] @ wx + h @ wh + b)
    return np.sum(h**2)


def rnn_loss_by_hand(wx, wh, b, x):
    h = np.zeros((x.shape[1], len(b)))
    saved = [h]
    for t in range(len(x)):
        h = np.tanh(x[t] @ wx + h @ wh + b)
        saved.append(h)
    out = np.sum(h * h)

    wx_bar, wh_bar, b_bar = np.zeros_like(wx), np.zeros_like(wh), np.zeros_like(b)
    h_bar = 2.0 * h
    for t in reversed(range(len(x))):
        h = saved[t + 1]
        h_bar *= 1.0 - h * h
        wx_bar += x[t].T @ h_bar
        wh_bar += saved[t].T @ h_bar
        b_bar += np.sum(h_bar, axis=0)
        h_bar = h_bar @ wh.T
    return out, (wx_bar, wh_bar, b_bar)


def straight_line(name, statements):
    """Return the text of a module with a function of so many statements, one after another."""
    forms = ("{new} = np.sin({a}) * {b}", "{new} = {a} + {b} / 2.0", "{new} = np.exp(-{a} * {a}) - {b}",
             "{new} = np.tanh({a}) + x")
    lines = ["import numpy as np", "", "", f"def {name}(x, y):"]
    names = ["x", "y"]
    for k in range(statements - 1):
        lines.append("    " + forms[k % len(forms)].format(new=f"v{k}", a=names[-1], b=names[-2]))
        names.append(f"v{k}")
    return "\n".join([*lines, f"    return np.sum({names[-1]})", ""])
