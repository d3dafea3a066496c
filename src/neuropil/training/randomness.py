"""The random states that a training depends on: its own generators and the global ones."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any, Self, final

import numpy as np
import torch
from torch import Generator

if TYPE_CHECKING:
    from neuropil.training.processes import Processes

# Numbers of the random streams derived from one seed.
ORDER, AUGMENTATION = 1, 2


@final
class Randomness:
    """Random states of one trainer, separate from the program's if it has a seed.

    A context manager: inside, the global generators have the trainer's states; on exit, their
    previous states are restored. Without a seed the global generators are used as they are.

    Args:
        seed: Seed of all random numbers; None draws one from torch's global generator.
        device: Device of the augmentation's generator.
        processes: The processes that train together: dropout must differ between them, the
            order of the examples must not.
    """

    def __init__(self, seed: int | None, device: torch.device, processes: Processes) -> None:
        self.device = device
        self.given = None if seed is None else int(seed)
        self.apart = seed is not None
        drawn = int(torch.empty((), dtype=torch.int64).random_()) if seed is None else seed
        first, rank = int(processes.share(drawn)), processes.rank
        self.order = Generator().manual_seed(seed_of(first, ORDER))
        self.augmentation = Generator(device).manual_seed(seed_of(first, AUGMENTATION + rank))
        self.inside: dict[str, Any] | None = None
        self.outside: dict[str, Any] | None = None
        self.seed = first + rank

    def __enter__(self) -> Self:
        if self.apart:
            self.outside = global_states(self.device)
            if self.inside is None:
                seed_globally(self.seed)
            else:
                set_global_states(self.inside, self.device)
        return self

    def __exit__(self, *_: object) -> None:
        if self.outside is not None:
            self.inside = global_states(self.device)
            set_global_states(self.outside, self.device)
            self.outside = None

    def state_dict(self, extra: Generator | None = None) -> dict[str, Any]:
        """Return all states, including that of the data's own generator, if any."""
        return {
            **global_states(self.device),
            "order": self.order.get_state(),
            "augmentation": self.augmentation.get_state(),
            "data": None if extra is None else extra.get_state(),
        }

    def load_state_dict(self, state: dict[str, Any], extra: Generator | None = None) -> None:
        """Set all states; call it inside the context."""
        set_global_states(state, self.device)
        self.order.set_state(state["order"])
        self.augmentation.set_state(state["augmentation"])
        if extra is not None and state["data"] is not None:
            extra.set_state(state["data"])


def seed_of(seed: int, stream: int) -> int:
    """Return the seed of a stream."""
    return int(np.random.SeedSequence([abs(seed), stream]).generate_state(1, np.uint64)[0] >> 1)


def seed_globally(seed: int) -> None:
    """Seed Python's, NumPy's and torch's global generators, which layers draw from."""
    random.seed(seed)
    np.random.seed(seed % 2**32)  # noqa: NPY002 - the legacy generator is the global one
    torch.manual_seed(seed)


def global_states(device: torch.device) -> dict[str, Any]:
    """Return the global states as plain data."""
    states = native_states(device)
    name, keys, *rest = states["numpy"]
    states["numpy"] = name, torch.from_numpy(np.asarray(keys, dtype=np.int64)), *rest
    return states


def set_global_states(states: dict[str, Any], device: torch.device) -> None:
    """Restore the states that `global_states` returned."""
    name, keys, *rest = states["numpy"]
    keys = keys.numpy().astype(np.uint32)
    set_native_states(states | {"numpy": (name, keys, *rest)}, device)


def native_states(device: torch.device) -> dict[str, Any]:
    """Return the global states as each library represents them."""
    states: dict[str, Any] = {
        "python": random.getstate(),
        "numpy": np.random.get_state(),  # noqa: NPY002 - as above
        "torch": torch.get_rng_state(),
    }
    if device.type == "cuda":
        states["cuda"] = torch.cuda.get_rng_state(device)
    return states


def set_native_states(states: dict[str, Any], device: torch.device) -> None:
    """Restore the states that `native_states` returned."""
    random.setstate(states["python"])
    np.random.set_state(states["numpy"])  # noqa: NPY002 - as above
    torch.set_rng_state(states["torch"])
    if device.type == "cuda" and "cuda" in states:
        torch.cuda.set_rng_state(states["cuda"], device)
