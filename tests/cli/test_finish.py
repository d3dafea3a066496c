"""The table of figures at the end of a training."""

from io import StringIO

from rich.console import Console

from neuropil.cli.finish import MOST_ROWS, figures_table


def text_of(table):
    file = StringIO()
    Console(file=file, width=100).print(table)
    return " ".join(file.getvalue().split())


def test_figures_have_the_names_of_the_report():
    text = text_of(figures_table({"test": {"loss": 0.5, "f1": 0.25, "r2": None}}))
    assert all(name in text for name in ("F1", "R²", "0.2500", "–", "loss"))


def test_of_very_many_figures_the_first_and_the_loss_are_shown():
    figures = {f"f1 of class {number}": 0.5 for number in range(300)}
    text = text_of(figures_table({"test": {"f1": 0.75, **figures, "loss": 0.125}}))
    assert text.count("F1 of class") == MOST_ROWS - 1
    assert "0.7500" in text
    assert "0.1250" in text
    assert f"{301 - MOST_ROWS} more figures: --json prints them all" in text
