"""Fitted classic networks on disk: bit for bit what was saved, and plain data alone."""

import contextlib
import json
import random

import numpy as np
import pytest
import torch
from safetensors.numpy import load_file, save_file

from neuropil import classic
from neuropil.classic import (
    CMAC,
    GRNN,
    LVQ,
    PNN,
    RBM,
    SOFM,
    DeepBeliefNetwork,
    DiscreteHopfieldNetwork,
    GrowingNeuralGas,
    Oja,
)
from neuropil.classic.base import ClassicNetwork
from neuropil.runs.classic_model import ClassicModel
from neuropil.runs.plain_network import KINDS, Reader, Writer

SMALL = {
    "RBM": {"n_hidden": 8, "n_epochs": 2},
    "DeepBeliefNetwork": {"n_hidden": (8, 4), "n_epochs": 2},
    "SOFM": {"grid": (4, 3), "n_epochs": 2, "algorithm": "online"},
}
ROWS = np.clip(
    0.2
    + 0.6 * (np.arange(40) % 2)[:, None]
    + 0.1 * np.random.default_rng(0).normal(size=(40, 4)),
    0,
    1,
)
CLASSES = np.arange(40) % 2


def networks() -> list[type[ClassicNetwork]]:
    found = [getattr(classic, name) for name in classic.__all__]
    classes = [item for item in found if isinstance(item, type)]
    return [item for item in classes if issubclass(item, ClassicNetwork)]


def fitted(kind: type[ClassicNetwork], dtype: type = np.float64) -> ClassicNetwork:
    options = dict(SMALL.get(kind.__name__, {}))
    if "random_state" in kind().get_params():
        options["random_state"] = 0
    return kind(**options).fit(ROWS.astype(dtype), targets(kind))


def targets(kind: type[ClassicNetwork]) -> np.ndarray:
    return (ROWS[:, :2] > 0.5).astype(float) if "BAM" in kind.__name__ else CLASSES


def copied(network: ClassicNetwork) -> ClassicNetwork:
    """Return a network after a round trip through text and arrays."""
    writer = Writer()
    text = json.dumps(writer.network(network, "network"), allow_nan=False)
    reader = Reader({name: value.copy() for name, value in writer.arrays.items()})
    found = reader.network(json.loads(text))
    assert not reader.arrays
    return found


def answer(network: ClassicNetwork, rows: np.ndarray) -> np.ndarray:
    return network.predict(rows) if hasattr(network, "predict") else network.transform(rows)


def assert_same(one: ClassicNetwork, two: ClassicNetwork) -> None:
    first, second = one.learnt_values(), two.learnt_values()
    for name, value in first.items():
        if isinstance(value, list):
            for pair in zip(value, second[name], strict=True):
                assert_same(*pair)
        else:
            np.testing.assert_array_equal(value, second[name])


every_network = pytest.mark.parametrize("kind", networks(), ids=lambda kind: kind.__name__)


def test_every_network_can_be_named_in_a_file():
    assert sorted(kind.__name__ for kind in networks()) == sorted(KINDS)


@every_network
def test_a_network_declares_what_it_learns(kind):
    assert kind.learnt
    model = fitted(kind)
    assert set(model.learnt_values()) == set(kind.learnt)


@every_network
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_what_is_read_is_bit_for_bit_what_was_saved(kind, dtype):
    model = fitted(kind, dtype)
    back = copied(model)
    assert_same(model, back)
    assert repr(back) == repr(model)
    rows = np.random.default_rng(1).random((30, 4)).astype(dtype)
    np.testing.assert_array_equal(answer(back, rows), answer(model, rows))


@every_network
def test_it_learns_on_as_if_it_had_never_been_saved(kind):
    model = fitted(kind)
    if not hasattr(model, "partial_fit"):
        pytest.skip("it learns from all rows at once")
    back = copied(model)
    rows, signals = ROWS[::-1].copy(), targets(kind)[::-1]
    for network in (model, back):
        network.partial_fit(rows, signals).partial_fit(rows, signals)
    np.testing.assert_array_equal(answer(back, ROWS), answer(model, ROWS))
    if kind is not GrowingNeuralGas:  # whose unused places hold what was there before
        assert_same(model, back)


def test_a_large_gas_learns_on_too():
    rows = np.random.default_rng(0).normal(size=(3000, 3))
    model = GrowingNeuralGas(150, n_epochs=6, max_age=8, random_state=0).fit(rows)
    back = copied(model)
    for network in (model, back):
        network.partial_fit(rows[::-1])
    np.testing.assert_array_equal(back.nodes_, model.nodes_)
    np.testing.assert_array_equal(back.edges_, model.edges_)


