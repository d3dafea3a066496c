"""Mixtures of experts: a gate selects and weights the outputs of several networks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from torch import Generator, Tensor
from typing_extensions import override

from neuropil.checks import flag, shown, whole
from neuropil.core import Layer, Shape, ShapeError
from neuropil.layers.layer_options import composable, known_count
from neuropil.layers.mixing.gate import Gate, Part

if TYPE_CHECKING:
    from neuropil.core.layer import Composable


class MixtureOfExperts(Layer):
    """A mixture of experts, whose outputs a gate weights: y = Σᵢ gᵢ(x)·fᵢ(x).

    g(x) = softmax(W φ(x) + b) over all E experts fᵢ. With `top_k` = k only the k experts with
    the largest W φ(x) + b contribute, weighted by the softmax over these; the others do not run
    on x. φ is the gate's own network: by default x itself if it is a vector, and otherwise the
    mean of each channel.

    Without regularisation a gate soon sends everything to a few experts, which are then the
    only ones to learn. After each pass in training, `balance_loss` measures how uneven the
    batch was,

        E · Σᵢ fᵢ·Pᵢ,    Pᵢ the mean of softmax(W φ + b)ᵢ, fᵢ the share of all choices that
                         went to expert i (in a dense mixture fᵢ = Pᵢ),

    which is 1 where all Pᵢ are equal and E where one expert gets everything with certainty;
    with `top_k` it can fall below 1 where f and P disagree. Add a hundredth of it to the loss:
    the regulariser `neuropil.optim.balance` does so.

    Shape:
        ``(…)`` to the output shape of the experts, which is the same for all; with
        `per_position` ``(T, D)`` to ``(T, …)``. Each expert sees only its own examples of a
        batch, so its BatchNorm uses the statistics of these. The cost of one sample is that of
        the gate and of the k most expensive experts.

    Args:
        experts: A layer or network without an `Input`, copied for each expert with its own
            weights; or a tuple of different ones.
        count: Number E of experts, if `experts` is a single one.
        top_k: Number k of experts used per sample; None for all.
        gate: Network φ without an `Input` whose output is a vector.
        noisy: Add N(0, 1)·softplus(V φ(x)) to W φ(x) + b in training, so that experts just
            below the top k are tried too; V starts at zero.
        per_position: Whether each position of a sequence chooses its own experts; the experts
            then take vectors ``(D)``.
        name: Name in the network, in place of ``mixtureofexperts1``.

    Raises:
        ValueError: When an option is out of its range.
        ShapeError: When an expert cannot take the input, or two have different output shapes.

    Reference:
        Jacobs, Jordan, Nowlan, Hinton, "Adaptive mixtures of local experts", 1991; top-k and
        noise: Shazeer et al., "Outrageously large neural networks: the sparsely-gated
        mixture-of-experts layer", 2017; balance: Fedus, Zoph, Shazeer, "Switch transformers",
        2022, eq. 4.

    Example:
        >>> from neuropil.layers import Input, Linear, Relu
        >>> expert = Relu(64) >> Linear(10)
        >>> network = Input(20) >> MixtureOfExperts(expert, 8, top_k=2)
        >>> network.output_shape
        (10,)
        >>> MixtureOfExperts(expert, 8, top_k=2).multiply_adds((20,)) == (
        ...     8 * 20 + 2 * (20 * 64 + 64 * 10)
        ... )
        True
        >>> mixture = MixtureOfExperts(Linear(1), 2, top_k=1)
        >>> network = Input(1) >> mixture
        >>> _ = mixture.layer("gate").weight.data.copy_(torch.tensor([[1.0], [0.0]]))
        >>> x = torch.tensor([[0.04]] * 6 + [[-8.0]] * 4)  # shares 60 and 40 %
        >>> _ = network(x)
        >>> mixture.balance_loss  # below 1, since P leans the other way
        tensor(0.9225, grad_fn=<MulBackward0>)
    """

    def __init__(
        self,
        experts: Composable | tuple[Composable, ...],
        count: int | None = None,
        *,
        top_k: int | None = None,
        gate: Composable | None = None,
        noisy: bool = False,
        per_position: bool = False,
        name: str | None = None,
    ) -> None:
        super().__init__(name=name)
        given = prototypes(experts, count)
        choices = len(given) if top_k is None else whole(top_k, f"{WHO}: top_k")
        if choices > len(given):
            raise ValueError(f"{WHO}: top_k must be at most {len(given)}, got {top_k}.")
        self.top_k = None if choices == len(given) else choices
        self.per_position = flag(per_position, f"{WHO}: per_position")
        self._modules.update(
            features=Part(gate if gate is None else composable(gate, f"{WHO}: gate")),
            gate=Gate(len(given), self.top_k, noisy=flag(noisy, f"{WHO}: noisy")),
            **{f"expert{k}": Part(each) for k, each in enumerate(given, 1)},
        )

    @property
    def balance_loss(self) -> Tensor:
        """E · Σᵢ fᵢ·Pᵢ of the last batch in training, 1 when balanced; 0 before the first."""
        return self._modules["gate"].balance_loss  # pyright: ignore  # it is a Gate

    def parts(self, shape: Shape) -> list[tuple[str, Layer, Shape]]:
        """Return the name, the layer and the input shape of each part.

        Raises:
            ShapeError: When the gate's network, or an expert, cannot take the input.
        """
        if self.per_position:
            if len(shape) != 2:
                raise self.refuse("a sequence (T, D)", shape, "leave out per_position")
            shape = shape[1:]
        features, gate, *experts = self._modules
        try:
            seen = self.layer(features).output_shape(shape)
            if len(seen) != 1 or seen[0] is None:
                fix = "end it in GlobalPooling() or Flatten()"
                raise self.refuse("a vector from the gate's network", seen, fix)
            for expert in experts:
                self.layer(expert).output_shape(shape)
        except ShapeError as error:
            raise ShapeError(f"in {self!r}: {error}") from None
        named = [(features, shape), (gate, seen), *((expert, shape) for expert in experts)]
        return [(name, self.layer(name), shape) for name, shape in named]

    def layer(self, name: str) -> Any:
        """Return the part with this name."""
        return self._modules[name]

    @override
    def output_shape(self, shape: Shape) -> Shape:
        _, _, *experts = self.parts(shape)
        (first, *rest) = [expert.output_shape(seen) for _, expert, seen in experts]
        for other in rest:
            if other != first:
                raise self.refuse(f"experts that all return {first}", other, "make them agree")
        return (*(shape[:1] if self.per_position else ()), *first)

    @override
    def parameter_shapes(self, shape: Shape) -> dict[str, tuple[int, ...]]:
        return {
            f"{name}.{parameter}": size
            for name, part, seen in self.parts(shape)
            for parameter, size in part.parameter_shapes(seen).items()
        }

    @override
    def multiply_adds(self, shape: Shape) -> int:
        front, gate, *experts = (
            part.multiply_adds(seen) for _, part, seen in self.parts(shape)
        )
        chosen = sum(sorted(experts)[-(self.top_k or len(experts)) :])
        positions = known_count(self, shape[:1]) if self.per_position else 1
        return positions * (front + gate + chosen)

    @override
    def reaches(self, shape: Shape) -> tuple[()] | None:
        # The gate sees the whole input of each choice.
        return () if self.per_position else None

    @override
    def build(self, *input_shapes: Shape) -> None:
        if self.built_for is not None:
            self.check_built(*input_shapes)
            return
        for _, part, seen in self.parts(*input_shapes):
            part.build(seen)
        self.set_built(*input_shapes)

    @override
    def check_built(self, *input_shapes: Shape) -> None:
        for _, part, seen in self.parts(*input_shapes):
            part.check_built(seen)

    @override
    def reset_parameters(self, generator: Generator | None = None) -> None:
        for part in self._modules:
            self.layer(part).reset_parameters(generator)

    @override
    def forward(self, x: Tensor) -> Tensor:
        if not self.per_position:
            return self.mix(x)
        y = self.mix(x.flatten(0, 1))
        return y.unflatten(0, x.shape[:2])

    def mix(self, x: Tensor) -> Tensor:
        """Return the weighted sum of the experts for a batch of samples."""
        features, gate, *experts = self._modules.values()
        weights, chosen, counts = gate(features(x))  # pyright: ignore[reportOptionalCall]
        if counts is None:
            # All experts run; those not chosen, if any, have the weight 0.
            answers = torch.stack([expert(x) for expert in experts], 1)  # pyright: ignore[reportOptionalCall]
            return (expand_weights(weights, answers) * answers).sum(1)
        # Sorted by expert, so that each runs once, on its own samples only.
        order = chosen.flatten().argsort(stable=True)
        parts = x[order // weights.shape[1]].split(counts)
        answers = torch.cat(
            [expert(part) for expert, part in zip(experts, parts, strict=True) if len(part)]  # pyright: ignore[reportOptionalCall]
        )
        answers = answers[order.argsort()].unflatten(0, weights.shape)
        return (expand_weights(weights, answers) * answers).sum(1)


WHO = "MixtureOfExperts"


def prototypes(experts: Any, count: int | None) -> list[Composable]:
    """Return the layer or network of which each expert is a copy.

    Raises:
        ValueError: When their number is missing, or given twice.
    """
    if isinstance(experts, tuple | list):
        if not experts or count not in (None, len(experts)):
            raise ValueError(
                f"{WHO}: count must be left out, or be the number of experts, {len(experts)}, "
                f"got {shown(count)}."
            )
        return [composable(expert, f"{WHO}: experts") for expert in experts]
    if count is None:
        raise ValueError(
            f"{WHO}: give the number of copies of the single expert, as in {WHO}(expert, 8)."
        )
    return [composable(experts, f"{WHO}: experts")] * whole(count, f"{WHO}: count")


def expand_weights(weights: Tensor, answers: Tensor) -> Tensor:
    """Return the weights with trailing axes of length 1, to multiply the answers."""
    return weights.reshape(*weights.shape, *[1] * (answers.dim() - 2))
