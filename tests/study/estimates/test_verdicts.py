"""Verdicts: Holm's correction by hand, and the four of them."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from neuropil.study.estimates.differences import Difference
from neuropil.study.estimates.verdicts import holm, verdicts


def rejected(p, alpha=0.05):
    values = np.array(p)
    return holm(lambda each: values <= each, len(values), alpha).tolist()


def test_holm_by_hand():
    """Sorted p-values are compared with α/4, α/3, α/2 and α until one is larger."""
    assert rejected([0.01, 0.04, 0.03, 0.005]) == [True, False, False, True]
    assert rejected([0.0125, 0.0166, 0.025, 0.05]) == [True] * 4
    assert rejected([0.0126, 0.001, 0.9, 0.9]) == [True, True, False, False]
    assert rejected([0.013, 0.013, 0.013, 0.013]) == [False] * 4
    assert rejected([]) == []


@given(st.lists(st.floats(0, 1), max_size=8), st.floats(0.001, 0.5))
def test_holm_is_the_step_down_procedure(p, alpha):
    order = np.argsort(p)
    expected = [False] * len(p)
    for step, row in enumerate(order):
        if p[row] > alpha / (len(p) - step):
            break
        expected[row] = True
    assert rejected(p, alpha) == expected


def difference(name, gain, error=1.0, degrees=1e6):
    p = math.erfc(abs(gain) / error / math.sqrt(2)) if math.isfinite(error) else 1.0
    return Difference(name, gain, -math.inf, math.inf, p, degrees, error, error, 0.0, 3)


def test_the_four_verdicts():
    found = [
        difference("up", 9.0),
        difference("down", -9.0),
        difference("small", 0.1),
        difference("unclear", 2.0, error=2.0),
        difference("unknown", 5.0, error=math.inf),
    ]
    assert verdicts(found, 4.0) == {
        "up": "helps",
        "down": "hurts",
        "small": "no difference",
        "unclear": "cannot tell",
        "unknown": "cannot tell",
    }


def test_a_small_difference_that_is_certain_makes_no_difference():
    assert verdicts([difference("a", 0.5, error=0.01)], 1.0) == {"a": "no difference"}
    assert verdicts([difference("a", 0.5, error=0.01)], 0.0) == {"a": "helps"}


def test_more_variants_need_smaller_p_values():
    one = difference("a", 2.2)  # p = 0.028
    others = [difference(str(number), 0.3) for number in range(3)]
    assert verdicts([one], 0.01)["a"] == "helps"
    assert verdicts([one, *others], 0.01)["a"] == "cannot tell"


def test_options_out_of_range_are_refused():
    with pytest.raises(ValueError, match=r"smallest must be a number in \[0, inf\), got -1"):
        verdicts([], -1.0)
    with pytest.raises(ValueError, match=r"level must be a number in \(0, 1\), got 1"):
        verdicts([], 1.0, level=1)
