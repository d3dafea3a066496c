"""The subject of a report: a network, its data, its training and its results."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, final

from neuropil.report.data_kinds import DATA_KINDS, ArrayData
from neuropil.report.evidence import WORDS, Evidence, Figure
from neuropil.text import all_of, number_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from neuropil.core import Network
    from neuropil.datasets import Splits
    from neuropil.runs.classic_model import ClassicModel
    from neuropil.training import GradientWatch, History


@final
@dataclass(frozen=True)
class Subject:
    """The subject of a report: a network, its data, its training and its results.

    Args:
        network: The trained network.
        splits: Its data.
        history: Its training.
        settings: The settings, given or chosen.
        figures: Metrics by part and name.
        versions: Versions of the software.
        run: The run folder, as the user would type it.
        evidence: The predictions of the network on held-out examples.
        measured: The metrics on these examples that have an interval.
        gradients: The callback that measured the gradients, if any.
    """

    network: Network | ClassicModel
    splits: Splits
    history: History
    settings: Mapping[str, Any]
    figures: Mapping[str, Mapping[str, float]]
    versions: Mapping[str, Any]
    run: str
    evidence: Evidence
    measured: Mapping[str, Figure]
    gradients: GradientWatch | None = None

    @cached_property
    def data(self) -> ArrayData:
        """The data, with the words for their kind."""
        return DATA_KINDS[self.splits.kind](self.splits)

    @property
    def noun(self) -> str:
        """The word for one example: picture, row or example."""
        return self.data.noun

    @property
    def examples(self) -> str:
        """The examples on which the network is evaluated, such as ``360 held-out pictures``."""
        return number_of(len(self.evidence.targets), f"{WORDS[self.evidence.part]} {self.noun}")

    @property
    def target(self) -> str:
        """The names of the predicted quantities."""
        return all_of(self.splits.preparation.target.names or ["the target"])

    @property
    def seconds(self) -> float:
        """The duration of the training in seconds."""
        columns = self.history.columns
        times = self.history["seconds"] if "seconds" in columns else []
        return sum(time for time in times if time is not None)
