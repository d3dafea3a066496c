"""Every built-in data set by its row: the same by seed, of the shapes it says, drawn aside."""

import inspect
import re
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
import torch

from neuropil import datasets
from neuropil.datasets import Splits


@dataclass(frozen=True)
class Row:
    """Arguments for a small draw, the shapes of what comes back, and calls that are refused."""

    arguments: dict[str, Any]
    shapes: list[tuple[int, ...]]
    wrong: dict[str, dict[str, Any]]
    seed: str | None = "random_state"


COUNT = "must be a whole number from 1 to 2,147,483,647, got"
ROWS = {
    "load_handwritten_digits": Row(
        {"validation": 100, "test": 297},
        [(1400, 1, 8, 8), (1400,), (100, 1, 8, 8), (100,), (297, 1, 8, 8), (297,)],
        {"`test` must be a fraction": {"test": -1}, "cannot spare 1,796": {"validation": 1796}},
        "seed",
    ),
    "load_digits": Row({}, [(10, 24)], {}, None),
    "make_digit_scenes": Row(
        {"count": 20, "size": (40, 50), "digits": (2, 3), "scale": (1, 2)},
        [(14, 1, 40, 50), (14, 3, 5), (2, 1, 40, 50), (2, 3, 5), (4, 1, 40, 50), (4, 3, 5)],
        {
            f"make_digit_scenes: count {COUNT} 0": {"count": 0},
            "size must be a whole number from 8 to 4,096, got 7": {"size": (96, 7)},
            f"digits {COUNT} 0": {"digits": 0},
            "digits must be a whole number from 3 to": {"digits": (3, 2)},
            "scale must be a number in [1, inf), got 0.5": {"scale": (0.5, 2)},
            "scale must be a number in [2, 5], got 6": {"scale": (2, 6), "size": 40},
        },
        "seed",
    ),
    "make_digits": Row(
        {"n_samples": 30},
        [(30, 24), (30,)],
        {
            f"make_digits: n_samples {COUNT} 0": {"n_samples": 0},
            "noise_level must be a number in [0, 1], got 1.1": {"noise_level": 1.1},
            "mode must be 'flip' or 'remove', got 'blur'": {"mode": "blur"},
        },
    ),
    "make_reber": Row(
        {"n_words": 30},
        [(30,)],
        {f"n_words {COUNT} 0": {"n_words": 0}, f"n_words {COUNT} 1.5": {"n_words": 1.5}},
    ),
    "make_reber_classification": Row(
        {"n_samples": 30},
        [(30,), (30,)],
        {
            f"n_samples {COUNT} -1": {"n_samples": -1},
            "errors must be a whole number from 1 to 2,147,483,647 or None": {"errors": 0},
            "invalid_size must be a number in [0, 1]": {"invalid_size": 1.5},
        },
    ),
}
BUILT_IN = [name for name in datasets.__all__ if name.startswith(("load_", "make_"))]
WRONG = [(name, text) for name, row in ROWS.items() for text in row.wrong]


def arrays(name: str, seed: int = 0) -> list[np.ndarray]:
    """Return the small draw of a data set as a list of arrays."""
    row = ROWS[name]
    found = getattr(datasets, name)(**row.arguments, **({row.seed: seed} if row.seed else {}))
    if isinstance(found, Splits):
        parts = (found.train, found.validation, found.test)
        return [values.numpy() for part in parts for values in (part.inputs, part.targets)]
    return [np.array(values) for values in (found if isinstance(found, tuple) else (found,))]


def same(first: list[np.ndarray], second: list[np.ndarray]) -> bool:
    """Tell whether two draws are equal."""
    return all(np.array_equal(a, b) for a, b in zip(first, second, strict=True))


def test_every_data_set_has_a_row():
    assert sorted(ROWS) == sorted(BUILT_IN), "give each built-in data set a row"
    for name, row in ROWS.items():
        own = {"seed", "random_state"} & set(
            inspect.signature(getattr(datasets, name)).parameters
        )
        assert own == {row.seed} - {None}


@pytest.mark.parametrize("name", BUILT_IN)
def test_it_has_the_shapes_that_it_says(name):
    found = arrays(name)
    assert [values.shape for values in found] == ROWS[name].shapes
    assert all(values.dtype.kind in "iuU" or values.shape[1:] == (3, 5) for values in found)


@pytest.mark.parametrize("name", BUILT_IN)
def test_it_is_drawn_by_its_seed_alone(name):
    before = np.random.get_state()[1].tolist(), torch.get_rng_state().tolist()  # noqa: NPY002
    first = arrays(name)
    assert same(first, arrays(name))
    assert same(first, arrays(name, seed=1)) == (ROWS[name].seed is None)
    after = np.random.get_state()[1].tolist(), torch.get_rng_state().tolist()  # noqa: NPY002
    assert before == after


@pytest.mark.parametrize("name", BUILT_IN)
def test_what_is_given_may_be_changed(name):
    for values in (first := arrays(name)):
        values[...] = values[0]
    assert not same(first, arrays(name))


@pytest.mark.parametrize(("name", "message"), WRONG)
def test_arguments_out_of_range_are_refused(name, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        getattr(datasets, name)(**ROWS[name].wrong[message])
