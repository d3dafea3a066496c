"""Running means of the loss and the metrics over an epoch."""

from __future__ import annotations

import math
from dataclasses import KW_ONLY, dataclass
from typing import TYPE_CHECKING, Any, final

import torch
from torch import Tensor

from neuropil.training.metrics.nested import concatenate, each, shapes, size
from neuropil.training.nonfinite import NotFinite

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from neuropil.core.loss_kinds import Takes
    from neuropil.training.losses.score_views import Views
    from neuropil.training.metrics.base import Metric, Statistics
    from neuropil.training.processes import Processes

# Metrics are computed for this number of steps at once, or for fewer if the scores are large.
STEPS, ELEMENTS = 64, 2**22
# Name of the weight of a loss among the scalars of a batch.
WEIGHT = "weight of the loss"


@final
@dataclass(eq=False)
class Meter:
    """Sums over the batches of one pass.

    Each step only stores scores and targets. Metrics are computed on several concatenated
    batches, whose number depends on sizes only, so results do not depend on when they are read.
    On an accelerator losses are treated alike, since reading one waits for the device.

    Args:
        metrics: The metrics.
        views: Conversions from scores to the input of each metric; None converts nothing.
        waits: Whether values are read at once; False on accelerators.
        checked: Whether a value that is not finite ends the pass.
    """

    metrics: Sequence[Metric] = ()
    views: Views | None = None
    _: KW_ONLY
    waits: bool = True
    checked: bool = True

    def __post_init__(self) -> None:
        self.rows = 0
        self.sums: dict[str, float] = {}
        self.counts: dict[str, float] = {}
        self.totals: list[list[Statistics]] = [[] for _ in self.metrics]
        self.scores: list[Any] = []
        self.targets: list[Any] = []
        self.limit = 0
        self.values: list[tuple[int, dict[str, Tensor], int]] = []

    def add(
        self, values: dict[str, Tensor], rows: int, step: int, weight: Tensor | None = None
    ) -> None:
        """Add the means of one batch.

        Args:
            values: Scalars by name.
            rows: Number of examples that they are the means of.
            step: Number of steps done before this one.
            weight: Weight of the loss in the mean over batches, if it is not that number.

        Raises:
            NotFinite: If a value is not finite, in this call or a later one.
        """
        self.rows += rows
        if weight is not None:
            values = values | {WEIGHT: weight}
        if self.waits:
            self.count({name: value.item() for name, value in values.items()}, rows, step)
            return
        detached = {name: value.detach() for name, value in values.items()}
        self.values.append((step, detached, rows))
        if len(self.values) >= STEPS:
            self.read()

    def count(self, values: dict[str, float], rows: int, step: int) -> None:
        """Add the means of one batch to their sums.

        Raises:
            NotFinite: If one is not finite.
        """
        weight = values.pop(WEIGHT, rows)
        for name, value in values.items():
            if self.checked and not math.isfinite(value):
                raise NotFinite(f"the {name} is {value}", step)
            share = weight if name == "loss" else rows
            self.sums[name] = self.sums.get(name, 0.0) + value * share
            self.counts[name] = self.counts.get(name, 0) + share

    def keep(self, scores: Any, targets: Any) -> None:
        """Store the scores and targets of a batch, and measure when there are enough."""
        self.scores.append(
            scores.detach() if isinstance(scores, Tensor) else each(scores, Tensor.detach)
        )
        self.targets.append(targets)
        if not self.limit:
            self.limit = max(1, min(STEPS, ELEMENTS // max(1, size(scores))))
        if len(self.scores) >= self.limit:
            self.measure()

    def measure(self) -> None:
        """Compute the statistics of the stored scores and targets."""
        for scores, targets in join_batches(self.scores, self.targets):
            seen = self.seen(scores)
            for metric, parts in zip(self.metrics, self.totals, strict=True):
                parts.append(metric.gather(seen[metric.takes], targets))
                # Sums are merged at once. Rows are merged with a part of at least the same
                # size, so that each row is copied only a logarithmic number of times.
                while len(parts) > 1 and size(parts[-2]) <= size(parts[-1]):
                    parts[-2:] = [metric.merge(parts[-2:])]
        self.scores.clear()
        self.targets.clear()

    def seen(self, scores: Any) -> dict[Takes, Any]:
        """Return the inputs of the metrics, each kind once."""
        kinds: dict[Takes, None] = dict.fromkeys(metric.takes for metric in self.metrics)
        with torch.no_grad():
            return {
                kind: scores if self.views is None else self.views.see(kind, scores)
                for kind in kinds
            }

    def read(self) -> None:
        """Read the values that are still on the device, all at once."""
        values, self.values = self.values, []
        tensors = [value.float() for _, scalars, _ in values for value in scalars.values()]
        numbers = iter(torch.stack(tensors).tolist() if tensors else ())
        for step, scalars, rows in values:
            self.count({name: next(numbers) for name in scalars}, rows, step)

    def mean(self, name: str) -> float | None:
        """Return the mean of a value over the batches read so far, None before the first."""
        count = self.counts.get(name)
        return self.sums[name] / count if count else None

    def result(self, processes: Processes) -> dict[str, float]:
        """Return all means and metrics over the examples of all processes."""
        self.read()
        self.measure()
        parts = processes.gather((self.sums, self.counts, each(self.totals, Tensor.cpu)))
        means = {
            name: sum(sums.get(name, 0.0) for sums, _, _ in parts)
            / (sum(counts.get(name, 0) for _, counts, _ in parts) or math.nan)
            for name in dict.fromkeys(name for sums, _, _ in parts for name in sums)
        }
        for position, metric in enumerate(self.metrics):
            totals = [part for *_, total in parts for part in total[position]]
            if totals:
                means[metric.name] = metric.compute(metric.merge(totals))
        return means

    def state_dict(self) -> dict[str, Any]:
        """Return the sums and the stored scores and targets."""
        self.read()
        return {
            "rows": self.rows,
            "sums": dict(self.sums),
            "counts": dict(self.counts),
            "totals": [list(parts) for parts in self.totals],
            # Saving a view would write the whole chunk that it belongs to.
            "scores": each(self.scores, Tensor.clone),
            "targets": each(self.targets, Tensor.clone),
            "limit": self.limit,
        }

    def load_state_dict(self, state: dict[str, Any], device: torch.device) -> None:
        """Restore the state that `state_dict` returned."""
        self.rows, self.limit = state["rows"], state["limit"]
        self.sums, self.counts = dict(state["sums"]), dict(state["counts"])
        for name in ("totals", "scores", "targets"):
            setattr(self, name, each(state[name], lambda tensor: tensor.to(device)))


def join_batches(scores: list[Any], targets: list[Any]) -> Iterator[tuple[Any, Any]]:
    """Yield all batches as one, or one by one if their shapes differ."""
    if len({(shapes(s), shapes(t)) for s, t in zip(scores, targets, strict=True)}) == 1:
        yield concatenate(scores), concatenate(targets)
    else:
        yield from zip(scores, targets, strict=True)
