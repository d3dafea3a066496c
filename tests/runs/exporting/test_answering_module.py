import pytest
import torch

from neuropil.datasets import ArrayPreparation, Classes, PicturePreparation
from neuropil.layers import LSTM, Convolution, GlobalPooling, Input, Softmax
from neuropil.runs.exporting.answering_module import AnsweringModule
from neuropil.runs.tasks import task_for

LABELS = Classes(["no", "yes"])


def module_of(network, preparation):
    return AnsweringModule(network >> Softmax(2), task_for(LABELS), preparation)


@pytest.mark.parametrize(
    ("network", "shape", "axes"),
    [
        (Input(3), (3,), ("batch", 3)),
        (Input(None, 3) >> LSTM(2), (7, 3), ("batch", "steps", 3)),
        (Input(3, None) >> GlobalPooling("avg"), (3, 20), ("batch", 3, "length")),
        (
            Input(2, None, None, None) >> GlobalPooling("avg"),
            (2, 4, 4, 4),
            ("batch", 2, "depth", "height", "width"),
        ),
    ],
)
def test_free_axes_have_names_and_distinct_lengths(network, shape, axes):
    module = module_of(network, ArrayPreparation(shape, LABELS))
    assert module.axes == {"inputs": axes}
    (example,) = module.examples()
    assert example.dtype == torch.float32
    free = [n for n, axis in zip(example.shape, axes, strict=True) if isinstance(axis, str)]
    assert len(set(free)) == len(free)
    assert all(n == 2 or n % 32 == 0 for n in free)


def test_a_mask_has_the_sides_of_the_pictures():
    preparation = PicturePreparation((1, None, None), LABELS)
    network = task_for(LABELS).network((1, None, None), masked=True)
    module = AnsweringModule(network, task_for(LABELS), preparation)
    sides = ("height", "width")
    assert module.axes == {"inputs": ("batch", 1, *sides), "mask": ("batch", *sides)}
    pictures, mask = module.examples()
    assert (pictures.dtype, mask.dtype) == (torch.uint8, torch.uint8)
    assert mask.shape == pictures[:, 0].shape


def test_a_network_with_free_sides_keeps_them_for_pictures_of_one_size():
    network = Input(1, None, None) >> Convolution(2, 3) >> GlobalPooling("avg")
    module = module_of(network, PicturePreparation((1, 8, 8), LABELS))
    assert module.axes == {"inputs": ("batch", 1, "height", "width")}
    assert not module.training
