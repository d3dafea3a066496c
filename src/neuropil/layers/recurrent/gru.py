"""The gated recurrent unit."""

from __future__ import annotations

from typing import ClassVar

import torch
from torch import Tensor
from typing_extensions import override

from neuropil.layers.recurrent.base import Recurrent


class GRU(Recurrent):
    """Read a sequence with gated recurrent units.

    At each step, from the input x and the last output h:

    r = σ(Wᵣ x + Uᵣ h + bᵣ), z = σ(W_z x + U_z h + b_z),
    n = tanh(Wₙ x + bₙ + r ⊙ (Uₙ h + b'ₙ)); h ← (1 − z) ⊙ n + z ⊙ h.

    This is torch's and cuDNN's variant, in which r acts after the product Uₙ h; in the paper
    it acts before, Uₙ (r ⊙ h).

    h starts at zero, at a learned value, or at a second input of the layer, as in
    ``parallel(sequence, h0) >> GRU(8)``. `run` returns the last state with the outputs, and can
    continue from it.

    Shape:
        ``(T, D)`` to ``(units)``, or ``(T, units)`` with ``only_last=False``; T may be free.
        With two directions the width is 2·units, the forward direction first: its output at the
        last step and the backward output at the first step, each after reading the whole
        sequence. The start is ``(units)``, or ``(2·units)``.

    Args:
        units: Width of h.
        only_last: Whether only the last step's output is given.
        bidirectional: Whether a second set of weights reads the sequence from its end.
        backward: Whether the sequence is read from its end. Outputs keep the places of their
            inputs, so that the last output is at the first step.
        learn_start: Whether the initial state is learned, as the parameter ``h0``, ``(units)``,
            starting at zero. The layer then takes no further input.
        bias: Whether b is added, starting at zero; or the initial values of ``bias_ih_l0``: a
            number, an array or an initialiser.
        weight: Initial values of each W, ``(units, D)``: an initialiser, a number, or an array
            for the whole parameter ``weight_ih_l0``, which stacks them in the order r, z, n.
            By default ``XavierUniform()``, and ``Orthogonal()`` for U, where torch draws both
            uniformly from (−1/√units, 1/√units). Parameters have torch's names and shapes:
            ``load_state_dict`` accepts that of a one-layer ``torch.nn.GRU``.
        recurrent_weight: Initial values of each U, ``(units, units)``, in the same forms.
        name: Name in the network, in place of ``gru1``.

    Raises:
        ValueError: When `units` is not a whole number from 1 up.
        ShapeError: When the input is not a sequence, or the width of the initial state does not
            match.

    Reference:
        Cho et al., "Learning phrase representations using RNN encoder–decoder for statistical
        machine translation", 2014; ``torch.nn.GRU``.

    Example:
        >>> from neuropil.layers import Input
        >>> (Input(None, 32) >> GRU(48, bidirectional=True)).output_shape
        (96,)
        >>> gru = GRU(48, only_last=False)
        >>> network = Input(50, 32) >> gru
        >>> x = torch.randn(1, 50, 32)
        >>> first, state = gru.run(x[:, :20])
        >>> second, state = gru.run(x[:, 20:], state)
        >>> torch.allclose(torch.cat((first, second), 1), network(x), atol=1e-6)
        True
    """

    inputs_taken = (1, 2)
    gates: ClassVar[int] = 3
    mode = "GRU"
    states: ClassVar[tuple[str, ...]] = ("h",)

    @override
    def steps(self, x: Tensor, starts: list[Tensor]) -> tuple[Tensor, ...]:
        return self.fused(torch.gru, x, starts[0])
