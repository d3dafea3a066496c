"""What every task must hold, on data that this module makes; one row for each task."""

from __future__ import annotations

import json
import random
import re
import shutil
from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest
import torch
from tests.datasets.annotations.label_writers import write_yolo
from tests.datasets.masks.mask_writers import write_masks
from tests.datasets.points import point_writers
from torch import Tensor, nn

from neuropil import Network, datasets
from neuropil.cli import main
from neuropil.core.shape import format_shape
from neuropil.datasets.loading import in_memory
from neuropil.datasets.preparation import read_target
from neuropil.layers import Flatten, Input, Linear
from neuropil.report.wording import figure_text
from neuropil.runs.exporting.run_export import export
from neuropil.runs.measure import answers_of, measure, outputs_of
from neuropil.runs.network_fit import check_fit
from neuropil.runs.recipes.default_recipes import recipe
from neuropil.runs.run_folder import Run
from neuropil.runs.tasks import TASKS, task_for, task_from, usual_task
from neuropil.training.callbacks import Callback
from neuropil.vision import encode_boxes, to_centers

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from neuropil.runs.task import Task

ROWS = 120


class Example(NamedTuple):
    """What the contract needs to know of a task.

    Attributes:
        write: Writes labelled examples into a folder, and returns what `datasets.open` takes.
        write_five: Writes five of them as new input, and returns the file or folder with the
            names of the examples.
        hidden: The expression of a small network up to its last layer, or to the last but one
            where it depends on the task.
        perfect: Outputs of a network that is right about these labels.
        read: The labels that answers stand for.
        order: Labels in an order that does not depend on how they were found.
        sides: Height and width of a picture.
        tolerance: By how much the labels of perfect outputs may differ from those given.
    """

    write: Callable[[Path], Path]
    write_five: Callable[[Path, Path], tuple[Path, list[str]]]
    hidden: Callable[[Task[Any]], str]
    perfect: Callable[[Task[Any], Tensor], Tensor]
    read: Callable[[Tensor], Tensor]
    order: Callable[[Tensor], Tensor] = lambda labels: labels
    sides: tuple[int, int] = (8, 8)
    tolerance: float = 1e-6


def table_of(label: Callable[[float], object]) -> Callable[[Path], Path]:
    """Return a function that writes a table, with labels of its first column."""

    def write(folder: Path) -> Path:
        path = folder / "table.csv"
        points = torch.rand(ROWS, 2, generator=torch.Generator().manual_seed(0)).tolist()
        lines = [f"{x:.4f},{y:.4f},{label(x)}" for x, y in points]
        path.write_text("\n".join(["x,y,label", *lines, ""]))
        return path

    return write


def first_rows(table: Path, folder: Path) -> tuple[Path, list[str]]:
    """Write the first five rows of a table."""
    path = folder / "five.csv"
    path.write_text("\n".join(table.read_text().split("\n")[:6]))
    return path, [f"five.csv, row {k}" for k in range(2, 7)]


def one_layer(task: Task[Any]) -> str:
    del task
    return "Relu(8)"


def of_three(x: float) -> str:
    """Return one of three classes, the last of them rare."""
    return "low" if x < 0.5 else "middle" if x < 0.9 else "top"


def sure_scores(task: Task[Any], labels: Tensor) -> Tensor:
    return 30 * nn.functional.one_hot(labels, task.outputs).float()


PICTURES, SIDES, CLASSES = 40, (64, 80), ("cat", "dog", "fox")
Box = tuple[str, float, float, float, float]


def pictures_of(most: int) -> Callable[[Path], Path]:
    """Return a function that writes pictures with one to `most` boxes that do not overlap."""

    def write(folder: Path) -> Path:
        draw = random.Random(0)
        pictures: dict[str, list[Box]] = {}
        for number in range(PICTURES):
            boxes: list[Box] = []
            count = draw.randint(1, most)
            least, largest = (16, 26) if count > 1 else (44, 52)
            for place in range(count):
                x, y = 40 * place + draw.randint(0, 10), draw.randint(0, 10)
                right, down = x + draw.randint(least, largest), y + draw.randint(least, largest)
                boxes.append((CLASSES[(number + place) % 3], x, y, right, down))
            pictures[f"{number:02}"] = boxes
        return write_yolo(folder / "pictures", pictures, CLASSES, SIDES)

    return write


