"""Gradients of plain Python and NumPy functions, as plain Python and NumPy source."""

from .api import differentiable, elementwise_grad, grad, gradient_source, value_and_grad, vjp
from .errors import ADError, MissingRuleError, SignatureError, SourceError, UnsupportedError
from .modes import detach, enable_grad, is_grad_enabled, no_grad, set_grad_enabled, stop_gradient
from .testing import check_grads

__version__ = "0.1.0"
__all__ = [
    "ADError", "MissingRuleError", "SignatureError", "SourceError", "UnsupportedError", "check_grads", "detach",
    "differentiable", "elementwise_grad", "enable_grad", "grad", "gradient_source", "is_grad_enabled",
    "no_grad", "set_grad_enabled", "stop_gradient", "value_and_grad", "vjp",
]
