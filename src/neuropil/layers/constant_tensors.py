"""Layers with constant tensors that follow from their options."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from typing_extensions import override

from neuropil.core import Layer, Shape

if TYPE_CHECKING:
    from torch import Generator, Tensor


class WithConstants(Layer):
    """Base class of layers with constant buffers, which move with them but are never saved.

    A subclass defines `constants`. They are computed again whenever their memory may be
    uninitialised: when weights are loaded or reset.

    Args:
        name: Name in the network.
    """

    def constants(self, *input_shapes: Shape) -> dict[str, Tensor]:
        """Return the tensors by name, on the CPU."""
        raise NotImplementedError

    @override
    def build(self, *input_shapes: Shape) -> None:
        super().build(*input_shapes)
        device, dtype = torch.get_default_device(), torch.get_default_dtype()
        for name, value in self.constants(*input_shapes).items():
            if name not in self._buffers:
                float_or_int = dtype if value.is_floating_point() else value.dtype
                self.register_buffer(name, value.to(device, float_or_int), persistent=False)

    def refresh(self) -> None:
        """Compute the constants again, each on its device, or on the CPU if that is meta."""
        if self.built_for is None:
            return
        for name, value in self.constants(*self.built_for).items():
            old = self._buffers.get(name)
            if old is not None:
                device = "cpu" if old.is_meta else old.device
                self._buffers[name] = value.to(device, old.dtype)

    @override
    def reset_parameters(self, generator: Generator | None = None) -> None:
        super().reset_parameters(generator)
        if not any(value is not None and value.is_meta for value in self._buffers.values()):
            self.refresh()

    @override
    def _load_from_state_dict(self, *args: Any, **kwargs: Any) -> None:
        super()._load_from_state_dict(*args, **kwargs)
        self.refresh()
