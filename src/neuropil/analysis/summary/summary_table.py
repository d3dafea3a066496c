"""The table of a network's layers: shapes, parameters, cost, receptive field, memory."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from typing_extensions import override

from neuropil.analysis.calls import Call, calls_of, is_known, network_of
from neuropil.analysis.cost.activation_memory import activation_memory
from neuropil.analysis.cost.costs import missing_shape_hint
from neuropil.analysis.cost.parameters import Counts, add_counts, new_parameters
from neuropil.analysis.summary.summary_html import as_html
from neuropil.analysis.summary.summary_rows import Row, Totals, rows_of
from neuropil.analysis.summary.summary_text import as_text, total_lines
from neuropil.analysis.traced.call_report import Report, report
from neuropil.analysis.traced.module_rows import rows_of_parts
from neuropil.analysis.traced.runs.meta_copy import is_foreign
from neuropil.analysis.traced.runs.module_run import trace

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import nn

    from neuropil.analysis.traced.runs.example_inputs import Example
    from neuropil.core.layer import Composable


@dataclass(frozen=True, slots=True)
class Summary:
    """Table of a network's layers, as text, as HTML in a notebook, and as data.

    Args:
        rows: One row for each call of a layer, in network order.
        totals: Totals of the network.
        notes: Which figures are not known, and how to get them.
        per: What the memory is for, such as "each sample".
    """

    rows: tuple[Row, ...]
    totals: Totals
    notes: tuple[str, ...]
    per: str = "each sample"

    def text(self, width: int = 100) -> str:
        """Return the table as plain text.

        Args:
            width: Maximum length of a line. The layers' text is cut first, then counts are
                rounded, then the least informative columns are left out.
        """
        lines = total_lines(self.totals, self.per)
        return as_text(self.rows, lines, self.notes, width)

    def to_dict(self) -> dict[str, Any]:
        """Return the summary as plain data, for JSON."""
        rows = [row._asdict() for row in self.rows]
        return {"rows": rows, "totals": asdict(self.totals), "notes": list(self.notes)}

    @override
    def __str__(self) -> str:
        return self.text()

    # The interactive shell shows the table when it is the last expression.
    __repr__ = __str__

    def _repr_html_(self) -> str:
        return as_html(self.rows, total_lines(self.totals, self.per), self.notes)


def summary(
    network: Composable | nn.Module,
    input_shape: Example | None = None,
    *,
    depth: int = 1,
) -> Summary:
    """Return the table of a network's layers: everything known before anything runs.

    For each call of a layer, the table has its name, output shape, parameters, multiply–adds,
    receptive field and the memory of its output, as `count_parameters`, `cost` and
    `receptive_field` define them; the totals follow.

    Any other PyTorch module has one row for each call of a part, which includes the calls
    within, and one for a module's own operations between its parts, if they have parameters or
    costs. Shapes include the batch axis, and figures are those of the given input, since any
    axis of a module's input may be the batch.

    Args:
        network: A network, a layer, or any PyTorch module. Nothing in it is run or changed.
        input_shape: As in `cost`.
        depth: Number of levels of networks inside layers, or of parts inside parts, to show
            indented.

    Raises:
        ShapeError: When `input_shape` does not fit the network, or a module fails on it.

    Example:
        >>> from neuropil.layers import Convolution, Flatten, Input, Relu, Softmax
        >>> network = Input(1, 8, 8) >> Convolution(4, 3) >> Relu() >> Flatten() >> Softmax(10)
        >>> table = summary(network)
        >>> print(table.text(80))
        Layer         Written as         Output     Parameters  Mult–adds  Field  Memory
        ────────────────────────────────────────────────────────────────────────────────
        input1        Input(1, 8, 8)     (1, 8, 8)           0          0      1   256 B
        convolution1  Convolution(4, 3)  (4, 6, 6)          40      1,296      3   576 B
        relu1         Relu()             (4, 6, 6)           0          0      3   576 B
        flatten1      Flatten()          (144)               0          0      3     0 B
        softmax1      Softmax(10)        (10)            1,450      1,440    all    40 B
        ────────────────────────────────────────────────────────────────────────────────
        Parameters     1,490 (5.82 KiB)
        Multiply–adds  2,736 (2.74 k)
        Activations    912 B at once in inference, 872 B kept in training, for each sample
        >>> table.totals.parameters, table.rows[1].receptive_field
        (1490, (3, 3))
        >>> from torch import nn
        >>> module = nn.Sequential(nn.Conv2d(1, 4, 3), nn.ReLU(), nn.Flatten())
        >>> print(summary(module, (1, 8, 8)).text(87))
        Layer  Written as                    Output        Parameters  Mult–adds  Field  Memory
        ───────────────────────────────────────────────────────────────────────────────────────
        0      Conv2d(1, 4, kernel_size=(3…  (1, 4, 6, 6)          40     1.30 k      3   576 B
        1      ReLU()                        (1, 4, 6, 6)           0          0      3   576 B
        2      Flatten(start_dim=1, end_di…  (1, 144)               0          0      3     0 B
        ───────────────────────────────────────────────────────────────────────────────────────
        Parameters     40 (160 B)
        Multiply–adds  1,296 (1.30 k)
        Activations    1.38 KiB at once in inference, 832 B kept in training, for this input
    """
    if is_foreign(network):
        return summary_of_module(report(trace(network, input_shape)), depth)
    network = network_of(network)
    calls = calls_of(network, input_shape)
    counts = list(new_parameters(calls))
    memory = activation_memory(calls, network.graph.outputs)
    rows = tuple(rows_of(calls, counts, memory, depth))
    costs = [row.multiply_adds for row in rows if not row.depth]
    total = None if None in costs else sum(filter(None, costs))
    totals = totals_of(add_counts(counts), total, memory[:2] if memory else (None, None))
    return Summary(rows, totals, notes(calls))


def summary_of_module(known: Report, depth: int) -> Summary:
    """Return the summary of a plain PyTorch module."""
    rows, unknown = rows_of_parts(known, depth)
    whole, *_ = known.parts
    totals = totals_of(
        whole.parameters, whole.multiply_adds, (known.trace.peak, known.training)
    )
    return Summary(rows, totals, known.notes + unknown, "this input")


def totals_of(
    counts: Counts | None,
    multiply_adds: int | None,
    memory: tuple[int | None, int | None],
) -> Totals:
    """Return the totals of a network.

    Args:
        counts: Its parameters.
        multiply_adds: Its multiply–adds.
        memory: Bytes in inference and in training.
    """
    if counts is None:
        return Totals(None, None, None, None, multiply_adds, *memory)
    return Totals(counts.all, *counts, multiply_adds, *memory)


def notes(calls: Sequence[Call]) -> tuple[str, ...]:
    """Return notes about figures that are not known, and how to get them."""
    if any(call.shape is None for call in calls):
        return (f"Shapes are not known: {missing_shape_hint(calls)}.",)
    if not all(map(is_known, calls)):
        return (f"Cost and memory depend on free lengths: {missing_shape_hint(calls)}.",)
    return ()
