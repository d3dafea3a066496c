"""PyArrow data sets, tables in memory, and what of them cannot be used."""

import polars
import pyarrow as pa
import pyarrow.csv
import pyarrow.dataset
import pyarrow.feather
import pyarrow.parquet
import pytest
import torch

from neuropil.datasets import DataError
from neuropil.layers import Input, Relu, Softmax
from neuropil.training import Trainer
from neuropil.training.rows.arrow_source import ArrowSource
from neuropil.training.rows.fields import Layout

X = torch.randn(101, 3, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
Y = (X[:, 0] > 0).long()
TABLE = pa.table({**dict(zip("abc", X.T.numpy(), strict=True)), "label": Y.numpy()})


def fit(data, network=None, **options):
    torch.manual_seed(0)
    network = network or (Input(3) >> Relu(5) >> Softmax(2))
    options = {"seed": 1, "threads": 1, "progress": False, "workers": 0} | options
    trainer = Trainer(network, metrics=["accuracy"], **options)
    trainer.fit(data, data, epochs=2, batch_size=10)
    return trainer


def weights(trainer):
    return {name: value.tolist() for name, value in trainer.network.state_dict().items()}


def write_parquet(folder, table=TABLE, rows=9):
    pyarrow.parquet.write_table(table.slice(0, 50), folder / "one.parquet", row_group_size=rows)
    pyarrow.parquet.write_table(table.slice(50), folder / "two.parquet", row_group_size=rows)
    return pyarrow.dataset.dataset(folder, format="parquet")


def assert_close(found, alike):
    for name, weight in alike.network.state_dict().items():
        own = found.network.state_dict()[name]
        torch.testing.assert_close(own, weight, rtol=1e-5, atol=1e-6)


def test_a_table_in_memory_is_its_columns():
    assert weights(fit(TABLE)) == weights(fit((X, Y)))


@pytest.mark.parametrize("convert", [pa.Table.to_pandas, polars.from_arrow])
def test_a_data_frame_is_its_columns(convert):
    assert weights(fit(convert(TABLE))) == weights(fit((X, Y)))


def test_parquet_files_are_shuffled_a_few_row_groups_at_a_time(tmp_path):
    source = ArrowSource(write_parquet(tmp_path), Layout((("a", "b", "c"),), "label"))
    generator = torch.Generator().manual_seed(0)
    order = source.shuffled(generator)
    assert sorted(order.tolist()) == list(range(101))
    assert order.tolist() != source.shuffled(generator).tolist()
    for part in order.split(10):
        batch = source.fetch(part.tolist())
        assert torch.equal(batch.inputs, X[part])
        assert torch.equal(batch.targets, Y[part])
        assert len(source.read) <= 4
    groups = torch.searchsorted(torch.tensor(source.starts), order, right=True)
    assert all(len(set(part.tolist())) <= 8 for part in groups.split(20))


def test_parquet_files_train_alike_with_any_number_of_workers(tmp_path):
    data = write_parquet(tmp_path)
    alone = fit(data)
    assert alone.steps == 20
    assert weights(fit(data, workers=2)) == weights(alone)


@pytest.mark.parametrize("suffix", ["csv", "feather"])
def test_other_files_are_scanned_in_their_order(tmp_path, suffix):
    path = tmp_path / f"rows.{suffix}"
    if suffix == "csv":
        pyarrow.csv.write_csv(TABLE, path)
    else:
        pyarrow.feather.write_feather(TABLE, path, chunksize=7)
    data = pyarrow.dataset.dataset(path, format=suffix)
    alike = [(X[k : k + 10], Y[k : k + 10]) for k in range(0, 90, 10)] + [(X[90:], Y[90:])]
    found = fit(data)
    assert found.steps == 20
    assert_close(found, fit(alike))


def test_a_filtered_data_set_is_scanned(tmp_path):
    data = write_parquet(tmp_path).filter(pyarrow.dataset.field("label") == 1)
    rows = int(Y.sum())
    assert fit(data).steps == 2 * (-(-rows // 10) - (rows % 10 == 1))


def test_lists_of_numbers_are_one_input(tmp_path):
    fixed = pa.FixedSizeListArray.from_arrays(X.flatten().numpy(), 3)
    for lists in (fixed, pa.array(X.tolist())):
        table = pa.table({"x": lists, "target": Y.numpy()})
        assert weights(fit(table)) == weights(fit((X, Y)))


@pytest.mark.parametrize(
    ("columns", "match"),
    [
        ({"b": ["text"] * 101}, "column 'b' has values of type string, and numbers are needed"),
        ({"b": [None] + [1.0] * 100}, "column 'b' has 1 empty cell: fill them or drop"),
        ({"d": [0.0] * 101}, "has a, b, c and 1 more besides the target"),
        ({"y": [0] * 101}, "label, y, and each could be the target"),
    ],
)
@pytest.mark.parametrize("stored", [True, False])
def test_tables_that_cannot_be_used(tmp_path, columns, match, stored):
    table = pa.table({**{name: TABLE[name] for name in TABLE.column_names}, **columns})
    with pytest.raises(DataError, match=match):
        fit(write_parquet(tmp_path, table) if stored else table)


def test_lists_of_different_lengths_are_refused():
    table = pa.table({"x": [[1.0, 2.0, 3.0], [4.0]], "target": [0, 1]})
    with pytest.raises(DataError, match="column 'x' has lists of different lengths"):
        fit(table)
