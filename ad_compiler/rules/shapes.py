"""Rows of functions that move, repeat, choose or join elements; they are linear, and their adjoints put back."""

from __future__ import annotations

from .table import general, linear

# The same elements in another shape

RESHAPED = (("x.ndim and isinstance(x.kind.shape, tuple)", "g.reshape(x.shape)"), "np.reshape(g, np.shape(x))")
FLAT = ("R(4)", "R(2, 3)", "R(2, 0)", "R(3).astype('f4')", "np.array(R())", "C(2, 2)")
ORDERED = (("order.literal == 'C' and x.ndim", "g.reshape(x.shape)"), "np.reshape(g, np.shape(x), order=order)")

linear("y = np.reshape(x, shape, order='C')", x=ORDERED, kind="reshape",
       cases=("R(6), (2, 3)", "R(2, 3), -1", "R(2, 3), (3, -1), 'F'", "R(), (1, 1)", "R(0, 3), (3, 0)",
              "R(4).astype('f4'), (2, 2)", "[R(), R()], (2, 1)"))
linear("y = x.reshape(*shape)", x=RESHAPED, kind="reshape",
       cases=("R(6), 2, 3", "R(6), (2, 3)", "R(2, 3), -1", "R(2, 3), 3, -1", "np.float64(R()), 1"))
linear("y = np.ravel(x, order='C')", also=("x.ravel(order)", "x.flatten(order)"), x=ORDERED, kind="ravel",
       cases=(*FLAT, "R(2, 3), 'F'", "R()"))
linear("y = np.squeeze(x, axis=None)", also="x.squeeze(axis)", x=RESHAPED, kind="squeeze",
       cases=("R(1, 3)", "R(1, 3, 1), 0", "R(1, 3, 1), (0, -1)", "R(2)", "R(1, 1)"))
linear("y = np.expand_dims(x, axis)", x=RESHAPED, kind="expand_dims",
       cases=("R(3), 0", "R(3), -1", "R(2, 3), (0, 2)", "R(), 0", "R(2).astype('f4'), 1"))
linear("y = np.atleast_1d(x)", x=RESHAPED, kind="atleast_1d", cases=("R()", "R(2)", "R(2, 3)"))
linear("y = np.atleast_2d(x)", x=RESHAPED, kind="atleast_2d", cases=("R()", "R(2)", "R(2, 3)", "R(2, 3, 1)"))
linear("y = np.atleast_3d(x)", x=RESHAPED, kind="atleast_3d", cases=("R()", "R(2)", "R(2, 3)", "R(2, 1, 3)"))
linear("y = np.broadcast_to(x, shape)", x="unbroadcast(g, x)", kind="broadcast_to",
       cases=("R(3), (2, 3)", "R(2, 1), (2, 3)", "R(), (2,)", "R(1), (0,)", "R(3).astype('f4'), (2, 3)"))

# Another order of axes

linear("y = np.transpose(x, axes=None)", also="x.T", kind="transpose",
       x=(("axes.literal is None and x.ndim", "g.T"),
          ("axes.literal in ((1, 0), (0, 2, 1), (1, 0, 2), (2, 1, 0))", "np.transpose(g, axes)"),
          ("axes.literal == (1, 2, 0)", "np.transpose(g, (2, 0, 1))"),
          ("axes.literal == (2, 0, 1)", "np.transpose(g, (1, 2, 0))"), "untranspose(g, axes)"),
       cases=("R(2, 3)", "R(4)", "R(2, 3, 4), (2, 0, 1)", "R(2, 3, 4), (1, 2, 0)", "R(2, 3, 4), (0, -1, 1)",
              "R(2, 3), (1, 0)", "R(2, 3, 4)", "R(2, 3).astype('f4')", "R(2, 3), [1, 0]"))
linear("y = x.transpose(*axes)", kind="transpose", x=(("axes.literal == () and x.ndim", "g.T"), "untranspose(g, axes)"),
       cases=("R(2, 3)", "R(2, 3), 1, 0", "R(2, 3, 4), (1, 2, 0)", "R(2, 3, 4), 0, -1, 1", "R(2, 3), None"))
