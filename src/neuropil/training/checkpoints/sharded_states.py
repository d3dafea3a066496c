"""The sharded tensors of a checkpoint, written by PyTorch's distributed checkpoints.

Each process writes its parts as safetensors, from which nothing is ever executed, into a folder
that is renamed when it is complete. Any number of processes can read them, one included.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import warnings
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from neuropil.core.atomic import make_folder, sync_folder
from neuropil.training.parallel.local_part import is_sharded

if TYPE_CHECKING:
    from pathlib import Path

    from torch.optim import Optimizer

    from neuropil.training.processes import Processes

# Entries of a state: the files with the tensors, and what stands in place of each tensor.
SHARDS, REFERENCE = "shards", "sharded tensor"
SUFFIX, TEMPORARY = ".shards", ".shards.tmp"
BLOCK = 2**20


def save_shards(
    state: dict[str, Any], folder: Path, step: int, processes: Processes
) -> dict[str, Any]:
    """Write the sharded tensors of a state, and return the state with references to them.

    Args:
        state: The state, of which all processes have the same entries.
        folder: Folder of the checkpoints, which all processes can write to.
        step: Number of steps done.
        processes: The processes.

    Raises:
        OSError: If the folder is on another disk for some processes, or cannot be written.
    """
    tensors: dict[str, Any] = {}
    plain = extract(state, tensors, "")
    if not tensors:
        return state
    from torch.distributed import checkpoint
    from torch.distributed.checkpoint.hf_storage import HuggingFaceStorageWriter

    temporary, final = folder / f"step-{step:09}{TEMPORARY}", folder / f"step-{step:09}{SUFFIX}"
    processes.call_in_first(lambda: prepare(temporary))
    if not all(processes.gather(temporary.is_dir())):
        raise OSError(
            f"{folder} is not on a disk that all machines share: sharded checkpoints need one."
        )
    writer = HuggingFaceStorageWriter(str(temporary), save_distributed=True)
    checkpoint.save(tensors, storage_writer=writer)
    # Every process makes its own files durable.
    for path in sorted(temporary.glob(f"shard-{processes.rank + 1:05}-*")):
        sync_file(path)

    def finish() -> dict[str, str]:
        files = {path.name: digest_of_file(path) for path in sorted(temporary.iterdir())}
        shutil.rmtree(final, ignore_errors=True)
        temporary.rename(final)
        sync_folder(folder)
        return files

    processes.gather(None)  # until all files are durable
    return plain | {SHARDS: {"folder": final.name, "files": processes.call_in_first(finish)}}


def load_shards(state: dict[str, Any], folder: Path, mesh: Any = None) -> dict[str, Any]:
    """Return a state with the tensors that it refers to; all processes call it together.

    Args:
        state: The state.
        folder: Folder of the checkpoints.
        mesh: The processes over which the tensors are sharded now; None reads whole tensors.
    """
    if SHARDS not in state:
        return state
    from torch.distributed import checkpoint
    from torch.distributed.checkpoint.hf_storage import HuggingFaceStorageReader

    tensors: dict[str, Any] = {}
    filled = restore(state, tensors, mesh)
    reader = HuggingFaceStorageReader(str(folder / state[SHARDS]["folder"]))
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "torch.distributed is disabled")
        checkpoint.load(tensors, storage_reader=reader, no_dist=mesh is None)
    del filled[SHARDS]
    return filled


def are_intact(state: dict[str, Any], folder: Path) -> bool:
    """Return whether the files with the tensors of a state are complete and undamaged."""
    shards = state.get(SHARDS)
    if shards is None:
        return True
    try:
        where = folder / shards["folder"]
        if where.parent != folder or not where.name.endswith(SUFFIX):
            return False
        found = {path.name for path in where.iterdir()}
        files = dict(shards["files"])
        return found == set(files) and all(
            digest_of_file(where / name) == digest for name, digest in files.items()
        )
    except (OSError, KeyError, TypeError, ValueError, AttributeError):
        return False


def clear_shards(folder: Path, keep: set[str]) -> None:
    """Delete the tensors of all checkpoints but those with these names, without suffix."""
    for path in folder.iterdir():
        name = path.name.removesuffix(TEMPORARY).removesuffix(SUFFIX)
        if name != path.name and (name not in keep or path.name.endswith(TEMPORARY)):
            shutil.rmtree(path, ignore_errors=True)


def spread(values: dict[Any, Any], like: dict[Any, Any], mesh: Any) -> dict[Any, Any]:
    """Return tensors sharded over the processes where those like them are.

    Args:
        values: Tensors and other values, whole or sharded.
        like: Tensors by the same keys, which may be sharded. Values of other shapes stay whole.
        mesh: The processes.
    """
    from neuropil.training.parallel.sharded_network import distribute

    return {
        key: distribute(value.to(mesh.device_type), mesh)
        if is_sharded(like.get(key))
        and isinstance(value, Tensor)
        and not is_sharded(value)
        and value.shape == like[key].shape
        else value
        for key, value in values.items()
    }


def spread_optimizer(state: dict[str, Any], optimizer: Optimizer, mesh: Any) -> dict[str, Any]:
    """Return the state of an optimiser sharded as its parameters are.

    Args:
        state: The state of an optimiser of the same parameters, whole or sharded.
        optimizer: The optimiser.
        mesh: The processes.
    """
    numbers = (n for group in state["param_groups"] for n in group["params"])
    parameters = (p for group in optimizer.param_groups for p in group["params"])
    by_number = dict(zip(numbers, parameters, strict=False))
    own = {
        number: spread(values, dict.fromkeys(values, by_number.get(number)), mesh)
        for number, values in state["state"].items()
    }
    return state | {"state": own}


def extract(value: Any, tensors: dict[str, Any], place: str) -> Any:
    """Return a value with references in place of its sharded tensors, which are collected."""
    if is_sharded(value):
        key = place.removeprefix("/")
        tensors[key] = value.detach()
        kind = str(value.dtype).removeprefix("torch.")
        return {REFERENCE: key, "shape": list(value.shape), "dtype": kind}
    if isinstance(value, dict):
        return {key: extract(item, tensors, f"{place}/{key}") for key, item in value.items()}
    if isinstance(value, list | tuple):
        items = (extract(item, tensors, f"{place}/{n}") for n, item in enumerate(value))
        return type(value)(items)
    return value


def restore(value: Any, tensors: dict[str, Any], mesh: Any) -> Any:
    """Return a value with new tensors in place of references; they are collected to be read."""
    if isinstance(value, dict):
        if REFERENCE not in value:
            return {key: restore(item, tensors, mesh) for key, item in value.items()}
        empty = torch.zeros(value["shape"], dtype=getattr(torch, value["dtype"]))
        if mesh is not None:
            from neuropil.training.parallel.sharded_network import distribute

            empty = distribute(empty.to(mesh.device_type), mesh)
        tensors[value[REFERENCE]] = empty
        return empty
    if isinstance(value, list | tuple):
        return type(value)(restore(item, tensors, mesh) for item in value)
    return value


def prepare(folder: Path) -> None:
    """Make an empty folder."""
    shutil.rmtree(folder, ignore_errors=True)
    make_folder(folder)


def digest_of_file(path: Path) -> str:
    """Return a hash of the contents of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, lambda: hashlib.blake2b(digest_size=16)).hexdigest()


def sync_file(path: Path) -> None:
    """Make the contents of a file durable."""
    with path.open("rb") as file:
        os.fsync(file.fileno())
