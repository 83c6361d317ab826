"""SciPy as the partner: its optimisers take our gradients, and its checker agrees with them."""

import numpy as np
import pytest

import ad_compiler as ad

pytestmark = pytest.mark.peers
RANDOM = np.random.default_rng(3)
POINTS = RANDOM.normal(size=(60, 3))
LABELS = (POINTS @ np.array([1.5, -2.0, 0.5]) + 0.3 * RANDOM.normal(size=60) > 0).astype(float)


def rosenbrock(x):
    return np.sum(100.0 * (x[1:] - x[:-1] ** 2) ** 2 + (1.0 - x[:-1]) ** 2)


def logistic_loss(w, points, labels, strength=0.1):
    z = points @ w
    return np.mean(np.logaddexp(0.0, z) - labels * z) + strength * np.sum(w * w)


@pytest.mark.parametrize("method", ["BFGS", "L-BFGS-B", "CG"])
def test_rosenbrock_is_minimised(method):
    from scipy.optimize import minimize

    found = minimize(ad.value_and_grad(rosenbrock), np.array([1.3, 0.7, 0.8, 1.9]), jac=True, method=method,
                     options={"gtol": 1e-9} if method != "L-BFGS-B" else {"ftol": 1e-15, "gtol": 1e-9})
    np.testing.assert_allclose(found.x, np.ones(4), atol=1e-5)


def test_logistic_regression_is_fitted():
    from scipy.optimize import minimize

    ours = minimize(ad.value_and_grad(logistic_loss), np.zeros(3), args=(POINTS, LABELS), jac=True)
    by_differences = minimize(logistic_loss, np.zeros(3), args=(POINTS, LABELS))
    assert ours.success and ours.nfev < by_differences.nfev
    np.testing.assert_allclose(ours.x, by_differences.x, atol=1e-4)
    assert np.mean((POINTS @ ours.x > 0) == LABELS) > 0.9


@pytest.mark.parametrize("f, at, rest", [
    (rosenbrock, np.array([-1.2, 1.0, 0.8, -0.5]), ()), (logistic_loss, np.array([0.4, -1.0, 0.2]), (POINTS, LABELS))])
def test_gradients_pass_scipys_check(f, at, rest):
    from scipy.optimize import check_grad

    gradient = ad.grad(f)
    assert check_grad(f, gradient, at, *rest) < 1e-6 * (1 + np.linalg.norm(gradient(at, *rest)))