def five_pictures(data: Path, folder: Path) -> tuple[Path, list[str]]:
    """Copy the first five pictures into a folder of their own."""
    names = [f"{number:02}.png" for number in range(5)]
    (folder / "five").mkdir()
    for name in names:
        shutil.copy(data / "images" / name, folder / "five")
    return folder / "five", names


FACE = ("left_eye", "right_eye", "nose")


def pointed_pictures(folder: Path) -> Path:
    """Write pictures with points, some of them hidden, and a table of these."""
    draw = random.Random(0)
    pictures = {
        f"{number:02}": [
            (draw.randint(1, 79), draw.randint(1, 63), draw.randint(1, 2)) for _ in FACE
        ]
        for number in range(PICTURES)
    }
    return point_writers.write_table(folder / "points.csv", pictures, FACE, SIDES)


def five_of_table(table: Path, folder: Path) -> tuple[Path, list[str]]:
    """Copy the first five pictures beside a table into a folder of their own."""
    names = [f"{number:02}.png" for number in range(5)]
    (folder / "five").mkdir()
    for name in names:
        shutil.copy(table.parent / name, folder / "five")
    return folder / "five", names


def sure_points(task: Task[Any], points: Tensor) -> Tensor:
    """Return outputs whose activations are these points."""
    places = 2 * points[..., :2] / torch.tensor([SIDES[1], SIDES[0]]) - 1
    return torch.cat([places, 60 * points[..., 2:] - 90], dim=-1).flatten(1)


def points_of(answers: Tensor) -> Tensor:
    return torch.cat([answers[..., :2], 1 + (answers[..., 2:] > 0.5).float()], dim=-1)


def two_maps(task: Task[Any]) -> str:
    del task
    return "Convolution(4, 8, stride=8) >> Relu() >> (Identity() | MaxPooling(2))"


def one_map(task: Task[Any]) -> str:
    del task
    return "Convolution(4, 8, stride=8) >> Relu() >> Flatten()"