@pytest.mark.parametrize(
    "model",
    [
        SOFM(grid=(2,), init=np.array([[0.0] * 4, [1.0] * 4])),
        SOFM(grid=(2, 3), topology="toroidal_hexagonal", random_state=np.random.RandomState(3)),
        SOFM(grid=[np.int64(3), 2], radius=np.float32(2.5)),
        GRNN(sigma=[0.1, 0.2, 0.3, 0.4]),
        PNN(sigma={0: 0.5, 1: 0.25}, priors=(0.25, 0.75)),
        RBM(4, n_epochs=1, random_state=np.random.default_rng(5)),
        CMAC(width=8, n_cells=64, random_state=0),
        DeepBeliefNetwork(6, visible="gaussian", n_epochs=1, random_state=1),
        DiscreteHopfieldNetwork("pseudo_inverse", random_state=2, binarize=0.5),
    ],
    ids=lambda model: type(model).__name__,
)
def test_options_of_all_types_come_back(model):
    model.fit(ROWS, CLASSES)
    back = copied(model)
    np.testing.assert_array_equal(answer(back, ROWS), answer(model, ROWS))
    if hasattr(model, "sample"):
        np.testing.assert_array_equal(back.sample(3), model.sample(3))


@pytest.mark.parametrize(
    ("option", "value", "said"),
    [
        ("random_state", object(), "of type object, which cannot be saved"),
        ("random_state", np.random.default_rng, "which cannot be saved"),
        ("init", np.array(["a"]), "of type <U1, which cannot be saved"),
    ],
)
def test_what_no_file_can_hold_is_refused_when_it_is_saved(tmp_path, option, value, said):
    model = ClassicModel(SOFM(grid=(2,)), classes=2)
    model.estimator.set_params(**{option: value})
    with pytest.raises(ValueError, match=said):
        model.save(tmp_path)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("network", "classes", "limits"),
    [
        (LVQ(random_state=0), 3, None),
        (PNN(), 3, (0.0, 255.0)),
        (GRNN(), None, None),
        (CMAC(random_state=0), None, None),
        (SOFM((3, 3), n_epochs=2), 3, None),
        (SOFM((3, 3), n_epochs=2), None, (0.0, 1.0)),
        (Oja(2, random_state=0), 2, None),
        (Oja(2, random_state=0), 3, None),
        (Oja(2, random_state=0), None, None),
        (RBM(5, n_epochs=1, random_state=0), 2, (0.0, 1.0)),
    ],
)
def test_a_model_predicts_the_same_bits_after_a_round_trip(tmp_path, network, classes, limits):
    x = torch.from_numpy(ROWS).float()
    y = torch.arange(40) % classes if classes else x[:, :1] - 2
    model = ClassicModel(network, classes, limits)
    model.save(tmp_path)  # as a run does before it trains
    assert repr(ClassicModel.load(tmp_path)) == repr(model)
    model.fit(x, y).save(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "model.json",
        "model.safetensors",
    ]
    back = ClassicModel.load(tmp_path)
    assert torch.equal(back.predict(x), model.predict(x))
    assert back.role == model.role


def test_a_linear_model_of_features_is_scikit_learns():
    from sklearn.linear_model import LogisticRegression, Ridge
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    from neuropil.runs.readout import Readout

    for classes in (2, 3):
        y = np.arange(40) % classes
        wanted = make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000)).fit(ROWS, y)
        found = Readout.fit(LogisticRegression(max_iter=1000), ROWS, y).predict_proba(ROWS)
        np.testing.assert_allclose(found, wanted.predict_proba(ROWS), rtol=1e-12)
    for y in (ROWS[:, 0] - 3, ROWS[:, :2] * 7):
        wanted = make_pipeline(StandardScaler(), Ridge()).fit(ROWS, y).predict(ROWS)
        found = Readout.fit(Ridge(), ROWS, y).predict(ROWS)
        np.testing.assert_allclose(found, wanted.reshape(found.shape), rtol=1e-12)


# Damage


@pytest.fixture
def saved(tmp_path):
    """Return what saves a model, changes its plain data, and says why it is refused."""

    def refusal(network, change, arrays=None, classes=2):
        x = torch.from_numpy(ROWS)
        y = torch.from_numpy(CLASSES) if classes else x[:, 0]
        ClassicModel(network, classes).fit(x, y).save(tmp_path)
        plain = json.loads((tmp_path / "model.json").read_text())
        change(plain)
        (tmp_path / "model.json").write_text(json.dumps(plain))
        if arrays is not None:
            values = load_file(tmp_path / "model.safetensors")
            arrays(values)
            save_file(values, tmp_path / "model.safetensors")
        with pytest.raises(ValueError, match="is damaged") as error:
            ClassicModel.load(tmp_path)
        assert "\n" not in str(error.value)
        assert len(str(error.value)) < 400 + len(str(tmp_path))
        return str(error.value)

    return refusal


