"""NIST's nonlinear regression problems: certified digits of Levenberg–Marquardt beside SciPy's.

All 27 problems from both starting points. Digits are −log₁₀ of the relative error of the worst
parameter, at most 11, as many as NIST gives; a run counts when it has at least 6.
``NEUROPIL_DATA`` names the folder that holds ``nist_strd``.
"""

from __future__ import annotations

import math
import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.optimize import least_squares
from torch import Tensor

from benchmarks.timing import report
from neuropil.optim import LevenbergMarquardt

if TYPE_CHECKING:
    from collections.abc import Callable

    from neuropil.optim.outcome import Outcome

Floats = NDArray[np.float64]
ENOUGH, MOST = 6.0, 11.0


class Problem(NamedTuple):
    """A problem as published.

    Attributes:
        name: NIST's.
        starts: The two starting points.
        certified: The parameters to find.
        squares: The certified residual sum of squares.
        x: What is explained by, ``(N,)`` or, of Nelson, ``(N, 2)``.
        y: What is explained.
    """

    name: str
    starts: tuple[Tensor, Tensor]
    certified: Tensor
    squares: float
    x: Tensor
    y: Tensor

    def residuals(self, b: Tensor) -> Tensor:
        """Return model minus data."""
        return MODELS[self.name](self.x, b) - self.y


def main(json: str | None = None) -> None:
    """Solve all problems from both starts; print digits, evaluations and what was missed."""
    torch.set_num_threads(1)
    print(
        f"{'':12}{'digits':>18}{'evaluations':>22}\n{'':12}"
        + f"{'neuropil':>11}{'SciPy':>9}" * 2
    )
    runs: list[dict[str, Any]] = []
    for path in sorted(folder().glob("*.dat")):
        problem = read(path)
        for number, start in enumerate(problem.starts, 1):
            runs.append(solve(problem, f"{problem.name} {number}", start))
            print(
                "{name:12}{ours:11.1f}{scipy:9.1f}{ours_asked:11}{scipy_asked:9}".format(
                    **runs[-1]
                )
            )
    for name, title in (("ours", "neuropil"), ("scipy", "SciPy")):
        missed = {run["name"]: run[f"{name}_reason"] for run in runs if run[name] < ENOUGH}
        asked = sum(run[f"{name}_asked"] for run in runs if run["name"] not in missed)
        print(f"{title}: {len(runs) - len(missed)} of {len(runs)}, {asked} evaluations")
        for problem, reason in missed.items():
            print(f"  missed {problem}: {reason}")
    report("nist", {"runs": runs}, json)


def solve(problem: Problem, name: str, start: Tensor) -> dict[str, Any]:
    """Solve one problem both ways."""
    b = torch.nn.Parameter(start.clone())
    outcome = ours(b, problem)
    found = theirs(start, problem)
    return {
        "name": name,
        "ours": digits(b.detach(), problem),
        "ours_asked": outcome.evaluations,
        "ours_reason": f"{outcome}; certified loss {problem.squares / 2:.6g}",
        "scipy": digits(torch.from_numpy(found.x), problem),
        "scipy_asked": found.nfev,
        "scipy_reason": f"{found.message} loss {found.cost:.6g}",
    }


def ours(b: torch.nn.Parameter, problem: Problem) -> Outcome:
    optimizer = LevenbergMarquardt([b], geodesic=True, tolerance=1e-15)
    return optimizer.minimize(lambda: problem.residuals(b), 2000)


def theirs(start: Tensor, problem: Problem) -> Any:
    def residuals(b: Floats) -> Floats:
        return problem.residuals(torch.from_numpy(b)).numpy()

    def jacobian(b: Floats) -> Floats:
        return torch.func.jacfwd(problem.residuals)(torch.from_numpy(b)).numpy()

    return least_squares(
        residuals,
        start.numpy(),
        jac=jacobian,  # pyright: ignore[reportArgumentType]  # SciPy takes a function
        method="lm",
        xtol=1e-15,
        ftol=1e-15,
        gtol=1e-15,
        max_nfev=20_000,
    )


def digits(b: Tensor, problem: Problem) -> float:
    """Return how many digits of the worst parameter are right."""
    error = ((b - problem.certified) / problem.certified).abs().max().item()
    return min(MOST, -math.log10(error)) if 0 < error < math.inf else MOST * (error == 0)


def folder() -> Path:
    """Return where the problems lie."""
    return Path(os.environ.get("NEUROPIL_DATA", "../shared/data")) / "nist_strd"


