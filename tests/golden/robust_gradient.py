"""The gradient of robust for w: f8[d], x: f8[n, d], y: f8[n], delta: float. Made by ad_compiler; this text belongs to its user."""

import numpy as np


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
