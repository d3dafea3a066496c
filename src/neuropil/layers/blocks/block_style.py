"""The normalisation and activation that all convolutions of a block share."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from neuropil.checks import one_of, shown
from neuropil.core import Layer, Network, join
from neuropil.core.block import Block
from neuropil.foreign_names import suggestion
from neuropil.layers.activations.activation_functions import activation_layers
from neuropil.layers.convolution.convolution import Convolution
from neuropil.layers.layer_options import HE
from neuropil.layers.normalization.batch_norm import BatchNorm
from neuropil.layers.normalization.sample_norm import GroupNorm, InstanceNorm

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from neuropil.core.layer import Composable

# A layer's name in lower case, a layer that is copied for each use, or None.
Choice: TypeAlias = str | Layer | None
Place: TypeAlias = Literal["before", "after", "first"]

# "layer" normalises over the whole image, as GroupNorm with one group does.
NORMALIZATIONS: dict[str, Callable[[], Layer]] = {
    "batch": BatchNorm,
    "group": lambda: GroupNorm(32),
    "instance": InstanceNorm,
    "layer": lambda: GroupNorm(1),
}
PLACES = ("before", "after", "first")


class Style:
    """Normalisation and activation around each convolution of a block.

    Args:
        activation: The name of an activation layer in lower case (``"relu"``, ``"elu"``), a
            layer (copied), or None.
        normalization: ``"batch"``, ``"group"`` (32 groups), ``"instance"``, ``"layer"``, a
            layer to copy, or None.
        place: Position of the normalisation: ``"before"`` the activation, ``"after"`` it, or
            ``"first"``, which puts both before the convolution (pre-activation).

    Raises:
        ValueError: When an option is unknown.
    """

    def __init__(
        self,
        activation: Choice = "relu",
        normalization: Choice = "batch",
        place: Place = "before",
    ) -> None:
        self.activation = activation
        self.normalization = normalization
        self.place: Place = one_of(place, "place", PLACES)
        self.activate()
        self.normalize()

    @property
    def options(self) -> dict[str, Any]:
        """The arguments of this style, which every block of the same style takes as options."""
        return dict(vars(self))

    @property
    def has_bias(self) -> bool:
        """Whether convolutions have a bias: only without a normalisation, which has its own."""
        return self.normalization is None

    def activate(self) -> list[Layer]:
        """Return a list with the activation; empty for None."""
        return chosen_layers(self.activation, "activation", activation_layers())

    def normalize(self) -> list[Layer]:
        """Return a list with the normalisation; empty for None."""
        return chosen_layers(self.normalization, "normalization", NORMALIZATIONS)

    def around(self, layer: Composable, *, activates: bool = True) -> Network:
        """Return a layer with its normalisation and activation, in the order of the style."""
        active = self.activate() if activates else []
        normal = self.normalize()
        match self.place:
            case "before":
                return join(layer, *normal, *active)
            case "after":
                return join(layer, *active, *normal)
            case _:
                return join(*normal, *active, layer)

    def unit(
        self,
        filters: int,
        kernel_size: int | tuple[int, ...],
        *,
        stride: int | tuple[int, ...] = 1,
        padding: Any = None,
        dilation: int = 1,
        groups: int = 1,
        activates: bool = True,
    ) -> Network:
        """Return a convolution with its normalisation and activation.

        Args:
            filters: Output channels.
            kernel_size: Filter length, one number or one per axis.
            stride: Step between windows.
            padding: As for `Convolution`; by default half the filter at both ends.
            dilation: As for `Convolution`.
            groups: As for `Convolution`.
            activates: Whether to add the activation.
        """
        if padding is None:
            padding = (
                tuple(dilation * (size // 2) for size in kernel_size)
                if isinstance(kernel_size, tuple)
                else dilation * (kernel_size // 2)
            )
        convolution = Convolution(
            filters,
            kernel_size,
            stride=stride,
            padding=padding,
            dilation=dilation,
            groups=groups,
            bias=self.has_bias,
            weight=HE,
        )
        return self.around(convolution, activates=activates)


def chosen_layers(
    choice: Choice, what: str, known: Mapping[str, Callable[[], Layer]]
) -> list[Layer]:
    """Return a list with a new layer of the chosen kind; empty for None.

    Raises:
        ValueError: When the choice is unknown.
    """
    if choice is None:
        return []
    if isinstance(choice, Layer):
        return [choice.fresh()]
    if isinstance(choice, str) and choice in known:  # pyright: ignore[reportUnnecessaryIsInstance]  # users may err
        return [known[choice]()]
    raise ValueError(
        f"{what} must be one of {', '.join(map(repr, known))}, a layer such as BatchNorm(), "
        f"or None, got {shown(choice)}.{suggestion(str(choice), known, what)}"
    )


class StyledBlock(Block):
    """Base class of the blocks whose convolutions share one style.

    Args:
        activation: As in `Style`.
        normalization: As in `Style`.
        place: As in `Style`.
        name: Name in the network.

    Raises:
        ValueError: When an option is unknown.
    """

    channels_first = True

    def __init__(
        self, activation: Choice, normalization: Choice, place: Place, name: str | None
    ) -> None:
        super().__init__(name=name)
        try:
            self.style = Style(activation, normalization, place)
        except ValueError as error:
            raise ValueError(f"{type(self).__name__}: {error}") from None
