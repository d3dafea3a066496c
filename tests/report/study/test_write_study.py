"""The page of a study: complete, honest about what is not known, and deaf to hostile names."""

import os
import re

import pytest
from tests.report.study.studies import STUDIES, ordinary, undecided, wild

from neuropil.report.study import write_study
from neuropil.report.study.gain_text import GainText

HOSTILE = '<script>alert(1)</script>"><img src=x onerror=alert(2)> {{ 7 * 7 }} \x1b\u202e'
ALL = ["recommendation", "gains", "costs", "together", "more", "published", "method"]


@pytest.fixture(scope="module", params=STUDIES)
def study(request, page_of):
    """Return each study with its page."""
    found = STUDIES[request.param]()
    return found, page_of(found)


def test_ids_are_unique_and_every_link_leads_to_one(study):
    _, page = study
    assert len(page.ids) == len({*page.ids})
    assert {link["href"][1:] for link in page.all("a")} == {*page.sections}


def test_the_page_loads_and_runs_nothing(study):
    _, page = study
    assert not {tag for tag, _ in page.elements} & {"script", "iframe", "link", "object"}
    assert not re.search(r"(src|href)=.?(https?:|//)", page.source)
    policies = [m["content"] for m in page.all("meta") if "http-equiv" in m]
    assert policies == ["default-src 'none'; style-src 'unsafe-inline'; img-src data:"]


def test_every_drawing_has_a_text_or_stands_beside_one(study):
    _, page = study
    for drawing in page.all("svg"):
        # These are within a drawing, or within the axis, which is hidden as a whole.
        inner = {"gain", "published", "beyond left", "beyond right", "strip-plot"}
        hidden = drawing.get("class") in inner or drawing.get("aria-hidden") == "true"
        assert hidden or drawing.get("aria-label")


def test_every_figure_of_a_change_is_in_the_plot_and_in_the_table(study):
    found, page = study
    text = GainText.of(found)
    rows = {row[0]: row[1:] for row in page.table("change", "gain")}
    gains = page.text_of("gains")
    for variant in found["variants"]:
        row = rows[variant["title"]]
        gain = text.gain(variant["gain"])
        ends = text.interval(variant["low"], variant["high"])
        assert row[:2] == [gain, ends or "–"]
        assert variant["verdict"] in row
        assert (
            "–" in row if variant["parameters"] is None else f"{variant['parameters']:,}" in row
        )
        assert f"{gain} ({ends}) {variant['verdict']}" in gains or not ends
        assert f"{variant['title']} {variant['group']} {gain}" in gains


def test_the_settings_the_baseline_and_the_advice_are_there(study):
    found, page = study
    method = page.text_of("method")
    for name in ("data", "task", "network", "fingerprint"):
        assert found["study"][name] in method
    for count in ("train", "validation", "test"):
        assert f"{found['study'][count]:,}" in method
    assert found["baseline"]["description"] in method
    for left in found["left_out"]:
        assert f"{left['title']}{left['reason']}" in method
    for advice in found["recommendation"]:
        assert advice in page.text_of("recommendation")


def test_the_sections_come_in_the_order_of_interest(page_of):
    assert [*page_of(ordinary()).sections] == ALL
    assert [*page_of(undecided()).sections] == ["recommendation", "gains", "costs", "method"]


def test_changes_are_sorted_by_gain_and_those_that_failed_come_last(page_of):
    page = page_of(wild())
    rows = page.table("change", "gain")[1:]
    gains = [row[1].replace("−", "-") for row in rows]
    *numbers, of_few = [float(gain) for gain in gains[:-1]]
    assert numbers == sorted(numbers, reverse=True)
    assert rows[-2][0] == "Change 4 of the input"  # most of whose trainings failed
    assert of_few > numbers[-1]
    assert gains[-1] == "–"
    titles = [row[0] for row in rows]
    places = [page.text_of("gains").index(title) for title in titles]
    assert places == sorted(places)


def test_verdicts_are_counted(page_of):
    words = page_of(ordinary()).text_of("recommendation")
    for said in ("3 help", "3 hurt", "3 make no difference that matters", "3 cannot be told"):
        assert said in words
    assert "3 cannot be told yet" in page_of(undecided()).text_of("recommendation")


def test_where_smaller_is_better_the_page_says_what_a_gain_is(page_of):
    gains = page_of(undecided()).text_of("gains")
    assert "A smaller log loss is better" in gains
    assert "log loss of the baseline minus that with the change" in gains
    assert "with the change minus that of the baseline" in page_of(ordinary()).text_of("gains")


