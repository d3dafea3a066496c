"""Parallel branches, written as tables of numbers."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any, TypeAlias

from neuropil.checks import flag, shown
from neuropil.core import Layer, Network, join, parallel
from neuropil.layers.blocks.block_style import Choice, Place, StyledBlock
from neuropil.layers.convolution.convolution import Convolution
from neuropil.layers.mixing.merge import Concatenate
from neuropil.layers.pooling.window_pooling import AveragePooling, MaxPooling
from neuropil.layers.spatial import hashable

if TYPE_CHECKING:
    from neuropil.core.layer import Composable

# The steps in order; see `InceptionModule`.
Branch: TypeAlias = tuple[Any, ...]

POOLINGS = ("avg", "max")


class BranchedBlock(StyledBlock):
    """Base class of blocks with parallel branches of convolutions and pooling.

    Args:
        *branches: As for `InceptionModule`.
        count_include_pad: As for `InceptionModule`.
        activation: As in `Style`.
        normalization: As in `Style`.
        place: As in `Style`.
        name: Name in the network.

    Raises:
        ValueError: When a branch is not a table of steps, or an option is out of its range.
    """

    def __init__(
        self,
        *branches: Branch,
        count_include_pad: bool = True,
        activation: Choice = "relu",
        normalization: Choice = "batch",
        place: Place = "before",
        name: str | None = None,
    ) -> None:
        super().__init__(activation, normalization, place, name)
        self.branches = read_branches(branches, type(self).__name__)
        self.count_include_pad = flag(
            count_include_pad, f"{type(self).__name__}: count_include_pad"
        )

    def concatenated_branches(self) -> Network:
        """Return new branches with their output channels concatenated."""
        sides = self.side_by_side(self.branches)
        return sides if len(sides.graph.outputs) == 1 else sides >> Concatenate()

    def side_by_side(self, branches: tuple[Branch, ...]) -> Network:
        """Return the branches in parallel, without a merging layer."""
        return parallel(*map(self.branch, branches))

    def branch(self, steps: Branch) -> Network:
        """Return the steps of a branch joined; a split at its end keeps several outputs."""
        parts: list[Composable] = []
        for place, step in enumerate(steps, start=1):
            if not is_split(step):
                parts.append(self.step(step))
                continue
            parts.append(self.side_by_side(step))
            if place < len(steps):
                parts.append(Concatenate())
        return join(*parts)

    def step(self, step: tuple[Any, ...]) -> Composable:
        """Return the layer of a step: a convolution in the block's style, or pooling."""
        what, size, options = window(step)
        if what in POOLINGS:
            return pooling(what, size, options, count_include_pad=self.count_include_pad)
        return self.style.unit(what, size, **options)


def pooling(
    kind: str, size: Any, options: dict[str, Any], *, count_include_pad: bool = True
) -> Layer:
    """Return a pooling layer."""
    if kind == "max":
        return MaxPooling(size, **options)
    return AveragePooling(size, count_include_pad=count_include_pad, **options)


def window(step: tuple[Any, ...]) -> tuple[Any, Any, dict[str, Any]]:
    """Return the kind of a step, and the length, stride and padding of its window."""
    what, size, *others = step
    stride = others[0] if others else 1
    same = "same" if stride == 1 else "valid"
    return what, size, {"stride": stride, "padding": others[1] if len(others) > 1 else same}


def is_split(step: tuple[Any, ...]) -> bool:
    """Return whether a step is a tuple of branches."""
    return isinstance(step[0], tuple)


def read_branches(branches: object, who: str) -> tuple[Branch, ...]:
    """Return branches as nested tuples, with the defaults of every step filled in.

    Raises:
        ValueError: When there are none, or one is not a tuple of steps.
    """
    if not branches or not isinstance(branches, tuple | list):
        raise ValueError(f"{who} needs branches, such as ((64, 1),), ((96, 1), (128, 3)).")
    return tuple(read_branch(branch, who) for branch in branches)


def read_branch(branch: object, who: str) -> Branch:
    """Return a branch as a tuple of steps.

    Raises:
        ValueError: When it is not a tuple of steps.
    """
    if not branch or not isinstance(branch, tuple | list):
        raise ValueError(
            f"{who}: branches: a branch is a tuple of steps, such as ((96, 1), (128, 3)), "
            f"got {shown(branch)}."
        )
    return tuple(read_step(step, who, branch) for step in branch)


def read_step(step: object, who: str, branch: object) -> tuple[Any, ...]:
    """Return a step as a tuple of numbers, or of branches.

    Raises:
        ValueError: When it is neither.
    """
    if isinstance(step, str):
        step = (step, 3)
    if isinstance(step, tuple | list) and step:
        if isinstance(step[0], tuple | list):
            return read_branches(step, who)
        if 2 <= len(step) <= 4 and (not isinstance(step[0], str) or step[0] in POOLINGS):
            read: Any = hashable(step)
            try:
                check_step(read)
            except ValueError as error:
                raise ValueError(f"{who}: step {step!r}: {error}") from None
            return read
    raise ValueError(
        f"{who}: a step is (filters, kernel_size[, stride[, padding]]), 'max', 'avg', one of "
        f"these with ('max', size[, stride[, padding]]), or a tuple of branches, got {step!r} "
        f"in {branch!r}."
    )


@functools.lru_cache(maxsize=1024)  # a network repeats its steps
def check_step(step: tuple[Any, ...]) -> None:
    """Check a step's numbers now, since the layers are only made later.

    Raises:
        ValueError: When a number is out of its range.
    """
    what, size, options = window(step)
    if what in POOLINGS:
        pooling(what, size, options)
    else:
        Convolution(what, size, **options)
