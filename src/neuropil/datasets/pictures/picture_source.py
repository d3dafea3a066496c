"""Source of pictures that are decoded when they are asked for."""

from __future__ import annotations

import contextlib
import hashlib
import json
import math
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any, final

import numpy as np
import torch
from torch import Tensor
from typing_extensions import override

from neuropil.core.free_memory import require_memory
from neuropil.datasets.data_errors import DataError
from neuropil.datasets.dataset import describe
from neuropil.datasets.pictures.picture_batch import Batch as Decoded
from neuropil.datasets.pictures.picture_file import read_picture
from neuropil.datasets.pictures.picture_files import PictureFiles, evenly_spaced
from neuropil.datasets.pictures.picture_header import careful_pillow
from neuropil.datasets.pictures.picture_sizes import batch_size
from neuropil.datasets.pictures.substitutes import BrokenPictureWarning, nearest_targets
from neuropil.datasets.pictures.target_moves import move_along
from neuropil.datasets.source import Batch

if TYPE_CHECKING:
    from collections.abc import Sequence

    from neuropil.core.shape import Shape
    from neuropil.datasets.pictures.packed_names import PackedNames
    from neuropil.datasets.pictures.picture_preparation import PicturePreparation

SAMPLE = 64
"""Number of files whose bytes are part of a fingerprint."""