linear("y = np.matrix_transpose(x)", also="x.mT", x=(("x.ndim == 2", "g.T"), "np.swapaxes(g, -1, -2)"),
       kind="matrix_transpose", cases=("R(2, 3)", "R(2, 3, 4)"))
linear("y = np.swapaxes(x, axis1, axis2)", also="x.swapaxes(axis1, axis2)", x="np.swapaxes(g, axis1, axis2)",
       kind="swapaxes", cases=("R(2, 3), 0, 1", "R(2, 3, 4), -1, 0"))
linear("y = np.moveaxis(x, source, destination)", x="np.moveaxis(g, destination, source)", kind="moveaxis",
       cases=("R(2, 3, 4), 0, -1", "R(2, 3, 4), (0, 1), (2, 0)"))

# Another order of elements

MOVED = ("R(4)", "R(2, 3)", "R(0, 3)", "R(2, 3).astype('f4')")

linear("y = np.flip(x, axis=None)", x="np.flip(g, axis)", kind="array_x",
       cases=(*MOVED, "R(2, 3), 0", "R(2, 3), -1", "R(2, 3, 4), (0, 2)"))
linear("y = np.fliplr(x)", x="np.fliplr(g)", kind="array_x", cases=("R(2, 3)",))
linear("y = np.flipud(x)", x="np.flipud(g)", kind="array_x", cases=("R(2, 3)", "R(3)"))
linear("y = np.roll(x, shift, axis=None)", kind="array_x",
       x=(("shift.is_scalar", "np.roll(g, -shift, axis)"), "np.roll(g, np.negative(shift), axis)"),
       cases=("R(4), 1", "R(2, 3), 2", "R(2, 3), -1, 1", "R(2, 3), (1, 2), (0, 1)", "R(2, 3), 1, (0, 1)"))
linear("y = np.rot90(x, k=1, axes=(0, 1))", x="np.rot90(g, -k, axes)", kind="rot90",
       cases=("R(2, 3)", "R(2, 3), 2", "R(2, 3, 4), 3, (1, 2)"))
general("y = np.sort(x, axis=-1)", kind="sorted",
        x="untake_along(g, x, np.argsort(x, axis=axis, kind='stable'), axis)",
        push={"x": "np.take_along_axis(d, np.argsort(x, axis=axis, kind='stable'), axis)"},
        cases=("R(5)", "R(2, 3)", "R(3, 2), 0", "R(3, 2), None", "R(4).astype('f4')", "R(0)"))

# Joining and splitting

linear("y = np.concatenate(xs, axis=0)", xs="unjoin(g, xs, axis)", kind="concatenate",
       cases=("[R(2), R(3)]", "(R(2, 3), R(1, 3))", "[R(2, 3), R(2, 1)], 1", "[R(2, 3), R(2, 1)], -1",
              "[R(2), R(0)]", "[R(0), R(0)]", "[R(2).astype('f4'), R(2).astype('f4')]",
              "[R(2)]"))
linear("y = np.stack(xs, axis=0)", xs="unjoin(g, xs, axis)", kind="stack",
       cases=("[R(2), R(2)]", "(R(2, 3), R(2, 3)), 1", "[R(2, 3), R(2, 3)], -1", "[R(), R(), 1.0]", "[R(0), R(0)]"))
linear("y = np.hstack(xs)", xs="unjoin(g, xs, 0 if np.ndim(g) == 1 else 1)", kind="hstack",
       cases=("[R(2), R(3)]", "(R(2, 3), R(2, 1))", "[R(), R(2)]", "[R(2, 1, 3), R(2, 2, 3)]"))
linear("y = np.vstack(xs)", xs="unjoin(g, xs, 0)", kind="vstack",
       cases=("[R(3), R(3)]", "(R(2, 3), R(3))", "[R(), R()]", "[R(2, 3, 1), R(1, 3, 1)]"))
