"""Rows of the summary of any PyTorch module."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from neuropil.analysis.cost.parameters import NONE
from neuropil.analysis.summary.summary_rows import Row
from neuropil.analysis.traced.receptive.value_fields import ValueFields

if TYPE_CHECKING:
    from collections.abc import Iterator

    from torch import nn

    from neuropil.analysis.traced.call_report import Part, Report


def rows_of_parts(report: Report, depth: int) -> tuple[tuple[Row, ...], tuple[str, ...]]:
    """Return one row per call of a part, and notes about the figures that are not known.

    Args:
        report: Figures of the module.
        depth: Number of levels of nested parts to show.
    """
    value_fields = ValueFields(report.trace)
    rows: list[Row] = []
    whole, *parts = report.parts
    alone = not parts
    for part in parts:
        if part.call.depth - 1 <= depth:
            rows.append(row_of(part, value_fields))
            if part.call.children and part.call.depth <= depth:
                rows += own_row(part, f"{part.name}.(itself)", part.call.depth)
    if alone:
        rows.append(row_of(whole, value_fields)._replace(depth=0))
    else:
        rows += own_row(whole, whole.name, 0)
    return tuple(rows), value_fields.notes


def row_of(part: Part, value_fields: ValueFields) -> Row:
    """Return the row of a call, including the calls within it."""
    call = part.call
    field, sees_all = value_fields.widest(call.results[0]) if call.results else (None, False)
    return Row(
        name=part.name,
        layer=text_of(call.module),
        depth=call.depth - 1,
        takes=(),
        input_shapes=call.input_shapes,
        output_shape=call.results[0].shape if call.results else None,
        parameters=part.parameters.all,
        trainable=part.parameters.trainable,
        shared=call.again and not part.parameters.all and has_parameters(call.module),
        multiply_adds=part.multiply_adds,
        receptive_field=field,
        sees_all=sees_all,
        output_bytes=call.output_bytes,
        training_bytes=part.kept,
    )


def has_parameters(module: nn.Module) -> bool:
    """Tell whether a module has any parameters."""
    return next(module.parameters(), None) is not None


def own_row(part: Part, name: str, depth: int) -> Iterator[Row]:
    """Yield the row of a module's own operations and parameters, if it has any."""
    if not (part.call.multiply_adds or part.own != NONE):
        return
    yield Row(
        name=name,
        layer=f"{type(part.call.module).__name__} itself",
        depth=depth,
        takes=(),
        input_shapes=None,
        output_shape=None,
        parameters=part.own.all,
        trainable=part.own.trainable,
        shared=False,
        multiply_adds=part.call.multiply_adds,
        receptive_field=None,
        sees_all=False,
        output_bytes=None,
        training_bytes=part.own_kept,
    )


def text_of(module: nn.Module) -> str:
    """Return a one-line description of a module."""
    kind = type(module).__name__
    if vars(module)["_modules"]:
        return f"{kind}(…)"
    return re.sub(r"\s+", " ", repr(module))
