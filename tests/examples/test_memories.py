"""The examples of memories and of adaptive resonance, each in a small setting."""

import runpy
from collections.abc import Callable
from pathlib import Path
from typing import Any

EXAMPLES = Path(__file__).parents[2] / "examples"


def main(name: str) -> Callable[..., Any]:
    """Return the main function of an example."""
    return runpy.run_path(str(EXAMPLES / f"{name}.py"))["main"]


def test_spoilt_digits_are_mended(tmp_path, capsys):
    mended = main("associative_memory")(probes=200, folder=str(tmp_path))
    assert mended["Hopfield, hebb"] < mended["Hopfield, pseudo_inverse"]
    assert mended["modern Hopfield"] > 0.8
    assert (tmp_path / "recall.png").stat().st_size > 5000
    assert len(capsys.readouterr().out.splitlines()) == 7


def test_a_cmac_learns_an_arm_while_it_swings(capsys):
    errors = main("cmac")(seconds=200)
    assert errors[-1] < 0.6 * errors[0]
    assert errors[-1] < 0.15
    assert len(capsys.readouterr().out.splitlines()) == 11


def test_categories_grow_with_vigilance(capsys):
    counts = main("adaptive_resonance")(n_samples=200)
    assert list(counts.values()) == sorted(counts.values())
    assert "category -1" in capsys.readouterr().out