def put(*places):
    """Return what sets a value at a place of plain data."""

    def change(plain):
        *way, last, value = places
        for key in way:
            plain = plain[key]
        plain[last] = value

    return change


def nothing(plain):
    del plain


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (put("network", "type", "MapErrors"), "'MapErrors' is not a classic network"),
        (put("network", "type", "os.system"), "'os.system' is not a classic network"),
        (put("network", "type", ["LVQ"]), "is not a classic network"),
        (put("network", "type", "GLVQ"), "these are not the options of GLVQ"),
        (put("network", "options", "more", 1), "these are not the options of LVQ"),
        (put("network", "options", "lr", 2.0), "`lr` must be a number in (0, 1], got 2.0"),
        (put("network", "options", "lr", "x" * 10**5), "`lr` must be a number"),
        (
            put("network", "options", "n_epochs", {"number": "nan"}),
            "`n_epochs` must be a whole",
        ),
        (put("network", "options", "n_epochs", 2**64), "is too large"),
        (put("network", "options", "random_state", -1), "`random_state` must be None, a whole"),
        (put("network", "options", "init", {"call": "eval"}), "is not a value that a network"),
        (put("network", "options", "init", {"network": {}}), "None is not a classic network"),
        (put("network", "columns", 5), "finite numbers of the shape (prototypes, features)"),
        (put("network", "columns", True), "True is not a number of columns"),
        (put("network", "learnt", {}), "'classes_' is missing"),
        (put("network", "learnt", "classes_", [1]), "is not a value"),
        (put("network", "learnt", "classes_", 1), "classes_ must be an array"),
        (put("network", "learnt", "classes_", {"array": "center"}), "contradict each other"),
        (put("network", "learnt", "classes_", {"array": "none"}), "there is no array 'none'"),
        (put("classes", 1), "are not among 1 classes"),
        (put("classes", 10**9), "is not a number of classes"),
        (put("classes", None), "LVQ predicts classes"),
        (put("limits", [0, 1]), "are not the values of black and white"),
        (put("limits", [0.0, 1.0]), "'center' does not fit"),
        (put("arrays", {}), "'center' does not fit"),
        (put("arrays", "table", 1), "'table' does not fit"),
        (put("arrays", "scale", 1.0), "scale must hold finite numbers"),
        (put("arrays", None), "is not a list of named values"),
        (put("format", None), "it has no format number"),
    ],
)
def test_damage_is_said_in_a_line(saved, change, said):
    assert said in saved(LVQ(random_state=0), change)


def deep(plain):
    for _ in range(50):
        plain["network"]["options"]["init"] = {"list": [plain["network"]["options"]["init"]]}


def test_lists_within_lists_end(saved):
    assert "is not a value that a network has" in saved(LVQ(random_state=0), deep)


GAS = GrowingNeuralGas(random_state=0)


@pytest.mark.parametrize(
    ("network", "name", "value", "said"),
    [
        (LVQ(random_state=0), "network.learnt.prototypes_", np.nan, "finite"),
        (LVQ(random_state=0), "network.learnt.prototype_labels_", 7, "contradict each other"),
        (LVQ(random_state=0), "scale", 0.0, "scale must be above 0"),
        (PNN(), "network.learnt.bounds_", 10**9, "contradict each other"),
        (PNN(), "network.learnt.sigma_", -1.0, "contradict each other"),
        (SOFM((2, 2)), "network.learnt.sides", 10**6, "contradict each other"),
        (GAS, "network.learnt.neighbors", 10**9, "contradict each other"),
        (GAS, "network.learnt.degrees", 11, "contradict each other"),
        (GAS, "network.learnt.free", -5, "contradict each other"),
        (GAS, "network.learnt.counts", 10**6, "contradict each other"),
        (GAS, "network.learnt.errors", -1.0, "contradict each other"),
        (RBM(3, n_epochs=1), "network.learnt.generator", 2**63, "state of the generator"),
        (
            Oja(random_state=0),
            "network.learnt.n",
            1.0,
            "has an array 'network.learnt.n' that it does not use",
        ),
    ],
)
def test_arrays_that_would_lead_out_of_bounds_are_refused(saved, network, name, value, said):
    def change(arrays):
        arrays[name] = np.full_like(arrays.get(name, np.zeros(1)), value)

    assert said in saved(network, nothing, change)


