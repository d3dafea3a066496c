"""What the results of a module's parts see of its inputs."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING

from neuropil.analysis.receptive_field.axis_field import Field, union
from neuropil.analysis.receptive_field.receptive_propagation import Sight
from neuropil.analysis.traced.receptive.axis_views import Seen, Unknown, View, as_regions
from neuropil.analysis.traced.receptive.propagation import seen_by_values
from neuropil.analysis.traced.receptive.regions import Regions
from neuropil.core import ShapeError

if TYPE_CHECKING:
    from neuropil.analysis.traced.run_record import Call, Value
    from neuropil.analysis.traced.runs.module_run import Trace


class Sights:
    """What is seen of one input of a run.

    Args:
        run: The run.
        name: The input; by default the first that has positions.

    Attributes:
        source: The input; ``None`` where no input has positions.
        notes: What is not known.
    """

    def __init__(self, run: Trace, name: str | None = None) -> None:
        spatial = [value for value in run.sources.values() if value.shape[2:]]
        self.source = run.sources[name] if name else next(iter(spatial), None)
        self.seen = seen_by_values(run, self.source) if self.source else {}
        self.lengths = self.source.shape[2:] if self.source else ()
        self.notes: tuple[str, ...] = ()

    def of(self, value: Value) -> Sight | Unknown | None:
        """Return what a value sees; ``None`` where that is nothing."""
        seen = self.seen.get(value.number)
        return None if seen is None else sight_of(seen, value.shape, self.lengths)

    def widest(self, value: Value) -> tuple[tuple[int | None, ...] | None, bool]:
        """Return how much a value sees along each axis, and whether that is everything."""
        sight = self.of(value)
        if isinstance(sight, Unknown):
            self.notes = self.notes or (
                f"Receptive fields are not known after {sight.reason}.",
            )
            return None, False
        if sight is None:
            return None, False
        return tuple(field.size for field in sight.fields), sight.everything


def call_named(run: Trace, name: str | None) -> Call:
    """Return the call of a part by its name; of the whole by none.

    Raises:
        ValueError: When no part of that name was called.
    """
    calls = {call.name: call for call in run.calls}
    if (name or "") in calls:
        return calls[name or ""]
    near = difflib.get_close_matches(name or "", calls, n=1)
    hint = f" Did you mean {near[0]!r}?" if near else ""
    raise ValueError(f"no part {name!r} of {type(run.module).__name__} was called.{hint}")


def source_named(run: Trace, name: str | None) -> str:
    """Return the name of an input that has positions: the one named, or the only one.

    Raises:
        ShapeError: When no input has positions.
        ValueError: When there are several and none is named, or not the one named.
    """
    names = [name for name, value in run.sources.items() if value.shape[2:]]
    kind = type(run.module).__name__
    if not names:
        raise ShapeError(
            f"{kind} takes vectors, which have no positions to see: give an input whose axes "
            f"are batch, channels and positions."
        )
    if name is None and len(names) > 1:
        raise ValueError(f"{kind} takes several inputs: choose input_name from {names}.")
    if name is not None and name not in names:
        raise ValueError(f"{kind} takes the inputs {names}, and not {name!r}.")
    return name or names[0]


def sight_of(seen: Seen, shape: tuple[int, ...], lengths: tuple[int, ...]) -> Sight | Unknown:
    """Return what a tensor sees, all its channels together.

    Args:
        seen: What it sees.
        shape: Its shape.
        lengths: The lengths of the input's axes.
    """
    if isinstance(seen, Unknown):
        return seen
    if isinstance(seen, View) and any(
        length > 1 and axis != 1 for axis, length in enumerate(seen.labels.shape)
    ):
        # Not channels but places differ.
        seen = as_regions(seen, shape)
    if isinstance(seen, Regions):
        return Sight(seen.fields(lengths), aligned=True)
    some = [kind for kind in seen.kinds if kind is not None]
    if not some:
        return Sight((Field(0, (None,)),) * len(seen.axes), aligned=True)
    fields = [
        union([kind[place] for kind in some], None if axis is None else shape[axis], length)
        for place, (axis, length) in enumerate(zip(seen.axes, seen.lengths, strict=True))
    ]
    return Sight(tuple(fields), aligned=True)
