"""Events of a running study; the base class does nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from neuropil.study.study_plan import StudyPlan


class StudyWatch:
    """Watches a study: override the methods of the events that you need."""

    def on_measuring(self, name: str) -> None:
        """Run before the cost of a variant is measured.

        Args:
            name: The variant.
        """

    def on_plan(self, plan: StudyPlan) -> None:
        """Run once the plan is fixed, before the first training.

        Args:
            plan: The plan.
        """

    def on_run(self, find: Callable[[], dict[str, Any]], name: str, seed: int) -> None:
        """Run before each training.

        Args:
            find: Returns the results so far, as in ``study.json``.
            name: The variant that is trained next.
            seed: Its seed.
        """
