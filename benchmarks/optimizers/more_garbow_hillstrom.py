"""The 35 test functions of Moré, Garbow and Hillstrom, with their starts and minima.

Each is a sum of squares of residuals, written here on one float64 tensor.

Reference:
    Moré, Garbow, Hillstrom, "Testing unconstrained optimization software", 1981.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

import torch
from torch import Tensor

if TYPE_CHECKING:
    from collections.abc import Callable


@dataclass(frozen=True)
class Problem:
    """A function to minimise.

    Attributes:
        name: As in the paper.
        residuals: r, a function of the variables.
        start: The standard start.
        minima: The published values of Σ r² at its minima, local ones too.
    """

    name: str
    residuals: Callable[[Tensor], Tensor]
    start: tuple[float, ...]
    minima: tuple[float, ...]

    def value(self, x: Tensor) -> Tensor:
        """Return Σ r²."""
        return self.residuals(x).square().sum()

    def at_start(self) -> Tensor:
        """Return the standard start, a tensor of its own."""
        return torch.tensor(self.start, dtype=torch.float64)


@cache
def numbers(text: str) -> Tensor:
    return torch.tensor([float(word) for word in text.split()], dtype=torch.float64)


@cache
def count(last: int, first: int = 1) -> Tensor:
    return torch.arange(first, last + 1, dtype=torch.float64)


def rosenbrock(x: Tensor) -> Tensor:
    odd, even = x[0::2], x[1::2]
    return torch.cat((10 * (even - odd**2), 1 - odd))


def freudenstein_roth(x: Tensor) -> Tensor:
    a, b = x
    return torch.stack((-13 + a + ((5 - b) * b - 2) * b, -29 + a + ((b + 1) * b - 14) * b))


def powell_badly_scaled(x: Tensor) -> Tensor:
    a, b = x
    return torch.stack((1e4 * a * b - 1, torch.exp(-a) + torch.exp(-b) - 1.0001))


def brown_badly_scaled(x: Tensor) -> Tensor:
    a, b = x
    return torch.stack((a - 1e6, b - 2e-6, a * b - 2))


def beale(x: Tensor) -> Tensor:
    return numbers("1.5 2.25 2.625") - x[0] * (1 - x[1] ** count(3))


def jennrich_sampson(x: Tensor) -> Tensor:
    i = count(10)
    return 2 + 2 * i - (torch.exp(i * x[0]) + torch.exp(i * x[1]))


def helical_valley(x: Tensor) -> Tensor:
    a, b, c = x
    turns = torch.atan(b / a) / (2 * math.pi) + (0.5 if a < 0 else 0.0)
    return torch.stack((10 * (c - 10 * turns), 10 * (torch.hypot(a, b) - 1), c))


BARD = numbers("0.14 0.18 0.22 0.25 0.29 0.32 0.35 0.39 0.37 0.58 0.73 0.96 1.34 2.10 4.39")


def bard(x: Tensor) -> Tensor:
    u = count(15)
    v = 16 - u
    return BARD - (x[0] + u / (v * x[1] + torch.minimum(u, v) * x[2]))


GAUSSIAN = numbers(
    "0.0009 0.0044 0.0175 0.0540 0.1295 0.2420 0.3521 0.3989 0.3521 0.2420 0.1295 0.0540 "
    "0.0175 0.0044 0.0009"
)


def gaussian(x: Tensor) -> Tensor:
    t = (8 - count(15)) / 2
    return x[0] * torch.exp(-x[1] * (t - x[2]) ** 2 / 2) - GAUSSIAN


MEYER = numbers(
    "34780 28610 23650 19630 16370 13720 11540 9744 8261 7030 6005 5147 4427 3820 3307 2872"
)


def meyer(x: Tensor) -> Tensor:
    return x[0] * torch.exp(x[1] / (45 + 5 * count(16) + x[2])) - MEYER


def gulf(x: Tensor) -> Tensor:
    t = count(99) / 100
    y = 25 + (-50 * torch.log(t)) ** (2 / 3)
    return torch.exp(-(torch.abs(y - x[1]) ** x[2]) / x[0]) - t


def box(x: Tensor) -> Tensor:
    t = 0.1 * count(10)
    return (
        torch.exp(-t * x[0])
        - torch.exp(-t * x[1])
        - x[2] * (torch.exp(-t) - torch.exp(-10 * t))
    )


def powell_singular(x: Tensor) -> Tensor:
    a, b, c, d = x.reshape(-1, 4).T
    return torch.cat(
        (a + 10 * b, math.sqrt(5) * (c - d), (b - 2 * c) ** 2, math.sqrt(10) * (a - d) ** 2)
    )


def wood(x: Tensor) -> Tensor:
    a, b, c, d = x
    return torch.stack(
        (
            10 * (b - a**2),
            1 - a,
            math.sqrt(90) * (d - c**2),
            1 - c,
            math.sqrt(10) * (b + d - 2),
            (b - d) / math.sqrt(10),
        )
    )


KOWALIK = numbers(".1957 .1947 .1735 .1600 .0844 .0627 .0456 .0342 .0323 .0235 .0246")
KOWALIK_AT = numbers("4 2 1 .5 .25 .167 .125 .1 .0833 .0714 .0625")


def kowalik_osborne(x: Tensor) -> Tensor:
    u = KOWALIK_AT
    return KOWALIK - x[0] * (u**2 + u * x[1]) / (u**2 + u * x[2] + x[3])


def brown_dennis(x: Tensor) -> Tensor:
    t = count(20) / 5
    a, b, c, d = x
    return (a + t * b - torch.exp(t)) ** 2 + (c + d * torch.sin(t) - torch.cos(t)) ** 2


OSBORNE_1 = numbers(
    ".844 .908 .932 .936 .925 .908 .881 .850 .818 .784 .751 .718 .685 .658 .628 .603 .580 .558 "
    ".538 .522 .506 .490 .478 .467 .457 .448 .438 .431 .424 .420 .414 .411 .406"
)


def osborne_1(x: Tensor) -> Tensor:
    t = 10 * (count(33) - 1)
    return OSBORNE_1 - (x[0] + x[1] * torch.exp(-t * x[3]) + x[2] * torch.exp(-t * x[4]))


def biggs(x: Tensor) -> Tensor:
    t = 0.1 * count(13)
    y = torch.exp(-t) - 5 * torch.exp(-10 * t) + 3 * torch.exp(-4 * t)
    return (
        x[2] * torch.exp(-t * x[0]) - x[3] * torch.exp(-t * x[1]) + x[5] * torch.exp(-t * x[4])
    ) - y


OSBORNE_2 = numbers(
    "1.366 1.191 1.112 1.013 .991 .885 .831 .847 .786 .725 .746 .679 .608 .655 .616 .606 .602 "
    ".626 .651 .724 .649 .649 .694 .644 .624 .661 .612 .558 .533 .495 .500 .423 .395 .375 .372 "
    ".391 .396 .405 .428 .429 .523 .562 .607 .653 .672 .708 .633 .668 .645 .632 .591 .559 .597 "
    ".625 .739 .710 .729 .720 .636 .581 .428 .292 .162 .098 .054"
)


def osborne_2(x: Tensor) -> Tensor:
    t = (count(65) - 1) / 10
    bells = sum(x[i] * torch.exp(-((t - x[i + 7]) ** 2) * x[i + 4]) for i in (1, 2, 3))
    return OSBORNE_2 - (x[0] * torch.exp(-t * x[4]) + bells)


def watson(x: Tensor) -> Tensor:
    t = (count(29) / 29)[:, None]
    j = count(len(x))
    slopes = ((j - 1)[1:] * x[1:] * t ** (j - 2)[1:]).sum(1)
    sums = (x * t ** (j - 1)).sum(1)
    return torch.cat((slopes - sums**2 - 1, x[:1], (x[1] - x[0] ** 2 - 1)[None]))


def penalty_1(x: Tensor) -> Tensor:
    return torch.cat((math.sqrt(1e-5) * (x - 1), ((x**2).sum() - 0.25)[None]))


def penalty_2(x: Tensor) -> Tensor:
    i, root = count(len(x), 2), math.sqrt(1e-5)
    y = torch.exp(i / 10) + torch.exp((i - 1) / 10)
    tenths = torch.exp(x / 10)
    weights = len(x) - count(len(x)) + 1
    return torch.cat(
        (
            (x[0] - 0.2)[None],
            root * (tenths[1:] + tenths[:-1] - y[: len(x) - 1]),
            root * (tenths[1:] - math.exp(-0.1)),
            ((weights * x**2).sum() - 1)[None],
        )
    )


def variably_dimensioned(x: Tensor) -> Tensor:
    total = (count(len(x)) * (x - 1)).sum()[None]
    return torch.cat((x - 1, total, total**2))


def trigonometric(x: Tensor) -> Tensor:
    n = len(x)
    return n - torch.cos(x).sum() + count(n) * (1 - torch.cos(x)) - torch.sin(x)


def brown_almost_linear(x: Tensor) -> Tensor:
    n = len(x)
    return torch.cat((x[:-1] + x.sum() - (n + 1), (x.prod() - 1)[None]))


def neighbours(x: Tensor) -> tuple[Tensor, Tensor]:
    nothing = x.new_zeros(1)
    return torch.cat((nothing, x[:-1])), torch.cat((x[1:], nothing))


def discrete_boundary(x: Tensor) -> Tensor:
    h = 1 / (len(x) + 1)
    before, after = neighbours(x)
    return 2 * x - before - after + h**2 * (x + h * count(len(x)) + 1) ** 3 / 2


def discrete_integral(x: Tensor) -> Tensor:
    h = 1 / (len(x) + 1)
    t = h * count(len(x))
    cubes = (x + t + 1) ** 3
    low = torch.cumsum(t * cubes, 0)
    weighted = (1 - t) * cubes
    high = weighted.sum() - torch.cumsum(weighted, 0)
    return x + h * ((1 - t) * low + t * high) / 2


def broyden_tridiagonal(x: Tensor) -> Tensor:
    before, after = neighbours(x)
    return (3 - 2 * x) * x - before - 2 * after + 1


def broyden_banded(x: Tensor) -> Tensor:
    i = torch.arange(len(x))
    away = i[None, :] - i[:, None]
    band = ((away >= -5) & (away <= 1) & (away != 0)).to(x.dtype)
    return x * (2 + 5 * x**2) + 1 - band @ (x * (1 + x))


def linear_full_rank(x: Tensor) -> Tensor:
    m = 2 * len(x)
    shared = -2 * x.sum() / m - 1
    return torch.cat((x + shared, shared.expand(m - len(x))))


def linear_rank_1(x: Tensor) -> Tensor:
    return count(2 * len(x)) * (count(len(x)) * x).sum() - 1


def linear_rank_1_zeros(x: Tensor) -> Tensor:
    m, n = 2 * len(x), len(x)
    inner = (count(n - 1, 2) * x[1:-1]).sum()
    ends = torch.full((1,), -1.0, dtype=x.dtype)
    return torch.cat((ends, (count(m - 1, 2) - 1) * inner - 1, ends))


def chebyquad(x: Tensor) -> Tensor:
    before, now, means = torch.ones_like(x), 2 * x - 1, []
    for i in range(1, len(x) + 1):
        exact = -1 / (i**2 - 1) if i % 2 == 0 else 0.0
        means.append(now.mean() - exact)
        before, now = now, 2 * (2 * x - 1) * now - before
    return torch.stack(means)


def steps(n: int) -> tuple[float, ...]:
    return tuple((i / (n + 1)) * (i / (n + 1) - 1) for i in range(1, n + 1))


def repeated(n: int, *values: float) -> tuple[float, ...]:
    return values * (n // len(values))


PROBLEMS = (
    Problem("Rosenbrock", rosenbrock, (-1.2, 1), (0,)),
    Problem("Freudenstein-Roth", freudenstein_roth, (0.5, -2), (0, 48.98425)),
    Problem("Powell badly scaled", powell_badly_scaled, (0, 1), (0,)),
    Problem("Brown badly scaled", brown_badly_scaled, (1, 1), (0,)),
    Problem("Beale", beale, (1, 1), (0,)),
    Problem("Jennrich-Sampson", jennrich_sampson, (0.3, 0.4), (124.3622,)),
    Problem("Helical valley", helical_valley, (-1, 0, 0), (0,)),
    Problem("Bard", bard, (1, 1, 1), (8.214877e-3, 17.42869)),
    Problem("Gaussian", gaussian, (0.4, 1, 0), (1.127932e-8,)),
    Problem("Meyer", meyer, (0.02, 4000, 250), (87.94585,)),
    Problem("Gulf", gulf, (5, 2.5, 0.15), (0,)),
    Problem("Box", box, (0, 10, 20), (0,)),
    Problem("Powell singular", powell_singular, (3, -1, 0, 1), (0,)),
    Problem("Wood", wood, (-3, -1, -3, -1), (0,)),
    Problem(
        "Kowalik-Osborne",
        kowalik_osborne,
        (0.25, 0.39, 0.415, 0.39),
        (3.075056e-4, 1.027348e-3),
    ),
    Problem("Brown-Dennis", brown_dennis, (25, 5, -5, -1), (85822.20,)),
    Problem("Osborne 1", osborne_1, (0.5, 1.5, -1, 0.01, 0.02), (5.464894e-5,)),
    Problem("Biggs EXP6", biggs, (1, 2, 1, 1, 1, 1), (0, 5.655650e-3)),
    Problem(
        "Osborne 2",
        osborne_2,
        (1.3, 0.65, 0.65, 0.7, 0.6, 3, 5, 7, 2, 4.5, 5.5),
        (4.013774e-2,),
    ),
    Problem("Watson 6", watson, (0,) * 6, (2.287670e-3,)),
    Problem("Watson 9", watson, (0,) * 9, (1.399760e-6,)),
    Problem("Extended Rosenbrock", rosenbrock, repeated(20, -1.2, 1), (0,)),
    Problem("Extended Powell singular", powell_singular, repeated(20, 3, -1, 0, 1), (0,)),
    Problem("Penalty I 4", penalty_1, (1, 2, 3, 4), (2.249978e-5,)),
    Problem("Penalty I 10", penalty_1, tuple(range(1, 11)), (7.087651e-5,)),
    Problem("Penalty II 4", penalty_2, (0.5,) * 4, (9.376293e-6,)),
    Problem("Penalty II 10", penalty_2, (0.5,) * 10, (2.936605e-4,)),
    Problem(
        "Variably dimensioned",
        variably_dimensioned,
        tuple(1 - i / 10 for i in range(1, 11)),
        (0,),
    ),
    Problem("Trigonometric", trigonometric, (0.1,) * 10, (0, 2.795061e-5)),
    Problem("Brown almost-linear", brown_almost_linear, (0.5,) * 10, (0, 1)),
    Problem("Discrete boundary value", discrete_boundary, steps(10), (0,)),
    Problem("Discrete integral", discrete_integral, steps(10), (0,)),
    Problem("Broyden tridiagonal", broyden_tridiagonal, (-1,) * 10, (0,)),
    Problem("Broyden banded", broyden_banded, (-1,) * 10, (0,)),
    Problem("Linear full rank", linear_full_rank, (1,) * 10, (10,)),
    Problem("Linear rank 1", linear_rank_1, (1,) * 10, (20 * 19 / (2 * 41),)),
    Problem("Linear rank 1, zeros", linear_rank_1_zeros, (1,) * 10, (454 / 74,)),
    Problem("Chebyquad 8", chebyquad, tuple(i / 9 for i in range(1, 9)), (3.516874e-3,)),
    Problem(
        "Chebyquad 10",
        chebyquad,
        tuple(i / 11 for i in range(1, 11)),
        (6.503955e-3, 4.772714e-3),
    ),
)
