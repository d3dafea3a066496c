"""Reading of tensors from files, each into its own memory."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch
from safetensors import safe_open

from neuropil.core.reading import reading, require_file

if TYPE_CHECKING:
    from pathlib import Path

    from torch import Tensor


def read_tensors(path: Path) -> dict[str, Tensor]:
    """Return the tensors of a safetensors file by name, each in its own memory.

    Without a copy, tensors are aligned as in the file, which changes the rounding of sums on
    the processor: two trainings from the same weights would differ in their last bits.

    Args:
        path: The file.

    Raises:
        ValueError: When it is damaged or of another format.
    """
    require_file(path)
    with reading(path), safe_open(path, framework="pt") as file:
        return {name: file.get_tensor(name).clone() for name in file.keys()}  # noqa: SIM118 - no mapping


def read_arrays(path: Path) -> dict[str, Tensor]:
    """Return the arrays of an ``.npz`` file by name as tensors; nothing is unpickled.

    Args:
        path: The file.

    Raises:
        ValueError: When it is damaged, of another format, or has arrays of other objects.
    """
    require_file(path)
    with reading(path), np.load(path, allow_pickle=False) as arrays:
        return {name: torch.from_numpy(arrays[name]) for name in arrays.files}
