"""What a report shows of a classic network: its numbers and its pictures."""

import base64
import io

import numpy as np
import torch
from PIL import Image

from neuropil.classic import GRNN, LVQ, SOFM
from neuropil.datasets import ArrayPreparation, Classes, Dataset, Numbers, Splits
from neuropil.runs.classic_model import ClassicModel
from neuropil.training import History


def parts(inputs, targets, target):
    data = Dataset(torch.from_numpy(inputs), torch.from_numpy(targets))
    preparation = ArrayPreparation(tuple(inputs.shape[1:]), target)
    return Splits(data, data, data, preparation=preparation, source="made")


def test_prototypes_of_standardised_pictures_look_like_pictures(report):
    rng = np.random.default_rng(0)
    # A bright middle on a dark ground: in units of the standard deviation all of that is gone.
    ground = np.full((6, 6), 40.0)
    ground[2:4, 2:4] = 200.0
    y = np.arange(60) % 2
    faces = ground + rng.normal(0, 3, (60, 6, 6))
    faces[y == 1, 0] += 60
    splits = parts(faces[:, None].astype(np.float32), y, Classes(("a", "b"), "face"))
    for model in (LVQ(1, random_state=0), SOFM((2, 2), random_state=0)):
        fitted = ClassicModel(model, classes=2).fit(splits.train.inputs, splits.train.targets)
        page = report(fitted, splits, History())
        found = [
            a for a in page.all("img") if a["alt"].startswith(("prototype", "units' weight"))
        ]
        for picture in found:
            data = base64.b64decode(picture["src"].partition(",")[2])
            pixels = np.asarray(Image.open(io.BytesIO(data))).astype(float)
            assert pixels[2:4, 2:4].min() > pixels[4:].max() + 100
        assert found
        # Units lie as they do in their map.
        grids = {a.get("style") for a in page.all("ul")} - {None}
        assert grids == ({"--columns:2"} if isinstance(model, SOFM) else set())


def test_the_table_gives_values_not_lengths(report):
    x = np.linspace(0, 1, 40, dtype=np.float32)[:, None].repeat(2, axis=1)
    y = x[:, 0] ** 2
    splits = parts(x, y, Numbers((0.0,), (1.0,), "y"))
    model = ClassicModel(GRNN(sigma=0.25)).fit(splits.train.inputs, splits.train.targets)
    rows = dict(report(model, splits, History()).table("", "value"))
    assert "0.25" in rows["sigma_"]
    assert rows["one_output_"] == "yes"
