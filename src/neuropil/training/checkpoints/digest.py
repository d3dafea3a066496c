"""Hashes of what a training depends on: the state in a checkpoint, the files of its data."""

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
# What a training leaves among the data is not data.
RUN_FILE = "run.json"


def digest_of(value: Any) -> str:
    """Return a hash of plain data and tensors, which any changed value changes.

    Args:
        value: Numbers, texts, tensors, and lists and dicts of them.
    """
    digest = hashlib.blake2b(digest_size=16)
    feed(digest, value)
    return digest.hexdigest()


def feed(digest: Any, value: Any) -> None:
    """Take plain data and tensors into a hash."""
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
    """Return the numbers of a tensor as contiguous ones on the CPU."""
    if value.is_sparse:
        value = value.coalesce()
        return [*dense_parts(value.indices()), *dense_parts(value.values())]
    value = value.int_repr() if value.is_quantized else value
    return [value.resolve_conj().resolve_neg().cpu().contiguous()]


def fingerprint(splits: Splits, data: str | os.PathLike[str] | None = None) -> str:
    """Return a hash of what a training depends on: its data and how they are prepared.

    It covers the bytes of every file that the data name, those of the test part among them,
    without decoding one; about a second for each gigabyte. Data in memory are hashed as they
    are.

    Args:
        splits: The data, opened.
        data: The file or folder that they come from; None for data in memory.
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
    """Yield the files that a path names, with their names below it, in the order of these.

    Hidden files and run folders are left out; a link is followed, but not round in a circle.
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
    """Take a file's bytes into a hash; of what cannot be read, its name must do."""
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            return
        with path.open("rb") as file:
            digest.update(f"{path.stat().st_size}\n".encode())
            while block := file.read(BLOCK):
                digest.update(block)
    except OSError:
        digest.update(b"unreadable")
