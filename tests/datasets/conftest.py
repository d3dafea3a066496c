"""Files to read: made for each test, and damaged on purpose."""

import gzip
import struct
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

WriteTable = Callable[..., Path]
WritePictures = Callable[..., Path]
WriteIdx = Callable[..., None]


@pytest.fixture
def write_table(tmp_path: Path) -> WriteTable:
    """Return a function that writes a text and gives its path."""

    def write(text: str | bytes, name: str = "table.csv") -> Path:
        path = tmp_path / name
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return path

    return write


@pytest.fixture
def write_pictures(tmp_path: Path) -> WritePictures:
    """Return a function that writes random pictures, `count` in each of the folders named."""

    def write(*folders: str, count: int = 10, size=(6, 5), mode="L", suffix=".png") -> Path:
        random = np.random.default_rng(0)
        shape = size if mode == "L" else (*size, len(mode))
        for folder in folders:
            (tmp_path / folder).mkdir(parents=True, exist_ok=True)
            for number in range(count):
                pixels = random.integers(0, 256, shape, dtype=np.uint8)
                Image.fromarray(pixels, mode).save(tmp_path / folder / f"{number}{suffix}")
        return tmp_path

    return write


def idx_bytes(array: np.ndarray) -> bytes:
    """Return an array in the idx format."""
    header = struct.pack(">HBB", 0, 8, array.ndim) + struct.pack(
        f">{array.ndim}I", *array.shape
    )
    return header + array.astype(np.uint8).tobytes()


@pytest.fixture
def write_idx(tmp_path: Path) -> WriteIdx:
    """Return a function that writes pictures and labels as MNIST's files."""

    def write(
        count: int, part: str = "train", *, packed: bool = True, classes: int = 3
    ) -> None:
        pictures = np.arange(count * 20).reshape(count, 4, 5) % 251
        labels = np.arange(count) % classes
        for what, array in (("images-idx3", pictures), ("labels-idx1", labels)):
            content = idx_bytes(array)
            name = f"{part}-{what}-ubyte{'.gz' if packed else ''}"
            (tmp_path / name).write_bytes(gzip.compress(content) if packed else content)

    return write
