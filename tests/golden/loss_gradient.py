"""The gradient of loss for w: f8[d], x: f8[n, d], y: f8[n]. Made by ad_compiler; this text belongs to its user."""

import numpy as np


def loss_vjp(w, x, y, out_bar=1.0):
    pred = x @ w
    scale = np.max(np.abs(pred))      # constant: no_grad, line 3
    r = (pred - y) / scale
    # backward
    r_bar = 2 * out_bar * r
    pred_bar = r_bar / scale
    w_bar = x.T @ pred_bar
    return w_bar
