"""The gradient of newton for a: float, x: float. Made by ad_compiler; this text belongs to its user."""


def newton_vjp(a, x, out_bar=1.0):
    # forward
    x_saved = []
    trips = 0
    while abs(x * x - a) > 1e-09:
        trips += 1
        x_saved.append(x)
        x = 0.5 * (x + a / x)
    # backward
    x_bar = out_bar
    a_bar = 0.0
    for _ in range(trips):
        x = x_saved.pop()
        # x = 0.5 * (x + a / x)
        x_bar = x_bar * 0.5
        ratio = x_bar / x
        a_bar += ratio
        x_bar -= ratio * (a / x)
    return a_bar
