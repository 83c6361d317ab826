"""The rows of statements and expressions: assignments, operators, conditions (notation: rows.py)."""

from .rows import read

ASSIGNMENTS = read('''
#= assignment | float vector matrix single
a = np.sin(x)
y = a * x
#= rebinding | float vector
a = x * 2.0
a = a * x
y = a
y = y + a * 0.5
#= chained assignment | float vector
a = b = np.sin(x)
a = a * 2.0
y = a * b
#= tuple assignment | float vector
a, b = np.sin(x), np.cos(x) * x
y = a * b
#= swap | float vector
a, b = x, np.exp(x)
a, b = b, a * b
y = a - b * 0.3
#= nested tuple assignment | float vector
(a, b), c = (x, x * x), np.sin(x)
y = a * b + c
#= annotated assignment | float vector
a: float = np.sin(x) * 2.0
y = a * x
#= augmented assignment of numbers | float vector | scalar
y = np.sum(x)
y += np.sum(np.sin(x))
y *= 2.0
y -= np.sum(x) * 0.3
y /= 3.0
y **= 2
#= augmented assignment of fresh arrays | vector matrix single
y = x * 2.0
y += x
y *= x
y -= np.sin(x)
y /= 1.5
#= augmented assignment of an alias | float
a = x * 3.0
y = a
y += x * a
y = y * a
#= augmented assignment with a read of itself | vector
y = np.sin(x)
y *= y + x
''')

OPERATORS = read('''
#= addition and subtraction | float vector matrix single
y = x + 2.0 - x * x + (1.0 - x)
#= multiplication | float vector matrix single
y = 3.0 * x * x * np.cos(x)
#= division | float vector matrix
y = x / (1.0 + x * x) + 2.0 / (x * x + 1.5)
#= integer power | float vector matrix single
y = x ** 2 - 0.5 * x ** 3
#= float power | float vector
y = (x * x + 0.5) ** 1.7
#= negative power | float vector
y = (x * x + 0.5) ** -0.5
#= power with exponent | float vector
y = (x * x + 1.1) ** x
#= power of a number | float vector
y = 2.0 ** x
#= remainder | float vector | real
y = (x * 1.5) % 0.97 * x
#= remainder by argument | float | real
y = 5.3 % (x * x + 1.0) + x
#= floor division | float vector | real
y = (x * 3.0) // 0.7 * x + np.sin(x)
#= divmod by operators | float | real
a = x * 4.0
y = (a // 0.7) * np.sin(x) + (a % 0.7) * x
#= matrix product | vector | m=np.array([[0.3,-0.2,0.5,0.1],[0.7,0.4,-0.6,0.2],[0.1,0.9,0.2,-0.3],[0.5,0.6,-0.1,0.8]])
y = np.tanh(m @ x) + x @ m
#= inner product | vector | scalar
y = x @ x + (x * x) @ np.sin(x)
#= matrix times matrix | matrix | m=np.array([[0.3,-0.2],[0.7,0.4]])
y = x @ m @ m.T
#= unary operators | float vector matrix
y = -x * (+x) + -np.sin(x)
#= absolute value | float vector single | real
y = abs(x) * x + np.abs(np.sin(x) + 0.3)
#= operators of integers and floats | float vector
n = 7 // 2 + 5 % 3
y = n * x ** (n - 3) / (n + 1)
#= parentheses and precedence | float vector
y = -x ** 2 + 2.0 * (x + 1.0) / 3.0 * x + x
#= constants folded | float
y = x * (2.0 * 3.0 - 1.0) + 0.0 * x + 1.0 * x
#= unused value | float vector
unused = np.exp(x) * 3.0
y = np.sin(x)
#= value used many times | float vector
a = np.tanh(x)
y = a * a * a + a / (1.0 + a * a) - a
''')

CONDITIONS = read('''
#= comparison | vector | scalar
y = np.sum(x) * 1.5
if y < 3.1:
    y = y * y
if y >= 0.7:
    y = np.tanh(y)
if y != 2.5:
    y = y * np.sum(x)
#= chained comparison | float | scalar
y = x * x
if -1.0 < x <= 0.3 < 2.0:
    y = y * 3.0
elif 0.3 < x < 5.0 != 6.0:
    y = y * x + 1.0
#= comparison as number | float vector
y = (x > 0.1) * x + (x <= 0.1) * np.sin(x)
#= and or not in conditions | vector | scalar
s = np.sum(x)
if s > 0.0 and not s > 1.0:
    y = s * s
elif s > 1.0 or s < -5.0:
    y = np.sin(s)
else:
    y = s * 0.7
#= value of or | float | scalar real
y = (x * 0.0 or x * x) + (x or 3.0) * 2.0
#= value of and | float | scalar real
y = (x and x * x) + (x > 100.0 or np.sin(x))
#= value of not | vector | scalar
done = not np.sum(x) > 0.3
y = np.sum(x * x) if done else np.sum(np.sin(x))
#= short circuit | vector | scalar
s = np.sum(x)
ok = s > 0.0 and 1.0 / s > 0.001
y = s * s if ok else s * 3.0
#= is None | float vector
a = None
b = x if a is None else x * 2.0
y = b * x
#= conditional expression | float vector | scalar
s = np.sum(x)
y = s * s if s > 0.2 else np.sin(s) * 3.0
#= nested conditional expression | vector | scalar
s = np.sum(x)
y = s if s > 5.0 else (s * s if s > 0.2 else np.cos(s))
#= conditional expression within | vector
y = x * (np.sum(x) if np.sum(x) > 0.2 else 0.5)
#= if | float vector
y = np.sin(x)
if np.sum(x) > 0.1:
    y = y * x
#= if else | vector
if np.sum(x) > 0.1:
    a = x * x
    y = a * 2.0
else:
    b = np.sin(x)
    y = b * 3.0
#= if elif else | float vector | scalar
s = np.sum(x)
if s > 100.0:
    y = s
elif s > 0.6:
    y = s * s
elif s > -0.1:
    y = np.sin(s) + s
else:
    y = np.cos(s)
#= nested if | float vector | scalar
s = np.sum(x)
y = s
if s > -3.0:
    if s > 0.2:
        y = s * s
    else:
        y = s * 3.0
    y = y * s
#= if on an integer | float vector | n=2
y = x * n
if n == 2:
    y = y * x
elif n > 5:
    y = np.exp(x)
#= assert | float vector
assert np.sum(x) < 1000.0, "x is too large"
y = np.sin(x)
#= raise not taken | float vector
if np.sum(x) > 1000.0:
    raise ValueError(f"x is too large: {x}")
y = x * np.sin(x)
#= raise in the else branch | vector | scalar
if np.sum(x) < 1000.0:
    y = np.sum(x * x)
else:
    raise ValueError("x is too large")
#= print | float vector
print("the sum is", np.sum(x) > 0.1)
y = x * x
#= pass and docstring | float
"""A string that stands alone."""
pass
y = x * x
#= truth of a float | float | scalar real
y = x * x
if x:
    y = y * 2.0
''')

CONSTRUCTS = ASSIGNMENTS + OPERATORS + CONDITIONS
