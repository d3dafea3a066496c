"""Hashes of the state in a checkpoint and of the data of a training."""

from __future__ import annotations

import hashlib
import json
import os
import stat
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

if TYPE_CHECKING:
    from collections.abc import Iterator

    from neuropil.datasets import Dataset, Splits

BLOCK = 2**20
# A folder with this file was written by a training and contains no data.
RUN_FILE = "run.json"


def digest_of(value: Any) -> str:
    """Return a hash of plain data and tensors.

    Args:
        value: Numbers, strings, tensors, and lists and dicts of these.
    """
    digest = hashlib.blake2b(digest_size=16)
    feed(digest, value)
    return digest.hexdigest()


def feed(digest: Any, value: Any) -> None:
    """Update a hash with plain data and tensors."""
    if isinstance(value, dict):
        digest.update(f"dict {len(value)}".encode())
        for key, item in value.items():
            feed(digest, key)
            feed(digest, item)
    elif isinstance(value, list | tuple):
        digest.update(f"list {len(value)}".encode())
        for item in value:
            feed(digest, item)
    elif isinstance(value, Tensor):
        digest.update(f"{value.dtype} {tuple(value.shape)} {value.layout}".encode())
        for part in dense_parts(value.detach()):
            digest.update(part.reshape(-1).view(torch.uint8).numpy().data)
    else:
        digest.update(repr(value).encode(errors="surrogatepass"))


def dense_parts(value: Tensor) -> list[Tensor]:
    """Return the contents of a tensor as contiguous dense tensors on the CPU."""
    if value.is_sparse:
        value = value.coalesce()
        return [*dense_parts(value.indices()), *dense_parts(value.values())]
    value = value.int_repr() if value.is_quantized else value
    return [value.resolve_conj().resolve_neg().cpu().contiguous()]


def fingerprint(splits: Splits, data: str | os.PathLike[str] | None = None) -> str:
    """Return a hash of the data of a training and of their preparation.

    It covers the bytes of all data files, including those of the test part, without decoding
    them; this takes about a second per gigabyte. Data in memory are hashed directly.

    Args:
        splits: The data, opened.
        data: The file or folder that the data come from; None for data in memory.
    """
    digest = hashlib.blake2b(digest_size=32)
    digest.update(json.dumps(splits.preparation.to_json(), sort_keys=True).encode())
    if data is None:
        parts = [splits.train, splits.validation, test_part(splits)]
        feed(digest, [None if p is None else [p.inputs, p.targets] for p in parts])
    else:
        for name, path in files_of(Path(data)):
            digest.update(f"\n{name} ".encode(errors="surrogatepass"))
            feed_file(digest, path)
    return f"blake2b:{digest.hexdigest()}"


def test_part(splits: Splits) -> Dataset | None:
    """Return the test part, unless its files have not been read yet."""
    return None if splits.facts()["test"] is None else splits.test


def files_of(path: Path) -> Iterator[tuple[str, Path]]:
    """Yield the files of a path with their relative names, sorted by name.

    Hidden files and run folders are skipped; links are followed, without going in circles.
    """
    if not path.is_dir():
        yield path.name, path
        return
    found: list[tuple[str, Path]] = []
    seen: set[str] = set()
    for folder, below, files in os.walk(path, followlinks=True):
        real = os.path.realpath(folder)
        if real in seen or RUN_FILE in files:
            below.clear()
            continue
        seen.add(real)
        below[:] = sorted(name for name in below if not name.startswith("."))
        visible = (Path(folder, name) for name in files if not name.startswith("."))
        found += [(file.relative_to(path).as_posix(), file) for file in visible]
    yield from sorted(found)


def feed_file(digest: Any, path: Path) -> None:
    """Update a hash with the bytes of a file, or a marker if it cannot be read."""
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            return
        with path.open("rb") as file:
            digest.update(f"{path.stat().st_size}\n".encode())
            while block := file.read(BLOCK):
                digest.update(block)
    except OSError:
        digest.update(b"unreadable")
