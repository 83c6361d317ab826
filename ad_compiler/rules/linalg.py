"""Rows of products and of linear algebra; where the ranks are known, the formulas are those of the textbooks.

Matrix derivatives after Giles, An extended collection of matrix derivative results for forward and reverse mode
algorithmic differentiation, 2008. Functions of symmetric matrices send back symmetric contributions. Formulas for
complex matrices are in the pairing Re(g · Jd), which transposes without conjugation.
"""

from __future__ import annotations

from .table import general, linear

# Products. Each is linear in either factor: the tangent is the product with one factor's tangent.

RANKS = "x.ndim == {} and y.ndim == {}"


def _ranks(choices: dict[tuple[int, int], str], otherwise: str) -> tuple[tuple[str, str] | str, ...]:
    return (*((RANKS.format(*ranks), formula) for ranks, formula in choices.items()), otherwise)


FACTORS = ("R(3), R(3)", "R(2, 3), R(3)", "R(3), R(3, 2)", "R(2, 3), R(3, 4)", "R(0, 3), R(3, 2)", "R(2, 0), R(0, 3)",
           "R(2, 3).astype('f4'), R(3, 2).astype('f4')", "R(3).astype('f4'), R(3).astype('f4')", "C(2, 3), C(3)",
           "R(2, 3), C(3, 2)", "I(2, 3), R(3)")
BATCHES = ("R(5, 2, 3), R(5, 3, 4)", "R(5, 2, 3), R(3, 4)", "R(2, 3), R(5, 3, 4)", "R(5, 2, 3), R(3)",
           "R(3), R(5, 3, 2)", "R(5, 1, 2, 3), R(4, 3, 2)", "R(1, 2, 3), R(5, 3, 2)")

# What the factors get, by their ranks
LEFT = {(1, 1): "g * y", (2, 1): "np.outer(g, y)", (1, 2): "y @ g", (2, 2): "g @ y.T"}
RIGHT = {(1, 1): "g * x", (2, 1): "x.T @ g", (1, 2): "np.outer(x, g)", (2, 2): "x.T @ g"}

general("z = np.matmul(x, y)", also="x @ y", kind="matmul", cases=(*FACTORS, *BATCHES),
        x=_ranks(LEFT, "matmul_left(g, x, y)"), y=_ranks(RIGHT, "matmul_right(g, x, y)"),
        push={"x": "np.matmul(d, y)", "y": "np.matmul(x, d)"})
general("z = np.dot(x, y)", also="x.dot(y)", kind="dot",
        cases=(*FACTORS, "R(), R()", "R(), R(3)", "R(2, 3), R()", "R(2, 4, 3), R(3)", "R(3), R(2, 3, 4)",
               "R(2, 5, 3), R(4, 3, 2)", "[R(), R()], R(2)"),
        x=_ranks(LEFT, "dot_left(g, x, y)"), y=_ranks(RIGHT, "dot_right(g, x, y)"),
        push={"x": "np.dot(d, y)", "y": "np.dot(x, d)"})
general("z = np.inner(x, y)", kind="inner",
        cases=("R(3), R(3)", "R(2, 3), R(3)", "R(2, 3), R(4, 3)", "R(2, 4, 3), R(5, 3)", "R(), R(3)", "C(3), C(3)"),
        x=_ranks({(1, 1): "g * y"}, "dot_left(g, x, np.transpose(y) if np.ndim(y) < 3 else np.swapaxes(y, -1, -2))"),
        y=_ranks({(1, 1): "g * x"}, "dot_left(np.moveaxis(g, range(np.ndim(x) - 1), range(1 - np.ndim(x), 0))"
                                    " if np.ndim(x) and np.ndim(y) else g, y,"
                                    " np.swapaxes(x, -1, -2) if np.ndim(x) > 1 else x)"),
        push={"x": "np.inner(d, y)", "y": "np.inner(x, d)"})
general("z = np.outer(x, y)", kind="outer",
        x=(("x.ndim == 1", "g @ np.ravel(y)"), "unbroadcast(np.reshape(g @ np.ravel(y), np.shape(x)), x)"),
        y=(("y.ndim == 1", "np.ravel(x) @ g"), "unbroadcast(np.reshape(np.ravel(x) @ g, np.shape(y)), y)"),
        push={"x": "np.outer(d, y)", "y": "np.outer(x, d)"},
        cases=("R(2), R(3)", "R(2, 2), R(3)", "R(), R(3)", "R(2).astype('f4'), R(3).astype('f4')", "C(2), C(2)"))
