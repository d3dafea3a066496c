"""Rows and batches of any kind: by index, by iteration, as tuples and as dicts."""

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn
from torch.utils.data import DataLoader, IterableDataset, TensorDataset
from torch.utils.data import Dataset as TorchDataset

from neuropil.datasets import DataError
from neuropil.layers import Concatenate, Flatten, Input, Linear, Relu, Softmax, parallel
from neuropil.training import Trainer
from neuropil.training.loop.streams import open_stream

X = torch.randn(45, 3, generator=torch.Generator().manual_seed(0))
Y = (X[:, 0] > 0).long()


class HuggingFace:
    """Has the interface of a Hugging Face data set, as far as it is needed."""

    def __init__(self, columns):
        self.columns = {
            name: [np.asarray(v).tolist() for v in c] for name, c in columns.items()
        }
        self.asked = []

    def __len__(self):
        return len(next(iter(self.columns.values())))

    def __getitem__(self, key):
        if isinstance(key, str):
            return self.columns[key]
        if isinstance(key, int):
            return {name: values[key] for name, values in self.columns.items()}
        return {name: [values[k] for k in key] for name, values in self.columns.items()}

    def __getitems__(self, keys):
        self.asked.append(len(keys))
        found = self[keys]
        return [{name: values[k] for name, values in found.items()} for k in range(len(keys))]

    def __iter__(self):
        return (self[k] for k in range(len(self)))


class Indexed(TorchDataset):
    """A data set of torch, with one example per index."""

    def __init__(self, rows):
        self.rows = rows

    def __len__(self):
        return len(self.rows)

    def __getitem__(self, index):
        return self.rows[index]


class Iterated:
    """Anything that can be iterated again and again."""

    def __init__(self, items):
        self.items = items

    def __iter__(self):
        return iter(self.items)


class Stream(IterableDataset):
    def __init__(self, items):
        self.items = items

    def __iter__(self):
        return iter(self.items)


def fit(data, network=None, **options):
    torch.manual_seed(0)
    network = network or (Input(3) >> Relu(5) >> Softmax(2))
    options = {"seed": 1, "threads": 1, "progress": False, "workers": 0} | options
    trainer = Trainer(network, metrics=["accuracy"], **options)
    trainer.fit(data, data, epochs=2, batch_size=8)
    return trainer


def weights(trainer):
    return {name: value.tolist() for name, value in trainer.network.state_dict().items()}


def assert_close(found, alike):
    for name, weight in alike.network.state_dict().items():
        own = found.network.state_dict()[name]
        torch.testing.assert_close(own, weight, rtol=1e-5, atol=1e-6)


PAIRS = list(zip(X, Y, strict=True))
BY_INDEX = {
    "a list of pairs": PAIRS,
    "a list of numbers": [(*x.tolist(), int(y)) for x, y in PAIRS],
    "a data set of torch": Indexed(PAIRS),
    "rows by name": [{"input1": x.numpy(), "target": int(y)} for x, y in PAIRS],
    "a target called class": [{"features": x.tolist(), "class": int(y)} for x, y in PAIRS],
    "one other entry": [{"features": x.tolist(), "label": int(y)} for x, y in PAIRS],
    "columns by name": [
        {"a": a, "b": b, "c": c, "y": int(y)}
        for (a, b, c), y in zip(X.tolist(), Y, strict=True)
    ],
    "Hugging Face": HuggingFace({"features": X, "labels": Y}),
    "Hugging Face's columns": HuggingFace(
        {"a": X[:, 0], "b": X[:, 1], "c": X[:, 2], "label": Y}
    ),
}


@pytest.mark.parametrize("kind", BY_INDEX)
def test_rows_by_index_train_like_arrays(kind):
    alike, found = fit((X, Y)), fit(BY_INDEX[kind])
    for name, weight in alike.network.state_dict().items():
        torch.testing.assert_close(
            found.network.state_dict()[name], weight, rtol=1e-5, atol=1e-6
        )
    assert found.history[-1]["accuracy"] == alike.history[-1]["accuracy"]


