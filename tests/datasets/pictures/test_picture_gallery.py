"""A gallery of pictures in every mode, depth and rotation: read right, or refused and named.

Each is opened among good pictures, in memory and as a source, and read for prediction. What is
right is worked out here from the values that were written.
"""

import io
import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from neuropil import datasets
from neuropil.datasets import DataError, read_for_prediction
from neuropil.datasets.pictures import picture_set

# Left, middle and right column of the picture: red, green and blue, or shades of grey.
COLOURS = np.zeros((8, 12, 3), np.uint8)
for place in range(3):
    COLOURS[:, 4 * place : 4 * place + 4, place] = 255
GREYS = np.repeat(np.array([[0, 128, 255]], np.uint8), 4).reshape(1, 12).repeat(8, axis=0)
LUMA = np.array([0.299, 0.587, 0.114])

Make = Callable[[], Image.Image]


def colour() -> Image.Image:
    """Return the picture of three colours."""
    return Image.fromarray(COLOURS)


def grey() -> Image.Image:
    """Return the picture of three shades."""
    return Image.fromarray(GREYS)


def turned(orientation: int) -> Image.Image:
    """Return the picture as a camera stores it that notes the orientation."""
    back = {
        1: None,
        2: Image.Transpose.FLIP_LEFT_RIGHT,
        3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_90,
        7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_270,
    }[orientation]
    return colour() if back is None else colour().transpose(back)


def exif(orientation: int) -> Image.Exif:
    """Return EXIF data with an orientation."""
    data = Image.Exif()
    data[0x0112] = orientation
    return data


def transparent(mode: str) -> Image.Image:
    """Return the picture with a transparent right half, which shows as white."""
    picture = colour().convert("RGBA")
    alpha = Image.new("L", picture.size, 255)
    alpha.paste(0, (6, 0, 12, 8))
    picture.putalpha(alpha)
    return picture.convert(mode)


def half_transparent() -> Image.Image:
    """Return the picture with a palette, whose right half has the fourth colour."""
    picture = Image.new("P", (12, 8))
    picture.putpalette([255, 0, 0, 0, 255, 0, 0, 0, 255, 9, 9, 9])
    for place in range(3):
        picture.paste(place, (4 * place, 0, 4 * place + 4, 8))
    picture.paste(3, (6, 0, 12, 8))
    return picture


def on_white(pixels: np.ndarray) -> np.ndarray:
    """Return pixels whose right half is white."""
    white = pixels.copy()
    white[:, 6:] = 255
    return white


def deep(kind: type, top: float) -> Image.Image:
    """Return the shades as numbers up to `top`."""
    return Image.fromarray((GREYS / 255 * top).round(0 if top > 1 else 9).astype(kind))


# What makes it, the suffix, options for saving, and the pixels that are right.
READ: dict[str, tuple[Make, str, dict, np.ndarray]] = {
    "1": (lambda: grey().point(lambda v: 255 * (v > 99), "1"), "png", {}, 255 * (GREYS > 99)),
    "L": (grey, "png", {}, GREYS),
    "L jpeg": (grey, "jpg", {"quality": 100}, GREYS),
    "LA": (lambda: grey().convert("LA"), "png", {}, GREYS),
    "LA transparent": (lambda: transparent("LA"), "png", {}, on_white(COLOURS @ LUMA)),
    "P": (lambda: colour().quantize(8), "png", {}, COLOURS),
    "P of greys": (lambda: grey().convert("P"), "gif", {}, GREYS),
    "P transparent": (half_transparent, "png", {"transparency": 3}, on_white(COLOURS)),
    "PA": (lambda: transparent("RGBA").convert("PA"), "tif", {}, on_white(COLOURS)),
    "RGB": (colour, "png", {}, COLOURS),
    "RGB bmp": (colour, "bmp", {}, COLOURS),
    "RGB ppm": (colour, "ppm", {}, COLOURS),
    "RGB webp": (colour, "webp", {"lossless": True}, COLOURS),
    "RGB tiff": (colour, "tif", {"compression": "tiff_lzw"}, COLOURS),
    "RGB progressive": (
        colour,
        "jpg",
        {"quality": 100, "progressive": True, "subsampling": 0},
        COLOURS,
    ),
    "RGBA": (lambda: transparent("RGBA"), "png", {}, on_white(COLOURS)),
    "RGBA webp": (lambda: transparent("RGBA"), "webp", {"lossless": True}, on_white(COLOURS)),
    "CMYK": (lambda: colour().convert("CMYK"), "tif", {}, COLOURS),
    "YCbCr": (lambda: colour().convert("YCbCr"), "tif", {}, COLOURS),
    "LAB": (
        lambda: Image.new("LAB", (12, 8), (128, 128, 128)),
        "tif",
        {},
        np.full((8, 12, 3), 119),
    ),
    "I;16": (lambda: deep(np.uint16, 65535), "png", {}, GREYS),
    "I;16 of 12 bits": (lambda: deep(np.uint16, 4095), "tif", {}, GREYS),
    "I": (lambda: deep(np.int32, 65535), "tif", {}, GREYS),
    "F up to 1": (lambda: deep(np.float32, 1), "tif", {}, GREYS),
    "F up to 255": (lambda: deep(np.float32, 255), "tif", {}, GREYS),
    **{
        f"EXIF {n}": (
            lambda n=n: turned(n),
            "jpg",
            {"exif": exif(n), "quality": 100, "subsampling": 0},
            COLOURS,
        )
        for n in range(1, 9)
    },
    "EXIF in a PNG": (lambda: turned(6), "png", {"exif": exif(6)}, COLOURS),
    "EXIF in a WebP": (lambda: turned(8), "webp", {"exif": exif(8), "lossless": True}, COLOURS),
    "animated GIF": (
        grey,
        "gif",
        {"save_all": True, "append_images": [Image.new("L", (12, 8), 9)]},
        GREYS,
    ),
    "animated PNG": (
        colour,
        "png",
        {"save_all": True, "append_images": [Image.new("RGB", (12, 8))]},
        COLOURS,
    ),
}