linear("y = np.dstack(xs)", xs="unjoin(g, xs, 2)", kind="dstack", cases=("[R(3), R(3)]", "(R(2, 3), R(2, 3))"))
linear("y = np.column_stack(xs)", xs="unjoin(g, xs, 1)", kind="column_stack",
       cases=("[R(3), R(3)]", "(R(3, 2), R(3))", "[R(), R()]"))
linear("y = np.append(x, values, axis=None)", x="unjoin(g, (x, values), axis)[0]",
       values="unjoin(g, (x, values), axis)[1]", kind="append",
       cases=("R(3), R(2)", "R(3), R()", "R(2, 3), R(2)", "R(2, 3), R(1, 3), 0", "R(2, 3), [[1.0], [2.0]], 1"))
linear("y = np.split(x, indices_or_sections, axis=0)", x="np.concatenate(g, axis=axis)", kind="split",
       cases=("R(4), 2", "R(5), (1, 3)", "R(2, 4), 2, 1", "R(4), [3]", "R(4).astype('f4'), 2"))
linear("y = np.array_split(x, indices_or_sections, axis=0)", x="np.concatenate(g, axis=axis)", kind="array_split",
       cases=("R(5), 2", "R(5), (1, 3)", "R(2, 5), 3, -1"))
linear("y = np.vsplit(x, indices_or_sections)", x="np.concatenate(g, axis=0)", kind="vsplit",
       cases=("R(4, 2), 2", "R(4, 2), (1,)"))
linear("y = np.hsplit(x, indices_or_sections)", x="np.concatenate(g, axis=0 if np.ndim(x) == 1 else 1)", kind="hsplit",
       cases=("R(2, 4), 2", "R(4), 2", "R(2, 4), (1,)"))
linear("y = np.meshgrid(*xs)", xs="unmeshgrid(g, xs)", kind="meshgrid",
       cases=("R(2), R(3)", "R(2)", "R(2), R(3), R(4)", "R(), R(2)"))

# Copies: repeated, padded

linear("y = np.tile(x, reps)", x="untile(g, x, reps)", kind="tile",
       cases=("R(3), 2", "R(2, 3), 2", "R(3), (2, 2)", "R(2, 3), (2, 1)", "R(), 3", "R(3), 0", "R(2).astype('f4'), 2"))
linear("y = np.repeat(x, repeats, axis=None)", also="x.repeat(repeats, axis)", x="unrepeat(g, x, repeats, axis)",
       kind="repeat", cases=("R(3), 2", "R(2, 3), 2", "R(2, 3), 2, 0", "R(2, 3), (1, 0, 2), -1", "R(), 3",
                             "R(3).astype('f4'), 2"))
general("y = np.pad(x, pad_width, mode='constant', constant_values=0)", kind="pad",
        x="unpad(g, x, pad_width, mode)", constant_values="unpad_margin(g, x, pad_width, constant_values)",
        push={"x": "np.pad(d, pad_width, mode=mode)",
              "constant_values": "np.pad(np.zeros_like(x), pad_width, constant_values=d)"},
        cases=("R(3), 1", "R(3), (1, 2)", "R(2, 3), ((1, 0), (0, 2))", "R(2, 3), ((1, 2),)", "R(3).astype('f4'), 1",
               "R(3), 1, constant_values=R()", "R(2, 3), 2, constant_values=((R(), R()), (R(), R()))"))

# Diagonals and triangles

linear("y = np.diag(x, k=0)", kind="diag", x=(("x.ndim == 1", "np.diagonal(g, k)"),
                                              "np.diagonal(g, k) if np.ndim(x) == 1 else undiagonal(g, x, k)"),
       cases=("R(3)", "R(3), 1", "R(3), -2", "R(3, 3)", "R(3, 4), 1", "R(3, 4), -1", "R(2).astype('f4')"))