general("z = np.vdot(x, y)", kind="vdot", cases=("R(3), R(3)", "R(2, 3), R(2, 3)", "R(), R()", "C(3), C(3)"),
        x=(("x.is_real and y.is_real and x.ndim == 1 and y.ndim == 1", "g * y"),
           "unbroadcast(np.reshape(np.conj(g * np.ravel(y)), np.shape(x)), x)"),
        y=(("x.is_real and y.is_real and x.ndim == 1 and y.ndim == 1", "g * x"),
           "unbroadcast(np.reshape(g * np.conj(np.ravel(x)), np.shape(y)), y)"),
        push={"x": "np.vdot(d, y)", "y": "np.vdot(x, d)"})
general("z = np.tensordot(x, y, axes=2)", kind="tensordot",
        x="tensordot_left(g, x, y, axes)", y="tensordot_right(g, x, y, axes)",
        push={"x": "np.tensordot(d, y, axes)", "y": "np.tensordot(x, d, axes)"},
        cases=("R(2, 3), R(2, 3)", "R(2, 3, 4), R(3, 4, 5)", "R(2, 3), R(3, 4), 1", "R(2), R(3), 0",
               "R(2, 3), R(4, 3), (1, 1)", "R(2, 3, 4), R(4, 5, 2), ((0, 2), (2, 0))",
               "R(2, 3, 4), R(4, 3), ((-1, 1), (0, 1))"))
general("z = np.kron(x, y)", x="kron_left(g, x, y)", y="kron_right(g, x, y)", kind="kron",
        push={"x": "np.kron(d, y)", "y": "np.kron(x, d)"},
        cases=("R(2), R(3)", "R(2, 3), R(3, 2)", "R(2), R(3, 2)", "R(2, 3), R(2)",
               "R(2, 2).astype('f4'), R(2, 2).astype('f4')"))
general("z = np.cross(x, y)", x="unbroadcast(np.cross(y, g), x)", y="unbroadcast(np.cross(g, x), y)", kind="cross",
        push={"x": "np.cross(d, y)", "y": "np.cross(x, d)"},
        cases=("R(3), R(3)", "R(2, 3), R(3)", "R(4, 1, 3), R(2, 3)"))
general("z = np.einsum(subscripts, *operands)", kind="einsum",
        operands="[einsum_at(g, subscripts, operands, k) for k in range(len(operands))]",
        push={"operands": "einsum_push(d, subscripts, operands)"},
        cases=("'ij,jk->ik', R(2, 3), R(3, 4)", "'ij,j', R(2, 3), R(3)", "'i,i', R(3), R(3)", "'ij->ji', R(2, 3)",
               "'ij->', R(2, 3)", "'ij->i', R(2, 3)", "'ii->i', R(3, 3)", "'ii', R(3, 3)", "'iij->j', R(2, 2, 3)",
               "'ij,jk,kl->il', R(2, 3), R(3, 4), R(4, 2)", "'...ij,...jk->...ik', R(5, 2, 3), R(3, 4)",
               "'...i,...i', R(2, 3), R(3)", "'ij...->...', R(2, 3, 4)", "'b i, b j -> i j', R(4, 2), R(4, 3)",
               "'ij,ij->i', R(2, 3), R(1, 3)", "'i,j->ij', R(2), R(3)", "',i->i', R(), R(3)", "'ba', R(2, 3)",
               "'ij,jk->ik', R(2, 3).astype('f4'), R(3, 2).astype('f4')", "'ij,j->i', C(2, 3), C(3)",
               "'ij,j', I(2, 3), R(3)"))

# Systems, inverses, determinants

general("y = np.linalg.solve(a, b)", kind="solve",
        let="v = np.linalg.solve(a.T, g)\nw = solve_right(g, a, b)",
        a=(("a.ndim == 2 and b.ndim == 1", "-np.outer(v, y)"), ("a.ndim == 2 and b.ndim == 2", "-v @ y.T"),
           "unbroadcast(-(w[..., None] * y[..., None, :] if np.ndim(b) == 1 else w @ np.swapaxes(y, -1, -2)), a)"),
        b=(("a.ndim == 2 and b.ndim == 1", "v"), ("a.ndim == 2 and b.ndim == 2", "v"), "unbroadcast(w, b)"),
        push={"a": "-np.linalg.solve(a, d @ y if np.ndim(b) > 1 else np.einsum('...ij,...j->...i', d, y)[..., None])"
                   "[..., slice(None) if np.ndim(b) > 1 else 0]",
              "b": "np.linalg.solve(a, d)"},
        cases=("SPD(3), R(3)", "SPD(3), R(3, 2)", "SPD(2, 3), R(2, 3, 4)", "SPD(2, 3), R(3, 4)", "SPD(3), R(2, 3, 4)",
               "SPD(2, 3), R(3)", "SPD(3).astype('f4'), R(3).astype('f4')", "R(3, 3) + 4 * np.eye(3), R(3)",
               "C(2, 2) + 3 * np.eye(2), C(2)", "R(1, 1), R(1)"))
