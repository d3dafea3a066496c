import pytest

from neuropil.datasets import (
    ArrayPreparation,
    Classes,
    NumberColumn,
    PicturePreparation,
    TablePreparation,
    TextColumn,
)
from neuropil.datasets.preparations import KINDS
from neuropil.runs.exporting.input_meaning import MEANINGS, meaning_of

LABELS = Classes(["no", "yes"], name="ill")


def test_every_kind_of_preparation_has_a_meaning():
    assert set(MEANINGS) == set(KINDS)


def test_a_table_names_the_feature_of_each_number():
    columns = (
        NumberColumn("age", 30.0, indicator=True),
        TextColumn("sex", ("F", "M"), indicator=False),
    )
    meaning = meaning_of(TablePreparation(columns, LABELS, names=("age", "sex", "ill")))
    assert meaning.dtype == "float32"
    assert "encoded as 4 numbers" in meaning.text
    assert meaning.details == {"features": ["age", "age missing", "sex=F", "sex=M"]}


@pytest.mark.parametrize(
    ("preparation", "text", "details"),
    [
        (
            PicturePreparation((1, 8, 6), LABELS, high=16),
            "grey pictures of 8×6 pixels (height × width), from 0 for black to 16 for white",
            {"channels": "grey", "black": 0, "white": 16},
        ),
        (
            PicturePreparation((3, None, None), LABELS),
            (
                "RGB pictures of any size, padded at the right and the bottom, "
                "from 0 for black to 255 for white"
            ),
            {"channels": "RGB", "black": 0, "white": 255},
        ),
        (
            PicturePreparation((3, None, None), LABELS, buckets=((32, 48), (48, 32))),
            "RGB pictures of any size, from 0 for black to 255 for white",
            {"channels": "RGB", "black": 0, "white": 255, "sizes": [[32, 48], [48, 32]]},
        ),
    ],
)
def test_pictures_name_channels_size_and_range(preparation, text, details):
    assert meaning_of(preparation) == ("uint8", text, details)


def test_arrays_name_what_was_subtracted_and_divided_by():
    plain = meaning_of(ArrayPreparation((2, 3), LABELS, dtype="int64"))
    assert plain == ("int64", "arrays of shape (2, 3)", {})
    centred = meaning_of(ArrayPreparation((2,), LABELS, center=(1.0, 2.0), scale=(3.0, 4.0)))
    assert "less `center`, divided by `scale`" in centred.text
    assert centred.details == {"center": [1.0, 2.0], "scale": [3.0, 4.0]}
