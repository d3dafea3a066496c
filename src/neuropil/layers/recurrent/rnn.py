"""The plain recurrent network of Elman."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import torch
from typing_extensions import override

from neuropil.checks import choice
from neuropil.core.arguments import constructor
from neuropil.layers.recurrent.base import ORTHOGONAL, XAVIER, Recurrent

if TYPE_CHECKING:
    from torch import Tensor

    from neuropil.layers.layer_options import Bias, Weight

KERNELS = {"tanh": torch.rnn_tanh, "relu": torch.rnn_relu}


class RNN(Recurrent):
    """Read a sequence with the plain recurrent network of Elman.

    At each step, from the input x and the last output h: h ← f(W x + U h + b), with f = tanh or
    max(0, ·).

    It forgets within some ten steps, since gradients shrink or grow by a factor at each step;
    `GRU` and `LSTM` remember longer.

    h starts at zero, at a learned value, or at a second input of the layer, as in
    ``parallel(sequence, h0) >> RNN(8)``. `run` returns the last state with the outputs, and can
    continue from it.

    Shape:
        ``(T, D)`` to ``(units)``, or ``(T, units)`` with ``only_last=False``; T may be free.
        With two directions the width is 2·units, the forward direction first: its output at the
        last step and the backward output at the first step, each after reading the whole
        sequence. The start is ``(units)``, or ``(2·units)``.

    Args:
        units: Width of h.
        activation: The function f: ``"tanh"`` or ``"relu"``.
        only_last: Whether only the last step's output is given.
        bidirectional: Whether a second set of weights reads the sequence from its end.
        backward: Whether the sequence is read from its end. Outputs keep the places of their
            inputs, so that the last output is at the first step.
        learn_start: Whether the initial state is learned, as the parameter ``h0``, ``(units)``,
            starting at zero. The layer then takes no further input.
        bias: Whether b is added, starting at zero; or the initial values of ``bias_ih_l0``: a
            number, an array or an initialiser.
        weight: Initial W, ``(units, D)``: an initialiser, a number or an array; by default
            ``XavierUniform()``, and ``Orthogonal()`` for U, where torch draws both uniformly
            from (−1/√units, 1/√units). Parameters have torch's names and shapes:
            ``load_state_dict`` accepts that of a one-layer ``torch.nn.RNN``.
        recurrent_weight: Initial U, ``(units, units)``.
        name: Name in the network, in place of ``rnn1``.

    Raises:
        ValueError: When `units` is not a whole number from 1 up, or `activation` is unknown.
        ShapeError: When the input is not a sequence, or the width of the initial state does not
            match.

    Reference:
        Elman, "Finding structure in time", 1990; Le, Jaitly, Hinton, "A simple way to
        initialize recurrent networks of rectified linear units", 2015, for ``"relu"``;
        ``torch.nn.RNN``.

    Example:
        >>> from neuropil.layers import Input, Softmax
        >>> (Input(None, 32) >> RNN(48) >> Softmax(2)).output_shape
        (2,)
        >>> # One unit that adds up its inputs
        >>> network = Input(3, 1) >> RNN(1, activation="relu", weight=1, recurrent_weight=1)
        >>> network(torch.tensor([[[1.0], [2.0], [4.0]]])).tolist()
        [[7.0]]
    """

    inputs_taken = (1, 2)
    gates: ClassVar[int] = 1
    states: ClassVar[tuple[str, ...]] = ("h",)
    activation: str

    @constructor(activation=choice("tanh", "relu"))
    def __init__(
        self,
        units: int,
        *,
        activation: str = "tanh",
        only_last: bool = True,
        bidirectional: bool = False,
        backward: bool = False,
        learn_start: bool = False,
        bias: Bias = True,
        weight: Weight = XAVIER,
        recurrent_weight: Weight = ORTHOGONAL,
        name: str | None = None,
    ) -> None: ...

    @property
    @override
    def mode(self) -> str:  # pyright: ignore[reportIncompatibleVariableOverride]  # it is only read
        """Torch's name of the layer."""
        return f"RNN_{self.activation.upper()}"

    @override
    def steps(self, x: Tensor, starts: list[Tensor]) -> tuple[Tensor, ...]:
        return self.fused(KERNELS[self.activation], x, starts[0])
