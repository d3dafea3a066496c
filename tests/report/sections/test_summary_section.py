"""Where the remarks of the summary begin: the last number that gives one, the first without."""

from types import SimpleNamespace

import pytest

from neuropil.report.sections.summary_section import FEW, cautions, rising_loss_remark
from neuropil.training import History


@pytest.mark.parametrize(("rows", "expected"), [(FEW - 1, 1), (FEW, 0)])
def test_below_a_hundred_rows_figures_are_rough(rows, expected):
    evidence = SimpleNamespace(part="test", targets=range(rows))
    found = list(cautions(SimpleNamespace(evidence=evidence, noun="row")))
    assert [caution.endswith("the figures are rough.") for caution in found] == [
        True
    ] * expected


@pytest.mark.parametrize(("best", "last", "expected"), [(7, 1.3, 1), (8, 1.3, 0), (7, 1.2, 0)])
def test_a_loss_has_risen_after_its_lowest_in_the_first_seven_tenths(best, last, expected):
    losses = [2.0] * 10
    losses[best - 1], losses[-1] = 1.0, last
    history = History([{"epoch": k + 1, "validation_loss": x} for k, x in enumerate(losses)])
    found = list(rising_loss_remark(SimpleNamespace(history=history)))
    assert [f"lowest in epoch {best}" in remark for remark in found] == [True] * expected