def test_a_table_of_cells_keeps_within_bounds(saved):
    def change(arrays):
        arrays["network.learnt.tiles"] = arrays["network.learnt.tiles"][:, :3].copy()

    network = CMAC(n_epochs=1, random_state=0)
    assert "contradict each other" in saved(network, nothing, change, classes=None)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("model.json", b"{"),
        ("model.json", b"[" * 100_000),
        ("model.json", b'{"format": 1' + b"0" * 5000 + b"}"),
        ("model.json", b'{"format": 1}'),
        ("model.json", b"null"),
        ("model.safetensors", b""),
        ("model.safetensors", b"\xff" * 100),
        ("model.safetensors", (2).to_bytes(8, "little") + b"{}"),
    ],
)
def test_files_that_are_none_are_refused(tmp_path, name, content):
    ClassicModel(LVQ(), 2).fit(torch.from_numpy(ROWS), torch.arange(40) % 2).save(tmp_path)
    (tmp_path / name).write_bytes(content)
    with pytest.raises(ValueError, match=r"model\.(json|safetensors) is damaged: "):
        ClassicModel.load(tmp_path)


def test_a_newer_format_and_a_missing_file_are_said(tmp_path):
    ClassicModel(LVQ(), 2).save(tmp_path)
    plain = json.loads((tmp_path / "model.json").read_text())
    (tmp_path / "model.json").write_text(json.dumps(plain | {"format": 2}))
    with pytest.raises(ValueError, match="format 2, and this version reads up to 1"):
        ClassicModel.load(tmp_path)
    (tmp_path / "model.safetensors").unlink()
    with pytest.raises(FileNotFoundError, match=r"has no model\.safetensors"):
        ClassicModel.load(tmp_path)


def test_associations_are_used_from_python():
    for kind in (classic.HebbRule, classic.Instar, classic.DiscreteBAM):
        with pytest.raises(ValueError, match="associates patterns with signals"):
            ClassicModel(kind(), classes=2)


# What may stand in place of a value.
INTRUDERS = [
    *(None, True, 0, 1, -1, 2**63, 10**6, 1.5, 1e308, "", "eval", [], {}, [1, 2]),
    *({"list": [1]}, {"tuple": [1, 2]}, {"number": "nan"}, {"array": "center"}),
    *({"turned": "center"}, {"pairs": [[1, 2]]}, {"network": {}}, {"Generator": [1]}),
]


def places(plain, way=()):
    """Return the way to each value of plain data."""
    found = []
    if isinstance(plain, dict | list):
        keys = plain if isinstance(plain, dict) else range(len(plain))
        for key in list(keys):
            found += [(*way, key), *places(plain[key], (*way, key))]
    return found


def mutated(plain, arrays, rng):
    """Change one value or one number of an array."""
    if rng.random() < 0.5 or not arrays:
        *way, last = rng.choice(places(plain))
        put(*way, last, rng.choice(INTRUDERS))(plain)
        return
    name = rng.choice(sorted(arrays))
    values = arrays[name].reshape(-1)
    kinds = {"f": [0, -1, 1e30, np.nan, np.inf], "b": [True, False]}
    if values.size:
        values[rng.randrange(values.size)] = rng.choice(
            kinds.get(values.dtype.kind, [0, 1, 99])
        )


def mutate_and_read(folder, count, seed):
    """Read mutated files: there is an answer of numbers, or one line."""
    rng, x = random.Random(seed), torch.from_numpy(ROWS)
    kinds = [kind for kind in networks() if "predict" in dir(kind) or "transform" in dir(kind)]
    known = {}
    for _ in range(count):
        kind = rng.choice(kinds)
        if kind not in known:
            known[kind] = written_model(kind, folder, x)
        if known[kind] is None:
            continue
        text, arrays = known[kind]
        plain, arrays = json.loads(text), {name: value.copy() for name, value in arrays.items()}
        mutated(plain, arrays, rng)
        (folder / "model.json").write_text(json.dumps(plain))
        save_file(arrays, folder / "model.safetensors")
        said = ""
        try:
            assert torch.isfinite(ClassicModel.load(folder).predict(x)).all()
        except ValueError as error:
            said = str(error)
        assert "\n" not in said
        assert len(said) < 500


def written_model(kind, folder, x):
    """Return the text and the arrays of a fitted model; None where a network can be none."""
    for classes, y in ((2, torch.from_numpy(CLASSES)), (None, x[:, 0])):
        with contextlib.suppress(ValueError):
            model = ClassicModel(kind(**SMALL.get(kind.__name__, {})), classes)
            model.fit(x, y).save(folder)
            arrays = load_file(folder / "model.safetensors")
            return (folder / "model.json").read_text(), arrays
    return None


def test_mutated_files_give_answers_or_one_line(tmp_path):
    mutate_and_read(tmp_path, 120, seed=0)


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(1, 6))
def test_many_mutated_files_give_answers_or_one_line(tmp_path, seed):
    mutate_and_read(tmp_path, 2000, seed)


def test_examples_beyond_all_numbers_are_refused():
    model = ClassicModel(classic.GRNN()).fit(
        1e-300 * torch.rand(20, 2).double(), torch.rand(20)
    )
    with pytest.raises(ValueError, match="too far from its training examples to be scaled"):
        model.predict(torch.full((1, 2), 1e300, dtype=torch.float64))
