"""The rows of arrays: reading by index, slice and mask, attributes and methods (notation: rows.py)."""

from .rows import read

INDEXING = read('''
#= index | vector | scalar
y = x[0] * x[1] + np.sin(x[3])
#= negative index | vector | scalar
y = x[-1] * x[-2] * x[-1]
#= tuple index | matrix | scalar
y = x[0, 1] * x[2, 0] + x[-1, -1] * x[0, 1]
#= repeated index | matrix | scalar
y = x[0][1] * x[2][0] + np.sum(x[1])
#= row and column | matrix | scalar
y = np.sum(x[1] * x[0]) + np.sum(np.sin(x[:, 1]))
#= slice | vector | scalar
y = np.sum(x[1:] * x[:-1]) + np.sum(x[::2] * x[1::2])
#= slice backwards | vector
y = x[::-1] * x + x
#= slice with bounds from variables | vector | scalar n=3
y = np.sum(np.sin(x[1:n])) + np.sum(x[:n] * x[n - 3:n])
#= slices of both axes | matrix | scalar
y = np.sum(x[1:, :1] * x[:-1, 1:]) + np.sum(x[0:2] ** 2)
#= mask | vector | scalar
y = np.sum(x[x > 0.45] ** 2) + np.sum(np.sin(x[x < 0.45]))
#= constant mask | vector | scalar
mask = np.array([True, False, True, True])
y = np.sum(np.sin(x[mask]) * x[mask])
#= integer array | vector
i = np.array([2, 0, 3, 1])
y = x[i] * x
#= integer array with repeats | vector | scalar
i = np.array([0, 2, 0, 0, -1])
y = np.sum(np.sin(x[i] * np.array([1.0, 2.0, 3.0, 4.0, 5.0])))
#= list of integers | vector | scalar
y = np.sum(x[[0, 0, 3]] ** 2) * x[1]
#= pair of integer arrays | matrix | scalar
i = np.array([0, 2, 2])
j = np.array([1, 0, 0])
y = np.sum(x[i, j] ** 2 * np.array([1.0, 2.0, 3.0]))
#= newaxis | vector | scalar
y = np.sum(np.sin(x[:, np.newaxis] * x[None, :] + x[:, None]))
#= Ellipsis | matrix | scalar
y = np.sum(x[..., 0] * x[..., 1]) + np.sum(np.sin(x[0, ...]))
#= index in a loop | vector | scalar
y = 0.0
for i in range(len(x) - 1):
    y = y + (x[i + 1] - x[i]) ** 2 * (1.0 + y)
#= index by a computed integer | vector | scalar real
i = int(np.argmax(x))
y = x[i] * np.sum(x)
#= index of a row in a loop | matrix | scalar
y = 0.0
for i in range(x.shape[0]):
    y = y * 0.5 + np.sum(x[i] * x[i - 1])
''')

METHODS = read('''
#= transpose | matrix | scalar
y = np.sum(x.T @ x) + np.sum(np.sin(x.T[0]))
#= shape size ndim | vector matrix
y = x * x.shape[0] / x.size + np.sin(x) * x.ndim + x * len(x)
#= dtype and zeros like | vector single
y = x * np.ones(x.shape, dtype=x.dtype) + np.zeros_like(x) + np.sin(x)
#= sum method | vector matrix | scalar
y = x.sum() * (x * x).sum()
#= sum over an axis | matrix | scalar
y = (x.sum(axis=0) ** 2).sum() + np.sum(x.sum(1) ** 3)
#= sum with keepdims | matrix
y = x * x.sum(axis=1, keepdims=True)
#= mean | vector matrix single
y = (x - x.mean()) * np.mean(x * x)
#= mean over an axis | matrix
y = x * x.mean(axis=0)
#= reshape | matrix | scalar
v = x.reshape(-1)
y = v[0] * v[3] + np.sum(x.reshape(2, 3)[1] ** 2) + np.sum(np.reshape(x, (6, 1)) * v)
#= ravel and flatten | matrix | scalar
y = np.sum(x.ravel()[1:] * x.flatten()[:-1])
#= dot | vector | scalar
y = x.dot(x) * np.dot(np.sin(x), x)
#= copy | vector matrix
a = x.copy()
y = a * x
#= max and min | vector matrix | scalar real
y = x.max() * np.sum(x) + x.min() ** 2 + np.max(x * x)
#= max over an axis | matrix | scalar real
y = np.sum(x.max(axis=0) * x.min(axis=0))
#= prod and var | vector | scalar real
y = x.prod() + x.var() * x.std()
#= astype | vector | real
y = x.astype(np.float64) * x
#= where | vector single
y = np.where(x > 0.45, x * x, np.sin(x))
#= maximum | vector | real
y = np.maximum(x, 0.2) * np.minimum(x * x, 0.5) + np.clip(x, -0.1, 1.0)
#= stack and concatenate | vector | scalar
a = np.stack([x, np.sin(x)])
b = np.concatenate([x[:2], x * x])
y = np.sum(a[0] * a[1]) + np.sum(b[1:] * b[:-1])
#= array of active scalars | vector | scalar
a = np.array([x[0] * x[1], np.sin(x[2]), 2.0])
y = np.sum(a * a) * x[3]
#= broadcasting | matrix vector
y = x * np.array([[1.5], [0.5], [2.0]])[0] + x * np.sum(x)
''')

CONSTRUCTS = INDEXING + METHODS
