"""Files that are replaced whole or not at all."""

from __future__ import annotations

import contextlib
import os
import re
import secrets
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

if TYPE_CHECKING:
    from collections.abc import Iterator

# A file that is being written, beside the one that it is going to replace.
TEMPORARY = re.compile(r"\.(?P<name>.+)\.\d+(-[0-9a-f]{8})?\.tmp")


@contextmanager
def replacing(path: Path) -> Iterator[BinaryIO]:
    """Open a new file beside `path`; when the block ends well, it takes the place of `path`.

    Whatever happens in between, a crash or a power cut included, `path` holds the old content
    or the new one, never a part. What a killed writer of `path` left behind is deleted.

    Args:
        path: The file to write; its folder exists.
    """
    with replacing_all(path) as (file,):
        yield file


@contextmanager
def replacing_all(*paths: Path) -> Iterator[list[BinaryIO]]:
    """Open new files beside several in one folder; none is replaced before all are on disk.

    Args:
        *paths: The files to write, in the order in which they are replaced.
    """
    folder = paths[0].parent
    clear_remains(folder, re.compile("|".join(re.escape(path.name) for path in paths)))
    with ExitStack() as stack:
        temporary = [temporary_beside(path) for path in paths]
        for name in temporary:
            stack.callback(name.unlink, missing_ok=True)
        files = [stack.enter_context(open_locked(name)) for name in temporary]
        yield files
        for file in files:
            file.flush()
            os.fsync(file.fileno())
        for name, path in zip(temporary, paths, strict=True):
            if os.name == "nt":  # which renames no open file
                files[temporary.index(name)].close()
            name.replace(path)
        sync_folder(folder)


def make_folder(path: Path) -> None:
    """Make a folder and those above it, durably."""
    made = [folder for folder in (path, *path.parents) if not folder.exists()]
    path.mkdir(parents=True, exist_ok=True)
    for folder in made:
        sync_folder(folder.parent)


def clear_remains(folder: Path, names: re.Pattern[str]) -> None:
    """Delete the temporary files that killed writers left, not those of living ones.

    Args:
        folder: Where to look; it need not exist.
        names: Matches the names of the files that were being written.
    """
    with contextlib.suppress(OSError), os.scandir(folder) as entries:
        for entry in list(entries):
            found = TEMPORARY.fullmatch(entry.name)
            if found is not None and names.fullmatch(found["name"]):
                delete_abandoned(Path(entry.path))


def temporary_beside(path: Path) -> Path:
    """Return a name for a new file beside `path` that no other writer has."""
    return path.with_name(f".{path.name}.{os.getpid()}-{secrets.token_hex(4)}.tmp")


@contextmanager
def open_locked(path: Path) -> Iterator[BinaryIO]:
    """Open a new file that carries a lock as long as its writer lives."""
    while True:
        with path.open("xb") as file:
            lock(file.fileno(), wait=True)
            # Somebody who cleared up may have been faster than the lock.
            if path.exists():
                yield file
                return


def delete_abandoned(path: Path) -> None:
    """Delete a temporary file that nobody writes any more."""
    if os.name == "nt":  # which deletes no file that is open, and has no such locks
        path.unlink(missing_ok=True)
        return
    with path.open("rb") as file:
        if lock(file.fileno()):
            path.unlink(missing_ok=True)


def lock(handle: int, *, wait: bool = False) -> bool:
    """Take a lock that ends with this process.

    Args:
        handle: An open file or folder.
        wait: Whether to wait until it is free.

    Returns:
        Whether it was free; True as well where the system has no locks.
    """
    try:
        import fcntl
    except ImportError:  # Windows
        return True
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
    except BlockingIOError:
        return False
    except OSError:  # a file system without locks
        return True
    return True


def sync_folder(folder: Path) -> None:
    """Make a renaming durable, where the system can: Windows opens no folders."""
    if os.name == "nt":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
