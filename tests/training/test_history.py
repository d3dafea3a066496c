"""The history: a sequence, a table, a file."""

import math
import re

import pytest
from matplotlib.figure import Figure

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
    assert history["extra"] == [None, 1e-300]
    with pytest.raises(KeyError, match="no column 'los'; it has: epoch, loss"):
        history["los"]


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


def test_plot_draws_a_figure_on_axes_of_the_user():
    history = History({"epoch": k, "loss": 1 / k, "validation_r2": k / 9} for k in range(1, 5))
    axes = history.plot()
    (line,) = axes.get_lines()
    assert line.get_ydata().tolist() == history["loss"]
    assert axes._repr_png_().startswith(b"\x89PNG")
    own = Figure().subplots()
    assert history.plot("validation_r2", ax=own) is own
    assert own.get_lines()[0].get_ydata().tolist() == history["validation_r2"]
    with pytest.raises(KeyError, match="no column 'r3'; it has: epoch, loss, validation_r2"):
        history.plot("r3")
    with pytest.raises(ValueError, match="history is empty"):
        History().plot()


def cells(page):
    """Return the texts of the cells of a page's table, row by row."""
    rows = re.findall("<tr>(.*?)</tr>", page, re.DOTALL)
    return [re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row, re.DOTALL) for row in rows]


def test_a_notebook_shows_the_course_and_the_best_of_each_figure():
    losses = [3.0, math.nan, 1.0, 2.0]
    history = History(
        {
            "epoch": k,
            "steps": 8 * k,
            "loss": loss,
            "accuracy": 1 - loss / 4,
            "<b>": k,
            "seconds": 1,
        }
        for k, loss in enumerate(losses, 1)
    )
    table = cells(history._repr_html_())
    assert table[0] == ["Figure", "Course", "First", "Last", "Best", "In epoch"]
    assert table[1][:1] + table[1][2:] == ["loss", "3", "2", "1", "3"]
    assert table[2][:1] + table[2][2:] == ["accuracy", "0.25", "0.5", "0.75", "3"]
    # Whether more of it is better is not known.
    assert table[3][:1] + table[3][2:] == ["&lt;b&gt;", "1", "4", "", ""]
    heights = [
        float(p.split(",")[1]) for p in re.search('points="(.*?)"', table[1][1])[1].split()
    ]
    assert heights[0] < heights[2] < heights[1]
    assert "4 epochs · 32 steps · 4.0 s" in history._repr_html_()
    assert "No epochs yet" in History()._repr_html_()
