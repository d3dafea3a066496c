"""A study in the terminal: a line for each change, whatever the width."""

import pytest
from tests.report.study.studies import STUDIES, ordinary, wild

from neuropil.cli.study.study_text import show_study


@pytest.fixture
def shown(monkeypatch, capsys):
    """Return a function that prints a study at some width and returns its lines."""

    def lines(found, width=80):
        monkeypatch.setenv("COLUMNS", str(width))
        show_study(found)
        return [line.strip() for line in capsys.readouterr().out.splitlines() if line.strip()]

    return lines


@pytest.mark.parametrize("name", STUDIES)
@pytest.mark.parametrize("width", [80, 120])
def test_a_line_for_each_change_and_each_advice(shown, name, width):
    found = STUDIES[name]()
    lines = shown(found, width)
    assert len(lines) == 3 + len(found["variants"]) + len(found["recommendation"])
    assert lines[-len(found["recommendation"]) :] == found["recommendation"]
    assert all(len(line) <= width for line in lines[: 3 + len(found["variants"])])


def test_figures_are_never_cut(shown):
    lines = shown(ordinary())
    assert lines[2].split("accuracy")[1].split() == ["97.1", "%", "5", "3.1", "s"]
    (elu,) = (line for line in lines if line.startswith("ELU in"))
    assert elu.split("ReLU")[1].split() == [
        "+0.8",
        "(0.3",
        "to",
        "1.4)",
        "helps",
        "5",
        "3.3",
        "s",
    ]
    wide = shown(wild())
    assert any("−61.2 (−63.9 to −58.5)" in line for line in wide)
    assert any("2 of 5" in line for line in wide)


def test_names_are_not_markup(shown):
    found = ordinary()
    found["variants"][0]["title"] = "[red]x[/red]\x1b[31m\nsecond"
    text = "\n".join(shown(found, 120))
    assert r"[red]x[/red]\x1b[31m second" in text
