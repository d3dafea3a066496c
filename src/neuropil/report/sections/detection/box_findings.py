"""Findings of a detector at its score thresholds: boxes, errors, and their counts."""

from __future__ import annotations

from collections import Counter
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, Any

import torch

from neuropil.vision.detection.answer_rows import count_boxes, match_rows
from neuropil.vision.detection.figures.box_confusion import box_confusion
from neuropil.vision.detection.figures.box_errors import WORDS, box_errors

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from torch import Tensor

    from neuropil.report.evidence import Evidence
    from neuropil.vision.detection.figures.box_errors import BoxError


class BoxFindings:
    """Findings of a detector at its score thresholds.

    Args:
        evidence: The answers of the network, with those of low scores.
    """

    def __init__(self, evidence: Evidence) -> None:
        self.task: Any = evidence.task
        self.classes: Sequence[str] = evidence.classes
        self.all_answers: Tensor = torch.from_numpy(evidence.answers)
        self.answers: Tensor = self.task.chosen(self.all_answers)
        self.targets: Tensor = torch.from_numpy(evidence.targets)

    @cached_property
    def errors(self) -> list[list[BoxError]]:
        """The errors in each picture."""
        return box_errors(self.answers, self.targets)

    @cached_property
    def kinds(self) -> Counter[str]:
        """The number of errors of each kind."""
        return Counter(error.kind for errors in self.errors for error in errors)

    @cached_property
    def counts(self) -> np.ndarray[Any, Any]:
        """The numbers of right boxes, predicted boxes and true boxes of each class, (K, 3)."""
        rows = match_rows(self.all_answers, self.targets, [0.5])
        return count_boxes(rows, self.task.thresholds)[0].long().numpy()

    @cached_property
    def confusion(self) -> np.ndarray[Any, Any]:
        """Counts by true class (rows) and predicted class, each with nothing as the last."""
        return box_confusion(self.answers, self.targets, len(self.classes)).numpy()

    @property
    def kinds_in_words(self) -> str:
        """The numbers of errors, such as "12 missed, 3 doubled"; empty without errors."""
        names = {kind: "on background" if kind == "background" else kind for kind in WORDS}
        return ", ".join(
            f"{self.kinds[kind]:,} {name}" for kind, name in names.items() if self.kinds[kind]
        )


@lru_cache(maxsize=1)
def findings(evidence: Evidence) -> BoxFindings:
    """Return the findings of a detector; the sections of one page share them."""
    return BoxFindings(evidence)
