"""What a study recommends, from its results as plain data."""

from neuropil.study.recommendation import recommendation


def variant(name, gain, low, high, verdict, **more):
    return {
        "name": name, "title": f"{name} in place of ReLU", "group": name, "gain": gain,
        "low": low, "high": high, "verdict": verdict, "seconds": 3.0, "failed": 0,
        "error": {"seeds": 0.4, "examples": 0.1}, **more,
    }  # fmt: skip


def study(*variants, **more):
    facts = {"outcome": "accuracy", "unit": "points", "smallest": 0.5, "test": 900}
    return {
        "study": facts | more.pop("study", {}),
        "baseline": {"seconds": 3.0},
        "variants": list(variants),
        **more,
    }


def test_the_best_change_comes_first_with_its_interval_and_time():
    found = recommendation(
        study(
            variant("ELU", 0.8, 0.2, 1.4, "helps"),
            variant("PReLU", 1.5, 0.9, 2.1, "helps", seconds=4.5),
        )
    )
    assert found == [
        "Use PReLU in place of ReLU: +1.5 points of accuracy (0.9 to 2.1), 50 % more time.",
        "Use ELU in place of ReLU: +0.8 points of accuracy (0.2 to 1.4).",
    ]


def test_changes_that_exclude_each_other_are_alternatives():
    found = recommendation(
        study(
            variant("Adam", 0.8, 0.2, 1.4, "helps", group="optimiser"),
            variant("ELU", 1.2, 0.6, 1.8, "helps", group="activation"),
            variant("Momentum", 1.5, 0.9, 2.1, "helps", group="optimiser"),
            variant("Both", 0.7, 0.1, 1.3, "helps", group="activation × dropout"),
        )
    )
    assert [line.split(" in ")[0] for line in found] == [
        "Use Momentum",
        "Or Adam",
        "Use ELU",
        "Or Both",
    ]


def test_the_winners_together_are_set_against_their_sum():
    both = {"names": ["elu", "no_dropout"], "sum": 2.3, "gain": 1.9, "low": 1.2, "high": 2.6}
    found = recommendation(
        study(variant("ELU", 0.8, 0.2, 1.4, "helps"), together=both | {"seconds": 2.4})
    )
    assert found[1] == (
        "All 2 changes together: +1.9 points of accuracy (1.2 to 2.6), 20 % less time; the sum "
        "of their single gains is +2.3."
    )


def test_nothing_that_helps():
    found = recommendation(
        study(
            variant("Tanh", -7.0, -8.0, -6.0, "hurts"),
            variant("Swish", 0.1, -0.3, 0.4, "no difference"),
            variant("GELU", 0.6, -0.6, 1.8, "cannot tell"),
        )
    )
    assert found == [
        "Keep the baseline: no change is known to help.",
        "Worse: Tanh in place of ReLU (−7.0).",
        "No difference larger than 0.5 points: Swish in place of ReLU.",
        (
            "Cannot tell yet: GELU in place of ReLU. More seeds, with a longer budget, would "
            "make the intervals narrower."
        ),
    ]


def test_what_would_tell_more():
    wide = {"seeds": 0.1, "examples": 0.9}
    found = recommendation(study(variant("GELU", 0.6, -1.6, 2.8, "cannot tell", error=wide)))
    assert found[-1].endswith(
        "More test examples would make the intervals narrower; more seeds hardly would."
    )
    few = recommendation(study(study={"test": 30}))
    assert few[-1].startswith("There are 30 test examples: too few")
    assert few[-1].endswith("A larger test part, such as --test 0.5, tells more.")
    half = recommendation(study(study={"test": 30, "train": 27}))
    assert half[-1].endswith("More examples tell more.")


def test_trainings_that_diverged_are_counted():
    nothing = dict.fromkeys(("gain", "low", "high", "error"))
    lost = {**variant("SGD", 0, 0, 0, "hurts", failed=3), **nothing, "seeds": 0}
    one_left = {**variant("ELU", 13, None, None, "hurts", failed=2), "seeds": 1}
    once = {**variant("tanh", 0.1, -1, 1.2, "cannot tell", failed=1), "seeds": 2}
    found = recommendation(study(lost, one_left, once))
    assert found[-2].startswith(
        "Diverged at this learning rate, mostly: SGD in place of ReLU (3 of 3) and ELU in "
        "place of ReLU (2 of 3). With --tune-lr"
    )
    assert found[-1] == "Diverged sometimes: tanh in place of ReLU (1 of 3)."
    assert not any(line.startswith("Worse") for line in found)


