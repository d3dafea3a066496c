"""What conjugate gradients and quasi-Newton methods share: a direction, then a line search."""

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
    """A batch method that moves along one direction a step, as far as a line search says.

    A subclass gives the direction and learns from where the search ended. When its direction
    does not descend, or nothing lower is found along it, it forgets what it learnt and goes
    straight down the gradient. A step never ends at a greater loss than it began.

    Args:
        params: Parameters, or groups of them as dicts.
        options: The optimiser's own options, with ``curvature``, ``tolerance`` and
            ``max_evaluations`` among them.

    Raises:
        ValueError: If an option is out of its range, there are no parameters, or groups have
            options of their own.
    """

    kept: tuple[str, ...]  # what of `memory` is learnt, and forgotten at a restart

    @abstractmethod
    def direction(self, here: Point) -> Tensor:
        """Return where to go from here, by what was learnt."""

    @abstractmethod
    def first_trial(self, here: Point, slope: float) -> float:
        """Return the step that the line search tries first, by what was learnt."""

    @abstractmethod
    def learn(self, old: Point, new: Point, direction: Tensor, found: LineStep) -> None:
        """Take in a step."""

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
        """Take steps until the optimiser has come to an end.

        ``step`` asks for the loss where it stands first, since the closure may be another one;
        here each step goes on from the last evaluation of the one before.

        Args:
            closure: Gives the loss, as for `step`.
            max_steps: At most so many.
        """
        landscape = self.landscape(closure)
        here = landscape.start()
        for _ in range(max_steps):
            here = self.advance(landscape, here)
            if self.outcome.done:
                break
        return self.outcome

    def landscape(self, closure: Callable[[], Any]) -> Landscape:
        """Return the loss as a function of all weights; forget what was learnt for others."""
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
        """Return where a line search ended, and why to stop there or to go on."""
        while True:
            direction, slope, narrowest = self.downhill(here)
            if not -math.inf < slope < 0:  # its square is too small or too large for a number
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
        """Return a direction that descends, the slope along it, and a step that is rounding."""
        direction = self.direction(here)
        rows = torch.stack((here.weights, here.gradient, direction))
        (size, _, _), (_, steep, slope), (_, _, length) = (rows @ rows.T).tolist()
        if not slope < -LEVEL * math.sqrt(steep * length):
            self.forget()
            direction, slope, length = -here.gradient, -steep, steep
        rounding = torch.finfo(direction.dtype).eps
        return direction, slope, rounding * math.sqrt(size / length) if length else 0.0

    def forget(self) -> bool:
        """Drop what was learnt; return whether there was anything."""
        known = [name for name in self.kept if name in self.memory]
        for name in known:
            del self.memory[name]
        return bool(known)
