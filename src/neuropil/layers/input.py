"""The input of a network: its shape, type and normalisation."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

import torch
from torch import Tensor
from typing_extensions import override

from neuropil.checks import one_of, whole
from neuropil.core import Layer, Shape, ShapeError, format_shape
from neuropil.core.moments import column_axes, single_precision_holds, standardization
from neuropil.core.prediction import fits

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

INTEGERS = {"int64": torch.int64, "int32": torch.int32, "uint8": torch.uint8}


class Input(Layer):
    """Declare the shape of one sample, and normalise raw data.

    y = (x − mean) / scale, with a mean and scale for each channel, or each column of a table; y
    = x until they are set, which `Trainer.fit` does from the training set. Floats and images of
    integers are cast to the network's type; inputs declared as integers pass unchanged. If
    single precision cannot resolve the values, because they are too far from zero or vary too
    little (timestamps, 10⁹ + x), mean and scale are kept in double precision and applied before
    the cast.

    Shape:
        ``(…)`` to the same. ``None`` is an axis whose length is free.

    Args:
        *shape: Lengths of the axes without the batch, channels first: ``(D)``, ``(T, D)``,
            ``(C, L)``, ``(C, H, W)``, ``(C, D, H, W)``.
        dtype: ``"float"``, or an integer type such as ``"int64"`` for an `Embedding`.
        name: Name in the network, in place of ``input1``.

    Raises:
        ValueError: When a length is not a whole number from 1 up, or the type is unknown.

    Example:
        >>> from neuropil.layers import GlobalPooling
        >>> (Input(3, None, None) >> GlobalPooling("avg")).output_shape
        (3,)
        >>> table = Input(2)
        >>> table.set_normalization(mean=[1.0, 2.0], scale=[1.0, 10.0])
        >>> table(torch.tensor([[1.0, 12.0]]))
        tensor([[0., 1.]])
    """

    inputs_taken = (0, 0)

    def __init__(
        self, *shape: int | None, dtype: str = "float", name: str | None = None
    ) -> None:
        super().__init__(name=name)
        if not shape:
            raise ValueError("Input() needs a shape, such as Input(1, 28, 28).")
        if len(shape) == 1 and isinstance(shape[0], tuple | list):
            lengths = ", ".join(map(repr, shape[0]))
            kind = type(shape[0]).__name__
            raise ValueError(f"Input: shape is lengths, not a {kind}: write Input({lengths}).")
        one_of(dtype, "Input: dtype", ("float", *INTEGERS))
        self.shape = tuple(
            None if length is None else whole(length, "Input: a length of shape")
            for length in shape
        )
        self.dtype_taken = "int" if dtype != "float" else "float"
        self.float_dtype = torch.get_default_dtype()
        self.set_built()
        # Whether mean and scale stay in double precision, regardless of the type of the
        # network.
        self.exact = False
        self.register_buffer("mean", None)
        self.register_buffer("scale", None)

    @override
    def output_shape(self, *input_shapes: Shape) -> Shape:
        return self.shape

    @override
    def forward(self, x: Tensor) -> Tensor:
        if x.shape[1:] != self.shape:
            self.check(x)
        if self.dtype_taken == "int":
            return x
        # Straight from the dict: torch's attribute look-up is a Python call.
        mean, scale = self._buffers["mean"], self._buffers["scale"]
        if mean is not None and scale is not None and mean.dtype is not self.float_dtype:
            return ((x.to(mean.dtype) - mean) / scale).to(self.float_dtype)
        if x.dtype is not self.float_dtype:
            x = x.to(self.float_dtype)
        return x if mean is None or scale is None else (x - mean) / scale

    def check(self, x: Tensor) -> None:
        """Raise an error for a batch of another shape.

        Raises:
            ShapeError: When a fixed axis has another length.
        """
        if not fits(tuple(x.shape[1:]), self.shape):
            raise ShapeError(
                f"{self!r} takes batches of shape (N, {format_shape(self.shape)[1:-1]}), got "
                f"{format_shape(tuple(x.shape))}."
            )

    def normalize(self, examples: Tensor, weights: Tensor | None = None) -> None:
        """Set mean and scale from examples, unless they are set or the input is integer.

        Args:
            examples: Raw inputs, batch axis first. The mean and scale are per column at rank 1,
                and per channel at higher ranks. Constant columns are only shifted.
            weights: The weight of each example; None is 1 for all.
        """
        if self.dtype_taken == "int" or self._buffers["mean"] is not None:
            return
        mean, scale = standardization(examples, column_axes(examples.ndim), weights)
        self.set_normalization(mean, scale)

    def set_normalization(self, mean: Tensor | float, scale: Tensor | float) -> None:
        """Set the mean to subtract and the scale to divide by.

        Args:
            mean: A number, or one per channel (per column at rank 1).
            scale: The same; never zero.

        Raises:
            ValueError: When a value is not finite, or a scale is zero.
        """
        device = next((b.device for b in (self._buffers["mean"],) if b is not None), None)
        values = [torch.as_tensor(value, dtype=torch.float64) for value in (mean, scale)]
        for what, value in zip(("mean", "scale"), values, strict=True):
            if not torch.isfinite(value).all() or (what == "scale" and (value == 0).any()):
                raise ValueError(f"{self!r}: {what} must be finite and scale not zero.")
        self.exact = not single_precision_holds(values[0], values[1].abs())
        shaped = []
        for value in values:
            tensor = value.squeeze() if self.exact else value.to(self.float_dtype).squeeze()
            if tensor.ndim:
                tensor = tensor.reshape(-1, *[1] * (len(self.shape) - 1))
            shaped.append(tensor.to(device) if device else tensor)
        self.mean, self.scale = shaped

    @override
    def _apply(self, fn: Callable[[Tensor], Tensor], recurse: bool = True) -> Self:
        # `.double()` and similar calls end here, and the input has no parameter that shows the
        # type.
        self.float_dtype = fn(torch.empty(0, dtype=self.float_dtype)).dtype
        kept = {name: self._buffers[name] for name in ("mean", "scale")}
        super()._apply(fn, recurse)
        for name, value in kept.items():
            moved = self._buffers[name]
            if self.exact and value is not None and moved is not None:
                holds = moved.device.type != "mps"  # MPS has no double precision
                self._buffers[name] = value.to(moved.device) if holds else moved
        return self

    @override
    def _load_from_state_dict(  # pyright: ignore[reportIncompatibleMethodOverride]  # torch's own
        self, state_dict: Mapping[str, Any], prefix: str, *rest: Any
    ) -> None:
        mean, scale = (state_dict.get(prefix + name) for name in ("mean", "scale"))
        if mean is not None and scale is not None:
            self._buffers["mean"] = torch.empty_like(mean)
            self._buffers["scale"] = torch.empty_like(scale)
            wide = mean.dtype == torch.float64 and not mean.is_meta
            self.exact = wide and not single_precision_holds(mean, scale.abs())
            if not self.exact:
                self.float_dtype = mean.dtype
        super()._load_from_state_dict(state_dict, prefix, *rest)
