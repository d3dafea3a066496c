"""Scaled dot-product attention with several heads."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
import torch.nn.functional as F
from torch import Tensor
from typing_extensions import override

from neuropil.checks import flag, number, whole
from neuropil.init import XavierUniform
from neuropil.layers.layer_options import Bias, Weight, initializer, set_bias
from neuropil.layers.mixing.merge import Merge

if TYPE_CHECKING:
    from collections.abc import Iterable

    from neuropil.core import Shape
    from neuropil.core.layer import Initializer

XAVIER = XavierUniform()
APART = ("q_proj_weight", "k_proj_weight", "v_proj_weight")


class Attention(Merge):
    """Multi-head attention: each position of a sequence gathers information from others.

    Each head j projects queries, keys and values to its share of the width, dⱼ = units / heads,
    compares every query with every key, and averages the values with these weights:

    headⱼ = softmax(Qⱼ Kⱼᵀ / √dⱼ) Vⱼ with Qⱼ = Q Wⱼ^Q + bⱼ^Q, and K and V alike;
    y = [head₁, head₂, …] W^O + b^O.

    A single input serves as all three (self-attention). With two, the second is the memory that
    provides keys and values (cross-attention); three are query, key and value.

    **Masks.** A further, last input of shape ``(S)`` marks the valid positions of the memory
    with integers: 0 for padding, anything else for the others. It comes from ``Input(S,
    dtype="uint8")``, or from the very indices that an `Embedding` takes, where 0 is the
    padding: ``parallel(words >> Embedding(100, 64), words) >> Attention(4)``. When called
    directly, the layer also takes booleans; in ``torch.nn.MultiheadAttention`` True means the
    opposite. The output of the heads is zero for a query with every position masked.

    Shape:
        ``(T, D)`` to ``(T, units)``; with a memory ``(S, E)``, ``(T, D)`` and ``(S, E)`` to
        ``(T, units)``; with a mask, ``(S)`` after them, ``(T)`` where there is no memory. T and
        S may be free. The layer ignores order: add position encodings to its input if order
        matters.

    Args:
        heads: Number of heads, which must divide `units`.
        units: Width of the output and of all heads together; by default the width of the
            queries.
        causal: Whether position t attends only to positions 0 to t, both in training and in
            test mode.
        bias: Whether the maps add b, starting at zero; or their initial value: a number, an
            array or an initialiser.
        dropout: Fraction of the attention weights dropped in training.
        weight: Initial weights of each map: an initialiser or a number. Parameters have the
            names of ``torch.nn.MultiheadAttention``, but ``out_proj_weight``;
            ``load_state_dict`` accepts its ``out_proj.weight`` as well.
        name: Name in the network, in place of ``attention1``.

    Raises:
        ValueError: When an option is out of its range.
        ShapeError: When an input is not a sequence, key and value have different lengths, the
            heads do not divide the units, or the length of a mask does not match.

    Reference:
        Vaswani et al., "Attention is all you need", 2017, section 3.2;
        ``torch.nn.MultiheadAttention``.

    Example:
        >>> from neuropil.layers import Embedding, Input, parallel
        >>> layer = Attention(4)
        >>> (Input(50, 64) >> layer).output_shape
        (50, 64)
        >>> layer.multiply_adds((50, 64))  # 50 · 64 · (3 · 64 + 64) + 2 · 50 · 50 · 64
        1139200
        >>> words = Input(None, dtype="int64")
        >>> network = parallel(words >> Embedding(9, 8, padding_idx=0), words) >> Attention(2)
        >>> short, filled = torch.tensor([[5, 3]]), torch.tensor([[5, 3, 0, 0]])
        >>> torch.allclose(network(short), network(filled)[:, :2])
        True
    """

    channels_first = False
    sees_everything = True

    inputs_taken = (1, 4)

    in_proj_weight: Tensor
    in_proj_bias: Tensor | None
    out_proj_weight: Tensor
    out_proj_bias: Tensor | None

    def __init__(
        self,
        heads: int,
        *,
        units: int | None = None,
        causal: bool = False,
        bias: Bias = True,
        dropout: float = 0.0,
        weight: Weight = XAVIER,
        name: str | None = None,
    ) -> None:
        super().__init__(name=name)
        self.heads = whole(heads, "Attention: heads")
        self.units = None if units is None else whole(units, "Attention: units")
        if units is not None and units % heads:
            raise ValueError(
                f"Attention: units must be a multiple of the {heads} heads, got {units}."
            )
        self.causal = flag(causal, "Attention: causal")
        self.dropout = number(dropout, "Attention: dropout", "[0, 1)")
        self.initializers["weight"] = initializer(weight, "Attention: weight")
        self.has_bias = set_bias(self, bias, "in_proj_bias", "out_proj_bias")

    # Shapes

    @override
    def is_mask(self, shape: Shape) -> bool:
        return len(shape) == 1

    @override
    def output_shape(self, *input_shapes: Shape) -> Shape:
        query, *_ = self.roles(input_shapes)
        return query[0], self.units_for(query)

    @override
    def parameter_shapes(self, *input_shapes: Shape) -> dict[str, tuple[int, ...]]:
        sequences = self.roles(input_shapes)
        units, widths = self.units_for(sequences[0]), [shape[1] or 0 for shape in sequences]
        if len(set(widths)) == 1:
            shapes: dict[str, tuple[int, ...]] = {"in_proj_weight": (3 * units, widths[0])}
        else:
            maps = zip(APART, widths, strict=True)
            shapes = {name: (units, width) for name, width in maps}
        if self.has_bias:
            shapes["in_proj_bias"] = (3 * units,)
        shapes["out_proj_weight"] = (units, units)
        if self.has_bias:
            shapes["out_proj_bias"] = (units,)
        return shapes

    @override
    def build(self, *input_shapes: Shape) -> None:
        if self.built_for is None:
            self.packed = "in_proj_weight" in self.parameter_shapes(*input_shapes)
        super().build(*input_shapes)

    @override
    def check_built(self, *input_shapes: Shape) -> None:
        if self.packed != ("in_proj_weight" in self.parameter_shapes(*input_shapes)):
            fix = "copy it first with copy.deepcopy, or create it again"
            raise self.misfit("the widths it was built for", input_shapes, fix)
        super().check_built(*input_shapes)

    @override
    def multiply_adds(self, *input_shapes: Shape) -> int:
        sequences = self.roles(input_shapes)
        if any(shape[0] is None for shape in sequences):
            fix = "give the length of the sequences"
            raise self.misfit("known lengths to count multiply–adds", input_shapes, fix)
        units = self.units_for(sequences[0])
        length, memory = sequences[0][0] or 0, sequences[1][0] or 0
        maps = sum((n or 0) * (width or 0) * units for n, width in sequences)
        return maps + 2 * length * memory * units + length * units * units

    def roles(self, shapes: tuple[Shape, ...]) -> tuple[Shape, Shape, Shape]:
        """Return the shapes of queries, keys and values.

        Raises:
            ShapeError: When they do not fit each other.
        """
        sequences = list(shapes)
        mask = sequences.pop() if len(shapes) > 1 and len(shapes[-1]) == 1 else None
        if len(sequences) > 3 or any(len(shape) != 2 for shape in sequences):
            needs = "at most three sequences (T, D) and optionally a mask (S)"
            fix = "put Transpose(…) or Reshape(…) before it, with the positions first"
            raise self.misfit(needs, shapes, fix)
        query, key, value = (*sequences, *sequences[-1:] * 2)[:3]
        if query[1] is None or key[1] is None or value[1] is None:
            fix = "only the number of positions may be free; give the width in Input(…)"
            raise self.misfit("a last axis of known length", shapes, fix)
        lengths = [key[0], value[0]] + ([] if mask is None else [mask[0]])
        if self.causal:
            lengths.append(query[0])
        if len({length for length in lengths if length is not None}) > 1:
            what = "key, value and mask" + (" and, being causal, queries" * self.causal)
            raise self.misfit(f"{what} of one length", shapes, "make them equally long")
        return query, key, value

    def units_for(self, query: Shape) -> int:
        """Return the width of the output.

        Raises:
            ShapeError: When the heads do not divide it.
        """
        units = self.units or query[1] or 0
        if units % self.heads:
            fix = f"give units=…, a multiple of {self.heads}, or another number of heads"
            raise self.refuse(f"a width divisible by its {self.heads} heads", query, fix)
        return units

    # Parameters

    @override
    def maps_in(self, name: str, parameter: Tensor) -> Iterable[Tensor]:
        return parameter.detach().chunk(3 if name == "in_proj_weight" else 1)

    @override
    def initializer_of(self, name: str) -> Initializer | None:
        return (
            self.initializers["weight"]
            if name.endswith("weight")
            else self.initializers.get(name)
        )

    @override
    def _load_from_state_dict(  # pyright: ignore[reportIncompatibleMethodOverride]  # torch's own
        self, state_dict: dict[str, Any], prefix: str, *rest: Any
    ) -> None:
        for name in ("weight", "bias"):
            if f"{prefix}out_proj.{name}" in state_dict:
                value = state_dict.pop(f"{prefix}out_proj.{name}")
                state_dict[f"{prefix}out_proj_{name}"] = value
        super()._load_from_state_dict(state_dict, prefix, *rest)

    # Running it

    @override
    def forward(self, query: Tensor, *others: Tensor) -> Tensor:
        mask = None
        if others and others[-1].ndim == 2:
            mask, others = others[-1], others[:-1]
        q, k, v = self.project(query, *others)
        dropout = self.dropout if self.training else 0.0
        if mask is None:
            y = F.scaled_dot_product_attention(q, k, v, None, dropout, self.causal)
        else:
            seen = self.attention_mask(mask, query.shape[1])
            blind = ~seen.any(-1, keepdim=True)
            # Softmax over no positions is 0/0: such a query attends to all, and its output is
            # zeroed.
            y = F.scaled_dot_product_attention(q, k, v, seen | blind, dropout)
            y = y.masked_fill(blind, 0.0)
        y = y.transpose(1, 2).flatten(2)
        return F.linear(y, self.out_proj_weight, self.out_proj_bias)

    def project(self, query: Tensor, *others: Tensor) -> list[Tensor]:
        """Return queries, keys and values, ``(N, heads, positions, units / heads)``."""
        bias = self.in_proj_bias
        if self.packed and not others:
            maps = F.linear(query, self.in_proj_weight, bias).chunk(3, -1)
        else:
            sources = (query, *others, *others[-1:] * 2)[:3]
            weights = (
                self.in_proj_weight.chunk(3)
                if self.packed
                else [getattr(self, name) for name in APART]
            )
            biases = [None] * 3 if bias is None else bias.chunk(3)
            maps = map(F.linear, sources, weights, biases)
        return [one.unflatten(-1, (self.heads, -1)).transpose(1, 2) for one in maps]

    def attention_mask(self, mask: Tensor, queries: int) -> Tensor:
        """Return a mask of allowed positions, ``(N, 1, queries or 1, positions)``."""
        seen = (mask if mask.dtype is torch.bool else mask != 0)[:, None, None]
        if not self.causal:
            return seen
        return seen & seen.new_ones(queries, mask.shape[1]).tril()