@pytest.mark.parametrize(
    ("unit", "outcome", "said"),
    [
        ("points", "accuracy", ["in percentage points", "0.5 points", "97.1 %"]),
        ("seconds", "seconds", ["in seconds", "0.5 seconds", "97.1 seconds"]),
        ("epochs", "steps_to", ["in epochs", "0.5 epochs", "97.1 epochs"]),
        ("", "r2", ["R² with the change", "smaller than 0.5,", "97.1"]),
    ],
)
def test_units(page_of, unit, outcome, said):
    found = ordinary()
    found["study"] |= {"unit": unit, "outcome": outcome}
    page = page_of(found)
    assert all(words in page.text for words in said)
    assert f"{unit or 'gain'} per extra second" in page.text_of("costs")
    # Published gains are points: beside another unit they are a number only.
    marks = [svg for svg in page.all("svg") if svg.get("class") == "published"]
    assert bool(marks) == (unit == "points")
    assert "ImageNet +2.1" in page.text_of("gains")


def test_hostile_names_stay_text(page_of):
    found = ordinary()
    for owner, keys in (
        (found["study"], ("data", "task", "outcome", "network", "fingerprint")),
        (found["baseline"], ("description",)),
        (found["left_out"][0], ("title", "reason")),
        *((variant, ("title", "group")) for variant in found["variants"]),
    ):
        owner.update(dict.fromkeys(keys, HOSTILE))
    found["variants"][0]["verdict"] = HOSTILE
    found["recommendation"] = [HOSTILE]
    page = page_of(found)
    assert not {tag for tag, _ in page.elements} & {"script", "img", "iframe"}
    assert not any(name.startswith("on") for _, given in page.elements for name in given)
    assert "\x1b" not in page.source
    assert "{{ 7 * 7 }}" in page.text_of("recommendation")
    for section in ("recommendation", "gains", "costs", "method"):
        assert "<script>alert(1)</script>" in page.text_of(section), section


def test_a_study_without_any_change_has_a_page(page_of):
    found = undecided()
    found["variants"], found["recommendation"] = [], []
    page = page_of(found)
    assert "None: nothing was measured." in page.text_of("recommendation")
    assert [row[:2] for row in page.table("change", "gain")] == [["baseline", "0.083"]]


def test_a_study_without_a_smallest_difference_has_no_band(page_of):
    found = ordinary()
    found["study"]["smallest"] = None
    page = page_of(found)
    assert not [rect for rect in page.all("rect") if rect.get("class") == "band"]
    assert "shaded" not in page.text
    assert "smallest difference" not in page.text


def test_the_same_study_gives_the_same_bytes_and_stays_as_it_was(tmp_path):
    found = ordinary()
    first = write_study(tmp_path / "a.html", found).read_bytes()
    assert write_study(tmp_path / "b.html", found).read_bytes() == first
    assert found == ordinary()


def test_a_full_disk_leaves_the_old_page(tmp_path, monkeypatch):
    def full(file):
        raise OSError("No space")

    path = tmp_path / "study.html"
    path.write_text("the old page")
    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        write_study(path, ordinary())
    assert path.read_text() == "the old page"
    assert [entry.name for entry in tmp_path.iterdir()] == ["study.html"]


@pytest.mark.parametrize("part", ["test", "validation"])
def test_a_part_without_examples_is_told(page_of, part):
    found = ordinary()
    found["study"][part] = None
    page = page_of(found)
    assert f"{part} examples0" in page.text_of("method")
    assert ("judged on" in page.text_of("recommendation")) == (part != "test")


def test_a_study_of_the_data_alone_asks_about_them(page_of):
    found = ordinary() | {"variants": [], "together": None}
    page = page_of(found)
    assert "gains" not in page.sections
    asked = page.text_of("recommendation")
    assert "What would more examples, or cleaner labels, do to the accuracy?" in asked
    assert "0 changes" not in asked


def test_labels_at_the_ends_of_the_axis_stay_within_the_plot(page_of):
    found = ordinary() | {"together": None}
    found["variants"] = [found["variants"][0] | {"gain": 0.0, "low": -1.0, "high": 1.0}]
    labels = re.findall(r'<text( class="\w+")? x="([\d.]+)%"', page_of(found).source)
    assert labels == [
        (' class="first"', "0.000"),
        *(("", place) for place in ("25.000", "50.000", "75.000")),
        (' class="last"', "100.000"),
    ]
