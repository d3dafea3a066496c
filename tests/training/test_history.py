"""The history: a sequence, a table, a file."""

import math

import pytest

from neuropil.training import History

RECORDS = [
    {"epoch": 1, "loss": 0.1 + 0.2, "validation_loss": 0.5},
    {"epoch": 2, "loss": 0.25, "validation_loss": 0.75, "extra": 1e-300},
]


def test_a_history_is_a_sequence_of_records():
    history = History(RECORDS)
    assert len(history) == 2
    assert history[-1]["extra"] == 1e-300
    assert list(history) == RECORDS
    assert history[1:] == History(RECORDS[1:])
    assert history.columns == ["epoch", "loss", "validation_loss", "extra"]
    assert history.column("extra") == [None, 1e-300]
    with pytest.raises(KeyError, match="no column 'los'; its columns are: epoch, loss"):
        history.column("los")


def test_the_best_epoch_is_the_first_of_equals():
    history = History(RECORDS)
    assert history.best("loss")["epoch"] == 2
    assert history.best("validation_loss", greater_is_better=True)["epoch"] == 2
    assert history.best("extra")["epoch"] == 2
    assert History([{"epoch": 1, "loss": 1.0}, {"epoch": 2, "loss": 1.0}]).best("loss") == {
        "epoch": 1,
        "loss": 1.0,
    }


def test_a_file_gives_every_bit_back(tmp_path):
    path = tmp_path / "history.csv"
    History([*RECORDS, {"epoch": 3, "loss": math.inf}]).save(path)
    assert History.load(path) == History([*RECORDS, {"epoch": 3, "loss": math.inf}])
    assert path.read_text().splitlines()[0] == "epoch,loss,validation_loss,extra"
    assert [p.name for p in tmp_path.iterdir()] == ["history.csv"]
    path.write_text("epoch,loss\n1,good\n")
    with pytest.raises(
        ValueError, match=r"history.csv is damaged: line 2 contains a cell that"
    ):
        History.load(path)


@pytest.mark.parametrize(
    ("content", "line"),
    [
        ("epoch,loss\n1\n", "line 2 has 1 cells for 2 columns"),
        ("epoch,loss\n1,2,3\n", "line 2 has 3 cells for 2 columns"),
        ("epoch,loss\n1,2\n\n3,4\n", "line 3 has 0 cells"),
        ("epoch,epoch\n1,2\n", "the columns need distinct names"),
        ("epoch,\n1,2\n", "the columns need distinct names"),
        ('epoch,loss\n1,"2\n', "unexpected end of data"),
        ("epoch,loss\n1,²\n", "line 2 contains a cell that is not a number"),
        ("epoch\n" + "9" * 200_000 + "\n", "field larger than field limit"),
        ("epoch\n" + "9" * 5000 + "\n", "line 2 contains a cell that is not a number"),
        (b"epoch\n\xff\n", "can't decode byte 0xff"),
    ],
)
def test_damaged_files_are_one_line(tmp_path, content, line):
    path = tmp_path / "history.csv"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(ValueError, match=line) as caught:
        History.load(path)
    assert str(caught.value).startswith(f"{path} is damaged: ")


def test_the_printed_table_lines_up():
    assert repr(History()) == "History()"
    assert repr(History(RECORDS)).splitlines() == [
        "epoch  loss  validation_loss   extra",
        "    1   0.3              0.5        ",
        "    2  0.25             0.75  1e-300",
    ]


def test_a_file_is_replaced_and_never_overwritten(tmp_path):
    path, link = tmp_path / "history.csv", tmp_path / "link"
    History(RECORDS[:1]).save(path)
    link.hardlink_to(path)
    History(RECORDS).save(path)
    assert len(History.load(path)) == 2
    assert len(History.load(link)) == 1