def read(path: Path) -> Problem:
    """Read one of NIST's files."""
    text = path.read_text()
    lines = text.splitlines()
    rows = [
        [float(number) for number in match[1].split()]
        for match in re.finditer(r"^\s*b\d+ =\s+(.*)$", text, re.MULTILINE)
    ]
    table = torch.tensor(rows, dtype=torch.float64)
    squares = re.search(r"Residual Sum of Squares:\s+(\S+)", text)
    first = max(i for i, line in enumerate(lines) if line.startswith("Data:")) + 1
    cells = [[float(cell) for cell in line.split()] for line in lines[first:] if line.strip()]
    data = torch.tensor(cells, dtype=torch.float64)
    y, x = data[:, 0], data[:, 1:].squeeze(1)
    if path.stem == "Nelson":  # the model is of the logarithm
        y = y.log()
    assert squares is not None
    return Problem(path.stem, (table[:, 0], table[:, 1]), table[:, 2], float(squares[1]), x, y)


def exponentials(x: Tensor, b: Tensor) -> Tensor:
    return (
        b[0] * torch.exp(-b[1] * x) + b[2] * torch.exp(-b[3] * x) + b[4] * torch.exp(-b[5] * x)
    )


def gauss(x: Tensor, b: Tensor) -> Tensor:
    peaks = [b[i] * torch.exp(-((x - b[i + 1]) ** 2) / b[i + 2] ** 2) for i in (2, 5)]
    return b[0] * torch.exp(-b[1] * x) + peaks[0] + peaks[1]


def chwirut(x: Tensor, b: Tensor) -> Tensor:
    return torch.exp(-b[0] * x) / (b[1] + b[2] * x)


def cubic_over_cubic(x: Tensor, b: Tensor) -> Tensor:
    above = b[0] + b[1] * x + b[2] * x**2 + b[3] * x**3
    return above / (1 + b[4] * x + b[5] * x**2 + b[6] * x**3)


def enso(x: Tensor, b: Tensor) -> Tensor:
    def wave(period: Tensor | float, cosine: Tensor, sine: Tensor) -> Tensor:
        angle = 2 * math.pi * x / period
        return cosine * torch.cos(angle) + sine * torch.sin(angle)

    return b[0] + wave(12, b[1], b[2]) + wave(b[3], b[4], b[5]) + wave(b[6], b[7], b[8])


MODELS: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
    "Bennett5": lambda x, b: b[0] * (b[1] + x) ** (-1 / b[2]),
    "BoxBOD": lambda x, b: b[0] * (1 - torch.exp(-b[1] * x)),
    "Chwirut1": chwirut,
    "Chwirut2": chwirut,
    "DanWood": lambda x, b: b[0] * x ** b[1],
    "ENSO": enso,
    "Eckerle4": lambda x, b: b[0] / b[1] * torch.exp(-0.5 * ((x - b[2]) / b[1]) ** 2),
    "Gauss1": gauss,
    "Gauss2": gauss,
    "Gauss3": gauss,
    "Hahn1": cubic_over_cubic,
    "Kirby2": lambda x, b: (b[0] + b[1] * x + b[2] * x**2) / (1 + b[3] * x + b[4] * x**2),
    "Lanczos1": exponentials,
    "Lanczos2": exponentials,
    "Lanczos3": exponentials,
    "MGH09": lambda x, b: b[0] * (x**2 + x * b[1]) / (x**2 + x * b[2] + b[3]),
    "MGH10": lambda x, b: b[0] * torch.exp(b[1] / (x + b[2])),
    "MGH17": lambda x, b: b[0] + b[1] * torch.exp(-x * b[3]) + b[2] * torch.exp(-x * b[4]),
    "Misra1a": lambda x, b: b[0] * (1 - torch.exp(-b[1] * x)),
    "Misra1b": lambda x, b: b[0] * (1 - (1 + b[1] * x / 2) ** -2),
    "Misra1c": lambda x, b: b[0] * (1 - (1 + 2 * b[1] * x) ** -0.5),
    "Misra1d": lambda x, b: b[0] * b[1] * x / (1 + b[1] * x),
    "Nelson": lambda x, b: b[0] - b[1] * x[:, 0] * torch.exp(-b[2] * x[:, 1]),
    "Rat42": lambda x, b: b[0] / (1 + torch.exp(b[1] - b[2] * x)),
    "Rat43": lambda x, b: b[0] / (1 + torch.exp(b[1] - b[2] * x)) ** (1 / b[3]),
    "Roszman1": lambda x, b: b[0] - b[1] * x - torch.atan(b[2] / (x - b[3])) / math.pi,
    "Thurber": cubic_over_cubic,
}
