"""What every classic network promises, each found by itself: scikit-learn's manners and ours.

A new network needs no test here, but a row in `ROWS`; without it these tests fail. Where a
check of scikit-learn's contradicts what the network is, `EXPECTED_FAILURES` says why.
"""

import importlib
import inspect
import pickle
import pkgutil
import re
import subprocess
import sys
from collections.abc import Callable
from typing import NamedTuple

import joblib
import numpy as np
import pytest
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler
from sklearn.utils.estimator_checks import parametrize_with_checks

from neuropil import classic
from neuropil.classic.base import ClassicNetwork


class Row(NamedTuple):
    """How a network is tried on rows in two clusters, the classes 0 and 1.

    Attributes:
        least: What `score` must reach at least once it has learnt them.
        options: Smaller ones than the default, for time's sake.
        targets: What is learnt beside the rows, from rows and classes.
    """

    least: float
    options: dict[str, object] = {}  # noqa: RUF012 - never changed
    targets: Callable[[np.ndarray, np.ndarray], np.ndarray] = lambda X, classes: classes


ROWS = {
    "ART1": Row(1.0),
    "CMAC": Row(0.99),
    "DeepBeliefNetwork": Row(-0.05, {"n_hidden": (8, 4), "n_epochs": 3}),
    "DiscreteBAM": Row(0.5, targets=lambda X, classes: (X[:, :2] > 0.5).astype(float)),
    "DiscreteHopfieldNetwork": Row(0.9),
    "FuzzyART": Row(1.0),
    "GLVQ": Row(1.0),
    "GMLVQ": Row(1.0),
    "GRNN": Row(0.99),
    "GrowingNeuralGas": Row(-0.15),
    "HebbRule": Row(0.6),
    "Instar": Row(0.6),
    "Kohonen": Row(-0.15),
    "LVQ": Row(1.0),
    "LVQ2": Row(1.0),
    "LVQ21": Row(1.0),
    "LVQ3": Row(1.0),
    "ModernHopfieldNetwork": Row(-0.2),
    "Oja": Row(0.9),
    "PNN": Row(1.0),
    "RBM": Row(-0.3, {"n_hidden": 8, "n_epochs": 3}),
    "SOFM": Row(-0.15, {"grid": (4, 3), "n_epochs": 3}),
}

# By class, then by check: why the check cannot hold.
EXPECTED_FAILURES: dict[str, dict[str, str]] = {}


def classic_networks() -> list[type[ClassicNetwork]]:
    """Return every classic network among the public algorithms."""
    found = (getattr(classic, name) for name in classic.__all__)
    classes = (item for item in found if inspect.isclass(item))
    return [item for item in classes if issubclass(item, ClassicNetwork)]


def fresh(kind: type[ClassicNetwork]) -> ClassicNetwork:
    """Return a network to be fitted."""
    settings = dict(ROWS[kind.__name__].options)
    if "random_state" in inspect.signature(kind).parameters:
        settings["random_state"] = 0
    return kind(**settings)


def table(kind: type[ClassicNetwork]) -> tuple[np.ndarray, np.ndarray]:
    """Return rows between 0 and 1 in two clusters, and what is to be learnt of them."""
    rng = np.random.default_rng(0)
    classes = np.arange(40) % 2
    X = np.clip(0.2 + 0.6 * classes[:, None] + 0.1 * rng.normal(size=(40, 4)), 0, 1)
    return X, ROWS[kind.__name__].targets(X, classes)


def answer(model: ClassicNetwork, X: object) -> np.ndarray:
    """Return what a model says about rows: its prediction, else its transformation."""
    return np.asarray(model.predict(X) if hasattr(model, "predict") else model.transform(X))


networks = pytest.mark.parametrize("kind", classic_networks(), ids=lambda kind: kind.__name__)


@parametrize_with_checks(
    [fresh(kind) for kind in classic_networks() if kind.__name__ in ROWS],
    expected_failed_checks=lambda model: EXPECTED_FAILURES.get(type(model).__name__, {}),
)
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.SkipTestWarning")
def test_scikit_learns_contract(estimator, check):
    check(estimator)


