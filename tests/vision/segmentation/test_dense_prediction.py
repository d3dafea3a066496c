"""A classifier that slides over larger pictures."""

import re

import pytest
import torch

from neuropil import Trainer, datasets
from neuropil.architectures import lenet5, resnet20, small_convolutional
from neuropil.layers import (
    BatchNorm,
    Convolution,
    Dropout,
    Flatten,
    GlobalPooling,
    Input,
    LeakyRelu,
    Linear,
    MaxPooling,
    PRelu,
    Relu,
    Softmax,
)
from neuropil.vision import dense_prediction

CLASSIFIERS = {
    "units": lambda: (
        Input(1, 9, 12)
        >> Convolution(4, 3)
        >> BatchNorm()
        >> Relu()
        >> MaxPooling(2)
        >> Flatten()
        >> Dropout(0.3)
        >> LeakyRelu(16, epsilon=0.3)
        >> BatchNorm()
        >> Softmax(10)
    ),
    "pooling": lambda: (
        Input(3, 16, 16)
        >> Convolution(4, 3, padding="same")
        >> GlobalPooling("both")
        >> Linear(6, bias=False)
        >> Relu()
        >> Linear(3)
    ),
    "default": lambda: small_convolutional((1, 28, 28), 10),
    "lenet5": lambda: lenet5(10),
    "resnet20": lambda: resnet20(10),
}


@pytest.mark.parametrize("name", CLASSIFIERS)
def test_on_its_own_size_it_is_the_classifier(name):
    torch.manual_seed(0)
    classifier = CLASSIFIERS[name]().double()
    channels, height, width = classifier.input_shape
    pictures = torch.rand(6, channels, height, width, dtype=torch.float64)
    classifier.normalize(pictures)
    classifier.train()(pictures)
    classifier.eval()
    expected = classifier(pictures)
    found = dense_prediction(classifier)(pictures)
    torch.testing.assert_close(found, expected[..., None, None], rtol=0, atol=1e-12)
    averaged = dense_prediction(classifier, average=True)
    torch.testing.assert_close(averaged(pictures), expected, rtol=0, atol=1e-12)
    large = torch.rand(1, channels, 2 * height, 3 * width, dtype=torch.float64)
    mean = dense_prediction(classifier)(large).mean((2, 3))
    torch.testing.assert_close(averaged(large), mean, rtol=0, atol=1e-12)


def test_its_map_names_the_digits_of_a_canvas():
    digits = datasets.load_handwritten_digits()
    classifier = (
        Input(1, 8, 8) >> Convolution(16, 3) >> BatchNorm() >> Relu() >> MaxPooling(2)
        >> Flatten() >> Relu(32) >> Softmax(10)
    )  # fmt: skip
    classifier.reset_parameters(torch.Generator().manual_seed(0))
    Trainer(classifier, loss="cross_entropy", seed=0, progress=False).fit(
        digits.train, epochs=6
    )
    pictures, labels = digits.test.inputs[:30], digits.test.targets[:30]
    canvas = torch.zeros(1, 1, 60, 72, dtype=pictures.dtype)
    places = [(12 * (k // 6), 12 * (k % 6)) for k in range(30)]
    for picture, (y, x) in zip(pictures, places, strict=True):
        canvas[0, :, y : y + 8, x : x + 8] = picture
    shown = dense_prediction(classifier).predict(canvas)[0]
    assert shown.shape == (10, 27, 33)
    found = torch.stack([shown[:, y // 2, x // 2] for y, x in places])
    torch.testing.assert_close(found, classifier.predict(pictures))
    assert (found.argmax(1) == labels).sum() >= 28


@pytest.mark.parametrize(
    ("network", "message"),
    [
        (Input(1, None, None) >> Convolution(2, 3) >> GlobalPooling("avg"), "of one size"),
        (Input(1, 8, 8) >> Convolution(2, 3), "which gives one vector"),
        (Input(1, 8, 8) >> Flatten() >> BatchNorm() >> Linear(2), "batchnorm1 (BatchNorm) has"),
        (Input(1, 8, 8) >> Flatten() >> Linear(4) >> PRelu(), "prelu1 (PRelu) has no counter"),
        (Input(1, 8, 8) >> Flatten() >> PRelu(4), "prelu1 (PRelu) has no counterpart"),
    ],
)
def test_what_cannot_slide_is_refused_by_name(network, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        dense_prediction(network)


def test_the_classifier_stays_as_it_is():
    classifier = CLASSIFIERS["units"]()
    sliding = dense_prediction(classifier)
    assert sliding.input_shape == (1, None, None)
    with torch.no_grad():
        for parameter in sliding.parameters():
            parameter.zero_()
    assert any(parameter.any() for parameter in classifier.parameters())
