"""Batch normalisation."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

import torch
import torch.nn.functional as F
from torch import Generator, Tensor
from typing_extensions import override

from neuropil.checks import number
from neuropil.layers.normalization.sample_norm import ONES, Normalization

if TYPE_CHECKING:
    from neuropil.core import Shape
    from neuropil.layers.layer_options import Bias, Weight


class BatchNorm(Normalization):
    """Normalise each channel over the batch and all positions.

    y = γ (x − μ) / √(σ² + ε) + β. In training, μ and σ² are the mean and (biased) variance of
    the batch, and running statistics are updated: r ← (1 − momentum)·r + momentum·new, with the
    unbiased variance as in torch. At test time the running statistics are used, and also in
    training once γ and β are frozen: immediately after `Network.freeze`, otherwise
    (``requires_grad`` is False) from the next call of ``train()`` on.

    Shape:
        ``(C)``, ``(C, L)``, ``(C, H, W)`` or ``(C, D, H, W)`` to the same; channels are axis 0
        at every rank: the columns of a table, the channels of an image. For the features of a
        sequence ``(T, D)`` put ``Transpose(1, 0)`` before and after it. Free positions stay
        free.

    Args:
        eps: ε, which keeps the square root away from zero.
        momentum: Weight of each new batch in the running statistics, from 0 to 1; None for the
            average of all batches.
        affine: Whether to learn γ (``weight``) and β (``bias``).
        weight: Initial values of γ: an initialiser, a number or an array; 0 at the end of a
            residual branch makes the block start as the identity.
        bias: Whether to learn β, starting at zero; or its initial values.
        name: Name in the network, in place of ``batchnorm1``.

    Raises:
        ValueError: When an option is out of its range, or a training batch has a single value
            per channel.
        ShapeError: When the number of channels is free.

    Reference:
        Ioffe and Szegedy, "Batch normalization", 2015, algorithms 1 and 2;
        ``torch.nn.BatchNorm2d``, whose keys and defaults these are.

    Example:
        >>> from neuropil.layers import Input
        >>> network = Input(1) >> BatchNorm()
        >>> network(torch.tensor([[1.0], [3.0]])).detach()  # μ = 2, σ² = 1
        tensor([[-1.0000],
                [ 1.0000]])
        >>> network.state_dict()["batchnorm1.running_mean"]  # 0.9·0 + 0.1·2
        tensor([0.2000])
    """

    channels_first = True

    running_mean: Tensor
    running_var: Tensor
    num_batches_tracked: Tensor

    def __init__(
        self,
        *,
        eps: float = 1e-5,
        momentum: float | None = 0.1,
        affine: bool = True,
        weight: Weight = ONES,
        bias: Bias = True,
        name: str | None = None,
    ) -> None:
        super().__init__(eps=eps, affine=affine, weight=weight, bias=bias, name=name)
        if momentum is not None:
            momentum = number(momentum, "BatchNorm: momentum", "[0, 1]")
        self.momentum = momentum

    @override
    def build(self, *input_shapes: Shape) -> None:
        if self.built_for is None:
            channels = self.channels(input_shapes[0])
            # Set directly: the checks of `register_buffer` would cost more than the rest.
            self._buffers["running_mean"] = torch.empty(channels)
            self._buffers["running_var"] = torch.empty(channels)
            self._buffers["num_batches_tracked"] = torch.empty((), dtype=torch.int64)
        super().build(*input_shapes)

    @override
    def needs_parameters(self, *input_shapes: Shape) -> bool:
        return True  # at least its running statistics

    @override
    def check_built(self, *input_shapes: Shape) -> None:
        super().check_built(*input_shapes)
        shape, have = input_shapes[0], len(self.running_mean)
        if have != shape[0]:  # not checked above without γ and β
            fix = "copy it first, with copy.deepcopy or by writing it out again"
            raise self.refuse(f"the {have} channels it was built for", shape, fix)

    @override
    def reset_parameters(self, generator: Generator | None = None) -> None:
        super().reset_parameters(generator)
        if self._buffers and not self.running_mean.is_meta:
            self.running_mean.zero_()
            self.running_var.fill_(1)
            self.num_batches_tracked.zero_()

    @override
    def makes_new(self, inputs: int) -> bool:
        return True

    @override
    def train(self, mode: bool = True) -> Self:
        # Frozen parameters were learned for the running statistics, not for those of a new
        # batch.
        frozen = self.weight is not None and not self.weight.requires_grad
        return super().train(mode and not frozen)

    @override
    def forward(self, x: Tensor) -> Tensor:
        # Straight from the dict: torch's attribute look-up is a Python call.
        buffers = self._buffers
        momentum = self.momentum
        if self.training:
            if x.numel() == x.shape[1]:
                raise self.single_value(x)
            batches = buffers["num_batches_tracked"].add_(1)  # pyright: ignore[reportOptionalMemberAccess]  # built
            if momentum is None:
                momentum = 1 / float(batches)
        return F.batch_norm(
            x,
            buffers["running_mean"],
            buffers["running_var"],
            self.weight,
            self.bias,
            self.training,
            momentum or 0.0,
            self.eps,
        )

    def single_value(self, x: Tensor) -> ValueError:
        """Return the error for a batch that has no variance."""
        return ValueError(
            f"{self!r} needs more than one value per channel in training, got a batch of shape "
            f"{tuple(x.shape)}: use larger batches, or .eval() for test mode."
        )