def test_every_network_is_exported_and_has_a_row():
    for module in pkgutil.walk_packages(classic.__path__, "neuropil.classic."):
        importlib.import_module(module.name)
    waiting: list[type[ClassicNetwork]] = [ClassicNetwork]
    defined = set()
    while waiting:
        kind = waiting.pop()
        waiting += kind.__subclasses__()
        if not kind.__subclasses__() and kind.__module__.startswith("neuropil."):
            defined.add(kind)
    assert defined == set(classic_networks())
    assert sorted(ROWS) == sorted(kind.__name__ for kind in classic_networks())


@networks
def test_it_learns_two_clusters(kind):
    X, y = table(kind)
    assert fresh(kind).fit(X, y).score(X, y) >= ROWS[kind.__name__].least


@networks
def test_it_needs_no_arguments(kind):
    assert set(kind().get_params()) == set(inspect.signature(kind).parameters)


@networks
def test_a_clone_and_the_same_seed_give_the_same_network(kind):
    X, y = table(kind)
    model = fresh(kind)
    twin = clone(model).fit(X, y)
    np.testing.assert_array_equal(answer(twin, X), answer(model.fit(X, y), X))


@networks
def test_it_is_pickled_with_what_it_learnt(kind):
    X, y = table(kind)
    model = fresh(kind).fit(X, y)
    copy = pickle.loads(pickle.dumps(model))
    np.testing.assert_array_equal(answer(copy, X), answer(model, X))


@networks
def test_asking_changes_nothing(kind):
    X, y = table(kind)
    model = fresh(kind).fit(X, y)
    before = joblib.hash(vars(model))
    for method in ("predict", "predict_proba", "transform", "score_samples", "energy"):
        if hasattr(model, method):
            first = getattr(model, method)(X)
            np.testing.assert_array_equal(getattr(model, method)(X), first)
    assert joblib.hash(vars(model)) == before


@networks
def test_it_ends_a_pipeline(kind):
    X, y = table(kind)
    pipeline = make_pipeline(MinMaxScaler(), fresh(kind)).fit(X, y)
    assert len(answer(pipeline, X)) == len(X)


@networks
def test_a_grid_search_chooses_among_them(kind):
    X, y = table(kind)
    model = fresh(kind)
    name, value = next(iter(model.get_params().items()))
    search = GridSearchCV(model, {name: [value]}, cv=2, error_score="raise").fit(X, y)
    assert np.isfinite(search.best_score_)


@networks
def test_names_of_columns_are_kept_and_asked_for(kind):
    pandas = pytest.importorskip("pandas")
    X, y = table(kind)
    frame = pandas.DataFrame(X, columns=list("abcd"))
    model = fresh(kind).fit(frame, y)
    assert model.feature_names_in_.tolist() == list("abcd")
    np.testing.assert_array_equal(answer(model, frame), answer(fresh(kind).fit(X, y), X))
    with pytest.raises(ValueError, match="feature names"):
        answer(model, frame[list("badc")])


@networks
def test_tensors_are_rows_too(kind):
    torch = pytest.importorskip("torch")
    X, y = table(kind)
    model = fresh(kind).fit(X, y)
    np.testing.assert_array_equal(answer(model, torch.tensor(X)), answer(model, X))


@networks
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_single_precision_stays_single(kind, dtype):
    X, y = table(kind)
    model = fresh(kind).fit(X.astype(dtype), y)
    if hasattr(model, "transform"):
        given = model.transform(X.astype(dtype))
        assert given.dtype == dtype or given.dtype.kind != "f"
    assert np.isfinite(answer(model, X.astype(dtype))).all()