def test_rows_are_asked_for_together_where_a_set_offers_it():
    data = HuggingFace({"features": X, "labels": Y})
    fit(data)
    assert 8 in data.asked


CUT = list(zip(X.split(8), Y.split(8), strict=True))
ITERATED = {
    "pairs": CUT,
    "rows": Iterated(PAIRS),
    "a stream of rows": Stream(PAIRS),
    "a stream of Hugging Face": Iterated(
        [{"x": x.tolist(), "label": int(y)} for x, y in PAIRS]
    ),
    "batches by name": [{"input1": x, "labels": y} for x, y in CUT],
    "batches of columns": Iterated(
        [{"a": x[:, 0], "b": x[:, 1], "c": x[:, 2], "y": y} for x, y in CUT]
    ),
    "batches of lists": [{"features": x.tolist(), "target": y.tolist()} for x, y in CUT],
    "a loader": DataLoader(TensorDataset(X, Y), 8),
}


@pytest.mark.parametrize("kind", ITERATED)
def test_iterables_train_like_a_list_of_pairs(kind):
    alike, found = fit(CUT), fit(ITERATED[kind])
    assert_close(found, alike)
    assert found.steps == alike.steps == 12


A, B = X[:, :2], X[:, 2:]
SEVERAL = {
    "a tuple of three": DataLoader(TensorDataset(A, B, Y), 45),
    "rows of three": list(zip(A, B, Y, strict=True)),
    "by the names of the inputs": [{"right": B, "left": A, "number": Y, "label": Y}],
    "a dict of inputs and a target": [({"right": B, "left": A}, Y)],
    "in memory, a dict of inputs and a target": ({"right": B.numpy(), "left": A}, Y.tolist()),
    "in memory by the names of the inputs": {"right": B, "left": A.numpy(), "y": Y},
    "rows of a dict and a target": [
        ({"right": b, "left": a}, y) for a, b, y in zip(A, B, Y, strict=True)
    ],
    "rows by name": [
        {"right": b, "left": a, "label": y, "other": "text"}
        for a, b, y in zip(A, B, Y, strict=True)
    ],
}


@pytest.mark.parametrize("kind", SEVERAL)
def test_several_inputs_are_the_parts_before_the_target(kind):
    def network():
        torch.manual_seed(0)
        return (
            parallel(Input(2, name="left"), Input(1, name="right"))
            >> Concatenate()
            >> Softmax(2)
        )

    options = {"normalize": False, "seed": 1, "threads": 1, "progress": False, "workers": 0}
    alike, found = Trainer(network(), **options), Trainer(network(), **options)
    alike.fit(((A, B), Y), epochs=2, batch_size=45)
    found.fit(SEVERAL[kind], epochs=2, batch_size=45)
    for name, weight in alike.network.state_dict().items():
        torch.testing.assert_close(
            found.network.state_dict()[name], weight, rtol=1e-5, atol=1e-6
        )


class Two(nn.Module):
    """A module whose arguments have names."""

    def __init__(self):
        super().__init__()
        self.linear = nn.Linear(3, 2)

    def forward(self, left, right):
        return self.linear(torch.cat([left, right], dim=1))


def test_the_arguments_of_a_module_are_its_inputs():
    torch.manual_seed(0)
    trainer = Trainer(Two(), loss="cross_entropy", progress=False, seed=0)
    batches = [{"right": B, "left": A, "label": Y}]
    assert len(trainer.fit(batches, epochs=2)) == 2


def test_columns_in_memory_may_be_a_dict():
    torch.manual_seed(0)
    columns = {"a": X[:, 0].numpy(), "b": X[:, 1].numpy(), "c": X[:, 2].numpy(), "label": Y}
    assert weights(fit(columns)) == weights(fit((X, Y)))


def test_pictures_have_their_channels_first():
    draw = np.random.default_rng(0).integers(0, 255, (20, 4, 6, 3), dtype=np.uint8)
    rows = [{"image": Image.fromarray(p), "label": k % 2} for k, p in enumerate(draw)]
    network = Input(3, 4, 6) >> Flatten() >> Softmax(2)
    trainer = fit(rows, network)
    assert network.inputs[0].mean.flatten().tolist() == pytest.approx(
        draw.mean(axis=(0, 1, 2)).tolist(), rel=1e-5
    )
    assert trainer.steps == 6


