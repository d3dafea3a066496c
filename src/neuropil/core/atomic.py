"""Atomic replacement of files."""

from __future__ import annotations

import contextlib
import errno
import os
import re
import secrets
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

# A file that is being written, in the same folder as the one it will replace.
TEMPORARY = re.compile(r"\.(?P<name>.+)\.\d+(-[0-9a-f]{8})?\.tmp")

# Errors of a write: the disk or the user's share of it is full, or the disk is broken.
FULL = (errno.ENOSPC, errno.EDQUOT, errno.EIO)


@contextmanager
def replacing(path: Path) -> Iterator[BinaryIO]:
    """Open a temporary file, which replaces `path` when the block ends without an error.

    Even after a crash or a power cut, `path` has either the old content or the new one, never a
    part of it. Temporary files of killed writers of `path` are deleted.

    Args:
        path: The file to write; its folder exists.
    """
    with replacing_all(path) as (file,):
        yield file


@contextmanager
def replacing_all(*paths: Path) -> Iterator[list[BinaryIO]]:
    """Open temporary files for several paths in one folder, replaced once all are on disk.

    Args:
        *paths: The files to write, in the order in which they are replaced.
    """
    folder = paths[0].parent
    clear_remains(folder, re.compile("|".join(re.escape(path.name) for path in paths)))
    with ExitStack() as stack:
        temporary = [temporary_beside(path) for path in paths]
        for name in temporary:
            stack.callback(name.unlink, missing_ok=True)
        stack.enter_context(naming(paths[0], temporary))
        files = [stack.enter_context(open_locked(name)) for name in temporary]
        yield files
        for file in files:
            file.flush()
            os.fsync(file.fileno())
        for name, path in zip(temporary, paths, strict=True):
            if os.name == "nt":  # Windows cannot rename an open file
                files[temporary.index(name)].close()
            name.replace(path)
        sync_folder(folder)


@contextmanager
def naming(path: Path, temporary: Sequence[Path]) -> Iterator[None]:
    """Name the file in an error about a write, such as that the disk is full.

    Args:
        path: The file.
        temporary: The files that are written in its place.

    Raises:
        OSError: As it comes, with the name of the file, or of its folder if that is missing.
    """
    try:
        yield
    except OSError as error:
        unnamed = error.filename is None and error.errno in FULL
        if unnamed or str(error.filename) in map(str, temporary):
            missing = error.errno == errno.ENOENT and not path.parent.exists()
            error.filename = str(path.parent if missing else path)
        raise


def make_folder(path: Path) -> None:
    """Create a folder and its parents, durably."""
    made = [folder for folder in (path, *path.parents) if not folder.exists()]
    path.mkdir(parents=True, exist_ok=True)
    for folder in made:
        sync_folder(folder.parent)


def clear_remains(folder: Path, names: re.Pattern[str]) -> None:
    """Delete the temporary files of killed writers, but not those of running ones.

    Args:
        folder: Folder to search; it need not exist.
        names: Pattern of the names of the files that were being written.
    """
    with contextlib.suppress(OSError), os.scandir(folder) as entries:
        for entry in list(entries):
            found = TEMPORARY.fullmatch(entry.name)
            if found is not None and names.fullmatch(found["name"]):
                delete_abandoned(Path(entry.path))


def temporary_beside(path: Path) -> Path:
    """Return a unique name for a new file in the folder of `path`."""
    return path.with_name(f".{path.name}.{os.getpid()}-{secrets.token_hex(4)}.tmp")


@contextmanager
def open_locked(path: Path) -> Iterator[BinaryIO]:
    """Open a new file that is locked as long as its writer runs."""
    while True:
        with path.open("xb") as file:
            lock(file.fileno(), wait=True)
            # Another process may have deleted it before the lock was taken.
            if path.exists():
                yield file
                return


def delete_abandoned(path: Path) -> None:
    """Delete a temporary file whose writer no longer runs."""
    if os.name == "nt":  # Windows cannot delete an open file and has no such locks
        path.unlink(missing_ok=True)
        return
    with path.open("rb") as file:
        if lock(file.fileno()):
            path.unlink(missing_ok=True)


def lock(handle: int, *, wait: bool = False, shared: bool = False) -> bool:
    """Take a lock that is released when this process ends, in place of one it has.

    Args:
        handle: An open file or folder.
        wait: Whether to wait until the lock is free.
        shared: Whether others may have a shared lock at the same time.

    Returns:
        Whether the lock was free; also True if the system has no locks.
    """
    try:
        import fcntl
    except ImportError:  # Windows
        return True
    try:
        kind = fcntl.LOCK_SH if shared else fcntl.LOCK_EX
        fcntl.flock(handle, kind | (0 if wait else fcntl.LOCK_NB))
    except BlockingIOError:
        return False
    except OSError:  # a file system without locks
        return True
    return True


def unlock(handle: int) -> None:
    """Release the lock on an open file."""
    with contextlib.suppress(ImportError, OSError):  # no locks, as in `lock`
        import fcntl

        fcntl.flock(handle, fcntl.LOCK_UN)


def sync_folder(folder: Path) -> None:
    """Make a rename durable, if the system can: Windows cannot open folders."""
    if os.name == "nt":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
