"""Tensors as they enter: in memory of their own that starts where torch's own does."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from safetensors import SafetensorError, safe_open

from neuropil.core.reading import require_file

if TYPE_CHECKING:
    from pathlib import Path

    from torch import Tensor

# Where torch's own memory starts: at a multiple of so many bytes.
ALIGNMENT = 64


def read_tensors(path: Path) -> dict[str, Tensor]:
    """Return the tensors of a safetensors file by name, each in memory of its own.

    Read as they are, they begin wherever the file has them, and the processor rounds sums
    differently there: two trainings from the same weights would end with different bits.

    Args:
        path: The file.

    Raises:
        ValueError: When it is damaged or of another format.
    """
    require_file(path)
    try:
        with safe_open(path, framework="pt") as file:
            return {name: file.get_tensor(name).clone() for name in file.keys()}  # noqa: SIM118 - no mapping
    except (SafetensorError, OSError) as error:
        raise ValueError(f"{path} is damaged or not a safetensors file: {error}.") from None


def aligned(tensor: Tensor) -> Tensor:
    """Return a tensor whose memory starts where torch's own does: itself, or else a copy.

    Args:
        tensor: Any tensor. Those of accelerators and without numbers are left alone.
    """
    if tensor.device.type != "cpu" or tensor.layout != torch.strided:
        return tensor
    return tensor.clone() if tensor.data_ptr() % ALIGNMENT else tensor
