"""Records of a run: a claim, its state, its result."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, final

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@final
@dataclass(frozen=True)
class Claim:
    """A run that belongs to a worker until its lease is over and another worker takes it.

    Attributes:
        variant: Name of the variant.
        seed: Seed of the run.
        attempt: Number of workers that have begun the run, with this one.
        lease_seconds: Length of the lease.
        token: Random text that distinguishes this claim from all others of the run.
    """

    variant: str
    seed: int
    attempt: int
    lease_seconds: float
    token: str = field(repr=False)


@final
@dataclass(frozen=True)
class RunState:
    """State of a run.

    Attributes:
        variant: Name of the variant.
        seed: Seed of the run.
        state: ``"waiting"``, ``"running"``, ``"done"``, ``"failed"`` or ``"skipped"``.
        attempt: Number of workers that have begun the run.
        worker: The last of them; None while it waits.
        seconds: Time from its last claim to its end, or to the last renewal of the lease.
        error: The reason why it failed.
    """

    variant: str
    seed: int
    state: str
    attempt: int
    worker: str | None
    seconds: float | None
    error: str | None


@final
@dataclass(frozen=True)
class RunResult:
    """Result of a run that is done.

    Attributes:
        variant: Name of the variant.
        seed: Seed of the run.
        result: Plain data.
        values: One number for each unit.
        seconds: Time from its claim to its end.
    """

    variant: str
    seed: int
    result: dict[str, Any]
    values: NDArray[np.float64]
    seconds: float