general("y = np.linalg.inv(a)", a=(("a.ndim == 2", "-y.T @ g @ y.T"),
                                   "-np.swapaxes(y, -1, -2) @ g @ np.swapaxes(y, -1, -2)"),
        push={"a": "-y @ d @ y"}, kind="square",
        cases=("SPD(3)", "R(3, 3) + 4 * np.eye(3)", "SPD(2, 3)", "SPD(2).astype('f4')", "C(2, 2) + 3 * np.eye(2)"))
general("y = np.linalg.pinv(a)", kind="pinv",
        let="p = np.swapaxes(y, -1, -2)\nh = np.swapaxes(g, -1, -2)\nq = np.conj(p)",
        a="-p @ g @ p + np.conj((h - a @ (y @ h)) @ y @ q + q @ y @ (h - (h @ y) @ a))",
        push={"a": "-y @ d @ y + y @ q @ (np.conj(np.swapaxes(d, -1, -2)) - np.conj(np.swapaxes(d, -1, -2)) @ a @ y)"
                   " + (np.conj(np.swapaxes(d, -1, -2)) - y @ a @ np.conj(np.swapaxes(d, -1, -2))) @ q @ y"},
        cases=("R(4, 2)", "R(2, 3)", "SPD(3)", "R(2, 4, 3)", "C(3, 2)"))
general("y = np.linalg.det(a)", a=(("a.ndim == 2", "g * cofactors(a)"),
                                   "np.expand_dims(g, (-2, -1)) * cofactors(a)"), kind="det",
        push={"a": "np.sum(d * cofactors(a), axis=(-2, -1))"},
        cases=("R(3, 3)", "SPD(2, 3)", "R(1, 1)", "np.ones((2, 2))", "np.ones((3, 3))", "SPD(2).astype('f4')",
               "C(3, 3)"))
general("s, y = np.linalg.slogdet(a)", kind="slogdet",
        a=(("a.is_real and a.ndim == 2", "g_y * np.linalg.inv(a).T"),
           "np.expand_dims(g_y - 1j * np.real(1j * g_s * s) if np.iscomplexobj(a) else g_y, (-2, -1))"
           " * np.swapaxes(np.linalg.inv(a), -1, -2)"),
        let="t = np.trace(np.linalg.solve(a, d), axis1=-2, axis2=-1)",
        push={"a": "(1j * s * np.imag(t), np.real(t))"},
        cases=("R(3, 3)", "SPD(2, 3)", "SPD(2).astype('f4')", "C(3, 3)"))

# Norms. `divide` gives slope 0 at 0.