def test_errors_and_twice_the_data():
    curve = {"twice": {"gain": 0.031, "low": 0.011, "high": 0.062}}
    found = recommendation(
        study(
            variant("ELU", 0.12, 0.05, 0.19, "helps"),
            learning_curve=curve,
            study={"outcome": "root_mean_squared_error", "unit": ""},
        )
    )
    assert found[0] == (
        "Use ELU in place of ReLU: root mean squared error lower by 0.12 (0.05 to 0.19)."
    )
    assert found[1] == (
        "Twice the training examples, as far as the curve tells: root mean squared error lower "
        "by 0.03 (0.01 to 0.06)."
    )


def test_pairs_that_are_not_the_sum_of_the_two_are_told():
    more = {"gain": 0.6, "low": 0.1, "high": 1.1}
    unclear = {"gain": -0.2, "low": -0.9, "high": 0.5}
    first = variant("A", 1.5, 0.9, 2.1, "helps", interaction=more)
    second = variant("B", 0.4, -0.3, 1.0, "cannot tell", interaction=unclear)
    third = variant("C", 0.4, -0.3, 1.0, "cannot tell", interaction=None)
    found = recommendation(study(first, second, third))
    assert (
        "A in place of ReLU together give more than the sum of their single gains: +0.6 "
        "(0.1 to 1.1)." in found
    )
    rest = "pair of changes is known to differ from the sum of their single gains."
    assert f"No other {rest}" in found
    assert f"No {rest}" in recommendation(study(second, third))
    assert not any("sum" in line for line in recommendation(study(third)))


def test_a_learning_rate_that_was_chosen_is_told():
    found = recommendation(study(variant("ELU", 0.8, 0.2, 1.4, "helps", lr=0.5)))
    assert found[0].startswith("Use ELU in place of ReLU, with 0.5 × the learning rate: +0.8")
    nothing = study(variant("ELU", -2.0, -3.0, -1.0, "hurts"))
    found = recommendation(nothing | {"baseline": {"seconds": 3.0, "lr": 2.0}})
    assert found[0] == (
        "Keep the baseline, with 2 × the learning rate: no change is known to help."
    )


def test_all_numbers_are_rounded_alike():
    wide = variant("Swish", 6.1, -2.0, 15.2, "cannot tell")
    found = recommendation(
        study(*[wide] * 5, variant("ELU", 1.24, 0.9, 1.6, "helps"), study={"smallest": 5.0})
    )
    assert found[0] == "Use ELU in place of ReLU: +1 points of accuracy (1 to 2)."
    assert "most promising is Swish in place of ReLU (+6)" in found[1]


def test_no_gain_of_twice_the_data_has_no_long_tail_of_digits():
    curve = {"twice": {"gain": 3e-11, "low": 0.0, "high": 2.4e-8}}
    found = recommendation(study(learning_curve=curve))
    assert found[-1] == (
        "Twice the training examples, as far as the curve tells: 0.0 points of accuracy "
        "(0.0 to 0.0)."
    )


def test_why_there_is_no_interval():
    nothing = dict.fromkeys(("low", "high", "error"))
    same = {**variant("GELU", 0.0, 0, 0, "cannot tell"), **nothing}
    one = recommendation(study({**same, "seeds": 1}))
    assert one[-1].endswith("At least two seeds are needed for an interval.")
    alike = recommendation(study({**same, "seeds": 5}))
    assert alike[-1].endswith(
        "Each seed gave the same gain: more test examples may tell them apart."
    )


def test_a_study_of_the_data_alone_keeps_no_baseline():
    assert recommendation(study()) == ["No change was compared with the baseline."]


def test_a_study_without_a_training_recommends_nothing():
    empty = study() | {"baseline": {"figures": [], "mean": None, "seconds": None}}
    assert recommendation(empty) == [
        "The time was over before the first training: the same command again goes on."
    ]
