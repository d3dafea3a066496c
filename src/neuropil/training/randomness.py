"""The random states that a training depends on: its own and the program's."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any, Self, final

import numpy as np
import torch
from torch import Generator

if TYPE_CHECKING:
    from neuropil.training.processes import Processes

# Streams of one seed that must not be the same stream.
ORDER, AUGMENTATION = 1, 2


@final
class Randomness:
    """The random numbers of one trainer, kept apart from the program's if it has a seed.

    Used as a context: inside, the program's global generators are the trainer's; afterwards
    they stand where they stood. Without a seed the global generators are used as they are.

    Args:
        seed: Where all randomness starts; None draws one from torch's global generator.
        device: Where augmentation draws its numbers.
        processes: Who else trains: dropout must differ between processes, the order of the
            examples must not.
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
        """Return all states, those of a generator that belongs to the data among them."""
        return {
            **global_states(self.device),
            "order": self.order.get_state(),
            "augmentation": self.augmentation.get_state(),
            "data": None if extra is None else extra.get_state(),
        }

    def load_state_dict(self, state: dict[str, Any], extra: Generator | None = None) -> None:
        """Set all states; to be called inside the context."""
        set_global_states(state, self.device)
        self.order.set_state(state["order"])
        self.augmentation.set_state(state["augmentation"])
        if extra is not None and state["data"] is not None:
            extra.set_state(state["data"])


def seed_of(seed: int, stream: int) -> int:
    """Return a seed of its own for a stream."""
    return int(np.random.SeedSequence([abs(seed), stream]).generate_state(1, np.uint64)[0] >> 1)


def seed_globally(seed: int) -> None:
    """Seed Python's, NumPy's and torch's global generators, which layers draw from."""
    random.seed(seed)
    np.random.seed(seed % 2**32)  # noqa: NPY002 - the legacy generator is the global one
    torch.manual_seed(seed)


def global_states(device: torch.device) -> dict[str, Any]:
    """Return the global states as plain data."""
    name, keys, *rest = np.random.get_state()  # noqa: NPY002 - as above
    states = {
        "python": random.getstate(),
        "numpy": (name, torch.from_numpy(np.asarray(keys, dtype=np.int64)), *rest),
        "torch": torch.get_rng_state(),
    }
    if device.type == "cuda":
        states["cuda"] = torch.cuda.get_rng_state(device)
    return states


def set_global_states(states: dict[str, Any], device: torch.device) -> None:
    """Put back what `global_states` gave."""
    random.setstate(states["python"])
    name, keys, *rest = states["numpy"]
    keys = keys.numpy().astype(np.uint32)
    np.random.set_state((name, keys, *rest))  # noqa: NPY002 - as above
    torch.set_rng_state(states["torch"])
    if device.type == "cuda" and "cuda" in states:
        torch.cuda.set_rng_state(states["cuda"], device)
