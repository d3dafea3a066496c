"""Base class of the tasks whose answers are points: their words, files and places."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

import torch
from typing_extensions import override

from neuropil.datasets import Points
from neuropil.runs.task import Task
from neuropil.text import number_of, some_of
from neuropil.vision.placing import file_places
from neuropil.vision.record_parts import picture_numbers, short

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from torch import Tensor

    from neuropil.datasets import PredictionInputs
    from neuropil.runs.task import Figures

# A point with a smaller probability of being visible is predicted to be hidden.
VISIBLE = 0.5
# The maximum number of points listed by name.
MOST_NAMES = 5


class PointTask(Task[Points]):
    """Base class of the tasks whose answers are points with a probability of being visible.

    Shape:
        Targets ``(N, P, 3)``: x, y, visibility. Answers ``(N, P, 3)``: x, y, probability.
    """

    asks: ClassVar[str] = "numbers of points"
    answers: ClassVar[str] = "points"
    needs_mask: ClassVar[bool] = False

    @override
    def place(self, answers: Tensor, given: PredictionInputs) -> Tensor:
        """Return points in the pixels of the files, which may have been resized.

        Args:
            answers: The points in pixels of the network's input.
            given: The pictures.
        """
        found = file_places(given, len(answers))
        if found is None:
            return answers
        places = answers[..., :2] * found.factors[:, None].to(answers)
        return torch.cat([places, answers[..., 2:]], dim=-1)

    @override
    def goal(self) -> str:
        points = self.target.points
        return f"{number_of(len(points), 'landmark')} ({some_of(points, MOST_NAMES)})"

    @override
    def rows(self, answers: Tensor, names: Sequence[str]) -> Iterator[dict[str, Any]]:
        for name, points in zip(names, answers.tolist(), strict=True):
            found = {
                point: {"x": short(x), "y": short(y), "visible": short(seen)}
                for point, (x, y, seen) in zip(self.target.points, points, strict=True)
            }
            yield {"name": name, "points": found}

    @override
    def records(self, answers: Tensor, names: Sequence[str]) -> Iterator[dict[str, Any]]:
        """Yield a record for each picture, in the form of the results of COCO.

        The number of a picture is the name of its file, if that is a number, as in COCO itself;
        else it is this name. Pictures that would share a number have their whole names.

        Args:
            answers: The points.
            names: Names of the pictures.
        """
        numbers = picture_numbers(names)
        for number, name, points in zip(numbers, names, answers, strict=True):
            flat = [short(value) for x, y, v in points.tolist() for value in (x, y, state(v))]
            yield {
                "image_id": number,
                "file_name": name,
                "category_id": 1,
                "keypoints": flat,
                "score": short(float(points[:, 2].mean())),
            }

    @override
    def columns(
        self, answers: Tensor, figures: Mapping[str, Figures]
    ) -> dict[str, list[str] | list[float]]:
        """Return the points as the columns of a table of points, as it can be read again."""
        columns: dict[str, list[str] | list[float]] = {}
        for place, name in enumerate(self.target.points):
            x, y, seen = answers[:, place].T.tolist()
            columns[f"{name}_x"], columns[f"{name}_y"] = (
                list(map(short, x)),
                list(map(short, y)),
            )
            columns[f"{name}_v"] = list(map(state, seen))
        return columns

    @override
    def sentence(self, answer: Tensor, figures: Mapping[str, Figures], top: int) -> str:
        words = [
            f"{name} ({x:.1f}, {y:.1f}{', hidden' * (seen < VISIBLE)})"
            for name, (x, y, seen) in zip(self.target.points, answer.tolist(), strict=True)
        ]
        return some_of(words, MOST_NAMES)

    @override
    def facts(self) -> dict[str, Any]:
        return {"points": self.target.points, "columns": ["x", "y", "visible"]}


def state(seen: float) -> float:
    """Return the visibility of a point as labels have it: 2 for visible, 1 for hidden."""
    return 2.0 if seen >= VISIBLE else 1.0
