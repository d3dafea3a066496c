"""Plans of studies, with costs that are given in place of measured ones."""

import pytest
from tests.study.tricks.tiny_setups import case

from neuropil.study import study_plan
from neuropil.study.budget import Cost
from neuropil.study.outcomes import Outcome
from neuropil.study.study_plan import NO_TIME, make_plan, tricks_named
from neuropil.study.trial import Trial
from neuropil.study.tricks.trick_table import TRICKS


def test_variants_for_which_there_is_no_time_are_not_measured(monkeypatch):
    monkeypatch.setattr(study_plan, "measure_cost", lambda *_: Cost(10.0, 1))
    tiny = case("pictures")
    trial = Trial(None, tiny.task, tiny.setup)
    said = []
    asked = {"budget": 600, "seeds": None, "tune_lr": False, "say": said.append}
    plan = make_plan(TRICKS, trial, Outcome.named(None, tiny.task), **asked)
    # Five seeds of the baseline, of eight changes and of the winners take 500 s.
    assert len(plan.variants) == 8
    assert said == ["baseline", "baseline", *plan.variants, said[-1]]
    short = {each["name"] for each in plan.left_out if each["reason"] == NO_TIME}
    assert said[-1] in short
    assert len(plan.left_out) + len(plan.variants) == len(TRICKS)


@pytest.mark.parametrize("names", [[], "", ["elu", ""], ["elu", 3]])
def test_tricks_need_names(names):
    with pytest.raises(ValueError, match="tricks must be names"):
        tricks_named(names)
