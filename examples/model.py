"""A threshold autoregression of the yearly sunspot numbers, in plain NumPy; `data/README.md` names the literature."""

from pathlib import Path

import numpy as np

LAGS = 9  # years that a prediction looks back: nearly one solar cycle of about 11 years


def loss(params, z):
    """Return the mean negative log-likelihood of z."""
    variance = np.exp(params["floor"])
    total = 0.0
    for t in range(LAGS, len(z)):
        if z[t - 1] > z[t - 2]:
            phi = params["rising"]
        else:
            phi = params["falling"]
        error = z[t] - phi[0] - phi[1:] @ z[t - LAGS:t]
        total += np.log(variance) + error * error / variance
        kept = variance / (1.0 + np.exp(-params["memory"]))
        shock = np.exp(params["shock"]) * error * error
        variance = np.exp(params["floor"]) + shock + kept
    return 0.5 * total / (len(z) - LAGS)


def load():
    """Return the years and the sunspot numbers, transformed to a scale on which their spread is even."""
    path = Path(__file__).parent / "data" / "sunspots.csv"
    year, number = np.loadtxt(path, delimiter=",", skiprows=1, unpack=True)
    return year, 2.0 * (np.sqrt(1.0 + number) - 1.0)


def start():
    """Return parameters to start from: next year is as this year."""
    same = np.zeros(LAGS + 1)
    same[-1] = 1.0
    return {"rising": same, "falling": same.copy(), "floor": 0.0, "shock": -2.0, "memory": -1.0}


def pack(params):
    """Return the parameters, or their gradient, as the one vector that an optimiser works on."""
    return np.concatenate([np.atleast_1d(value) for value in params.values()])


def unpack(vector):
    """Return the parameters that a vector stands for."""
    rising, falling, (floor, shock, memory) = np.split(vector, [LAGS + 1, 2 * LAGS + 2])
    return {"rising": rising, "falling": falling, "floor": float(floor), "shock": float(shock),
            "memory": float(memory)}


def predict(params, z):
    """Return the predictions of z[LAGS:], each from the years before it."""
    regimes = np.where(z[LAGS - 1:-1] > z[LAGS - 2:-2], "rising", "falling")
    past = np.lib.stride_tricks.sliding_window_view(z[:-1], LAGS)
    return np.array([params[r][0] + params[r][1:] @ row for r, row in zip(regimes, past, strict=True)])
