"""The R-CNN family as networks of the task detection: they learn, decode, and are exported."""

import io
import json
from dataclasses import replace

import pytest
import torch

from neuropil import Network, datasets
from neuropil.architectures import fast_rcnn, faster_rcnn, rcnn, resnet20
from neuropil.core import ShapeError
from neuropil.runs.exporting.answering_module import AnsweringModule
from neuropil.runs.exporting.exported_files import pt2_bytes
from neuropil.runs.measure import measure
from neuropil.runs.recipes.default_recipes import recipe
from neuropil.runs.tasks import task_for, task_from
from neuropil.training import Trainer
from neuropil.vision import RegionHead, iou
from neuropil.vision.regions import search_operator

NAMES = ("rcnn", "fast_rcnn", "faster_rcnn")
every_network = pytest.mark.parametrize("name", NAMES)


@pytest.fixture(scope="module")
def scenes():
    return datasets.make_digit_scenes(
        24, size=48, digits=1, scale=(2.5, 3.5), seed=0, validation=0, test=0
    )


@pytest.fixture(scope="module")
def task(scenes):
    return task_for(scenes.target, "detection", scenes.train.targets)


@every_network
def test_a_name_gives_a_network_and_its_task_is_plain_data(task, name):
    network = task.named_network(name, (1, None, None))
    adapted = task.adapt_to(network)
    regions = 50 if name == "rcnn" else 100
    assert adapted.head == RegionHead.of(network) == RegionHead(10, regions)
    assert (adapted.strides, adapted.anchors) == (task.strides, task.anchors)
    plain = json.loads(json.dumps(adapted.to_json()))
    assert task_from(plain, task.target) == adapted
    assert adapted.adapt_to(task.network((1, 48, 48))).regions == 0


@every_network
def test_a_few_steps_lower_the_loss(scenes, task, name):
    torch.manual_seed(0)
    options = {"input_shape": (1, 48, 48), "regions": 8}
    build = {
        "rcnn": lambda: rcnn(10, side=8, **options),
        "fast_rcnn": lambda: fast_rcnn(10, strides=[8], width=16, **options),
        "faster_rcnn": lambda: faster_rcnn(
            10, strides=task.strides, anchors=task.anchors, width=16, **options
        ),
    }
    network = build[name]()
    own = task.adapt_to(network)
    before = measure(network, scenes.train, own)["loss"]
    trainer = Trainer(network, loss=own.loss, optimizer="adamw")
    trainer.fit(scenes.train, epochs=2, batch_size=4)
    assert measure(network, scenes.train, own)["loss"] < 0.8 * before


@every_network
def test_saved_networks_give_equal_outputs(name, tmp_path):
    build = {"rcnn": rcnn, "fast_rcnn": fast_rcnn, "faster_rcnn": faster_rcnn}[name]
    network = build(2, input_shape=(3, 64, 48), regions=4).eval()
    network.save(tmp_path)
    picture = torch.rand(1, 3, 64, 48, generator=torch.Generator().manual_seed(0))
    assert torch.equal(Network.load(tmp_path).eval()(picture), network(picture))


def test_faster_rcnn_learns_where_digits_are_and_which():
    scenes = datasets.make_digit_scenes(40, size=48, digits=1, scale=(3, 4), seed=1)
    task = task_for(scenes.target, "detection", scenes.train.targets)
    torch.manual_seed(0)
    network = faster_rcnn(
        10,
        strides=task.strides,
        anchors=task.anchors,
        width=16,
        input_shape=(1, 48, 48),
        regions=12,
    )
    task = task.adapt_to(network)
    trainer = Trainer(network, loss=task.loss, optimizer="adamw")
    targets = scenes.train.targets[:, 0, :4]

    def recall():
        proposed = network.upto("regionproposals1").predict(scenes.train.inputs)
        best = iou(targets[:, None], proposed).amax(-1)
        return (best >= 0.5).float().mean().item()

    before = recall()
    trainer.fit(scenes.train, epochs=12, batch_size=4)
    assert recall() > max(0.8, before)
    assert measure(network, scenes.train, task)["ap50"] > 0.1


def test_any_backbone_will_do():
    network = faster_rcnn(3, anchors=[[(20, 20)]], strides=[8], backbone=resnet20())
    assert network(torch.zeros(1, 3, 40, 48)).shape == (1, 100 + 30, 12)
    assert fast_rcnn(3, pooling="align", backbone=resnet20()).output_shape == (100, 12)
    each = rcnn(3, backbone=resnet20(), regions=3)
    assert each(torch.rand(1, 3, 40, 48)).shape == (1, 3, 12)


def test_the_recipe_follows_from_the_cost(scenes, task):
    costs = {}
    for name in ("rcnn", "faster_rcnn"):
        network = task.named_network(name, scenes.input_shape)
        costs[name] = recipe(scenes, task.adapt_to(network), network).epochs
    assert costs["rcnn"] <= costs["faster_rcnn"]


def test_wrong_options_are_refused(task):
    with pytest.raises(ValueError, match="fast_rcnn: pooling must be 'max' or 'align'"):
        fast_rcnn(3, pooling="mean")
    with pytest.raises(ValueError, match="faster_rcnn: strides must be powers of two"):
        faster_rcnn(3, anchors=[[(9, 9)]], strides=[6])
    with pytest.raises(ShapeError, match=r"a picture \(1, H, W\) or \(3, H, W\)"):
        fast_rcnn(3, input_shape=(2, 32, 32))
    with pytest.raises(ValueError, match="boxes of 3 classes, the data has boxes of 10"):
        task.adapt_to(fast_rcnn(3))


def test_selective_search_cannot_be_exported(task):
    assert search_operator.OPERATOR in task.own_operators()
    for write in search_operator.OPERATOR[1:]:
        with pytest.raises(ValueError, match="faster_rcnn proposes its own regions"):
            write(None, 100)


@pytest.mark.extended
@pytest.mark.filterwarnings("ignore")  # of the exporter, about its own code
def test_exported_answers_are_those_of_the_network(scenes, task):
    torch.manual_seed(0)
    network = faster_rcnn(
        10,
        strides=task.strides,
        anchors=task.anchors,
        input_shape=(1, 48, 48),
        width=8,
        regions=5,
    )
    own = replace(task.adapt_to(network), thresholds=(0.02,) * 10)
    for name, layer in network.layers.items():
        if name.startswith(("anchorboxes", "regionboxes")):
            for parameter in layer.parameters():  # scores that are far from each other
                torch.nn.init.normal_(parameter, std=0.5)
    last = network.layers["regionboxes1"]
    last.weight.data[4], last.bias.data[4] = 0.0, -1e6  # no thing is never likely
    module = AnsweringModule(network, own, scenes.preparation)
    pictures = scenes.train.inputs[:3]
    program = torch.export.load(io.BytesIO(pt2_bytes(module, {})))
    with torch.no_grad():
        expected = module(pictures)
        torch.testing.assert_close(program.module()(pictures), expected)
    assert (expected[..., 5] >= 0).any()
