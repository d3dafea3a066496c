"""Tricks: other random changes of the training pictures."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from neuropil import optim
from neuropil.datasets.augmentation import (
    ColorJitter,
    Compose,
    RandomFlip,
    RandomRotation,
    RandomShift,
    RandomZoom,
)
from neuropil.study.tricks.trick import RecipeChange, Trick, on_recipes
from neuropil.training.loop.closure_step import takes_all

if TYPE_CHECKING:
    from collections.abc import Callable

    from neuropil.core.shape import Shape
    from neuropil.runs.recipes.recipe import Recipe
    from neuropil.runs.task import Task

TABLE = "Train augmentation"
# Pictures are shifted by this part of their side, as in the default recipes.
SHIFT = 12
# Pixels, if the size of the pictures varies.
LEAST_SHIFT = 2


def augment(make: Callable[[Shape], Any], adjective: str) -> RecipeChange:
    """Return the change that adds an augmentation to those of a recipe.

    Args:
        make: Takes the shape of the inputs and returns the augmentation.
        adjective: What becomes of the pictures, in a word.
    """

    def change(recipe: Recipe, _: Task[Any]) -> Recipe | str:
        shape = recipe.network.input_shapes[0]
        if len(shape) != 3:
            return "the inputs are not pictures"
        if takes_all(optim.by_name(recipe.optimizer)):
            return "the optimiser needs the same examples in every step"
        step = make(shape)
        present = steps_of(recipe)
        if any(type(each) is type(step) for each in present):
            return f"the pictures are {adjective} already"
        return replace(recipe, augment=Compose(*present, step) if present else step)

    return change


def steps_of(recipe: Recipe) -> tuple[Any, ...]:
    """Return the augmentations of a recipe in order."""
    if recipe.augment is None:
        return ()
    return recipe.augment.steps if isinstance(recipe.augment, Compose) else (recipe.augment,)


def shift(shape: Shape) -> RandomShift:
    """Return shifts by a twelfth of the shorter side."""
    sides = [side for side in shape[1:] if side is not None]
    return RandomShift(max(1, min(sides) // SHIFT) if sides else LEAST_SHIFT)


def recolor(shape: Shape) -> ColorJitter:
    """Return changes of brightness and contrast, and of saturation if there are colours."""
    return ColorJitter(0.2, 0.3, 0.2 if shape[0] == 3 else 0.0)


def no_augmentation(recipe: Recipe, _: Task[Any]) -> Recipe | str:
    """Return a recipe without augmentation."""
    if recipe.augment is None:
        return "the pictures are not augmented"
    return replace(recipe, augment=None)


GROUP = "augmentation"
AUGMENTATION_TRICKS = (
    Trick(
        "flips",
        "Pictures flipped left to right at random",
        GROUP,
        on_recipes(augment(lambda _: RandomFlip(), "flipped")),
    ),
    Trick(
        "shifts",
        "Pictures shifted at random by up to a twelfth of their side",
        GROUP,
        on_recipes(augment(shift, "shifted")),
    ),
    Trick(
        "colors",
        "Brightness, contrast and colour changed at random",
        GROUP,
        on_recipes(augment(recolor, "recoloured")),
    ),
    Trick(
        "zoom",
        "Pictures enlarged or shrunk at random by up to a quarter",
        GROUP,
        on_recipes(augment(lambda _: RandomZoom((0.8, 1.25)), "zoomed")),
        -0.9,
        (TABLE, "Multiscale"),
    ),
    Trick(
        "rotation_5",
        "Pictures rotated at random by up to 5°",
        GROUP,
        on_recipes(augment(lambda _: RandomRotation(5), "rotated")),
        -2.3,
        (TABLE, "5 deg rot"),
    ),
    Trick("no_augmentation", "No augmentation", GROUP, on_recipes(no_augmentation)),
)
