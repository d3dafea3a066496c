"""The plan of a training, from its options or from a study."""

from __future__ import annotations

from typing import TYPE_CHECKING

from neuropil.cli import plan

if TYPE_CHECKING:
    from neuropil.cli.settings import Settings
    from neuropil.datasets import Splits


def prepare(splits: Splits, settings: Settings) -> plan.Prepared:
    """Return the plan of a training, with what a study found if the settings name one.

    Raises:
        ValueError: When an option does not fit the data, the study or another option.
    """
    if settings.from_study is None:
        return plan.Prepared(splits, settings, plan.make_plan(splits, settings))
    from neuropil.cli.study.winning_plan import winning_plan  # which loads SciPy

    return winning_plan(splits, settings, settings.from_study)
