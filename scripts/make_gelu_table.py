"""Writes src/kernels/gelu_table.inc.c, the file named as its argument. Needs mpmath.

Interval j covers |x| within 11/128 of 11 j / 64. Its point c is a float near the middle at which the tail T =
Phi(-c) and the hazard H = phi(c) / Phi(-c) are close to floats. With d = |x| - c,

    Phi(-|x|) = T exp(-d H - d^2 (m0 + m1 d + m2 d^2)),
    Phi(-|x|) - |x| phi(x) = exp(-d c - d^2 / 2) (G + g0 + g1 d + ... + g4 d^4),

where g0 is what G loses to rounding. The polynomials interpolate at Chebyshev points. Prints the largest errors
that remain, relative to the tail, and to the slope plus a quarter of the density.
"""

import struct
import sys

import mpmath as mp

mp.mp.dps = 40
STEP = mp.mpf(11) / 64


def to_float(x):
    return struct.unpack("f", struct.pack("f", float(x)))[0]


def tail(a):
    return mp.erfc(a / mp.sqrt(2)) / 2


def density(a):
    return mp.exp(-a * a / 2) / mp.sqrt(2 * mp.pi)


def point(j):
    """The float near the middle for which both roundings cost least."""
    if j == 0:
        return mp.mpf(0)
    best = None
    for i in range(-400, 401):
        c = mp.mpf(to_float(j * STEP + i * STEP / 10000))
        t, h = tail(c), density(c) / tail(c)
        cost = abs(to_float(t) / t - 1) + abs(h - to_float(h)) * STEP / 2
        if best is None or cost < best[0]:
            best = (cost, c)
    return best[1]


def fit(f, c, j, degree):
    """Interpolates f(d) over the interval of j."""
    low, high = (0 if j == 0 else j * STEP - STEP / 2) - c, j * STEP + STEP / 2 - c
    xs = [(low + high) / 2 + (high - low) / 2 * mp.cos(mp.pi * (2 * i + 1) / (2 * degree + 2)) for i in range(degree + 1)]
    return [x for x in mp.lu_solve(mp.matrix([[x**k for k in range(degree + 1)] for x in xs]), mp.matrix([f(x) for x in xs]))]


def rows():
    table = {name: [] for name in "c T H m0 m1 m2 G g0 g1 g2 g3 g4".split()}
    worst = [0, 0]
    for j in range(32):
        c = point(j)
        t, h = mp.mpf(to_float(tail(c))), mp.mpf(to_float(density(c) / tail(c)))
        m = [mp.mpf(to_float(v)) for v in fit(lambda d: (-mp.log(tail(c + d) / tail(c)) - d * density(c) / tail(c)) / d**2, c, j, 2)]
        g = fit(lambda d: (tail(c + d) - (c + d) * density(c + d)) * mp.exp(d * (c + d / 2)), c, j, 4)
        top = mp.mpf(to_float(g[0]))
        low = [mp.mpf(to_float(v)) for v in [g[0] - top] + g[1:]]
        for name, v in zip(table, [c, t, h] + m + [top] + low):
            table[name].append(v)
        for i in range(41):
            a = max(mp.mpf(10) ** -9, j * STEP + STEP * (mp.mpf(i) / 40 - mp.mpf(1) / 2))
            d = a - c
            v = t * mp.exp(-d * h - d * d * (m[0] + d * (m[1] + d * m[2])))
            worst[0] = max(worst[0], abs(v / tail(a) - 1))
            s = tail(a) - a * density(a)
            v = mp.exp(-d * (c + d / 2)) * (top + sum(q * d**k for k, q in enumerate(low)))
            worst[1] = max(worst[1], abs(v - s) / (abs(s) + density(a) / 4))
    print("tail 2^%.1f, slope 2^%.1f" % (mp.log(worst[0], 2), mp.log(worst[1], 2)))
    return table


def text(v):
    m, e = float(v).hex().split("p")
    return "0" if v == 0 else m.rstrip("0").rstrip(".") + "p" + e + "F"


with open(sys.argv[1], "w") as out:
    out.write("/* Written by scripts/make_gelu_table.py, which says what these are. */\n// clang-format off\n")
    for name, values in rows().items():
        out.write("static const float gelu_%s[32] = {\n" % name)
        for i in range(0, 32, 8):
            out.write("    " + ", ".join(text(v) for v in values[i : i + 8]) + ",\n")
        out.write("};\n")
    out.write("// clang-format on\n")
