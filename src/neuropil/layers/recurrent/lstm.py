"""Long short-term memory."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import torch
import torch.nn.functional as F
from torch import Generator, Tensor
from typing_extensions import override

from neuropil.checks import flag, number
from neuropil.core.arguments import constructor
from neuropil.layers.recurrent.base import ORTHOGONAL, XAVIER, Recurrent

if TYPE_CHECKING:
    from neuropil.core import Shape
    from neuropil.layers.layer_options import Bias, Weight


class LSTM(Recurrent):
    """Read a sequence with a long short-term memory.

    At each step, from the input x, the last output h and the cell c:

    i = σ(Wᵢ x + Uᵢ h + bᵢ), f = σ(W_f x + U_f h + b_f), g = tanh(W_g x + U_g h + b_g),
    o = σ(Wₒ x + Uₒ h + bₒ); c ← f ⊙ c + i ⊙ g; h ← o ⊙ tanh(c).

    Peepholes give the gates access to the cell: pᵢ ⊙ c is added inside i and p_f ⊙ c inside f,
    with the previous cell, and pₒ ⊙ c inside o, with the new cell.

    Both start at zero, at learned values, or at two further inputs of the layer for h and c, as
    in ``parallel(sequence, h0, c0) >> LSTM(8)``. `run` returns the last state with the outputs,
    and can continue from it.

    Shape:
        ``(T, D)`` to ``(units)``, or ``(T, units)`` with ``only_last=False``; T may be free.
        With two directions the width is 2·units, the forward direction first: its output at the
        last step and the backward output at the first step, each after reading the whole
        sequence. The starts are ``(units)``, or ``(2·units)``.

    Args:
        units: Width of h and c.
        only_last: Whether only the last step's output is given.
        bidirectional: Whether a second set of weights reads the sequence from its end.
        backward: Whether the sequence is read from its end. Outputs keep the places of their
            inputs, so that the last output is at the first step.
        learn_start: Whether the initial state is learned, as the parameters ``h0`` and ``c0``,
            ``(units)``, starting at zero. The layer then takes no further input.
        bias: Whether b is added, starting at zero; or the initial values of ``bias_ih_l0``: a
            number, an array or an initialiser.
        forget_bias: Initial value of b_f: with 1, f starts near σ(1) = 0.73, so that gradients
            reach further back than with 0, where f is 0.5. It has no effect where `bias` gives
            other initial values.
        peepholes: Whether the gates have access to the cell, by weights that start at zero.
            Such a layer runs a plain loop over the steps, several times slower than torch's
            kernels.
        weight: Initial values of each W, ``(units, D)``: an initialiser, a number, or an array
            for the whole parameter ``weight_ih_l0``, which stacks them in the order i, f, g,
            o. By default ``XavierUniform()``, and ``Orthogonal()`` for U, where torch draws
            both uniformly from (−1/√units, 1/√units). Parameters have torch's names and shapes
            (with two biases, of which only the sum matters): ``load_state_dict`` accepts that
            of a one-layer ``torch.nn.LSTM``.
        recurrent_weight: Initial values of each U, ``(units, units)``, in the same forms.
        name: Name in the network, in place of ``lstm1``.

    Raises:
        ValueError: When an option is out of its range.
        ShapeError: When the input is not a sequence, or the width of an initial state does not
            match.

    Reference:
        Hochreiter and Schmidhuber, "Long short-term memory", 1997; Gers, Schmidhuber, Cummins,
        "Learning to forget", 2000, for the forget gate; Gers, Schmidhuber, "Recurrent nets that
        time and count", 2000, for peepholes; Jozefowicz, Zaremba,
        Sutskever, "An empirical exploration of recurrent network architectures", 2015, for the
        bias; ``torch.nn.LSTM``.

    Example:
        >>> from neuropil.layers import Input, Softmax
        >>> (Input(None, 32) >> LSTM(48) >> Softmax(2)).output_shape
        (2,)
        >>> lstm = LSTM(48, only_last=False)
        >>> network = Input(50, 32) >> lstm
        >>> network.output_shape, lstm.multiply_adds((50, 32))  # 50 · 4 · 48 · (32 + 48)
        ((50, 48), 768000)
        >>> x = torch.randn(1, 50, 32)
        >>> first, state = lstm.run(x[:, :20])
        >>> second, state = lstm.run(x[:, 20:], state)
        >>> torch.allclose(torch.cat((first, second), 1), network(x), atol=1e-6)
        True
    """

    inputs_taken = (1, 3)
    gates: ClassVar[int] = 4
    mode = "LSTM"
    states: ClassVar[tuple[str, ...]] = ("h", "c")
    forget_bias: float
    peepholes: bool

    @constructor(forget_bias=number, peepholes=flag)
    def __init__(
        self,
        units: int,
        *,
        only_last: bool = True,
        bidirectional: bool = False,
        backward: bool = False,
        learn_start: bool = False,
        bias: Bias = True,
        forget_bias: float = 1.0,
        peepholes: bool = False,
        weight: Weight = XAVIER,
        recurrent_weight: Weight = ORTHOGONAL,
        name: str | None = None,
    ) -> None: ...

    @override
    def parameter_shapes(self, shape: Shape, *_: Shape) -> dict[str, tuple[int, ...]]:
        shapes = super().parameter_shapes(shape)
        if self.peepholes:
            names = ("peephole_l0", "peephole_l0_reverse")[: self.directions]
            shapes |= dict.fromkeys(names, (3 * self.units,))
        return shapes

    @override
    def multiply_adds(self, shape: Shape, *_: Shape) -> int:
        steps = super().multiply_adds(shape)
        if self.peepholes:
            per_step = self.gates * (self.width(shape) + self.units)
            steps += steps // per_step * 3
        return steps

    @override
    def reset_parameters(self, generator: Generator | None = None) -> None:
        super().reset_parameters(generator)
        by_default = "bias_ih" not in self.initializers
        for name, parameter in self._parameters.items():
            if name.startswith("bias_ih_l0") and parameter is not None and by_default:
                parameter.detach()[self.units : 2 * self.units].fill_(self.forget_bias)

    @override
    def steps(self, x: Tensor, starts: list[Tensor]) -> tuple[Tensor, ...]:
        if self.peepholes:
            return self.peephole_run(x, starts)
        return self.fused(torch.lstm, x, starts)

    def peephole_run(self, x: Tensor, starts: list[Tensor]) -> tuple[Tensor, ...]:
        """Return the outputs and states for gates with peepholes, in the form of `steps`."""
        ends = []
        for direction, suffix in enumerate(("", "_reverse")[: self.directions]):
            names = ("weight_ih", "weight_hh", "bias_ih", "bias_hh", "peephole")
            weights = [getattr(self, f"{name}_l0{suffix}", None) for name in names]
            start = [state[direction] for state in starts]
            given = x.flip(1) if direction else x
            outputs, *state = peephole_steps(given, *start, *weights)
            ends.append((outputs.flip(1) if direction else outputs, *state))
        outputs, h, c = zip(*ends, strict=True)
        return torch.cat(outputs, -1), torch.stack(h), torch.stack(c)


def peephole_steps(
    x: Tensor,
    h: Tensor,
    c: Tensor,
    weight_ih: Tensor,
    weight_hh: Tensor,
    bias_ih: Tensor | None,
    bias_hh: Tensor | None,
    peephole: Tensor,
) -> tuple[Tensor, Tensor, Tensor]:
    """Return the outputs of all steps in one direction, and the last h and c."""
    sees_i, sees_f, sees_o = peephole.chunk(3)
    recurrent = weight_hh.t()
    outputs = []
    bias = None if bias_ih is None or bias_hh is None else bias_ih + bias_hh
    # The contribution of the inputs to all gates at all steps is one product.
    for step in F.linear(x, weight_ih, bias).unbind(1):
        i, f, g, o = torch.addmm(step, h, recurrent).chunk(4, -1)
        i = torch.sigmoid(i + sees_i * c)
        f = torch.sigmoid(f + sees_f * c)
        c = f * c + i * torch.tanh(g)
        h = torch.sigmoid(o + sees_o * c) * torch.tanh(c)
        outputs.append(h)
    return torch.stack(outputs, 1), h, c