def write(make: Make, path: Path, options: dict) -> None:
    """Save a picture, and make its folder."""
    path.parent.mkdir(exist_ok=True)
    make().save(path, **options)


@pytest.mark.parametrize("on_disk", [False, True], ids=["memory", "disk"])
@pytest.mark.parametrize("name", READ)
def test_it_is_read_right(tmp_path, monkeypatch, name, on_disk):
    make, suffix, options, right = READ[name]
    paths = [tmp_path / "data" / folder / f"odd.{suffix}" for folder in "ab"]
    for path in paths:
        path.parent.mkdir(parents=True)
        write(make, path, options)
    if on_disk:
        monkeypatch.setattr(picture_set, "MEMORY", 0)
    opened = datasets.open(tmp_path / "data", validation=0, test=0)
    wanted = right @ LUMA if right.ndim == 3 and opened.input_shape[0] == 1 else right
    wanted = wanted[None] if wanted.ndim == 2 else wanted.transpose(2, 0, 1)
    assert opened.input_shape == wanted.shape
    read = [
        opened.train.fetch([0, 1]).inputs,
        read_for_prediction(opened.preparation, paths).inputs,
    ]
    for pixels in read:
        assert np.abs(pixels.double().numpy() - wanted).max() <= 2


def noise(kind: type, low: float, high: float) -> Image.Image:
    """Return a picture of numbers from `low` to `high`."""
    return Image.fromarray(np.linspace(low, high, 96).reshape(8, 12).astype(kind))


def cut_off(suffix: str, share: float) -> bytes:
    """Return the beginning of a picture of noise."""
    pixels = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, suffix)
    return file.getvalue()[: int(share * len(file.getvalue()))]


def saved(picture: Image.Image, kind: str) -> bytes:
    """Return a picture as a file of some format."""
    file = io.BytesIO()
    picture.save(file, kind)
    return file.getvalue()


# The content of the file, its suffix, and the reason that is given.
REFUSED: dict[str, tuple[Callable[[], bytes], str, str]] = {
    "empty": (lambda: b"", "png", "it is empty"),
    "text": (lambda: b"hello " * 99, "jpg", "it is not a picture"),
    "cut off PNG": (lambda: cut_off("PNG", 0.6), "png", r"it cannot be decoded \(.*trunc"),
    "cut off JPEG": (lambda: cut_off("JPEG", 0.6), "jpg", r"it cannot be decoded \(.*trunc"),
    "cut off GIF": (lambda: cut_off("GIF", 0.5), "gif", "it cannot be decoded"),
    "only a header": (lambda: cut_off("PNG", 0.004), "png", "it cannot be decoded"),
    "negative": (
        lambda: saved(noise(np.float32, -5, 5), "TIFF"),
        "tif",
        "its values range from -5 to 5, which is not a range of grey levels",
    ),
    "32 bits": (
        lambda: saved(noise(np.int32, 0, 10**6), "TIFF"),
        "tif",
        "its values range from 0 to 1e[+]06, which is not a range of grey levels",
    ),
    "NaN": (
        lambda: saved(noise(np.float32, 0, np.nan), "TIFF"),
        "tif",
        "its values range from nan to nan, which is not a range of grey levels",
    ),
    "PDF": (lambda: saved(colour(), "PDF"), "png", "it is not a picture"),
    "icon": (lambda: saved(colour(), "ICO"), "png", "it is not a picture"),
}


@pytest.mark.parametrize("on_disk", [False, True], ids=["memory", "disk"])
@pytest.mark.parametrize("name", REFUSED)
def test_it_is_refused_in_one_line_with_its_name(tmp_path, monkeypatch, name, on_disk):
    make, suffix, reason = REFUSED[name]
    for folder in "ab":
        for number in range(2):
            write(colour, tmp_path / folder / f"{number}.png", {})
    odd = tmp_path / "a" / f"odd.{suffix}"
    odd.write_bytes(make())
    if on_disk:
        monkeypatch.setattr(picture_set, "MEMORY", 0)
    opened = datasets.open(tmp_path, validation=0, test=0)
    assert len(opened.train) == 4
    (note,) = (note for note in opened.notes if "set aside" in note)
    message = rf"a/odd\.{suffix}: {reason}.*\.$"
    assert re.search(message, note)
    with pytest.raises(DataError, match=rf"^odd\.{suffix} cannot be used: {reason}.*\.$"):
        read_for_prediction(opened.preparation, [odd])
