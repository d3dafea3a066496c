"""Hashes of the data of a training."""

from __future__ import annotations

import hashlib
import json
import os
import stat
from pathlib import Path
from typing import TYPE_CHECKING, Any

from neuropil.digest import feed

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from neuropil.datasets.source import Source
    from neuropil.datasets.splits import Splits

BLOCK = 2**20
# A folder with this file was written by a training and contains no data.
RUN_FILE = "run.json"


def fingerprint(splits: Splits, data: str | os.PathLike[str] | None = None) -> str:
    """Return a hash of the data of a training and of their preparation.

    It covers the bytes of all data files, including those of the test part, without decoding
    them; this takes about a second per gigabyte. Other data are hashed by the fingerprints of
    their parts.

    Args:
        splits: The data, opened.
        data: The file or folder that the data come from; None if there is none.
    """
    if data is not None:
        return fingerprint_of_files(splits.preparation.to_json(), Path(data))
    digest = digest_of_preparation(splits.preparation.to_json())
    parts = [splits.train, splits.validation, test_part(splits)]
    feed(digest, [None if part is None else part.fingerprint for part in parts])
    return f"blake2b:{digest.hexdigest()}"


def fingerprint_of_files(
    preparation: Mapping[str, Any], data: Path, name: str | None = None
) -> str:
    """Return the `fingerprint` of data that come from files, without opening them.

    Args:
        preparation: The preparation as plain data.
        data: The file or folder.
        name: The name that a file had when it was trained on; its own by default.
    """
    digest = digest_of_preparation(preparation)
    for own, path in files_of(data):
        shown = own if name is None or data.is_dir() else name
        digest.update(f"\n{shown} ".encode(errors="surrogatepass"))
        feed_file(digest, path)
    return f"blake2b:{digest.hexdigest()}"


def digest_of_preparation(preparation: Mapping[str, Any]) -> Any:
    """Return a hash that a preparation was fed to."""
    digest = hashlib.blake2b(digest_size=32)
    digest.update(json.dumps(preparation, sort_keys=True).encode())
    return digest


def test_part(splits: Splits) -> Source | None:
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