@final
class PictureSource:
    """Pictures that are decoded when they are asked for, so that they need not fit in memory.

    Every picture is what a `Dataset` of the same files holds, bit for bit. A decoded picture is
    written to the cache on disk, if there is one, and read from there the next time.

    A file that cannot be decoded, although its header could be read, is replaced by the picture
    with the nearest target (the same class), which brings its own target, and a warning names
    both: one broken file does not end a training. A file that has disappeared is an error.

    Shape:
        A batch is ``(N, C, H, W)``, its mask ``(N, H, W)``.

    Args:
        files: The files.
        preparation: Preparation of the pictures. If they keep their own size, those of a batch
            are padded at the right and the bottom, and the batch has a mask.
        targets: One target for each picture, or None.
        rows: Numbers of the files that are used; None for all.
    """

    def __init__(
        self,
        files: PictureFiles,
        preparation: PicturePreparation,
        targets: Tensor | None = None,
        rows: Tensor | None = None,
    ) -> None:
        self.files = files
        self.preparation = preparation
        self.targets = targets
        self.rows = torch.arange(len(files.names)) if rows is None else rows

    @property
    def names(self) -> PackedNames:
        """Names of the files."""
        return self.files.names.take(self.rows.numpy())

    @property
    def input_shape(self) -> Shape:
        """Channels, height and width; None for sizes that vary."""
        return self.preparation.shape

    @property
    def fingerprint(self) -> str:
        """Hash of names, sizes, targets and preparation, and of the bytes of some files."""
        digest = hashlib.blake2b(digest_size=16)
        digest.update(json.dumps(self.preparation.to_json(), sort_keys=True).encode())
        rows = self.rows.numpy()
        for part in (rows, self.files.sizes[rows], self.files.stamps[rows, 0]):
            digest.update(np.ascontiguousarray(part, np.int64).data)
        for part in (self.files.names.text, self.files.names.ends):
            digest.update(part.data)
        if self.targets is not None:
            digest.update(self.targets.contiguous().numpy().data)
        for place in evenly_spaced(len(self), SAMPLE):
            digest.update(self.path(place).read_bytes())
        return digest.hexdigest()

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, key: slice | Tensor | Sequence[int]) -> PictureSource:
        index = key if isinstance(key, slice | Tensor) else torch.as_tensor(np.asarray(key))
        targets = None if self.targets is None else self.targets[index]
        return PictureSource(self.files, self.preparation, targets, self.rows[index])

    def path(self, index: int) -> Path:
        """Return the path of a picture.

        Args:
            index: The place of the picture.
        """
        return self.files.root / self.files.names[int(self.rows[index])]

    def size_of(self, index: int) -> tuple[int, int]:
        """Return height and width of a decoded picture, without decoding it.

        Args:
            index: The place of the picture.
        """
        height, width = self.files.sizes[int(self.rows[index])].tolist()
        return height, width

    def fetch(self, indices: Sequence[int]) -> Batch:
        """Return pictures as a batch, from the cache or decoded.

        Args:
            indices: Their places; the batch has their order.

        Raises:
            DataError: If their sizes differ and they are not to be padded, a file has
                disappeared, or a picture and those in its place cannot be decoded.
        """
        places = [range(len(self))[int(index)] for index in indices]
        rows = self.rows[torch.tensor(places, dtype=torch.int64)].tolist()
        sizes = self.files.sizes[rows]
        pads, channels = self.preparation.pads, self.preparation.shape[0]
        shape = (len(places), channels, *batch_size(sizes, pads=pads))
        kind = torch.uint8 if self.preparation.dtype == "uint8" else torch.float32
        require_memory(math.prod(shape) * kind.itemsize, "a batch of pictures")
        inputs = (torch.zeros if pads else torch.empty)(shape, dtype=kind)
        mask = torch.zeros(shape[0], *shape[2:], dtype=torch.uint8) if pads else None
        parts = zip(inputs.numpy(), sizes.tolist(), strict=True)
        with careful_pillow():
            shown = self.read([into[:, :h, :w] for into, (h, w) in parts], places, rows)
        if mask is not None:
            for into, (height, width) in zip(mask.numpy(), sizes.tolist(), strict=True):
                into[:height, :width] = 1
        targets = None if self.targets is None else self.targets[shown]
        if targets is not None and shown != places:
            own = self.files.sizes[self.rows[shown].numpy()]
            targets = move_along(self.preparation.target, targets, own, sizes, [])
        if targets is not None:
            targets = self.preparation.target.crop(targets, (shape[2], shape[3]))
        return Batch(inputs, targets, mask)

    def read(
        self, into: Sequence[np.ndarray[Any, Any]], places: list[int], rows: list[int]
    ) -> list[int]:
        """Read pictures from the cache, or decode them; return the place of each that is read.

        It is another place for a picture that cannot be decoded.

        Args:
            into: Receive the pictures; ``(C, H, W)``, each of its own size.
            places: The places of the pictures.
            rows: Numbers of their files.
        """
        cache = self.files.cache
        if cache is None:
            return self.decode_all(into, places, rows)
        # In a padded batch, the bytes of a picture are not one after the other.
        records = [
            array if array.flags.c_contiguous else np.empty(array.shape, array.dtype)
            for array in into
        ]
        missing = cache.read(rows, records)
        found = self.decode_all(
            [records[k] for k in missing],
            [places[k] for k in missing],
            [rows[k] for k in missing],
        )
        shown = list(places)
        for k, place in zip(missing, found, strict=True):
            shown[k] = place
        # The cache does not know which picture it shows: it must be one with the same target.
        sound = [k for k in missing if self.are_alike(shown[k], places[k])]
        cache.write([rows[k] for k in sound], [records[k] for k in sound])
        for array, record in zip(into, records, strict=True):
            if record is not array:
                array[...] = record
        return shown

    def are_alike(self, first: int, second: int) -> bool:
        """Return whether two pictures are the same, or have the same target."""
        if first == second or self.targets is None:
            return True
        return torch.equal(self.targets[first], self.targets[second])

    def decode_all(
        self, into: Sequence[np.ndarray[Any, Any]], places: list[int], rows: list[int]
    ) -> list[int]:
        """Decode pictures; arguments and result are those of `read`."""
        shown = []
        for array, place, row in zip(into, places, rows, strict=True):
            array[...], used = self.decode(place, row, array.shape[1:])
            shown.append(used)
        return shown

    def decode(
        self, place: int, row: int, size: tuple[int, int]
    ) -> tuple[np.ndarray[Any, Any], int]:
        """Return a picture as the network takes it, and its place: another one if it is broken.

        Args:
            place: The place of the picture.
            row: Number of its file.
            size: Height and width.

        Raises:
            DataError: If the file has disappeared, or it and those in its place are broken.
        """
        path = f"{self.files.root}/{self.files.names[row]}"
        try:
            return self.decode_file(path, size), place
        except DataError as error:
            if not Path(path).exists():
                message = f"{path} has disappeared since the data were opened."
                raise DataError(message) from None
            return self.substitute(place, size, f"{path} cannot be used: {error}")

    def substitute(
        self, place: int, size: tuple[int, int], failure: str
    ) -> tuple[np.ndarray[Any, Any], int]:
        """Return the picture with the nearest target and its place, and warn.

        Args:
            place: The place of the picture that cannot be decoded.
            size: Height and width.
            failure: Why it cannot be decoded.

        Raises:
            DataError: If those with the nearest targets cannot be decoded either.
        """
        for other in nearest_targets(self.targets, len(self), place):
            with contextlib.suppress(DataError):
                decoded = self.decode_file(self.path(other), size)
                message = f"{failure}; {self.path(other)} takes its place."
                warnings.warn(message, BrokenPictureWarning, stacklevel=2)
                return decoded, other
        raise DataError(f"{failure}; nor can the pictures be used that could replace it.")

    def decode_file(self, path: str | Path, size: tuple[int, int]) -> np.ndarray[Any, Any]:
        """Return a decoded file as the network takes it, ``(C, H, W)``.

        Args:
            path: The file.
            size: Height and width.
        """
        pixels, treatment = read_picture(path, self.preparation.shape[0], size)
        if treatment.deep is None and self.preparation.keeps_bytes:
            return pixels
        batch = Decoded(torch.from_numpy(pixels[None].copy()), [treatment], [0], {})
        return self.preparation.from_files(batch)[0].numpy()

    @override
    def __repr__(self) -> str:
        shape = ", ".join("any" if side is None else str(side) for side in self.input_shape)
        noun = "picture" if len(self) == 1 else "pictures"
        kind = describe(self.targets)
        return f"PictureSource({len(self):,} {noun} of shape ({shape}), {kind})"
