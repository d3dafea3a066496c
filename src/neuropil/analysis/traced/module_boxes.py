"""Boxes and lines of the diagram of any PyTorch module."""

from __future__ import annotations

from typing import TYPE_CHECKING

from neuropil.analysis.diagram.svg_boxes import (
    ACTIVATION,
    BY_NAME,
    INPUT,
    MERGE,
    OTHER,
    UNITS,
    Box,
    Family,
)
from neuropil.analysis.traced.module_rows import text_of
from neuropil.analysis.traced.operations.operation_names import name_of
from neuropil.analysis.traced.receptive.operands import values_in
from neuropil.analysis.traced.receptive.rule_table import LINES
from neuropil.analysis.traced.runs.module_run import Trace, trace

if TYPE_CHECKING:
    from torch import nn

    from neuropil.analysis.traced.run_record import Call, Step
    from neuropil.analysis.traced.runs.example_inputs import Example

MODULES_BY_NAME = (
    *BY_NAME,
    ("linear", UNITS),
    ("embedding", UNITS),
    *((name, ACTIVATION) for name in ("lu", "sigmoid", "swish", "tanh", "mish", "softmax")),
    *((name, UNITS) for name in ("mm", "matmul", "mv")),
    *((name, MERGE) for name in ("add", "mul", "cat", "stack", "sub", "div")),
)


def boxes_of_module(
    module: nn.Module, example: Example | None
) -> tuple[list[Box], list[list[int]]]:
    """Return the boxes of a module's parts, and for each the boxes from which lines lead to it.

    Args:
        module: Any PyTorch module.
        example: Its input, as tensors or shapes.
    """
    return BoxCollector(trace(module, example)).boxes_and_lines()


class BoxCollector:
    """Collects the boxes of a run, in the order in which the parts ran.

    Args:
        run: The run.
    """

    def __init__(self, run: Trace) -> None:
        self.run = run
        self.boxes: list[Box] = []
        self.inputs: list[set[int]] = []
        # The boxes each value comes from; operations drawn as lines pass them on.
        self.origins: dict[int, frozenset[int]] = {}
        self.places: dict[int, int] = {}
        for name, value in run.sources.items():
            shape = " × ".join(map(str, value.shape))
            self.origins[value.number] = self.add(Box(name, "input", shape, name, INPUT))
        for step in run.steps:
            self.follow(step)

    def add(self, box: Box) -> frozenset[int]:
        """Add a box and return it as the origin of its outputs."""
        self.boxes.append(box)
        self.inputs.append(set())
        return frozenset({len(self.boxes) - 1})

    def follow(self, step: Step) -> None:
        """Draw an operation: in the box of its part, in a separate box, or as a line."""
        if not step.results:
            return
        taken = [self.origins.get(v.number) for v in values_in((step.args, step.kwargs))]
        before = frozenset().union(*(origin for origin in taken if origin))
        call = self.run.calls[step.call]
        if call.place and not call.children:
            origin = self.part(call, before)
        elif not before or is_line(step):
            origin = before
        else:
            origin = self.add(box_of_step(step, call))
            self.link(origin, before)
        if origin:
            self.origins |= {value.number: origin for value in step.results}

    def part(self, call: Call, before: frozenset[int]) -> frozenset[int]:
        """Return the box of a part that has no parts."""
        if call.place not in self.places:
            (self.places[call.place],) = self.add(box_of_call(call))
        origin = frozenset({self.places[call.place]})
        self.link(origin, before)
        return origin

    def link(self, origin: frozenset[int], before: frozenset[int]) -> None:
        """Draw lines from boxes to a box."""
        (place,) = origin
        self.inputs[place] |= before - origin

    def boxes_and_lines(self) -> tuple[list[Box], list[list[int]]]:
        """Return all boxes, and for each the boxes from which lines lead to it."""
        return self.boxes, [sorted(inputs) for inputs in self.inputs]


def is_line(step: Step) -> bool:
    """Tell whether an operation only passes its input on, so that it is drawn as a line."""
    return name_of(step.operation).name in LINES


def box_of_call(call: Call) -> Box:
    """Return the box of a part."""
    shape = " × ".join(map(str, call.results[0].shape)) if call.results else ""
    text = text_of(call.module)
    hint = f"{call.name}: {text}" + f" gives {shape}" * bool(shape)
    family = family_by_name(type(call.module).__name__)
    return Box(call.name or type(call.module).__name__, text, shape, hint, family)


def box_of_step(step: Step, call: Call) -> Box:
    """Return the box of an operation between parts."""
    name = name_of(step.operation).name.strip("_")
    shape = " × ".join(map(str, step.results[0].shape)) if step.results else ""
    where = call.name or type(call.module).__name__
    return Box(name, where, shape, f"{name} in {where} gives {shape}", family_by_name(name))


def family_by_name(name: str) -> Family:
    """Return the family of a part or an operation."""
    lower = name.lower()
    return next((family for part, family in MODULES_BY_NAME if part in lower), OTHER)
