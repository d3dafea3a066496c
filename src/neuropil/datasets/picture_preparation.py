"""How a picture file becomes what a network of pictures takes."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Self, final

import numpy as np
import torch
from torch import Tensor
from typing_extensions import override

from neuropil.datasets.array_preparation import as_type
from neuropil.datasets.dataset import as_inputs
from neuropil.datasets.errors import DataError
from neuropil.datasets.layouts import as_batch
from neuropil.datasets.picture_file import Treatment, careful_pillow, read_picture
from neuropil.datasets.plain import number, shape_tuple, text
from neuropil.datasets.preparation import Preparation

if TYPE_CHECKING:
    from neuropil.datasets.target import Target


@final
@dataclass(frozen=True)
class PicturePreparation(Preparation):
    """How a picture file becomes what a network of pictures takes.

    A file's values v in 0..255 become ``v / 255 · (high − low) + low``, the range that the
    training pictures have.

    Shape:
        One example is ``(C, H, W)``: C is 1 for grey, 3 for colour.

    Args:
        shape: Channels, height and width.
        target: What the network gives.
        dtype: ``"uint8"`` or ``"float32"``.
        low: The value of black.
        high: The value of white.
        background: Mean brightness of the training pictures' rims, 0 for black to 1 for white;
            None if unknown.

    Raises:
        DataError: If the shape is none of a picture, or the range is empty.

    Example:
        >>> import torch
        >>> from neuropil.datasets import PicturePreparation, Target
        >>> shades = PicturePreparation((1, 1, 2), Target.of_classes("ab"), high=16)
        >>> shades.from_bytes(torch.tensor([[[[0, 255]]]], dtype=torch.uint8))
        tensor([[[[ 0, 16]]]], dtype=torch.uint8)
    """

    kind: ClassVar[str] = "pictures"

    shape: tuple[int, int, int]
    target: Target
    dtype: str = "uint8"
    low: float = 0.0
    high: float = 255.0
    background: float | None = None

    def __post_init__(self) -> None:
        if len(self.shape) != 3 or self.shape[0] not in (1, 3) or min(self.shape) < 1:
            raise DataError(
                f"pictures need the shape (1 or 3, height, width), got {tuple(self.shape)}."
            )
        if self.dtype not in ("uint8", "float32") or not self.low < self.high:
            raise DataError(
                f"pictures need uint8 or float32 values from low to high, got {self.dtype} "
                f"from {self.low} to {self.high}."
            )

    @property
    @override
    def input_shape(self) -> tuple[int, ...]:
        return self.shape

    @override
    def encode(self, raw: Any, notes: list[str] | None = None) -> Tensor:
        """Return a picture file as a batch of one, or an array of pictures as a batch.

        Args:
            raw: A path; or an array of one or more pictures with the training pictures' size
                and range of values, channels first, last or, for grey, left out.
            notes: A list that gains a line if the file had to be changed.

        Raises:
            DataError: If the file is broken or the array does not fit.
        """
        if isinstance(raw, np.ndarray | Tensor):
            return as_inputs(
                as_type(as_batch(np.asarray(raw), self.shape, "the array"), self.dtype)
            )
        path = Path(raw)
        try:
            with careful_pillow():
                pixels, treatment = read_picture(path, self.shape[0], self.shape[1:])
        except DataError as error:
            raise DataError(f"{path.name} cannot be used: {error}.") from None
        batch = torch.from_numpy(pixels[None].copy())
        if notes is not None:
            notes += self.remarks(path.name, batch, treatment)
        return self.from_bytes(batch)

    def from_bytes(self, pixels: Tensor) -> Tensor:
        """Return pictures of bytes 0..255 in the range and type of the training pictures.

        Args:
            pixels: ``(N, C, H, W)``, uint8.
        """
        if (self.dtype, self.low, self.high) == ("uint8", 0, 255):
            return pixels
        scaled = pixels.float() * ((self.high - self.low) / 255) + self.low
        return scaled if self.dtype == "float32" else scaled.round().to(torch.uint8)

    def remarks(self, name: str, pixels: Tensor, treatment: Treatment) -> list[str]:
        """Return what was done to a picture, and what a person should know of it.

        Args:
            name: Name of the file.
            pixels: The picture as a batch of one, bytes 0..255.
            treatment: What was done to it.
        """
        height, width = self.shape[1:]
        own = "{}×{}".format(*treatment.size) + (" colour" if treatment.made_grey else "")
        done = ["made grey"] if treatment.made_grey else []
        done += ["laid on white where transparent"] if treatment.transparent else []
        done += ["reduced to its first frame"] if treatment.animated else []
        done += [f"resized to {height}×{width}"] if treatment.size != (height, width) else []
        notes = [f"{name}: {own} picture {' and '.join(done)}."] if done else []
        rim = rim_brightness(pixels, 0, 255)
        if self.background is not None and abs(rim - self.background) > 0.5:
            light, dark = ("light", "dark") if rim > 0.5 else ("dark", "light")
            notes.append(
                f"{name}: has a {light} background, the training pictures a {dark} one; it was "
                "not inverted."
            )
        return notes

    @override
    def fields(self) -> dict[str, Any]:
        return {
            "shape": list(self.shape),
            "dtype": self.dtype,
            "low": self.low,
            "high": self.high,
            "background": self.background,
        }

    @classmethod
    @override
    def from_fields(cls, data: dict[str, Any], target: Target) -> Self:
        shape = shape_tuple(data, "shape")
        if len(shape) != 3:
            raise DataError(f"damaged preparation: pictures need three sizes, got {shape}.")
        background = None if data.get("background") is None else number(data, "background")
        low, high = number(data, "low"), number(data, "high")
        return cls(shape, target, text(data, "dtype"), low, high, background)


def rim_brightness(pixels: Tensor, low: float, high: float) -> float:
    """Return the mean brightness of the outermost pixels, 0 for `low` to 1 for `high`."""
    sides = (pixels[..., 0, :], pixels[..., -1, :], pixels[..., :, 0], pixels[..., :, -1])
    mean = torch.stack([side.float().mean() for side in sides]).mean().item()
    return (mean - low) / (high - low)