def test_none_of_them_needs_pytorch():
    names = ", ".join(kind.__name__ for kind in classic_networks())
    code = f"from neuropil.classic import {names}; import sys; print('torch' in sys.modules)"
    command = [sys.executable, "-c", code]
    run = subprocess.run(command, capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "False"


# What asks for far more memory than any machine has, and the rows that it is to learn.
HUGE = [
    (classic.SOFM(grid=(100_000, 100_000)), 4),
    (classic.SOFM(grid=(10**6, 10**6), algorithm="online"), 4),
    (classic.Kohonen(10**12), 4),
    (classic.RBM(10**12), 4),
    (classic.RBM(batch_size=10**12), 4),
    (classic.DeepBeliefNetwork((8, 10**12), n_epochs=1), 4),
    (classic.CMAC(n_cells=10**13), 4),
    (classic.CMAC(width=10**12), 4),
    (classic.GrowingNeuralGas(10**13, n_epochs=10**12, insert_every=1), 4),
    (classic.DiscreteHopfieldNetwork(), 1_000_000),
    (classic.DiscreteBAM(), 1_000_000),
    (classic.GMLVQ(1, n_epochs=1), 1_000_000),
]


@pytest.mark.parametrize(("model", "columns"), HUGE, ids=lambda value: str(value)[:30])
def test_what_does_not_fit_into_memory_is_refused_before_it_is_taken(model, columns):
    X = np.zeros((2, columns), np.float32)
    X[1] = 1
    y = X if isinstance(model, classic.DiscreteBAM) else [0, 1]
    with pytest.raises(
        MemoryError, match=r"^\w+\(.* needs [\d.]+ \w?B of memory, and"
    ) as error:
        model.fit(X, y)
    assert "\n" not in str(error.value)


def test_what_fits_is_not_refused(monkeypatch):
    from neuropil.core import free_memory

    model = classic.SOFM(grid=(700, 700), n_epochs=1)
    needed = 8 * 700 * 700 * (6 * 3 + 40)
    monkeypatch.setattr(free_memory, "free_memory", lambda: needed - 1)
    model.require_room(needed / 16)  # little is not looked at
    with pytest.raises(
        MemoryError, match=r"SOFM\(grid=\(700, 700\), n_epochs=1\) needs 273 MB"
    ):
        model.require_room(needed / 8 * 1.2)
    monkeypatch.setattr(free_memory, "free_memory", lambda: 10 * needed)
    model.require_room(needed / 8 * 1.2)


# Values that no option takes, and some that only a few take.
NEVER = ["bad", float("nan"), {}, object(), b"x", [None], np.array([np.nan] * 3), [], -1e300]
SELDOM = [True, -1, 0, None, 1.5, [1], (1, 2), 10**30, float("inf"), np.ones(2)]


@networks
def test_every_option_is_used_or_refused_in_a_line(kind):
    X, y = table(kind)
    for option in kind().get_params():
        said = rf"^{kind.__name__}: `{option}` must [^\n]+$"
        # Any number is a threshold.
        for value in NEVER if option != "binarize" else NEVER[:-1]:
            with pytest.raises(ValueError, match=said):
                fresh(kind).set_params(**{option: value}).fit(X, y)
        for value in SELDOM:
            found = refusal(fresh(kind).set_params(**{option: value}))
            assert not found or re.match(said, found)


def refusal(model: ClassicNetwork) -> str:
    """Return why a model's options cannot be; nothing where they can."""
    try:
        model.check_options()
    except ValueError as error:
        return str(error)
    return ""


@networks
def test_an_option_changed_after_fitting_is_looked_at_again(kind):
    X, y = table(kind)
    model = fresh(kind).fit(X, y)
    options = model.get_params()
    for option in kind.rules.keys() & options:
        right = options[option]
        with pytest.raises(ValueError, match=f"{kind.__name__}: `{option}` must"):
            answer(model.set_params(**{option: b"x"}), X)
        model.set_params(**{option: right})


def fitted_attributes(model: ClassicNetwork) -> list[str]:
    """Return the public names that fitting gives a model, properties among them."""
    own = [name for name in vars(model) if name.endswith("_")]
    found = [
        name for name, value in inspect.getmembers(type(model)) if isinstance(value, property)
    ]
    return sorted({*own, *(name for name in found if name.endswith("_"))})


def explained_in(kind: type, section: str) -> list[str]:
    """Return the names that a section of a class's documentation explains, in order."""
    doc = inspect.cleandoc(kind.__doc__ or "")
    found = re.search(rf"^{section}:\n((?:    .*\n)+)", doc, re.MULTILINE)
    return re.findall(r"^    (\w+): \S", found[1], re.MULTILINE) if found else []


@networks
def test_each_option_is_explained_in_its_order(kind):
    assert explained_in(kind, "Args") == list(inspect.signature(kind).parameters)


@networks
def test_what_is_learnt_is_explained(kind):
    X, y = table(kind)
    explained = explained_in(kind, "Attributes")
    found = fitted_attributes(fresh(kind).fit(X, y))
    assert found
    assert sorted(explained) == [name for name in found if not name.startswith("_")]


@networks
def test_the_shape_of_the_input_is_said(kind):
    assert re.search(
        r"^Shape:\n    ``X``: ``\(n_samples, ", inspect.cleandoc(kind.__doc__), re.M
    )