def sure_grid(task: Task[Any], boxes: Tensor) -> Tensor:
    """Return outputs whose activations are the target of a grid."""
    head = task.head
    grid = [-(-side // head.cell) for side in SIDES]
    each = head.by_predictor(encode_boxes(boxes, head, (grid[0], grid[1])))
    predictors = head.predictors()
    sizes = each[..., 3:5].flip(-1) * predictors.strides / predictors.anchors
    forms = torch.cat([(each[..., 1:3] + 0.5) / 2, sizes.sqrt().flip(-1) / 2], dim=-1)
    sure = 60 * torch.cat([each[..., :1], each[..., 5:]], dim=-1) - 30
    return torch.cat([sure[..., :1], forms.logit(1e-6), sure[..., 1:]], dim=-1).flatten(3)


def sure_place(task: Task[Any], boxes: Tensor) -> Tensor:
    """Return outputs whose activations are the place of the first box of each picture."""
    centers = to_centers(boxes[:, 0, :4]) / torch.tensor([SIDES[1], SIDES[0]] * 2)
    sure = sure_scores(task, boxes[:, 0, 4].long())[:, :3]
    return torch.cat([sure.amax(1)[:, None], centers[:, [0, 1, 3, 2]].logit(1e-6), sure], 1)


def boxes_of(answers: Tensor) -> Tensor:
    return answers[..., [0, 1, 2, 3, 5]].where(answers[..., 5:] >= 0, -1.0)


def by_place(boxes: Tensor) -> Tensor:
    """Return the boxes of each picture from left to right, without common padding."""
    left = boxes[..., 0].where(boxes[..., 4] >= 0, torch.inf)
    rows = boxes.gather(1, left.argsort(1)[..., None].expand_as(boxes))
    return rows[:, : int((rows[..., 4] >= 0).sum(1).max())]


def write_pixels(folder: Path) -> Path:
    """Write pictures with a mask each."""
    data = write_masks(folder / "pictures", PICTURES, (16, 20), (0, 1, 2))
    (data / "classes.txt").write_text("background\ncat\ndog")
    return data


def pixelwise(task: Task[Any]) -> str:
    del task
    return "Convolution(4, 3, padding='same') >> Relu()"


def sure_masks(task: Task[Any], labels: Tensor) -> Tensor:
    return sure_scores(task, labels.long()).movedim(-1, 1)


EXAMPLES = {
    "classification": Example(
        table_of(of_three), first_rows, one_layer, sure_scores, lambda a: a.argmax(1)
    ),
    "regression": Example(
        table_of(lambda x: 1000 + 50 * x**2),
        first_rows,
        one_layer,
        lambda task, labels: task.encode(labels),
        lambda answers: answers,
    ),
    "detection": Example(
        pictures_of(2), five_pictures, two_maps, sure_grid, boxes_of, by_place, SIDES, 1e-3
    ),
    "localisation": Example(
        pictures_of(1), five_pictures, one_map, sure_place, boxes_of, by_place, SIDES, 1e-3
    ),
    "landmarks": Example(
        pointed_pictures,
        five_of_table,
        one_map,
        sure_points,
        points_of,
        sides=SIDES,
        tolerance=1e-3,
    ),
    "segmentation": Example(
        write_pixels, five_pictures, pixelwise, sure_masks, lambda a: a, sides=(16, 20)
    ),
}

every_task = pytest.mark.parametrize("name", TASKS)


def test_every_task_has_a_row():
    assert set(EXAMPLES) == set(TASKS)


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """Return a function that writes examples with the labels of a task, once."""
    written = {}

    def write(name):
        if name not in written:
            written[name] = EXAMPLES[name].write(tmp_path_factory.mktemp(name))
        return written[name]

    return write


@pytest.fixture(scope="module")
def made(data):
    """Return a function that gives a task and the data for it."""
    known = {}

    def make(name):
        if name not in known:
            splits = datasets.open(data(name), task=usual_task(name))
            task = task_for(splits.target, name, splits.train.targets)
            known[name] = task.adapt_to(task.network(splits.input_shape)), splits
        return known[name]

    return make


def small_network(task: Task[Any]) -> str:
    return f"{EXAMPLES[task.name].hidden(task)} >> {task.last_layer()!r}"


@pytest.fixture(scope="module")
def trained(data, made, tmp_path_factory):
    """Return a function that trains for a task from the command line, once."""
    runs = {}

    def train(name):
        if name not in runs:
            out = tmp_path_factory.mktemp(name) / "run"
            network = small_network(made(name)[0])
            given = ["--data", str(data(name)), "--task", name, "--out", str(out)]
            quick = ["--network", network, "--epochs", "2", "--threads", "1", "--quiet"]
            assert main(["train", *given, *quick]) == 0
            runs[name] = Run.open(out)
        return runs[name]

    return train


@pytest.fixture
def five(trained, data, tmp_path):
    """Return a function that gives a trained run, five new examples, and their names."""

    def write(name):
        return trained(name), *EXAMPLES[name].write_five(data(name), tmp_path)

    return write


@every_task
def test_plain_data_give_it_back(made, name):
    task, _ = made(name)
    for each in (task, *map(task.with_loss, task.losses)):
        plain = json.loads(json.dumps({"target": each.target.to_json()}))
        target = read_target(plain, "target")
        assert task_from(json.loads(json.dumps(each.to_json())), target) == each


@every_task
def test_perfect_outputs_give_the_labels_back(made, name):
    task, splits = made(name)
    labels = splits.train.targets
    example = EXAMPLES[name]
    found = example.order(example.read(task.decode(example.perfect(task, labels))))
    expected, tolerance = example.order(labels), example.tolerance
    torch.testing.assert_close(found, expected, rtol=tolerance, atol=tolerance)


@every_task
def test_perfect_outputs_are_best_by_every_figure(made, name):
    task, splits = made(name)
    labels = splits.train.targets
    perfect = EXAMPLES[name].perfect(task, labels)
    others = perfect.roll(1, 0)
    targets = task.loss.prepare(task.encode(labels), as_scores(task, perfect)[:2])
    for metric in task.metrics():
        sign = 1 if metric.greater_is_better else -1
        best, worse = (metric(as_scores(task, each), targets) for each in (perfect, others))
        assert sign * best > sign * worse
    assert not [m for m in task.mistakes(task.decode(perfect), labels) if m.size > 1e-4]


def as_scores(task: Task[Any], outputs: Tensor) -> Tensor:
    return outputs if outputs.ndim > 2 else outputs.reshape(len(outputs), task.outputs)


@every_task
def test_every_example_has_a_loss_and_a_finite_gradient(made, name):
    task, splits = made(name)
    network = task.network(splits.input_shape)
    batch = splits.train.fetch(range(10))
    outputs = network.scores()(batch.inputs)
    targets = task.loss.prepare(task.encode(batch.targets), outputs)
    each = task.loss(outputs, targets)
    assert each.shape == (10,)
    assert each.isfinite().all()
    torch.testing.assert_close(task.loss.mean(outputs, targets), each.mean())
    gradients = torch.autograd.grad(each.sum(), list(network.parameters()))
    assert all(gradient.isfinite().all() for gradient in gradients)
    assert any(gradient.abs().sum() > 0 for gradient in gradients)


@every_task
def test_moving_and_decoding_change_places(made, name):
    task, splits = made(name)
    example = EXAMPLES[name]
    labels, sides = splits.train.targets, example.sides
    matrix = torch.tensor([[[-1.0, 0, sides[1]], [0, 1, 0]]])
    matrices = matrix.expand(len(labels), 2, 3)

    def decoded(labels):
        return example.read(task.decode(example.perfect(task, labels)))

    moved = task.target.move(labels, matrices, sides)
    after = task.target.move(decoded(labels), matrices, sides)
    found, expected, tolerance = *map(example.order, (decoded(moved), after)), example.tolerance
    torch.testing.assert_close(found, expected, rtol=tolerance, atol=tolerance)


@every_task
def test_history_measure_evaluate_and_the_report_agree(trained, name, capsys):
    run = trained(name)
    splits = datasets.open(run.settings["data"], task=usual_task(name))
    network = run.network()
    for part in ("train", "validation", "test"):
        assert measure(network, getattr(splits, part), run.task) == run.figures[part]
    last, headline = run.history()[-1], run.task.metrics()[0].name
    assert last[f"validation_{headline}"] == run.figures["validation"][headline]
    assert last["validation_loss"] == run.figures["validation"]["loss"]
    capsys.readouterr()
    assert main(["evaluate", str(run.path), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["figures"] == run.figures["test"]
    assert main(["report", str(run.path)]) == 0
    text = re.sub(r"<[^>]*>", " ", run.report.read_text("utf-8"))
    for metric in run.task.metrics():
        assert figure_text(metric.name, run.figures["test"][metric.name]) in text


@every_task
def test_predict_agrees_with_the_answers_of_five_examples(five, name, capsys):
    run, files, names = five(name)
    task, network = run.task, run.network()
    given = run.read([files])
    chosen = task.chosen(answers_of(network, given.inputs, task))
    torch.testing.assert_close(run.predict(given.inputs), chosen, rtol=0, atol=0)
    answers = task.place(chosen, given)
    torch.testing.assert_close(run.predict(given), answers, rtol=0, atol=0)
    capsys.readouterr()
    assert main(["predict", str(run.path), str(files), "--json"]) == 0
    plain = json.loads(capsys.readouterr().out)
    assert plain == json.loads(json.dumps(list(task.rows(answers, names))))
    assert main(["predict", str(run.path), str(files)]) == 0
    said = [task.sentence(answer, run.figures, 1) for answer in answers]
    lines = [f"{row}: {answer}" for row, answer in zip(names, said, strict=True)]
    assert capsys.readouterr().out.splitlines() == lines
    columns = task.columns(answers, run.figures)
    assert columns
    examples = task.lines(answers)
    assert set(examples) <= set(range(5))
    assert all(len(cells) == len(examples) for cells in columns.values())


@every_task
def test_an_exported_file_gives_the_same_answers(five, name, tmp_path):
    pytest.importorskip("onnxscript")
    runtime = pytest.importorskip("onnxruntime")
    run, files, _ = five(name)
    inputs = run.read([files]).inputs
    export(run, tmp_path / "network.onnx")
    session = runtime.InferenceSession(
        tmp_path / "network.onnx", providers=["CPUExecutionProvider"]
    )
    (answers,) = session.run([run.task.answers], {"inputs": inputs.numpy()})
    expected = run.predict(inputs)
    torch.testing.assert_close(torch.from_numpy(answers), expected, rtol=1e-5, atol=1e-5)


class Interruption(Callback):
    """Ends a training in the middle of an epoch."""

    def on_step(self, trainer):
        if trainer.steps == 5:
            raise KeyboardInterrupt


@every_task
def test_an_interrupted_training_resumes_to_the_same_bits(made, name, tmp_path):
    task, splits = made(name)

    def trainer(folder, *callbacks):
        network = Input(*splits.input_shape) >> Network.parse(small_network(task))
        network.reset_parameters(torch.Generator().manual_seed(0))
        plan = replace(recipe(splits, task, network), epochs=3)
        options = {"seed": 0, "checkpoints": folder, "checkpoint_every": 1, "progress": False}
        return task.trainer(plan, callbacks, **options)

    train = in_memory(splits.train)
    data = train.inputs, task.encode(train.targets)
    options = {"epochs": 3, "batch_size": len(train) // 3}
    through = trainer(tmp_path / "through")
    through.fit(data, **options)
    with pytest.raises(KeyboardInterrupt):
        trainer(tmp_path / "stopped", Interruption()).fit(data, **options)
    resumed = trainer(tmp_path / "stopped")
    resumed.fit(data, **options, resume=True)
    pairs = zip(through.network.parameters(), resumed.network.parameters(), strict=True)
    assert all(torch.equal(one, other) for one, other in pairs)


@every_task
def test_labels_may_be_absent_from_a_part(made, name):
    task, splits = made(name)
    order = splits.train.targets.reshape(len(splits.train), -1)[:, -1].argsort()
    alike = splits.train[order[:5]]
    figures = measure(task.network(splits.input_shape), alike, task)
    assert list(figures) == ["loss", *(metric.name for metric in task.metrics())]
    assert figures["loss"] is not None
    answers = answers_of(task.network(splits.input_shape), alike, task)
    assert task.settle(answers, alike.targets).target == task.target
    assert task.verdict(figures, alike.targets, "5 examples")


@every_task
def test_mistakes_come_worst_first(made, name):
    task, splits = made(name)
    answers = answers_of(task.network(splits.input_shape), splits.train, task)
    sizes = [mistake.size for mistake in task.mistakes(answers, splits.train.targets)]
    assert sizes
    assert sizes == sorted(sizes, reverse=True)


@every_task
def test_what_cannot_be_is_refused(made, name):
    task, splits = made(name)
    wrong = Input(2) >> Linear(task.outputs + 1)
    with pytest.raises(ValueError, match=re.escape(f"end it with {task.last_layer()!r}.")):
        task.check(wrong)
    network = Input(*splits.input_shape) >> Network.parse(small_network(task))
    begin = re.escape(f"begin it with Input{format_shape(splits.input_shape)}")
    with pytest.raises(ValueError, match=begin):
        check_fit(Input(5) >> Flatten() >> Linear(task.outputs), splits.input_shape, task)
    check_fit(network, splits.input_shape, task)
    with pytest.raises(ValueError, match=f"not for {name}"):
        task.with_loss(other_loss(task))
    for plain in (None, {}, {"name": "guessing"}, task.to_json() | {"odd": 1}):
        with pytest.raises(ValueError, match=r"task|damaged"):
            task_from(plain, task.target)


def other_loss(task: Task[Any]) -> str:
    known = ("cross_entropy", "squared_error")
    return next(name for name in known if name not in task.losses)


@pytest.mark.parametrize("name", ["classification", "regression"])
def test_outputs_that_are_no_vector_are_refused(made, name):
    task, _ = made(name)
    with pytest.raises(ValueError, match=re.escape(f"Flatten() >> {task.last_layer()!r}.")):
        task.check(Input(2, 3) >> Linear(task.outputs))


@every_task
def test_a_task_takes_its_own_labels_only(made, name):
    task, _ = made(name)
    for other in TASKS:
        target = made(other)[0].target
        if target.kind != task.target.kind:
            with pytest.raises(ValueError, match=f"not {name}"):
                task_for(target, name)
            with pytest.raises(ValueError, match=f"{name} is not for"):
                task_from(task.to_json(), target)


@every_task
def test_outputs_are_what_the_loss_takes(made, name):
    task, splits = made(name)
    network = task.network(splits.input_shape)
    outputs = outputs_of(network, splits.train.fetch(range(3)), task)
    shape = network.output_shape
    assert len(outputs.shape[1:]) == len(shape)
    pairs = zip(outputs.shape, (3, *shape), strict=True)
    assert all(expected in (None, side) for side, expected in pairs)
    assert task.loss.takes == task.takes
    assert all(metric.takes == task.takes for metric in task.metrics())
