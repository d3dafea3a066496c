"""The states of the processes in a checkpoint, for any number of processes that resume it."""

from __future__ import annotations

from typing import Any

# The random states that all processes have in common: the order of the examples.
COMMON = ("order", "data")
# The parts of a meter that grow with the batches.
LISTS = ("scores", "targets")


def state_of(
    states: list[dict[str, Any]], rank: int, count: int, fresh: dict[str, Any]
) -> dict[str, Any]:
    """Return the state that a process resumes from.

    With another number of processes than before, the position in the data is the same. The
    first process takes over the figures of all, and processes that did not exist before keep
    their initial random states, except for the order of the examples.

    Args:
        states: The states of all processes in the checkpoint.
        rank: Rank of the process.
        count: Number of processes now.
        fresh: The initial random states of the process.
    """
    if len(states) == count:
        return states[rank]
    place = states[0]["place"]
    if rank < len(states):
        random = states[rank]["random"]
    else:
        random = fresh | {name: states[0]["random"][name] for name in COMMON}
    if place["meter"] is not None:
        meters = [state["place"]["meter"] for state in states]
        place = place | {"meter": merge(meters) if rank == 0 else empty(meters[0])}
    return {"random": random, "place": place}


def merge(meters: list[dict[str, Any]]) -> dict[str, Any]:
    """Return the figures of the batches of all processes as those of one."""
    merged = empty(meters[0])
    for meter in meters:
        merged["rows"] += meter["rows"]
        for name in ("sums", "counts"):
            for key, value in meter[name].items():
                merged[name][key] = merged[name].get(key, 0) + value
        for parts, more in zip(merged["totals"], meter["totals"], strict=True):
            parts.extend(more)
        for name in LISTS:
            merged[name].extend(meter[name])
    return merged


def empty(meter: dict[str, Any]) -> dict[str, Any]:
    """Return a meter without figures, with the same limit and number of metrics."""
    nothing: dict[str, Any] = {"rows": 0, "sums": {}, "counts": {}, "limit": meter["limit"]}
    totals: list[list[Any]] = [[] for _ in meter["totals"]]
    return nothing | {"totals": totals} | {name: [] for name in LISTS}
