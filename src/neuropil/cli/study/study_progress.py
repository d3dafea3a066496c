"""The progress of a study in the terminal."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING, Any, Self

from typing_extensions import override

from neuropil.cli.console import console, note, say
from neuropil.cli.study.study_text import study_table
from neuropil.study.study_plan import NO_TIME
from neuropil.study.study_watch import StudyWatch
from neuropil.study.variant_names import is_tuning
from neuropil.text import duration, number_of, some_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from neuropil.study.study_plan import StudyPlan

# Tables are drawn this often at most: each takes some milliseconds.
PAUSE = 0.5
# More tricks that do not apply are counted.
MOST_LISTED = 4


class StudyProgress(StudyWatch):
    """Shows a table that grows with each training; elsewhere than in a terminal, a line a seed.

    Args:
        budget: The seconds that the study may take.
    """

    def __init__(self, budget: float) -> None:
        from rich.live import Live

        self.budget = budget
        self.begun = time.monotonic()
        self.drawn = 0.0
        self.stage = ""
        screen = console(error=True)
        live = sys.stderr.isatty()
        self.live = Live(console=screen, auto_refresh=False, transient=True) if live else None

    def __enter__(self) -> Self:
        if self.live is not None:
            self.live.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self.live is not None:
            self.live.stop()

    @override
    def on_measuring(self, name: str) -> None:
        self.show_line(f"measuring what a training costs: {name}")

    @override
    def on_plan(self, plan: StudyPlan) -> None:
        runs = [*plan.tunings, *plan.runs]
        trainings = number_of(len(runs), "training")
        cost = sum(plan.cost(name) for name, _, _ in runs)
        say(
            f"Plan: the baseline and {number_of(len(plan.variants), 'change')}, "
            f"{number_of(plan.seeds, 'seed')} at most: {trainings} or fewer, about "
            f"{duration(min(cost, self.budget))}",
            error=True,
        )
        note(*left_out(plan))

    @override
    def on_run(self, find: Callable[[], dict[str, Any]], name: str, seed: int) -> None:
        now = time.monotonic()
        spent = f"{duration(now - self.begun)} of {duration(self.budget)}"
        stage = "learning rates" if is_tuning(name) else f"seed {seed}"
        line = f"training {name} · {stage} · {spent}"
        if self.live is None:
            if stage != self.stage:
                say(f"{stage} · {spent}", error=True)
        elif now - self.drawn > PAUSE:
            from rich.console import Group
            from rich.text import Text

            table = study_table(find(), self.live.console.width)
            self.live.update(Group(table, Text(line)), refresh=True)
            self.drawn = now
        self.stage = stage

    def show_line(self, line: str) -> None:
        """Show a line in place of the table."""
        if self.live is not None:
            from rich.text import Text

            self.live.update(Text(line), refresh=True)


def left_out(plan: StudyPlan) -> list[str]:
    """Return notes on the tricks that are not tried; the page has the reason of each."""
    short = [each["name"] for each in plan.left_out if each["reason"] == NO_TIME]
    other = [each for each in plan.left_out if each["reason"] != NO_TIME]
    notes: list[str] = []
    if len(other) > MOST_LISTED:
        notes.append(
            f"{number_of(len(other), 'trick')} do not apply to this network and these data: "
            "the page says why."
        )
    else:
        notes += [f"{each['name']} is left out: {each['reason']}" for each in other]
    if short:
        notes.append(
            f"the budget is too short for {number_of(len(short), 'more trick')}, such as "
            f"{some_of(short)}: a longer --budget, or fewer --epochs, tries them."
        )
    return notes
