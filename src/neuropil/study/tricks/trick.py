"""A trick: one change of a training, whose effect can be measured."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, TypeAlias

from neuropil.study.setups.rewriting import Change, rewrite
from neuropil.text import reason

if TYPE_CHECKING:
    from collections.abc import Callable

    from neuropil.core import Layer, Network
    from neuropil.core.layer import Composable
    from neuropil.core.shape import Shape
    from neuropil.runs.recipes.recipe import Recipe
    from neuropil.runs.task import Task
    from neuropil.study.setups.setup import Setup

# Each returns what is to be trained instead, or why the trick does not apply, in one line.
SetupChange: TypeAlias = "Callable[[Setup, Task[Any]], Setup | str]"
RecipeChange: TypeAlias = "Callable[[Recipe, Task[Any]], Recipe | str]"
# Takes a network and returns what is to be changed in it, or why nothing is.
Plan: TypeAlias = "Callable[[Network], Change | str]"


@dataclass(frozen=True)
class Trick:
    """One change of a training, whose effect can be measured.

    Args:
        name: Its name, in lower case with underscores.
        title: What it changes, for the user.
        group: Name of the group that it is shown in.
        change: Takes what would be trained and the task; returns what is to be trained
            instead, or why the trick does not apply, in one line. Nothing that it takes is
            changed.
        published: The gain in points of top-1 accuracy that was measured on ImageNet pictures
            of 128 pixels, or None.
        published_row: The group and the variant of the table of published gains.

    Reference:
        Mishkin, Sergievskiy, Matas, "Systematic evaluation of convolution neural network
        advances on the ImageNet", 2017, for the published gains.
    """

    name: str
    title: str
    group: str
    change: SetupChange
    published: float | None = None
    published_row: tuple[str, str] | None = None


def on_recipes(change: RecipeChange) -> SetupChange:
    """Return the change of a setup that changes its recipe, and the one trained before it."""

    def changed(setup: Setup, task: Task[Any]) -> Setup | str:
        first = setup.first and changed(setup.first, task)
        if isinstance(first, str):
            return first
        recipe = change(setup.recipe, task)
        return recipe if isinstance(recipe, str) else replace(setup, recipe=recipe, first=first)

    return changed


def on_networks(plan: Plan, lacking: str) -> SetupChange:
    """Return the change of a setup that rewrites its network.

    Args:
        plan: Returns what to change in a network, or why it does not apply.
        lacking: Why the trick does not apply when no layer was changed.
    """

    def changed(recipe: Recipe, _: Task[Any]) -> Recipe | str:
        network = rewritten(recipe.network, plan, lacking)
        return network if isinstance(network, str) else replace(recipe, network=network)

    return on_recipes(changed)


def rewritten(network: Network, plan: Plan, lacking: str) -> Network | str:
    """Return a rewritten network with outputs of the same shapes, or why there is none.

    Args:
        network: The network.
        plan: As for `on_networks`.
        lacking: As for `on_networks`.
    """
    change = plan(network)
    if isinstance(change, str):
        return change
    changes = 0

    def counted(name: str, layer: Layer, shapes: tuple[Shape, ...]) -> Composable | None:
        nonlocal changes
        new = change(name, layer, shapes)
        changes += new is not None
        return new

    try:
        new = rewrite(network, counted)
    except ValueError as error:  # a shape or an option that does not fit
        return f"the network does not allow it: {reason(error)}"
    if new.output_shapes != network.output_shapes:
        return f"the network would give {' and '.join(map(str, new.output_shapes))}"
    return new if changes else lacking
