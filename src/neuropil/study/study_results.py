"""The results of a study as plain data: the content of ``study.json``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from neuropil.study.interaction import interaction
from neuropil.study.learning_curves import Point, learning_curve, mean_outcome, same_as_examples
from neuropil.study.recommendation import recommendation
from neuropil.study.standing import looks_of
from neuropil.study.study_file import FORMAT
from neuropil.study.tricks.trick_table import by_name
from neuropil.study.variant_names import BASELINE, joint_name

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from neuropil.core import Network
    from neuropil.study.estimates.differences import Difference
    from neuropil.study.study_state import StudyState
    from neuropil.study.trial import Trial

# Digits of a gain: equal figures differ by rounding errors.
DIGITS = 12


def study_results(
    state: StudyState, trial: Trial, facts: Mapping[str, Any], description: str
) -> dict[str, Any]:
    """Return the results of a study as plain data.

    Args:
        state: The state of the study.
        trial: The data and the baseline.
        facts: Facts about the study that its runs do not tell.
        description: The baseline in words.
    """
    splits, outcome = trial.splits, state.outcome
    parts = {"train": splits.train, "validation": splits.validation, "test": splits.test}
    found: dict[str, Any] = {
        "format": FORMAT,
        "study": {
            "data": splits.source,
            "task": trial.task.name,
            "outcome": outcome.name,
            "unit": outcome.unit,
            "larger_is_better": outcome.greater_is_better,
            "smallest": state.smallest,
            "level": state.level,
            "seeds": state.plan.seeds,
            "looks": looks_of(state.plan.seeds),
            "network": network_text(trial.baseline.recipe.network),
            **{name: None if part is None else len(part) for name, part in parts.items()},
            **facts,
        },
        "baseline": baseline_entry(state, description),
        "variants": variant_entries(state),
        "left_out": [*state.plan.left_out, *unfinished(state)],
        "together": together_entry(state, trial),
        "learning_curve": learning_entry(state),
        "label_noise": None,
    }
    found["label_noise"] = noise_entry(state, found["learning_curve"])
    found["recommendation"] = recommendation(found)
    return found


def network_text(network: Network) -> str:
    """Return the expression of a network, or the number of layers of one that branches."""
    written = " ".join(repr(network).split()).removeprefix("( ").removesuffix(" )")
    return f"{len(network):,} layers" if written.startswith("Network(") else written


def figures(state: StudyState, name: str) -> list[float]:
    """Return the outcome of each training of a variant, as it is reported."""
    sign = state.outcome.sign
    return [sign * float(values.mean()) for values in state.counted(name).values()]


def baseline_entry(state: StudyState, description: str) -> dict[str, Any]:
    """Return the entry of the baseline."""
    own = figures(state, BASELINE)
    return {
        "name": BASELINE,
        "mean": float(np.mean(own)) if own else None,
        "deviation": float(np.std(own, ddof=1)) if len(own) > 1 else None,
        **trainings_entry(state, BASELINE),
        "failed": len(state.errors.get(BASELINE, ())),
        "description": description,
    }


def trainings_entry(state: StudyState, name: str) -> dict[str, Any]:
    """Return the part of an entry about the trainings of a variant."""
    seconds = state.seconds.get(name)
    return {
        "figures": figures(state, name),
        "seconds": float(np.mean(seconds)) if seconds else None,
        "parameters": state.results.get(name, {}).get("parameters"),
        "lr": state.factor(name),
    }


def variant_entries(state: StudyState) -> list[dict[str, Any]]:
    """Return an entry for each variant that is compared with the baseline."""
    return [
        {
            "name": name,
            "title": by_name(name).title,
            "group": by_name(name).group,
            **gain_entry(state.gains.get(name)),
            "verdict": verdict_on(name, state),
            **trainings_entry(state, name),
            "failed": len(state.errors.get(name, ())),
            "published": by_name(name).published,
            "interaction": interaction_entry(name, state),
        }
        for name in state.plan.compared
        if state.ended.get(name)
    ]


def gain_entry(each: Difference | None) -> dict[str, Any]:
    """Return a difference as plain data; None for what is not known."""
    if each is None:
        return dict.fromkeys(("gain", "low", "high", "p", "error")) | {"seeds": 0}
    known = np.isfinite(each.error)
    return {
        "gain": round(each.gain, DIGITS),
        "low": each.low if known else None,
        "high": each.high if known else None,
        "p": each.p if known else None,
        "error": {"seeds": each.seed_error, "examples": each.example_error} if known else None,
        "seeds": each.seeds,
    }


def interaction_entry(name: str, state: StudyState) -> dict[str, Any] | None:
    """Return the gain of a pair of tricks beyond the sum of their gains; else None."""
    found = interaction(name, state)
    return None if found is None else gain_entry(found)


def verdict_on(name: str, state: StudyState) -> str:
    """Return the verdict on a variant: one whose trainings mostly diverge hurts."""
    if state.mostly_failed(name):
        return "hurts"
    known = state.standing.decisions.get(name)
    return "cannot tell" if known is None else known.verdict


def unfinished(state: StudyState) -> list[dict[str, str]]:
    """Return the variants for which there was no time at all."""
    return [
        {"name": name, "title": by_name(name).title, "reason": "the time was over before it"}
        for name in state.plan.variants
        if not state.ended.get(name)
    ]


def together_entry(state: StudyState, trial: Trial) -> dict[str, Any] | None:
    """Return the entry of the winners together."""
    names = state.joint(trial)
    name = joint_name(names)
    gains = state.gains
    if len(names) < 2 or name not in gains:
        return None
    both = gain_entry(gains[name])
    low, high = both["low"], both["high"]
    verdict = "cannot tell"
    if low is not None and high is not None and not low <= 0 <= high:
        verdict = "helps" if low > 0 else "hurts"
    return {
        "names": names,
        "sum": sum(gains[each].gain for each in names),
        **both,
        "verdict": verdict,
        **trainings_entry(state, name),
    }


def learning_entry(state: StudyState) -> dict[str, Any] | None:
    """Return the outcome by the number of training examples, and what twice as many give."""
    names = [name for name in state.plan.variants if by_name(name).group == "data"]
    known = [name for name in [*names, BASELINE] if len(state.outcomes.get(name, ())) > 1]
    known.sort(key=lambda name: state.results[name]["examples"])
    values = on_shared_seeds(known, state)
    if not values:
        return None
    curve = learning_curve(values, level=state.level)
    points = [
        {"examples": state.results[name]["examples"]} | told(point, state)
        for name, point in zip(known, curve.points, strict=True)
    ]
    doubled = curve.doubled
    twice = doubled and {"gain": doubled.mean, "low": doubled.low, "high": doubled.high}
    return {"points": points, "twice": twice}


def on_shared_seeds(names: Sequence[str], state: StudyState) -> list[NDArray[Any]]:
    """Return the outcomes of variants with the seeds that all have, one array for each.

    It is empty for fewer than two variants or seeds.
    """
    shared = set.intersection(*(set(state.outcomes[name]) for name in names)) if names else ()
    if min(len(names), len(shared)) < 2:
        return []
    return [np.stack([state.outcomes[name][seed] for seed in sorted(shared)]) for name in names]


def told(point: Point, state: StudyState) -> dict[str, float]:
    """Return a point as it is reported, where smaller may be better."""
    sign = state.outcome.sign
    low, high = sorted((sign * point.low, sign * point.high))
    return {"mean": sign * point.mean, "low": low, "high": high}


def noise_entry(state: StudyState, learning: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """Return the outcome by the share of wrong labels, and the examples that cost as much."""
    names = [name for name in state.plan.variants if by_name(name).group == "labels"]
    known = [name for name in [BASELINE, *names] if len(state.outcomes.get(name, ())) > 1]
    known.sort(key=lambda name: state.results[name]["noise"])
    values = on_shared_seeds(known, state)
    if not values or BASELINE not in known:
        return None
    sign, points = state.outcome.sign, []
    for name, own in zip(known, values, strict=True):
        point = mean_outcome(own, level=state.level)
        same = None
        if learning is not None:
            sizes = [each["examples"] for each in learning["points"]]
            means = [sign * each["mean"] for each in learning["points"]]
            same = same_as_examples(point.mean, sizes, means)
        noise = state.results[name]["noise"]
        points.append({"noise": noise, **told(point, state), "as_examples": same})
    return {"points": points}
