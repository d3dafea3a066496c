"""Preparation of pictures."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, final

import numpy as np
import torch
from torch import Tensor
from typing_extensions import override

from neuropil.datasets.arrays.array_preparation import as_type
from neuropil.datasets.arrays.axis_order import as_batch
from neuropil.datasets.data_errors import DataError
from neuropil.datasets.dataset import as_inputs
from neuropil.datasets.pictures.picture_batch import Batch, depth_notes
from neuropil.datasets.pictures.picture_file import read_picture
from neuropil.datasets.pictures.picture_header import careful_pillow, read_header
from neuropil.datasets.pictures.picture_sizes import nearest_buckets, picture_shape, size_list
from neuropil.datasets.plain_fields import number, optional, text
from neuropil.datasets.prediction_inputs import PredictionInputs
from neuropil.datasets.preparation import Preparation, read_target

if TYPE_CHECKING:
    from neuropil.core.shape import Shape
    from neuropil.datasets.target import Target


@final
@dataclass(frozen=True)
class PicturePreparation(Preparation):
    """Preparation of pictures: new pictures get the size and range of the training pictures.

    The values v in 0..255 of a file become ``v / 255 · (high − low) + low``, the range of the
    training pictures. In files of more than 8 bits, `white` takes the place of 255.

    Shape:
        One example is ``(C, H, W)``: C is 1 for grey, 3 for colour.

    Args:
        shape: Channels, height and width; None for a height and width that vary.
        target: The target that the network predicts.
        dtype: ``"uint8"`` or ``"float32"``.
        low: The value of black.
        high: The value of white.
        background: Mean brightness at the borders of the training pictures, from 0 for black to
            1 for white; None if unknown.
        white: The value of white in files of more than 8 bits; None if the training pictures
            had 8 bits, in which case it is found for each file.
        buckets: If the sizes vary, those to which pictures are resized: each to the one that
            changes its sides least. Without buckets they keep their own size.

    Raises:
        DataError: If the shape is not that of a picture, or the range is empty.

    Example:
        >>> import torch
        >>> from neuropil.datasets import Classes, PicturePreparation, Target
        >>> shades = PicturePreparation((1, 1, 2), Classes("ab"), high=16)
        >>> shades.from_bytes(torch.tensor([[[[0, 255]]]], dtype=torch.uint8))
        tensor([[[[ 0, 16]]]], dtype=torch.uint8)
    """

    kind: ClassVar[str] = "pictures"
    readers: ClassVar = {
        "target": read_target,
        "shape": picture_shape,
        "dtype": text,
        **dict.fromkeys(("low", "high"), number),
        **dict.fromkeys(("background", "white"), optional(number)),
        "buckets": lambda data, name: size_list({name: []} | data, name),
    }

    shape: tuple[int, int | None, int | None]
    target: Target
    dtype: str = "uint8"
    low: float = 0.0
    high: float = 255.0
    background: float | None = None
    white: float | None = None
    buckets: tuple[tuple[int, int], ...] = ()

    def __post_init__(self) -> None:
        sides = () if self.varies else self.shape[1:]
        whole = all(side is not None and side >= 1 for side in sides)
        if len(self.shape) != 3 or self.shape[0] not in (1, 3) or not whole:
            raise DataError(
                f"pictures need the shape (1 or 3, height, width), got {tuple(self.shape)}."
            )
        if self.dtype not in ("uint8", "float32") or not self.low < self.high:
            raise DataError(
                f"pictures need uint8 or float32 values from low to high, got {self.dtype} "
                f"from {self.low} to {self.high}."
            )
        if self.white is not None and not self.white > 0:
            raise DataError(f"white must be above 0, got {self.white}.")

    @property
    @override
    def input_shape(self) -> Shape:
        return self.shape

    @property
    def varies(self) -> bool:
        """Whether the size of the pictures varies."""
        return self.shape[1:] == (None, None)

    @property
    @override
    def pads(self) -> bool:
        return self.varies and not self.buckets

    @property
    def keeps_bytes(self) -> bool:
        """Whether pictures of 8 bits are used as they are."""
        return (self.dtype, self.low, self.high) == ("uint8", 0, 255)

    def sizes_for(self, sizes: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
        """Return the heights and widths to which pictures are resized, ``(N, 2)``.

        Args:
            sizes: Their own heights and widths, ``(N, 2)``.
        """
        if self.buckets:
            return nearest_buckets(sizes, self.buckets)
        if self.varies:
            return np.asarray(sizes)
        return np.broadcast_to(np.array(self.shape[1:], np.int64), (len(sizes), 2))

    @override
    def encode(self, raw: Any, notes: list[str] | None = None) -> Tensor:
        """Return a picture file as a batch of one, or an array of pictures as a batch.

        Args:
            raw: A path; or an array of one or more pictures with the size and range of the
                training pictures, with channels first, last or, for grey, left out.
            notes: A list that gains a line if the file had to be changed.

        Raises:
            DataError: If the file is broken or the array does not fit.
        """
        if isinstance(raw, np.ndarray | Tensor):
            shape = (self.shape[0], *raw.shape[-2:]) if self.varies else self.shape
            return as_inputs(as_type(as_batch(np.asarray(raw), shape, "the array"), self.dtype))
        return self.read_file(Path(raw), [] if notes is None else notes)[0]

    def read_file(self, path: Path, notes: list[str]) -> tuple[Tensor, tuple[int, int]]:
        """Return a picture file as a batch of one, and its own height and width.

        Args:
            path: The file.
            notes: Gains a line if the picture had to be changed.

        Raises:
            DataError: If the file is broken.
        """
        try:
            with careful_pillow():
                own = read_header(path).size if self.varies else (1, 1)
                height, width = self.sizes_for(np.array([own]))[0].tolist()
                pixels, treatment = read_picture(path, self.shape[0], (height, width))
        except DataError as error:
            raise DataError(f"{path.name} cannot be used: {error}.") from None
        batch = Batch(torch.from_numpy(pixels[None].copy()), [treatment], [0], {})
        encoded = self.from_files(batch)
        notes += self.remarks(path.name, encoded, batch)
        return encoded, treatment.size

    def from_files(self, batch: Batch) -> Tensor:
        """Return decoded files in the range and type of the training pictures.

        Args:
            batch: The files.
        """
        white = self.white or batch.white
        if white is None or not batch.pixels.is_floating_point():
            return self.from_bytes(batch.pixels)
        span = self.high - self.low
        factors = torch.where(batch.deep, span / white, span / 255).reshape(-1, 1, 1, 1)
        return self.as_own_type(batch.pixels * factors.float() + self.low)

    def from_bytes(self, pixels: Tensor) -> Tensor:
        """Return pictures of bytes 0..255 in the range and type of the training pictures.

        Args:
            pixels: ``(N, C, H, W)``, uint8.
        """
        if self.keeps_bytes:
            return pixels
        return self.as_own_type(pixels.float() * ((self.high - self.low) / 255) + self.low)

    def as_own_type(self, values: Tensor) -> Tensor:
        """Return values in the type of the training pictures."""
        if self.dtype == "float32":
            return values
        return values.round().clamp(0, 255).to(torch.uint8)

    def remarks(self, name: str, encoded: Tensor, batch: Batch) -> list[str]:
        """Return notes about changes to a picture and about its background.

        Args:
            name: Name of the file.
            encoded: The picture as a batch of one, in the range of the training pictures.
            batch: The same as it was decoded.
        """
        (treatment,) = batch.treatments
        height, width = encoded.shape[2:]
        done = ["converted to grey"] if treatment.made_grey else []
        done += ["put on a white background"] if treatment.transparent else []
        done += ["reduced to its first frame"] if treatment.animated else []
        if treatment.size != (height, width):
            done.append(
                f"resized to {height}×{width} (it is {'{}×{}'.format(*treatment.size)})"
            )
        notes = [f"{name}: {' and '.join(done)}."] if done else []
        if treatment.deep and (self.white is None or treatment.deep[1] > self.white):
            white = self.white or batch.white
            notes += [f"{name}: {line}" for line in depth_notes([treatment.deep], white)]
        rim = rim_brightness(encoded, self.low, self.high)
        if self.background is not None and abs(rim - self.background) > 0.5:
            light, dark = ("light", "dark") if rim > 0.5 else ("dark", "light")
            notes.append(
                f"{name}: has a {light} background, but the training pictures have a {dark} "
                "one; it was not inverted."
            )
        return notes


def read_new(preparation: PicturePreparation, file: Path, notes: list[str]) -> PredictionInputs:
    """Return a picture as a batch of one.

    Args:
        preparation: Preparation of the training pictures.
        file: The picture.
        notes: Gains a line if the picture was changed.
    """
    picture, size = preparation.read_file(file, notes)
    return PredictionInputs(picture, [file.name], sizes=[size])


def rim_brightness(pixels: Tensor, low: float, high: float) -> float:
    """Return the mean brightness of the border pixels, from 0 for `low` to 1 for `high`."""
    sides = (pixels[..., 0, :], pixels[..., -1, :], pixels[..., :, 0], pixels[..., :, -1])
    mean = torch.stack([side.float().mean() for side in sides]).mean().item()
    return (mean - low) / (high - low)
