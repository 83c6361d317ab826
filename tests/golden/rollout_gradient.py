"""The gradient of rollout for x: float, a: float, n: int. Made by ad_compiler; this text belongs to its user."""

import math


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
