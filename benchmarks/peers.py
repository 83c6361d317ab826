"""The same programs for HIPS autograd and for PyTorch, in their own words: value and gradients of each."""

import autograd
import autograd.numpy as anp
import numpy as np
import torch

torch.set_num_threads(1)


def autograd_gradient(program):
    """Return a function without arguments: value and gradients by autograd."""
    gradient = autograd.value_and_grad(AUTOGRAD[program.primal.__name__], program.argnums)
    return lambda: gradient(*program.args)


def torch_gradient(program):
    """Return a function without arguments: value and gradients by PyTorch, run eagerly on float64.

    Its tensors share memory with the arguments and are made once, outside of what is measured.
    """
    primal = TORCH[program.primal.__name__]
    chosen = program.argnums if isinstance(program.argnums, tuple) else (program.argnums,)
    args = [tensor(value, k in chosen) for k, value in enumerate(program.args)]
    inputs = [args[k] for k in chosen]

    def gradient():
        out = primal(*args)
        return out, torch.autograd.grad(out, inputs)

    return gradient


def tensor(value, differentiated):
    if isinstance(value, int):
        return value
    return torch.as_tensor(value, dtype=torch.float64).requires_grad_(differentiated)


def autograd_steps(x, n):
    for _ in range(n):
        x = anp.sin(x) * x
    return x


def autograd_mlp_loss(w1, b1, w2, b2, x, labels):
    hidden = anp.tanh(anp.dot(x, w1) + b1)
    logits = anp.dot(hidden, w2) + b2
    logits = logits - anp.max(logits, axis=1, keepdims=True)
    log_probability = logits - anp.log(anp.sum(anp.exp(logits), axis=1, keepdims=True))
    return -anp.sum(labels * log_probability) / len(x)


def autograd_mixture_loss(weights, means, log_scales, x):
    z = (x[:, None] - means) / anp.exp(log_scales)
    log_weights = weights - anp.log(anp.sum(anp.exp(weights)))
    terms = log_weights - log_scales - 0.5 * z**2
    top = anp.max(terms, axis=1, keepdims=True)
    log_density = top[:, 0] + anp.log(anp.sum(anp.exp(terms - top), axis=1))
    return -anp.sum(log_density)


def autograd_rnn_loss(wx, wh, b, x):
    h = np.zeros((x.shape[1], len(b)))
    for t in range(len(x)):
        h = anp.tanh(anp.dot(x[t], wx) + anp.dot(h, wh) + b)
    return anp.sum(h**2)


def torch_steps(x, n):
    for _ in range(n):
        x = torch.sin(x) * x
    return x


def torch_mlp_loss(w1, b1, w2, b2, x, labels):
    hidden = torch.tanh(x @ w1 + b1)
    return -torch.sum(labels * torch.log_softmax(hidden @ w2 + b2, dim=1)) / len(x)


def torch_mixture_loss(weights, means, log_scales, x):
    z = (x[:, None] - means) / torch.exp(log_scales)
    terms = torch.log_softmax(weights, dim=0) - log_scales - 0.5 * z**2
    return -torch.sum(torch.logsumexp(terms, dim=1))


def torch_rnn_loss(wx, wh, b, x):
    h = torch.zeros((x.shape[1], len(b)), dtype=x.dtype)
    for t in range(len(x)):
        h = torch.tanh(x[t] @ wx + h @ wh + b)
    return torch.sum(h**2)


AUTOGRAD = {"steps": autograd_steps, "mlp_loss": autograd_mlp_loss, "mixture_loss": autograd_mixture_loss,
            "rnn_loss": autograd_rnn_loss}
TORCH = {"steps": torch_steps, "mlp_loss": torch_mlp_loss, "mixture_loss": torch_mixture_loss,
         "rnn_loss": torch_rnn_loss}
