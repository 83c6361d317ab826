"""The same gradients, written by hand before the compiler's were looked at."""

import math

import numpy as np


def rollout_vjp(x, a, n, out_bar=1.0):
    # forward
    x_saved = []
    for i in range(n):
        x_saved.append(x)
        x = math.sin(x) * a
    # backward
    x_bar = out_bar
    a_bar = 0.0
    for i in range(n):
        x = x_saved.pop()
        # x = math.sin(x) * a
        a_bar += x_bar * math.sin(x)
        x_bar = x_bar * a * math.cos(x)
    return x_bar, a_bar


def loss_vjp(w, x, y, out_bar=1.0):
    pred = x @ w
    scale = np.max(np.abs(pred))      # constant: no_grad, line 3
    r = (pred - y) / scale
    # backward
    r_bar = 2 * out_bar * r
    pred_bar = r_bar / scale
    w_bar = x.T @ pred_bar
    return w_bar


def gated_vjp(x, w, smooth, out_bar=1.0):
    z = x @ w
    if smooth:
        y = np.tanh(z)
    else:
        y = np.maximum(z, 0.0)
    # backward
    y_bar = 2 * out_bar * y
    if smooth:
        z_bar = y_bar * (1 - y * y)
    else:
        z_bar = y_bar * ((z > 0.0) + 0.5 * (z == 0.0))
    w_bar = x.T @ z_bar
    return w_bar


def bump(x, center, width):
    z = (x - center) / width
    return np.exp(-z * z)


def bump_backward(x, center, width, out, out_bar):
    z = (x - center) / width
    z_bar = -2 * out_bar * out * z
    ratio = z_bar / width
    center_bar = -np.sum(ratio)
    width_bar = -np.sum(ratio * z)
    return center_bar, width_bar


def peaks_vjp(c1, c2, width, x, y, out_bar=1.0):
    first = bump(x, c1, width)
    second = bump(x, c2, width)
    r = first + second - y
    # backward
    r_bar = 2 * out_bar * r
    c2_bar, width_bar = bump_backward(x, c2, width, second, r_bar)
    c1_bar, first_width_bar = bump_backward(x, c1, width, first, r_bar)
    width_bar += first_width_bar
    return c1_bar, c2_bar, width_bar


def network_vjp(params, x, y, out_bar=1.0):
    h = np.tanh(x @ params["w1"] + params["b1"])
    r = h @ params["w2"] + params["b2"] - y
    # backward
    r_bar = 2 * out_bar / r.size * r
    h_bar = r_bar @ params["w2"].T
    z_bar = h_bar * (1 - h * h)
    return {
        "w1": x.T @ z_bar,
        "b1": np.sum(z_bar, axis=0),
        "w2": h.T @ r_bar,
        "b2": np.sum(r_bar, axis=0),
    }


def newton_vjp(a, x, out_bar=1.0):
    # forward
    x_saved = []
    while abs(x * x - a) > 1e-9:
        x_saved.append(x)
        x = 0.5 * (x + a / x)
    # backward
    x_bar = out_bar
    a_bar = 0.0
    for x in reversed(x_saved):
        # x = 0.5 * (x + a / x)
        sum_bar = 0.5 * x_bar
        ratio = sum_bar / x
        a_bar += ratio
        x_bar = sum_bar - ratio * (a / x)
    return a_bar


def robust_vjp(w, x, y, delta, out_bar=1.0):
    r = x @ w - y
    s = np.sum(r * r)
    # backward
    if s < delta:
        s_bar = out_bar
    else:
        s_bar = out_bar * delta / s
    r_bar = 2 * s_bar * r
    w_bar = x.T @ r_bar
    return w_bar