linear("y = np.diagonal(x, offset=0, axis1=0, axis2=1)", also="x.diagonal(offset, axis1, axis2)",
       x="undiagonal(g, x, offset, axis1, axis2)", kind="diagonal",
       cases=("R(3, 3)", "R(3, 4), 1", "R(3, 4), -1", "R(3, 4), 7", "R(2, 3, 4), 0, 1, 2", "R(2, 3, 2), 0, -1, 0"))
linear("y = np.triu(x, k=0)", x=(("x.ndim and x.ndim > 1", "np.triu(g, k)"), "unbroadcast(np.triu(g, k), x)"),
       kind="triangle", cases=("R(3, 3)", "R(2, 3), 1", "R(2, 3, 3), -1", "R(3)", "R(2, 2).astype('f4')"))
linear("y = np.tril(x, k=0)", x=(("x.ndim and x.ndim > 1", "np.tril(g, k)"), "unbroadcast(np.tril(g, k), x)"),
       kind="triangle", cases=("R(3, 3)", "R(2, 3), 1", "R(2, 3, 3), -1", "R(3)", "R(2, 2).astype('f4')"))

# The helpers named above

linear("y = unjoin(v, xs, axis=0)", v="join(g, v, axis)",
       cases=("R(5), [np.ones(2), np.ones(3)]", "R(2, 4), [np.ones((2, 1)), np.ones((2, 3))], 1",
              "R(2, 3), [np.ones(3), np.ones(3)]", "R(4), [np.ones(2), np.ones((2, 1))], None", "R(2), [1.0, 2.0]"))
linear("y = join(parts, v, axis=0)", parts="unjoin(g, parts, axis)", kind="same_v",
       cases=("[R(2), R(3)], np.ones(5)", "[R(3), R(3)], np.ones((2, 3))", "[R(2, 1), R(2, 3)], np.ones((2, 4)), -1"))
linear("y = untranspose(v, axes)", v=(("axes.literal is None or axes.literal == ()", "np.transpose(g)"),
                                      "np.transpose(g, np.ravel(axes) if axes else None)"),
       cases=("R(2, 3), (1, 0)", "R(2, 3), None", "R(2, 3, 4), (1, -1, 0)", "R(2, 3), ((1, 0),)", "R(2, 3), ()"))
linear("y = untile(v, x, reps)", v="np.tile(g, reps)", kind="same_x",
       cases=("R(6), np.ones(3), 2", "R(2, 6), np.ones(3), (2, 2)"))
linear("y = unrepeat(v, x, repeats, axis=None)", v="np.repeat(g, repeats, axis=axis)", kind="same_x",
       cases=("R(6), np.ones(3), 2", "R(2, 6), np.ones((2, 3)), 2, 1"))
linear("y = unpad(v, x, pad_width, mode='constant')", v="np.pad(g, pad_width, mode=mode)", kind="same_x",
       cases=("R(5), np.ones(3), 1", "R(4, 5), np.ones((3, 3)), ((1, 0), (0, 2)), 'edge'"))
linear("y = unpad_margin(v, x, pad_width, constant_values)", kind="like_values",
       v="np.pad(np.zeros_like(x), pad_width, constant_values=g)", cases=("R(5), np.ones(3), 1, 0.0",))
linear("y = undiagonal(v, x, offset=0, axis1=0, axis2=1)", kind="same_x",
       v="unbroadcast(np.diagonal(g, offset, axis1, axis2), v)",
       cases=("R(3), np.ones((3, 4))", "R(1), np.ones((3, 3)), 1", "R(2, 3), np.ones((2, 3, 4)), 0, 1, 2"))
linear("y = untake_along(v, x, indices, axis=-1)", v="np.take_along_axis(g, indices, axis)", kind="same_x",
       cases=("R(3), np.ones(4), np.array([1, 1, 3])", "R(2, 3), np.ones((4, 3)), np.array([[0, 1, 2], [0, 3, 1]]), 0"))
linear("y = unmeshgrid(v, xs)", v="np.meshgrid(*g)", cases=("[R(3, 2), R(3, 2)], [np.ones(2), np.ones(3)]",))