def wrong(change, items=PAIRS):
    items = [{"x": x, "label": y} for x, y in items]
    items[33] = change
    return items


@pytest.mark.parametrize("open_as", [list, Iterated])
@pytest.mark.parametrize(
    ("items", "match"),
    [
        (wrong({"x": X[0]}), r"row \d+ has .*x.*: all rows must have the same"),
        (wrong({"x": X[0, :2], "label": 1}), r"the 'x' of row \d+ has shape \((2|3),\), that"),
        (
            wrong({"x": X[0], "label": "cat"}),
            r"'label' of row 33 must be numbers, got 'cat'",
        ),
        ([{"x": X[0], "label": 1, "target": 0}], "label, target, and each could be"),
        ([{"x": X[0], "y": 1, "sample_weight": 2.0}], r"'sample_weight', .*targets, weights\)"),
        (
            [{"a": X[0], "b": X[0], "label": 1}],
            "has a, b besides the target, .* input1",
        ),
        (
            [{"a": 0.5, "kind": 1}],
            "has the entries a, kind, and none of them is called target, .* classes or y",
        ),
        ([{"x": X[0]}] * 4, "the training data has no targets"),
        ([()], "contains an empty tuple"),
    ],
)
def test_rows_that_cannot_be_used(open_as, items, match):
    with pytest.raises(ValueError, match=match):
        fit(open_as(items))


def test_a_later_batch_without_a_part_is_an_error():
    with pytest.raises(DataError, match="a batch has x, but no 'label'"):
        fit([{"x": X, "label": Y}, {"x": X}])


@pytest.mark.parametrize("data", [[X], [{"x": X}], Iterated([{"x": x} for x in X])])
def test_a_loss_needs_targets(data):
    with pytest.raises(ValueError, match="the training data has no targets: give batches"):
        fit(data, loss="cross_entropy")


def test_what_can_be_read_only_once_is_refused():
    with pytest.raises(ValueError, match="is a list_iterator, which can be read only once"):
        fit(iter(PAIRS))


def test_a_regression_on_rows():
    rows = [(x.tolist(), 2.5 * float(x[0])) for x in X]
    torch.manual_seed(0)
    trainer = Trainer(Input(3) >> Linear(1), progress=False, seed=0, workers=0)
    assert trainer.fit(rows, epochs=3)[-1]["loss"] < 20


def test_sets_of_hugging_face_train_like_arrays(monkeypatch):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    datasets = pytest.importorskip("datasets")
    alike = fit((X, Y))
    rows = datasets.Dataset.from_dict({"x": X.tolist(), "label": Y.tolist()})
    for data in (rows, rows.with_format("torch")):
        assert_close(fit(data), alike)
    assert fit(rows.to_iterable_dataset(num_shards=3)).steps == alike.steps


class Counted:
    """Batches that count how often they are begun, as those do that draw their order then."""

    def __init__(self):
        self.begun = 0

    def __len__(self):
        return 3

    def __iter__(self):
        self.begun += 1
        return iter([(X[:8], Y[:8])] * 3)


def test_batches_of_a_custom_step_are_begun_once_an_epoch():
    data, network = Counted(), Input(3) >> Softmax(2)
    given: dict = {"step": lambda _, batch: {"loss": network(batch[0]).square().mean()}}
    trainer = Trainer(network, optimizer="sgd", progress=False, **given)
    batches = open_stream(trainer.learner, data, "training", 8)
    assert [batches.count for _ in range(3)] == [3] * 3
    assert data.begun == 0
    trainer.fit(data, epochs=2)
    assert data.begun == 2


@pytest.mark.parametrize(
    "data",
    [((X, X), Y), [(x, x, y) for x, y in PAIRS], DataLoader(TensorDataset(X, X, Y), 10)],
    ids=["arrays", "rows", "batches"],
)
def test_more_inputs_than_the_network_takes_are_refused(data):
    with pytest.raises(DataError, match=r"has 2 inputs besides the target.* takes 1: give"):
        fit(data)
