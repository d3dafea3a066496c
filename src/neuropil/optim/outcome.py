"""The result of a minimisation: the loss it reached, and why it stopped if it did."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias, final

from typing_extensions import override

Reason: TypeAlias = Literal["going on", "gradient", "step", "loss", "stuck", "not finite"]

WORDS: dict[Reason, str] = {
    "going on": "not converged yet",
    "gradient": "the gradient has vanished",
    "step": "the weights have stopped moving",
    "loss": "the loss has stopped falling",
    "stuck": "no step along the last directions lowers the loss",
    "not finite": "the loss is not finite at the current weights",
}
REASONS: tuple[Reason, ...] = tuple(WORDS)


@final
@dataclass(frozen=True)
class Outcome:
    """How far an optimiser came, and why it stopped.

    Attributes:
        reason: ``"going on"``, or why it stopped: the ``"gradient"`` vanished, the ``"step"``
            or the change of the ``"loss"`` became too small, it is ``"stuck"`` (no smaller loss
            was found), or the loss is ``"not finite"``.
        loss: The loss at the current weights.
        gradient: The largest absolute entry of the gradient there.
        steps: The number of steps taken.
        evaluations: The number of loss evaluations.

    Example:
        >>> outcome = Outcome("gradient", loss=0.0, gradient=1e-9, steps=7, evaluations=9)
        >>> print(outcome)
        the gradient has vanished after 7 steps: loss 0, gradient 1e-09, 9 evaluations
        >>> outcome.converged
        True
    """

    reason: Reason
    loss: float
    gradient: float
    steps: int
    evaluations: int

    @property
    def done(self) -> bool:
        """Whether a further step would change nothing."""
        return self.reason != "going on"

    @property
    def converged(self) -> bool:
        """Whether it stopped because it reached a minimum."""
        return self.reason in ("gradient", "step", "loss")

    @override
    def __str__(self) -> str:
        steps = "1 step" if self.steps == 1 else f"{self.steps} steps"
        return (
            f"{WORDS[self.reason]} after {steps}: loss {self.loss:.6g}, gradient "
            f"{self.gradient:.3g}, {self.evaluations} evaluations"
        )
