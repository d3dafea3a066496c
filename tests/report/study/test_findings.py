"""The sentences of the page say what the numbers say."""

import pytest
from tests.report.study.studies import ordinary, undecided, wild

from neuropil.report.study.variants_table import per_extra_second


@pytest.mark.parametrize(
    ("twice", "said"),
    [
        ((0.71, 0.34, 1.08), "give +0.7 points (0.3 to 1.1): the curve has not reached"),
        ((0.2, 0.05, 0.35), "the curve has reached its plateau, to within 0.5 points."),
        ((0.4, -0.3, 1.1), "the study cannot tell."),
        ((0.4, None, None), "would give +0.4 points."),
        (None, "too few points to tell what more data would give."),
    ],
)
def test_the_plateau(page_of, twice, said):
    found = ordinary()
    keys = ("gain", "low", "high")
    found["learning_curve"]["twice"] = twice and dict(zip(keys, twice, strict=True))
    page = page_of(found)
    assert said in page.text_of("more")
    assert ("extrapolated" in page.source) == bool(twice)


def test_wrong_labels_as_lost_examples(page_of):
    words = page_of(ordinary()).text_of("more")
    assert "5 % wrong labels cost 0.5 points, as much as losing 278 of the 1,078" in words
    found = ordinary()
    found["label_noise"]["points"][1]["as_examples"] = None
    assert "5 % wrong labels cost 0.5 points." in page_of(found).text_of("more")
    assert "0 % wrong labels" not in words.replace("10 %", "").replace("20 %", "")


def test_where_smaller_is_better_wrong_labels_still_cost(page_of):
    found = undecided()
    found["learning_curve"] = {
        "points": [
            {"examples": 53, "mean": 0.12, "low": 0.1, "high": 0.14},
            {"examples": 107, "mean": 0.0834, "low": None, "high": None},
        ],
        "twice": {"gain": 0.03, "low": 0.01, "high": 0.05},
    }
    found["label_noise"] = {
        "points": [
            {"noise": 0.0, "mean": 0.0834, "low": 0.08, "high": 0.09, "as_examples": 107},
            {"noise": 0.1, "mean": 0.14, "low": 0.1, "high": 0.18, "as_examples": 41},
        ]
    }
    page = page_of(found)
    assert "10 % wrong labels cost 0.057, as much as losing 66 of the 107" in page.text_of(
        "more"
    )
    curve, noise = (svg["aria-label"] for svg in page.all("svg") if svg.get("role") == "img")
    assert curve.endswith("training examples: 53 examples 0.120; 107 examples 0.083.")
    assert noise.endswith("wrong training labels: 0% 0.083; 10% 0.140.")


@pytest.mark.parametrize("missing", ["learning_curve", "label_noise"])
def test_one_curve_is_enough_for_the_section(page_of, missing):
    page = page_of(ordinary() | {missing: None})
    drawn = [svg for svg in page.all("svg") if svg.get("role") == "img"]
    assert len(drawn) == 1


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({}, "+1.9 points (1.4 to 2.5); their single gains add up to +2.9. That is 67 % of"),
        ({}, "of the sum: in part they do the same. A run takes 5.2 s (× 1.68)."),
        ({"high": 3.0}, "of the sum: within chance they add up."),
        (
            {"gain": 3.5, "low": 3.0, "high": 4.0},
            "122 % of the sum: they strengthen each other",
        ),
        ({"low": None, "high": None}, "That is 67 % of the sum."),
        ({"gain": -0.4, "low": -1.0, "high": 0.2}, "give −0.4 points (−1.0 to 0.2); their"),
    ],
)
def test_the_winners_together(page_of, changed, said):
    found = ordinary()
    found["together"] |= changed
    assert said in page_of(found).text_of("together")


def test_the_agreement_with_published_gains_is_said_as_it_is(page_of):
    words = page_of(ordinary()).text_of("published")
    assert "Over 8 changes" in words
    assert "What gained more on ImageNet tends to gain more on this data." in words
    found = ordinary()
    for variant in found["variants"]:
        variant["published"] = variant["published"] and -variant["published"]
    words = page_of(found).text_of("published")
    assert "What gained more on ImageNet tends to gain less on this data." in words
    for variant, published in zip(found["variants"], [1, 2, 3, 3, 2, 1], strict=False):
        variant["published"] = published
    words = page_of(found).text_of("published")
    assert "The interval contains 0: the study does not show" in words


