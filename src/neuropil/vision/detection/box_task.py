"""Base class of the tasks whose answers are boxes: their words, files and places."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

import torch
from torch import Tensor
from typing_extensions import override

from neuropil.datasets import Boxes
from neuropil.runs.task import Task
from neuropil.text import number_of
from neuropil.vision.detection.figures.box_errors import box_mistakes
from neuropil.vision.placing import file_places
from neuropil.vision.record_parts import picture_numbers, short

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from neuropil.datasets import PredictionInputs
    from neuropil.runs.task import Figures, Mistake

# The maximum number of classes listed by name.
MOST_NAMES = 10
CORNERS = ("x1", "y1", "x2", "y2")
# Columns of an answer after the corners.
SCORE, CLASS = 4, 5


class BoxTask(Task[Boxes]):
    """Base class of the tasks whose answers are boxes with a score and a class.

    Shape:
        Targets ``(N, M, 5)``: x₁, y₁, x₂, y₂, class. Answers ``(N, A, 6)``: x₁, y₁, x₂, y₂,
        score, class. Rows of class −1 are padding.
    """

    asks: ClassVar[str] = "numbers of a box and its classes"
    answers: ClassVar[str] = "boxes"
    needs_mask: ClassVar[bool] = False

    @property
    def classes(self) -> tuple[str, ...]:
        """The names of the classes."""
        return tuple(self.target.classes)

    @override
    def place(self, answers: Tensor, given: PredictionInputs) -> Tensor:
        """Return boxes in the pixels of the files, which may have been resized.

        Args:
            answers: The boxes in pixels of the network's input.
            given: The pictures.
        """
        found = file_places(given, len(answers))
        if found is None:
            return answers
        factors, ends = (each.repeat(1, 2)[:, None].to(answers) for each in found)
        corners = torch.minimum(answers[..., :4] * factors, ends)
        moved = torch.cat([corners, answers[..., 4:]], dim=-1)
        return torch.where(answers[..., CLASS:] < 0, answers, moved)

    @override
    def mistakes(self, answers: Tensor, targets: Tensor) -> list[Mistake]:
        """Return the pictures with errors in what is predicted, worst first."""
        return box_mistakes(self.chosen(answers), targets, self.classes)

    @override
    def goal(self) -> str:
        names = ", ".join(self.classes[:MOST_NAMES])
        more = ", …" * (len(self.classes) > MOST_NAMES)
        return f"boxes of {number_of(len(self.classes), 'class')} ({names}{more})"

    @override
    def rows(self, answers: Tensor, names: Sequence[str]) -> Iterator[dict[str, Any]]:
        for name, boxes in zip(names, answers, strict=True):
            found = [
                {
                    "class": self.classes[int(box[CLASS])],
                    "score": short(box[SCORE]),
                    "box": [short(corner) for corner in box[:SCORE]],
                }
                for box in boxes[boxes[:, CLASS] >= 0].tolist()
            ]
            yield {"name": name, "boxes": found}

    @override
    def records(self, answers: Tensor, names: Sequence[str]) -> Iterator[dict[str, Any]]:
        """Yield a record for each box, in the form of the results of COCO.

        The ``bbox`` is x, y, width and height in pixels. The number of a category counts from
        1, in the order of the classes. The number of a picture is the name of its file, if that
        is a number, as in COCO itself; else it is this name. Pictures that would share a number
        have their whole names.

        Args:
            answers: The boxes.
            names: Names of the pictures.
        """
        numbers = picture_numbers(names)
        for number, name, boxes in zip(numbers, names, answers, strict=True):
            for box in boxes[boxes[:, CLASS] >= 0].tolist():
                x1, y1, x2, y2 = box[:SCORE]
                yield {
                    "image_id": number,
                    "file_name": name,
                    "category_id": int(box[CLASS]) + 1,
                    "category": self.classes[int(box[CLASS])],
                    "bbox": [short(value) for value in (x1, y1, x2 - x1, y2 - y1)],
                    "score": short(box[SCORE]),
                }

    @override
    def lines(self, answers: Tensor) -> list[int]:
        return (answers[..., CLASS] >= 0).nonzero()[:, 0].tolist()

    @override
    def columns(
        self, answers: Tensor, figures: Mapping[str, Figures]
    ) -> dict[str, list[str] | list[float]]:
        boxes = answers[answers[..., CLASS] >= 0].tolist()
        columns: dict[str, list[str] | list[float]] = {
            "predicted class": [self.classes[int(box[CLASS])] for box in boxes],
            "score": [short(box[SCORE]) for box in boxes],
        }
        for place, name in enumerate(CORNERS):
            columns[name] = [short(box[place]) for box in boxes]
        return columns

    @override
    def sentence(self, answer: Tensor, figures: Mapping[str, Figures], top: int) -> str:
        parts = []
        for number, name in enumerate(self.classes):
            scores = answer[answer[:, CLASS] == number, SCORE].tolist()
            if scores:
                ends = sorted({f"{score:.2f}" for score in (min(scores), max(scores))})
                # Without the quotation marks, one 3 and two 3 would be hard to tell apart.
                quoted = f"“{name}”" if name[:1].isdigit() else name
                parts.append(f"{len(scores)} {quoted} ({'–'.join(ends)})")
        return ", ".join(parts) or "nothing"

    @override
    def facts(self) -> dict[str, Any]:
        columns = [*CORNERS, "score", "class"]
        return {"classes": self.classes, "columns": columns, "padding": "class −1"}


def cut_off(rows: Tensor, height: int, width: int) -> Tensor:
    """Return boxes without their parts outside a picture.

    Args:
        rows: Corners x₁, y₁, x₂, y₂ and further columns.
        height: Height of the picture.
        width: Width of the picture.

    Example:
        >>> cut_off(torch.tensor([[-3.0, 5.0, 9.0, 20.0, 0.5]]), 10, 40)
        tensor([[ 0.0000,  5.0000,  9.0000, 10.0000,  0.5000]])
    """
    x, y = rows[..., 0:4:2].clamp(0, width), rows[..., 1:4:2].clamp(0, height)
    return torch.cat([torch.stack([x, y], dim=-1).flatten(-2), rows[..., 4:]], dim=-1)
