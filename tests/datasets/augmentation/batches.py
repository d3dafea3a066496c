"""What the tests of augmentations draw from and change."""

import torch
from torch import Tensor


def seeded(seed: int = 0) -> torch.Generator:
    """Return a generator of random numbers."""
    return torch.Generator().manual_seed(seed)


def batch(count: int = 8, dtype: torch.dtype = torch.uint8) -> tuple[Tensor, Tensor]:
    """Return pictures without zeros, and their classes."""
    pictures = torch.randint(1, 256, (count, 2, 7, 6), generator=seeded(1)).to(dtype)
    return pictures, torch.arange(count) % 3