def test_fewer_than_four_published_gains_have_no_correlation(page_of):
    found = ordinary()
    for variant in found["variants"][1:]:
        variant["published"] = None
    words = page_of(found).text_of("published")
    assert "1 change with a gain here has a published one. For a rank correlation" in words
    found["variants"][0]["published"] = None
    page = page_of(found)
    assert "published" not in page.sections
    assert "ImageNet" not in page.text


def test_costs(page_of):
    rows = {row[0]: row for row in page_of(ordinary()).table("change", "gain")}
    elu = rows["ELU in place of ReLU"]
    # 0.83 points for 0.2 seconds more than 3.1.
    assert elu[6:9] == ["3.3 s (× 1.06)", "4.2", "72,010"]
    assert rows["Dropout before the last layer"][7] == "no extra cost"
    assert rows["Batches of 32, half the learning rate"][7:] == ["no gain", "72,010", "× 0.5"]
    assert rows["baseline"] == [
        "baseline",
        "97.1 %",
        "",
        "",
        "",
        "5",
        "3.1 s",
        "",
        "72,010",
        "",
    ]
    assert elu[3] == "0.004"
    assert rows["Without BatchNorm"][3] == "< 0.001"


def test_columns_of_rates_and_failures_are_there_only_if_they_say_something(page_of):
    heads = {"learning rate", "failed runs"}
    ordinary_heads, undecided_heads, wild_heads = (
        {*page_of(study()).tables[0][0]} & heads for study in (ordinary, undecided, wild)
    )
    assert ordinary_heads == {"learning rate"}
    assert undecided_heads == {"failed runs"}
    assert wild_heads == heads
    rows = {row[0]: row for row in page_of(wild()).table("change", "gain")}
    assert rows["Change 4 of the input"][-1] == "3"
    assert "3 of 5 diverged" in page_of(wild()).text_of("gains")


@pytest.mark.parametrize(
    ("gain", "seconds", "text"),
    [
        (0.8, 3.15, "no extra cost"),
        (0.8, 2.0, "no extra cost"),
        (0.8, 3.5, "2.0"),
        (50.0, 3.5, "125"),
        (0.0008, 103.1, "0.0000080"),
        (0.0, 3.5, "no gain"),
        (None, 3.5, "–"),
        (0.8, None, "–"),
    ],
)
def test_gain_per_extra_second(gain, seconds, text):
    assert per_extra_second({"gain": gain, "seconds": seconds}, 3.1) == text


def test_looks_and_comparisons_are_named_only_if_there_are_several(page_of):
    method = page_of(ordinary()).text_of("method")
    assert "looked at after 3, 4 and 5 seeds" in method
    assert "12 comparisons by Holm’s method" in method
    found = undecided()
    found["variants"] = found["variants"][:1]
    method = page_of(found).text_of("method")
    assert "looked at" not in method
    assert "Holm" not in method


def test_the_gain_of_a_pair_beyond_the_sum_and_the_rate_of_the_baseline(page_of):
    found = ordinary()
    found["variants"][0]["interaction"] = {"gain": 0.42, "low": 0.11, "high": 0.73}
    found["baseline"]["lr"] = 0.5
    rows = {row[0]: row for row in page_of(found).table("change", "gain")}
    assert rows["ELU in place of ReLU"][-1] == "+0.4 (0.1 to 0.7)"
    assert rows["Dropout before the last layer"][-1] == ""
    assert rows["baseline"][-2:] == ["× 0.5", ""]


def test_one_change_is_asked_about_in_the_singular(page_of):
    found = ordinary()
    assert f"Do any of {len(found['variants'])} changes to the" in page_of(found).source
    found["variants"] = found["variants"][:1]
    assert "Does one change of the baseline improve the accuracy" in page_of(found).source
