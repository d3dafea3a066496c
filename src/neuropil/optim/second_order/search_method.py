"""Base class of the methods that choose a direction and then search along it."""

from __future__ import annotations

import math
from abc import abstractmethod
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor
from typing_extensions import override

from neuropil.optim.batch_method import BatchMethod, refusing_backward
from neuropil.optim.line_search.objective import Landscape, Point

if TYPE_CHECKING:
    from collections.abc import Callable

    from neuropil.optim.line_search.strong_wolfe import LineStep
    from neuropil.optim.outcome import Outcome, Reason

LEVEL = 1e-10  # a direction whose cosine with the descent is below that does not descend


class SearchMethod(BatchMethod):
    """A batch method whose step is a line search along one direction.

    A subclass chooses the direction and learns from the point where the search ended. If its
    direction does not descend, or the search finds no lower loss, the learnt state is dropped
    and the next direction is the negative gradient. A step never raises the loss.

    Args:
        params: Parameters, or groups of them as dicts.
        **options: The optimiser's own options, with ``curvature``, ``tolerance`` and
            ``max_evaluations`` among them.

    Raises:
        ValueError: If an option is out of its range, ``params`` is empty, or the options of a
            group differ from the optimiser's.
    """

    learnt_state: tuple[str, ...]  # names in `memory` that a restart deletes

    @abstractmethod
    def direction(self, here: Point) -> Tensor:
        """Return the search direction at a point."""

    @abstractmethod
    def first_trial(self, here: Point, slope: float) -> float:
        """Return the step that the line search tries first."""

    @abstractmethod
    def learn(self, old: Point, new: Point, direction: Tensor, found: LineStep) -> None:
        """Update the learnt state from a step."""

    @override
    @refusing_backward
    def step(self, closure: Callable[[], Any]) -> Tensor:
        landscape = self.landscape(closure)
        here = landscape.start()
        self.advance(landscape, here)
        return here.weights.new_tensor(here.loss)

    @override
    @refusing_backward
    def minimize(self, closure: Callable[[], Any], max_steps: int = 1000) -> Outcome:
        """Take steps until the optimiser stops.

        `step` evaluates the loss at its start, because the closure may have changed; here each
        step reuses the last evaluation of the previous step.

        Args:
            closure: Returns the loss, as for `step`.
            max_steps: The largest number of steps.
        """
        landscape = self.landscape(closure)
        here = landscape.start()
        for _ in range(max_steps):
            here = self.advance(landscape, here)
            if self.outcome.done:
                break
        return self.outcome

    def landscape(self, closure: Callable[[], Any]) -> Landscape:
        """Return the loss as a function of all weights.

        The learnt state is dropped if other parameters are trainable now, or their precision
        has changed.
        """
        landscape = Landscape(self, closure)
        parameters = (p for group in self.param_groups for p in group["params"])
        moved = [number for number, p in enumerate(parameters) if p.requires_grad]
        moved.append(torch.finfo(landscape.vector.dtype).bits)
        if self.memory.setdefault("moved", moved) != moved:
            self.forget()
            self.memory["moved"] = moved
        return landscape

    def advance(self, landscape: Landscape, here: Point) -> Point:
        """Take one step, note how it went, and return where it ended."""
        if not here.finite:
            new, reason = here, "not finite"
        elif here.steepness <= self.options["tolerance"]:
            new, reason = here, "gradient"
        else:
            new, reason = self.descend(landscape, here)
        self.note(reason, new.loss, new.steepness, landscape.evaluations)
        landscape.evaluations = 0
        return new

    def descend(self, landscape: Landscape, here: Point) -> tuple[Point, Reason]:
        """Return the point where a line search ended, and the reason to stop or to continue."""
        while True:
            direction, slope, narrowest = self.downhill(here)
            if not -math.inf < slope < 0:  # it underflows to 0 or overflows
                return here, "not finite" if slope else "gradient"
            trial = self.first_trial(here, slope)
            found = landscape.search(
                here,
                direction,
                slope,
                trial if 0 < trial < math.inf else 1.0,
                c2=self.options["curvature"],
                max_evaluations=self.options["max_evaluations"],
                narrowest=narrowest,
            )
            if found.step:
                break
            if not self.forget():
                return here, "stuck" if found.reason == "wolfe" else found.reason
        new = found.payload
        self.learn(here, new, direction, found)
        if new.steepness <= self.options["tolerance"]:
            return new, "gradient"
        unmoved = here.loss - new.loss <= landscape.resolution * abs(here.loss)
        return new, "loss" if unmoved else "going on"

    def downhill(self, here: Point) -> tuple[Tensor, float, float]:
        """Return a descent direction, the slope along it, and a step of rounding size."""
        direction = self.direction(here)
        rows = torch.stack((here.weights, here.gradient, direction))
        (size, _, _), (_, steep, slope), (_, _, length) = (rows @ rows.T).tolist()
        if not slope < -LEVEL * math.sqrt(steep * length):
            self.forget()
            direction, slope, length = -here.gradient, -steep, steep
        # A step of eps ‖w‖ / ‖d‖ changes the weights by no more than their rounding error.
        rounding = torch.finfo(direction.dtype).eps
        return direction, slope, rounding * math.sqrt(size / length) if length else 0.0

    def forget(self) -> bool:
        """Drop the learnt state; return whether there was any."""
        known = [name for name in self.learnt_state if name in self.memory]
        for name in known:
            del self.memory[name]
        return bool(known)
