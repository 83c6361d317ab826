"""The gradient of network for params: {'w1': f8[d, h], 'b1': f8[h], 'w2': f8[h, k], 'b2': f8[k]}, x: f8[n, d], y: f8[n, k]. Made by ad_compiler; this text belongs to its user."""

import numpy as np


def network_vjp(params, x, y, out_bar=1.0):
    h = np.tanh(x @ params['w1'] + params['b1'])
    r = h @ params['w2'] + params['b2'] - y
    # backward
    # return np.mean(r * r)
    r_bar = 2 * out_bar / r.size * r
    # r = h @ params["w2"] + params["b2"] - y
    b2_bar = np.sum(r_bar, axis=0)
    h_bar = r_bar @ params['w2'].T
    w2_bar = h.T @ r_bar
    # h = np.tanh(x @ params["w1"] + params["b1"])
    t_bar = h_bar * (1 - h * h)
    b1_bar = np.sum(t_bar, axis=0)
    w1_bar = x.T @ t_bar
    return {'w1': w1_bar, 'b1': b1_bar, 'w2': w2_bar, 'b2': b2_bar}
