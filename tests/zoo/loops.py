"""The rows of loops and exits: for, while, break, continue, early returns (notation: rows.py)."""

from .rows import read

LOOPS = read('''
#= for over range | float vector
y = x
for i in range(3):
    y = np.sin(y) * x
#= for over range from | float vector
y = x
for i in range(1, 4):
    y = y * 0.5 + np.sin(x)
#= for over range with step | float vector
y = x
for i in range(1, 8, 3):
    y = y + i * x * y * 0.1
#= for over range downwards | float vector
y = x * 0.3
for i in range(6, 0, -2):
    y = np.sin(y) * i * 0.2 + x
#= for over an empty range | float vector
y = x * x
for i in range(0):
    y = y * 0.0
#= reading the loop index | vector | scalar
y = 0.0
for i in range(4):
    y = y + x[i] * (i + 1) * np.sin(x[3 - i])
#= loop index afterwards | float vector
for i in range(4):
    y = x * i
y = y * i * x
#= range of len | vector | scalar
y = 1.0
for i in range(len(x)):
    y = y * (x[i] + 2.0)
#= range of an argument | float vector | n=4
y = x
for i in range(n):
    y = np.sin(y) + x / n
#= for over a vector | vector single | scalar
y = 0.0
for v in x:
    y = y * 0.5 + v * v
#= for over rows | matrix | scalar
y = 0.0
for row in x:
    y = y + np.sum(np.sin(row)) * row[0]
#= for over rows and entries | matrix | scalar
y = 1.0
for row in x:
    for v in row:
        y = y * 0.9 + np.sin(v) * y
#= for over a list | float vector
y = x * 0.0
for c in [1.5, -0.5, 2.0]:
    y = y + c * np.sin(c * x)
#= for over a list of active values | float vector
y = x * 0.1
for v in [x, x * x, np.sin(x)]:
    y = y * v + v
#= for over a tuple | float vector
y = x
for v in (x, np.cos(x)):
    y = y * v
#= enumerate | vector | scalar
y = 0.0
for i, v in enumerate(x):
    y = y + (i + 1) * v * v
#= enumerate from | vector | scalar
y = 0.0
for i, v in enumerate(x, 2):
    y = y * 0.5 + v ** i
#= zip | vector | scalar
w = np.array([0.5, -1.5, 2.0, 0.3])
y = 0.0
for v, c in zip(x, w):
    y = y + np.sin(v * c)
#= zip of active values | vector | scalar
y = 0.0
for a, b in zip(x, np.sin(x)):
    y = y * 0.5 + a * b
#= enumerate of zip | vector | scalar
y = 0.0
for i, (a, b) in enumerate(zip(x, [1.0, 2.0, 3.0, 4.0])):
    y = y * a + b * i * a
#= reversed | vector | scalar
y = 1.0
for v in reversed(x):
    y = y * v + v
#= reversed range | vector | scalar
y = 1.0
for i in reversed(range(4)):
    y = y * x[i] + np.sin(x[i])
#= nested loops | float vector
y = x
for i in range(2):
    for j in range(3):
        y = np.sin(y) * x + 0.1 * (i + j)
    y = y * y
#= triangular loops | vector | scalar
y = 0.0
for i in range(4):
    for j in range(i):
        y = y + x[i] * x[j] * (i - j)
#= two carried values | float vector
a = x
y = np.sin(x)
for i in range(3):
    a, y = y * 0.5, a * y + x
#= while | float vector | scalar
y = np.sum(x) + 1.0
n = 0
while n < 4:
    y = np.tanh(y) * 1.3 + y * 0.4
    n += 1
#= while on an active value | vector | scalar
y = np.sum(x * x) + 1.1
while y < 40.0:
    y = y * y
#= while never entered | float vector
y = x * x
while np.sum(y) < -50.0:
    y = y + x
#= while nested in for | float vector
y = x
for i in range(2):
    n = 0
    while n <= i:
        y = np.sin(y) + x * n
        n = n + 1
#= loop with if | vector | scalar
y = 0.5
for v in x:
    if v > 0.45:
        y = y * v
    else:
        y = y + np.sin(v)
#= value undefined before the loop | vector | scalar
for v in x:
    a = v * v
    y = a * np.sum(x)
y = y + a
''')

EXITS = read('''
#= break | float vector
y = x
for i in range(10):
    if i == 3:
        break
    y = np.sin(y) * x + 0.2
#= break on an active value | vector | scalar
y = 1.2
for i in range(20):
    y = y * (1.5 + 0.1 * np.sum(x))
    if y > 5.0:
        break
    y = y + np.sum(x * x)
#= break of while True | float vector | scalar
y = np.sum(x * x) + 1.2
while True:
    y = y * 1.5
    if y > 30.0:
        break
#= continue | vector | scalar
y = 1.0
for i in range(4):
    if i == 1:
        continue
    y = y * (x[i] + 2.0)
#= continue and break | vector | scalar
y = 1.0
for v in x:
    if v < -0.2:
        continue
    y = y * (v + 1.5)
    if y > 4.1:
        break
    y = y + v
#= break of the inner loop | vector | scalar
y = 0.0
for i in range(4):
    for j in range(4):
        if j > i:
            break
        y = y + x[i] * x[j]
    y = np.sin(y)
#= early return | float vector | scalar
s = np.sum(x)
if s > 1.4:
    return s * s * s
y = np.sin(s)
#= several returns | float vector | scalar
s = np.sum(x)
if s > 1.4:
    return s * s
elif s > 0.3:
    return np.sin(s)
elif s > -0.2:
    return s * 3.0
y = s * np.cos(s)
#= return in both branches | vector | scalar
y = np.sum(x)
if y > 0.3:
    if y > 1.2:
        return y * y
    else:
        return y * 3.0
#= return in a loop | vector | scalar
y = 1.0
for v in x:
    y = y * (v + 1.7)
    if y > 3.1:
        return y * np.sin(v)
y = y * y
#= return in nested loops | vector | scalar
y = 1.0
for i in range(4):
    for j in range(4):
        y = y + x[i] * x[j]
        if y > 2.1:
            return y * x[j]
    y = np.sin(y)
#= return in while | float vector | scalar
y = np.sum(x * x) + 1.2
n = 0
while n < 6:
    y = y * 1.5
    if y > 12.0:
        return np.sqrt(y)
    n += 1
#= return after continue | vector | scalar
y = 0.0
for v in x:
    if v < 0.0:
        continue
    y = y + v * v
    if y > 2.2:
        return y * v
''')

CONSTRUCTS = LOOPS + EXITS
