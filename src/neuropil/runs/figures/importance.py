"""Importance of the columns of a table, by permutation."""

from __future__ import annotations

from itertools import pairwise
from statistics import NormalDist
from typing import TYPE_CHECKING, Any, NamedTuple

import torch
from torch import Tensor

from neuropil.checks import whole
from neuropil.datasets.dataset import Dataset
from neuropil.datasets.source import Batch
from neuropil.runs.measure import outputs_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from neuropil.datasets import TablePreparation
    from neuropil.datasets.source import Source
    from neuropil.runs.measure import ScoringPredictor
    from neuropil.runs.task import Task

# Rows are sampled so that the network predicts about this many in all.
MOST_PREDICTIONS = 2**18
FEWEST_ROWS = 200


class Importance(NamedTuple):
    """The importance of a column.

    Attributes:
        name: The column.
        drop: How much worse the metric gets when its cells are shuffled.
        low: Lower end of the 95 % interval.
        high: Upper end of the 95 % interval.
    """

    name: str
    drop: float
    low: float
    high: float


def permutation_importance(
    network: ScoringPredictor,
    data: Source,
    task: Task[Any],
    preparation: TablePreparation,
    *,
    repeats: int = 20,
    seed: int = 0,
) -> list[Importance]:
    """Return how much worse a network gets when a column of a table is shuffled.

    The drop of column j is m(X) − m(X with column j shuffled), with the first metric m of the
    task; for errors it is the rise. All numbers that the network gets for a column, such as one
    per category, are shuffled together. Each repeat draws the rows anew with replacement and
    shuffles them anew, so that the interval of the mean drop holds both kinds of chance. A
    column that has a copy, or is correlated with another, may look unimportant although both
    together matter. With many columns, not all rows are used.

    Args:
        network: The trained network.
        data: Labelled rows that it was not trained on.
        task: Its task.
        preparation: The preparation of the table, which knows the columns.
        repeats: Number of repeats.
        seed: Seed of the drawing and shuffling.

    Returns:
        The columns, the most important first.

    Raises:
        ValueError: If the rows have no targets, or are too few to measure anything.

    Reference:
        Breiman, "Random forests", Machine Learning 45 (2001); Fisher, Rudin and Dominici, "All
        models are wrong, but many are useful", JMLR 20 (2019).

    Example:
        >>> import torch
        >>> from neuropil.datasets import Classes, Dataset, NumberColumn, TablePreparation
        >>> from neuropil.layers import Input, Softmax
        >>> from neuropil.runs import permutation_importance
        >>> from neuropil.runs.tasks import task_for
        >>> columns = tuple(NumberColumn(name, 0.0, indicator=False) for name in "ab")
        >>> table = TablePreparation(columns, Classes("-+", "sign"), names=("a", "b", "sign"))
        >>> weight = torch.tensor([[0.0, -9.0], [0.0, 9.0]])
        >>> network = Input(2) >> Softmax(2, weight=weight)
        >>> x = torch.randn(200, 2, generator=torch.Generator().manual_seed(0))
        >>> rows = Dataset(x, (x[:, 1] > 0).long())
        >>> found = permutation_importance(network, rows, task_for(table.target), table)
        >>> [(each.name, round(each.drop, 1)) for each in found]
        [('b', 0.5), ('a', 0.0)]
    """
    whole(repeats, "repeats", minimum=2)
    generator = torch.Generator().manual_seed(seed)
    rows = sample(data, repeats * len(preparation.columns), generator)
    drops = torch.tensor(
        [list(drops_of(network, rows, task, preparation, generator)) for _ in range(repeats)],
        dtype=torch.float64,
    )
    # Rows without an example of some class may have no figure.
    drops = drops[~drops.isnan().any(dim=1)]
    if len(drops) < 2:
        raise ValueError("permutation_importance: too few rows of some class to measure.")
    reach = NormalDist().inv_cdf(0.975) * drops.std(dim=0)
    means = drops.mean(dim=0)
    ends = zip(means.tolist(), (means - reach).tolist(), (means + reach).tolist(), strict=True)
    found = [
        Importance(column.name, *values)
        for column, values in zip(preparation.columns, ends, strict=True)
    ]
    return sorted(found, key=lambda each: -each.drop)


def sample(data: Source, passes: int, generator: torch.Generator) -> Dataset:
    """Return rows of the data, so few that predicting them often is quick.

    Raises:
        ValueError: If they have no targets, or there are none.
    """
    if data.targets is None or not len(data):
        raise ValueError("permutation_importance: needs rows with targets.")
    most = max(FEWEST_ROWS, MOST_PREDICTIONS // passes)
    places = torch.randperm(len(data), generator=generator)[:most]
    batch = data.fetch(places.tolist())
    inputs: Any = batch.inputs
    return Dataset(inputs, data.targets[places] if batch.targets is None else batch.targets)


def drops_of(
    network: ScoringPredictor,
    rows: Dataset,
    task: Task[Any],
    preparation: TablePreparation,
    generator: torch.Generator,
) -> Iterator[float]:
    """Yield the drop of each column for rows that are drawn anew."""
    metric = task.metrics()[0]
    count = len(rows)
    drawn = rows[torch.randint(count, (count,), generator=generator)]
    sign = 1 if metric.greater_is_better else -1

    def figure(inputs: Tensor) -> float:
        outputs = outputs_of(network, Batch(inputs, None), task)
        targets: Any = drawn.targets
        return sign * metric(outputs, task.loss.prepare(task.encode(targets), outputs[:2]))

    intact = figure(drawn.inputs)
    ends = [0]
    for column in preparation.columns:
        ends.append(ends[-1] + len(column.features))
    for start, end in pairwise(ends):
        order = torch.randperm(count, generator=generator)
        shuffled = drawn.inputs.clone()
        shuffled[:, start:end] = drawn.inputs[order, start:end]
        yield intact - figure(shuffled)
