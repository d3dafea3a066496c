"""Receptive fields of the values of a run on one of its inputs."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING

from neuropil.analysis.receptive_field.axis_field import Field, union
from neuropil.analysis.receptive_field.receptive_propagation import AxisFields, widest
from neuropil.analysis.traced.receptive.axis_views import Seen, Unknown, View, as_regions
from neuropil.analysis.traced.receptive.propagation import fields_of_values
from neuropil.analysis.traced.receptive.regions import Regions
from neuropil.core import ShapeError

if TYPE_CHECKING:
    from neuropil.analysis.traced.run_record import Call, Value
    from neuropil.analysis.traced.runs.module_run import Trace


class ValueFields:
    """Receptive fields of all values of a run on one input.

    Args:
        run: The run.
        name: Name of the input; by default the first that has positions.

    Attributes:
        source: The input; ``None`` where no input has positions.
        notes: Which operations have no rule.
    """

    def __init__(self, run: Trace, name: str | None = None) -> None:
        spatial = [value for value in run.sources.values() if value.shape[2:]]
        self.source = run.sources[name] if name else next(iter(spatial), None)
        self.seen = fields_of_values(run, self.source) if self.source else {}
        self.lengths = self.source.shape[2:] if self.source else ()
        self.notes: tuple[str, ...] = ()

    def of(self, value: Value) -> AxisFields | Unknown | None:
        """Return the receptive field of a value; ``None`` if it sees nothing."""
        seen = self.seen.get(value.number)
        return None if seen is None else axis_fields_of(seen, value.shape, self.lengths)

    def widest(self, value: Value) -> tuple[tuple[int | None, ...] | None, bool]:
        """Return the size of a value's receptive field, and whether it is the whole input."""
        axis_fields = self.of(value)
        if isinstance(axis_fields, Unknown):
            self.notes = self.notes or (
                f"Receptive fields are not known after {axis_fields.reason}.",
            )
            return None, False
        return widest(axis_fields and {0: axis_fields})


def find_call(run: Trace, name: str | None) -> Call:
    """Return the call of a part by its name; without a name, the call of the module itself.

    Raises:
        ValueError: When no part of that name was called.
    """
    calls = {call.name: call for call in run.calls}
    if (name or "") in calls:
        return calls[name or ""]
    near = difflib.get_close_matches(name or "", calls, n=1)
    hint = f" Did you mean {near[0]!r}?" if near else ""
    raise ValueError(f"no part {name!r} of {type(run.module).__name__} was called.{hint}")


def find_source(run: Trace, name: str | None) -> str:
    """Return the name of an input that has positions: the given one, or the only one.

    Raises:
        ShapeError: When no input has positions.
        ValueError: When several inputs are possible and none is named, or none has that name.
    """
    names = [name for name, value in run.sources.items() if value.shape[2:]]
    kind = type(run.module).__name__
    if not names:
        raise ShapeError(
            f"{kind} takes vectors, which have no positions: give an input whose axes are "
            f"batch, channels and positions."
        )
    if name is None and len(names) > 1:
        raise ValueError(f"{kind} takes several inputs: choose input_name from {names}.")
    if name is not None and name not in names:
        raise ValueError(f"{kind} has no input {name!r}: choose input_name from {names}.")
    return name or names[0]


def axis_fields_of(
    seen: Seen, shape: tuple[int, ...], lengths: tuple[int, ...]
) -> AxisFields | Unknown:
    """Return the receptive field of a tensor, united over its channels.

    Args:
        seen: Receptive fields of the tensor.
        shape: Shape of the tensor.
        lengths: Lengths of the input's axes.
    """
    if isinstance(seen, Unknown):
        return seen
    if isinstance(seen, View) and any(
        length > 1 and axis != 1 for axis, length in enumerate(seen.labels.shape)
    ):
        # The fields differ along other axes than the channels.
        seen = as_regions(seen, shape)
    if isinstance(seen, Regions):
        return AxisFields(seen.fields(lengths), aligned=True)
    some = [kind for kind in seen.kinds if kind is not None]
    if not some:
        return AxisFields((Field(0, (None,)),) * len(seen.axes), aligned=True)
    fields = [
        union([kind[place] for kind in some], None if axis is None else shape[axis], length)
        for place, (axis, length) in enumerate(zip(seen.axes, seen.lengths, strict=True))
    ]
    return AxisFields(tuple(fields), aligned=True)