general("y = np.linalg.norm(x, ord=None, axis=None, keepdims=False)", kind="norm",
        x=(("x.is_real and x.ndim and ord.literal is None and axis.literal is None and keepdims.literal is False",
            "divide(g * x, y)"),
           ("x.is_real and x.ndim == 1 and ord.literal == 2 and axis.literal is None and keepdims.literal is False",
            "divide(g * x, y)"),
           ("x.is_real and x.ndim == 1 and ord.literal == 1 and axis.literal is None and keepdims.literal is False",
            "g * np.sign(x)"),
           ("x.is_real and ord.literal is None",
            "divide(unreduce(g, x, axis, keepdims) * x, unreduce(y, x, axis, keepdims))"),
           ("x.is_real and ord.literal == 2 and isinstance(axis.literal, int)",
            "divide(unreduce(g, x, axis, keepdims) * x, unreduce(y, x, axis, keepdims))"),
           ("x.is_real and ord.literal == 1 and isinstance(axis.literal, int)",
            "unreduce(g, x, axis, keepdims) * np.sign(x)"),
           "unreduce(g, x, axis, keepdims) * norm_slope(x, y, ord, axis, keepdims)"),
        push={"x": "np.sum(np.real(d * norm_slope(x, y, ord, axis, keepdims)), axis=axis, keepdims=keepdims)"},
        cases=("R(3)", "R(3), 2", "R(3), 1", "R(3), 3", "R(3), 1.5", "R(3), 0.5", "R(3), -1", "R(3), 0", "R(3), np.inf",
               "R(3), -np.inf", "R(2, 3)", "R(2, 3), keepdims=True", "R(2, 3), axis=0",
               "R(2, 3), axis=-1, keepdims=True", "R(2, 3), 1, 1", "R(2, 3), 2, 0", "R(2, 3), 3, 1, True",
               "R(2, 3), np.inf, 0", "R(2, 3), 'fro'", "R(2, 3), 'nuc'", "R(2, 3), 1", "R(2, 3), -1",
               "R(2, 3), np.inf", "R(2, 3), -np.inf", "R(2, 3), 2", "R(2, 3), -2",
               "R(2, 3, 4), axis=(0, 2)", "R(2, 3, 4), 1, (2, 0)", "R(2, 3, 4), 'nuc', (0, 2), True", "R(2, 3, 4)",
               "R(3).astype('f4')", "R(2, 3).astype('f4'), 3, 0", "C(3)", "C(2, 3), axis=1", "C(3), 1", "C(3), np.inf",
               "C(2, 3), 'nuc'", "[R(), R()]"))

# Decompositions of symmetric (Hermitian) matrices

general("w, v = np.linalg.eigh(a, UPLO='L')", kind="eigh",
        a=(("a.is_real and a.ndim == 2", "symmetric(v @ (np.diag(g_w) + gaps(w) * (v.T @ g_v)) @ v.T)"),
           "symmetric(np.conj(v) @ (g_w[..., None, :] * np.eye(w.shape[-1], dtype=w.dtype)"
           " + gaps(w) * (np.swapaxes(v, -1, -2) @ g_v)) @ np.swapaxes(v, -1, -2))"),
        let="t = np.conj(np.swapaxes(v, -1, -2)) @ symmetric(d) @ v",
        push={"a": "(np.real(np.diagonal(t, axis1=-2, axis2=-1)), v @ (gaps(w) * t))"},
        cases=("S(3)", "SPD(3)", "S(2, 3)", "S(3), 'U'", "SPD(3).astype('f4')", "S(1)"))
general("w = np.linalg.eigvalsh(a, UPLO='L')", kind="eigvalsh", let="v = np.linalg.eigh(a, UPLO)[1]",
        a=(("a.is_real and a.ndim == 2", "(v * g) @ v.T"),
           "np.conj(v) * g[..., None, :] @ np.swapaxes(v, -1, -2)"),
        push={"a": "np.real(np.sum(np.conj(v) * (symmetric(d) @ v), axis=-2))"},
        cases=("S(3)", "S(2, 3)", "S(3), UPLO='U'", "SPD(3).astype('f4')", "SPD(2) + 1j * np.array([[0, 1], [-1, 0]])"))
general("y = np.linalg.cholesky(a)", kind="square", let="u = np.linalg.inv(y)",
        a=(("a.is_real and a.ndim == 2", "symmetric(u.T @ lower_half(y.T @ g) @ u)"),
           "symmetric(np.swapaxes(u, -1, -2) @ lower_half(np.swapaxes(y, -1, -2) @ g) @ np.conj(u))"),
        push={"a": "y @ lower_half(u @ symmetric(d) @ np.conj(np.swapaxes(u, -1, -2)))"},
        cases=("SPD(3)", "SPD(2, 3)", "SPD(1)", "SPD(3).astype('f4')", "SPD(2) + 1j * np.array([[0, 1], [-1, 0]])"))

# The helpers named above

