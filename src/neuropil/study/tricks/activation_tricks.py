"""Tricks: other activations in place of the rectifier."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from neuropil.layers import Elu, Gelu, LeakyRelu, PRelu, Relu, Softplus, Swish, Tanh
from neuropil.layers.activations.base import Activation
from neuropil.study.tricks.layer_variants import HIDDEN, in_place_of, output_names
from neuropil.study.tricks.trick import SetupChange, Trick, on_networks

if TYPE_CHECKING:
    from collections.abc import Callable

    from neuropil.core import Layer, Network
    from neuropil.core.shape import Shape
    from neuropil.study.setups.rewriting import Change

TABLE = "Activations"
OTHERS = tuple(kind for kind in HIDDEN if kind is not Relu)


def activate(
    make: Callable[..., Activation],
    replaced: tuple[type[Activation], ...] = (Relu,),
    lacking: str = "the network has no ReLU",
    **options: Any,
) -> SetupChange:
    """Return the change to another activation, in layers with units too.

    Args:
        make: Class of the new activation.
        replaced: Classes of those that it replaces; the outputs are left as they are.
        lacking: Why the trick does not apply if there is none.
        **options: Options of the new activation.
    """

    def plan(network: Network) -> Change:
        ends = output_names(network)

        def change(name: str, layer: Layer, _: tuple[Shape, ...]) -> Layer | None:
            if not isinstance(layer, Activation) or name in ends:
                return None
            return in_place_of(layer, make, **options) if type(layer) in replaced else None

        return change

    return on_networks(plan, lacking)


GROUP = "activation"
ACTIVATION_TRICKS = (
    Trick("elu", "ELU in place of ReLU", GROUP, activate(Elu), 1.7, (TABLE, "ELU")),
    Trick(
        "prelu",
        "PReLU in place of ReLU",
        GROUP,
        activate(PRelu, shared=False),
        1.4,
        (TABLE, "PReLU"),
    ),
    Trick("swish", "Swish in place of ReLU", GROUP, activate(Swish)),
    Trick("gelu", "GELU in place of ReLU", GROUP, activate(Gelu)),
    Trick("leaky_relu", "Leaky ReLU (slope 0.01) in place of ReLU", GROUP, activate(LeakyRelu)),
    Trick(
        "very_leaky_relu",
        "Leaky ReLU (slope 1/3) in place of ReLU",
        GROUP,
        activate(LeakyRelu, epsilon=1 / 3),
        -0.2,
        (TABLE, "VLReLU"),
    ),
    Trick("softplus", "Softplus in place of ReLU", GROUP, activate(Softplus)),
    Trick("tanh", "tanh in place of ReLU", GROUP, activate(Tanh), -7.0, (TABLE, "TanH")),
    Trick(
        "relu",
        "ReLU in place of other activations",
        GROUP,
        activate(Relu, OTHERS, "the network has no activation but ReLU"),
    ),
)
