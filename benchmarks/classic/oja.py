"""Oja's and Sanger's rule on a stream of a million rows: how close to the SVD, in what room."""

from __future__ import annotations

import json as formats
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.decomposition import IncrementalPCA

from benchmarks.classic.oja_stream import BLOCK, COMPONENTS, SPECTRA, blocks
from benchmarks.timing import alternate, ratio, report
from neuropil.classic import Oja

TITLES = {
    "equal": "five equal variances, the rest a tenth of them (bar: 5e-3 rad, 200 MB)",
    "power": "variances 1, 1/2, 1/3, …",
}
ROUNDS = 3


def main(json: str | None = None, rows: int = 1_000_000) -> None:
    """Stream rows of two spectra through both rules, each spectrum in a process of its own.

    Args:
        json: Where figures go.
        rows: How many rows a pass has.
    """
    figures: dict[str, Any] = {name: streamed(name, rows) for name in SPECTRA}
    figures["beside scikit-learn"] = beside_scikit_learn()
    report("classic.oja", figures, json)


def streamed(spectrum: str, rows: int) -> dict[str, Any]:
    """Return angles by rule and pass, seconds, and the process's peak of memory."""
    program = [sys.executable, "-m", "benchmarks.classic.oja_stream"]
    with tempfile.TemporaryDirectory() as folder:
        options = [spectrum, str(Path(folder, "axes.npy")), str(rows)]
        subprocess.run([*program, "reference", *options], check=True)
        run = subprocess.run(
            [*program, "learn", *options], check=True, capture_output=True, text=True
        )
    found = formats.loads(run.stdout)
    print(f"{rows} x {SPECTRA[spectrum].size}, {TITLES[spectrum]}; seed 0")
    for rule in ("oja", "sanger"):
        angles = " ".join(f"{angle:.5f}" for angle in found[rule]["angles"])
        print(f"  {rule}: rad after each pass {angles}; {found[rule]['seconds']:.1f} s in all")
    print(f"  peak of the process: {found['peak, MB']:.0f} MB")
    return found


def beside_scikit_learn() -> dict[str, Any]:
    """Return the time of one pass over 5 blocks beside `IncrementalPCA`, and both angles."""
    stream = list(blocks("equal", 5 * BLOCK))
    rows = np.concatenate(stream)
    axes = np.linalg.eigh(np.cov(rows, rowvar=False))[1][:, ::-1].T[:COMPONENTS]
    runs = {
        "ours": lambda: passed(Oja(COMPONENTS, random_state=0), stream),
        "IncrementalPCA": lambda: passed(IncrementalPCA(COMPONENTS), stream),
    }
    found: dict[str, Any] = {name: largest_angle(run(), axes) for name, run in runs.items()}
    ours, peer = alternate(runs, rounds=ROUNDS).values()
    found["time, ratio"] = vars(ratio(ours, peer))
    print(
        f"one pass over {len(rows)} rows: Sanger {1e3 * ours.minimum:.0f} ms and "
        f"{found['ours']:.4f} rad, scikit-learn's IncrementalPCA {1e3 * peer.minimum:.0f} ms "
        f"and {found['IncrementalPCA']:.4f} rad; time {ratio(ours, peer)} of it"
    )
    return found


def passed(model: Any, stream: list[np.ndarray]) -> Any:
    """Return a model that has learnt from each block."""
    for block in stream:
        model.partial_fit(block)
    return model


def largest_angle(model: Any, axes: np.ndarray) -> float:
    """Return the largest principal angle between components and axes."""
    from scipy.linalg import subspace_angles

    return float(subspace_angles(model.components_.T, axes.T).max())
