"""The setup of a run: a recipe, and what becomes of the data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from neuropil.checks import number, whole

if TYPE_CHECKING:
    from neuropil.runs.recipes.recipe import Recipe


@dataclass(frozen=True)
class Setup:
    """A recipe, and what becomes of the data before the training.

    Args:
        recipe: The network with the settings of its training.
        fraction: Fraction of the training examples that are used.
        noise: Fraction of the labels of these that are replaced by a wrong class.
        size: Height and width to which all pictures are resized; None for their own.
        crops: Whether the examples are the things in the boxes of the pictures, cut out and
            resized, each with its class. The task is then the default one for classes.
        first: What is trained before, None for nothing: its weights are passed on to this
            network by name and shape.

    Raises:
        ValueError: If a fraction or a length is out of its range.
    """

    recipe: Recipe
    fraction: float = 1.0
    noise: float = 0.0
    size: tuple[int, int] | None = None
    crops: bool = False
    first: Setup | None = None

    def __post_init__(self) -> None:
        number(self.fraction, "Setup: fraction", "(0, 1]")
        number(self.noise, "Setup: noise", "[0, 1)")
        for side in self.size or ():
            whole(side, "Setup: size")
        if self.crops and self.size is None:
            raise ValueError("Setup: crops need a size, got None.")