for _name, _other, _product in (("matmul", "matmul", "np.matmul({}, {})"), ("dot", "dot", "np.dot({}, {})"),
                                ("kron", "kron", "np.kron({}, {})")):
    general(f"z = {_name}_left(v, x, y)", v=f"unbroadcast({_product.format('g', 'y')}, v)",
            y=f"{_name}_right(v, g, y)", kind="same_x",
            push={"v": f"{_name}_left(d, x, y)", "y": f"{_name}_left(v, x, d)"},
            cases={"matmul": ("R(2, 4), np.ones((2, 3)), R(3, 4)", "R(5, 2, 4), np.ones((5, 2, 3)), R(3, 4)"),
                   "dot": ("R(2, 4), np.ones((2, 3)), R(3, 4)", "R(3), 1.0, R(3)"),
                   "kron": ("R(6), np.ones(2), R(3)", "R(4, 6), np.ones((2, 2)), R(2, 3)")}[_name])
    general(f"z = {_name}_right(v, x, y)", v=f"unbroadcast({_product.format('x', 'g')}, v)",
            x=f"{_name}_left(v, x, g)", kind="same_y",
            push={"v": f"{_name}_right(d, x, y)", "x": f"{_name}_right(v, d, y)"},
            cases={"matmul": ("R(2, 4), R(2, 3), np.ones((3, 4))", "R(5, 2, 4), R(2, 3), np.ones((5, 3, 4))"),
                   "dot": ("R(2, 4), R(2, 3), np.ones((3, 4))", "R(3), R(3), 1.0"),
                   "kron": ("R(6), R(2), np.ones(3)", "R(4, 6), R(2, 2), np.ones((2, 3))")}[_name])
general("z = tensordot_left(v, x, y, axes=2)", kind="same_x",
        v="np.tensordot(g, y, axes)", y="tensordot_right(v, g, y, axes)",
        push={"v": "tensordot_left(d, x, y, axes)", "y": "tensordot_left(v, x, d, axes)"},
        cases=("R(2, 4), np.ones((2, 3)), R(3, 4), 1", "R(2, 5), np.ones((2, 3, 4)), R(4, 5, 3), ((1, 2), (2, 0))"))
general("z = tensordot_right(v, x, y, axes=2)", kind="same_y",
        v="np.tensordot(x, g, axes)", x="tensordot_left(v, x, g, axes)",
        push={"v": "tensordot_right(d, x, y, axes)", "x": "tensordot_right(v, d, y, axes)"},
        cases=("R(2, 4), R(2, 3), np.ones((3, 4)), 1", "R(2, 5), R(2, 3, 4), np.ones((4, 5, 3)), ((1, 2), (2, 0))"))
general("z = einsum_at(v, subscripts, operands, k)", v="np.einsum(subscripts, *replaced(operands, k, g))",
        operands="[np.zeros_like(operands[j]) if j == k else einsum_at(v, subscripts, replaced(operands, k, g), j)"
                 " for j in range(len(operands))]",
        push={"v": "einsum_at(d, subscripts, operands, k)",
              "operands": "sum(einsum_at(v, subscripts, replaced(operands, j, d[j]), k)"
                          " for j in range(len(operands)) if j != k)"},
        cases=("R(2, 4), 'ij,jk->ik', (R(2, 3), R(3, 4)), 0", "R(2), 'ij,jk,k->i', (R(2, 3), R(3, 4), R(4)), 1"))
linear("ys = replaced(xs, k, x)", xs="replaced(g, k, np.zeros_like(xs[k]))", x="g[k]", cases=("[R(2), R(3)], 1, R(3)",))
general("c = cofactors(a)", kind="square", let="v = np.swapaxes(np.linalg.inv(a), -1, -2)",
        a="np.sum(g * c, axis=(-2, -1), keepdims=True) * v - c @ np.swapaxes(g, -1, -2) @ v",
        push={"a": "np.sum(d * c, axis=(-2, -1), keepdims=True) * v - c @ np.swapaxes(d, -1, -2) @ v"},
        cases=("R(3, 3)", "SPD(2, 3)", "C(2, 2)"))
general("y = solve_right(v, a, b)", kind="same_v", let="h = solve_right(g, np.swapaxes(a, -1, -2), b)",
        v="unbroadcast(h, v)",
        a="unbroadcast(-(y[..., None] * h[..., None, :] if np.ndim(b) == 1 else y @ np.swapaxes(h, -1, -2)), a)",
        cases=("R(3), SPD(3), np.ones(3)", "R(3, 2), SPD(3), np.ones((3, 2))", "R(2, 3), SPD(2, 3), np.ones(3)"))
linear("y = symmetric(a)", a="symmetric(g)", kind="same_a", cases=("R(3, 3)", "R(2, 3, 3)", "C(2, 2)"))
linear("y = lower_half(a)", a="lower_half(g)", kind="same_a", cases=("R(3, 3)", "R(2, 3, 3)"))
general("f = gaps(w)", let="h = -g * f * f", w="np.sum(h, axis=-2) - np.sum(h, axis=-1)",
        push={"w": "-f * f * (d[..., None, :] - d[..., :, None])"}, cases=("R(3)", "R(2, 3)"))
