"""A pack of bad labels and pictures: each is one clear line, and the rest is used."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from tests.datasets.annotations.label_writers import (
    coco_content,
    voc_xml,
    write_boxes,
    write_coco,
    write_lists,
    write_picture,
    write_voc,
    write_yolo,
)

from neuropil import datasets
from neuropil.core import free_memory
from neuropil.datasets import DataError, Splits
from neuropil.datasets.annotations import coco_files

PETS = ["cat", "dog"]
GOOD = {"a": [("cat", 1, 2, 9, 12)], "b": [("dog", 3, 3, 8, 8), ("cat", 0, 0, 4, 4)]}
REFUSED = "1 label file refused, and the picture set aside: {}"
XML, TEXT = "Annotations/bad.xml", "labels/bad.txt"


def opened(folder: Path) -> tuple[Splits, str]:
    """Return what is opened, all of it for training, and the notes."""
    found = datasets.open(folder, validation=0, test=0)
    assert found.train.targets is not None
    assert found.train.targets.isfinite().all()
    return found, "\n".join(found.notes)


def rows_of(found: Splits, name: str) -> list[list[float]]:
    """Return the boxes of a picture."""
    names = list(found.train.names or ())
    rows = found.train.targets[[Path(each).stem for each in names].index(name)]
    return rows[rows[:, 4] != -1].round(decimals=3).tolist()


# Text of a VOC file, the note, and the boxes that are used.
VOC_FILES: dict[str, tuple[str | bytes, str, list[list[float]] | None]] = {
    "turned": (
        voc_xml([("cat", 9, 8, 3, 4)]),
        "1 box with xmin > xmax or ymin > ymax: their corners are exchanged: {} (line 2).",
        [[3, 4, 9, 8, 0]],
    ),
    "partly outside": (
        voc_xml([("dog", -4, 3, 40, 30)]),
        "1 box partly outside the picture: cut off at its border: {} (line 2).",
        [[0, 3, 32, 24, 1]],
    ),
    "outside": (
        voc_xml([("cat", 1, 1, 2, 2), ("dog", 40, 3, 60, 30)]),
        "1 box outside the picture: not used: {} (line 3).",
        [[1, 1, 2, 2, 0]],
    ),
    "without area": (
        voc_xml([("cat", 5, 5, 5, 9), ("dog", 5, 5, 5, 5)]),
        "2 boxes without area: not used: {} (line 2), {} (line 3).",
        [],
    ),
    "relative": (
        voc_xml([("cat", 0.1, 0.1, 0.5, 0.9)]),
        "1 box in parts of the picture's size, where pixels are due: not used: {} (line 2).",
        [],
    ),
    "not a number": (
        voc_xml([("cat", float("nan"), 1, 4, 4), ("cat", 1, float("inf"), 4, 4)]),
        "2 boxes with a coordinate that is not a finite number: not used: {} (line 2), {} (l",
        [],
    ),
    "words": (
        voc_xml([("cat", 1, 1, 4, 4)]).replace("<xmax>4<", "<xmax>four<"),
        "1 box with a coordinate that is not a finite number: not used: {} (line 2).",
        [],
    ),
    "twice": (
        voc_xml([("cat", 1, 1, 4, 4)] * 3),
        "2 boxes given twice: not used: {} (line 3), {} (line 4).",
        [[1, 1, 4, 4, 0]],
    ),
    "without a class": (
        voc_xml([(" ", 1, 1, 4, 4)]),
        "1 object without a class: not used: {} (line 2).",
        [],
    ),
    "without a box": (
        voc_xml([], "<object><name>cat</name></object>"),
        "1 object without a box: not used: {} (line 2).",
        [],
    ),
    "doctype": (
        "<!DOCTYPE annotation>" + voc_xml([("cat", 1, 1, 4, 4)]),
        f"{REFUSED} (it has a DOCTYPE or entities, which are never read).",
        None,
    ),
    "external": (
        '<!DOCTYPE annotation SYSTEM "http://localhost/x.dtd">'
        + voc_xml([("cat", 1, 1, 4, 4)]),
        f"{REFUSED} (it has a DOCTYPE or entities, which are never read).",
        None,
    ),
    "entities": (
        '<!DOCTYPE a [<!ENTITY x "cat"><!ENTITY y "&x;&x;">]>' + voc_xml([("&y;", 1, 1, 4, 4)]),
        f"{REFUSED} (it has a DOCTYPE or entities, which are never read).",
        None,
    ),
    "truncated": (
        voc_xml([("cat", 1, 1, 4, 4)] * 5)[:300],
        f"{REFUSED} (line 4: unclosed token).",
        None,
    ),
    "empty": (
        "",
        f"{REFUSED} (line 1: no element found",
        None,
    ),
    "encoding": (
        b'<?xml version="1.0" encoding="klingon"?><annotation/>',
        f"{REFUSED} (unknown encoding",
        None,
    ),
}
LINES: dict[str, tuple[str | bytes, str, list[list[float]]]] = {
    "absolute": (
        "0 0.5 0.5 0.5 0.5\n1 16 12 8 6",
        "1 box in pixels, where parts of the picture's size (0 to 1) are due: not used: {} (l",
        [[8, 6, 24, 18, 0]],
    ),
    "unknown class": (
        "0 0.5 0.5 0.5 0.5\n2 0.5 0.5 0.5 0.5",
        "1 line with a class above 1, the last one: not used: {} (line 2).",
        [[8, 6, 24, 18, 0]],
    ),
    "class in words": (
        "cat 0.5 0.5 0.5 0.5\n-1 0.5 0.5 0.5 0.5\n0.5 0.5 0.5 0.5 0.5\nnan 1 1 1 1",
        "4 lines with a class that is not a whole number from 0: not used: {} (line 1), {}",
        [],
    ),
    "columns": (
        "0 0.5 0.5 0.5\n0 0.5 0.5 0.5 0.5 0.9\n0,0.5,0.5,0.5,0.5\n0",
        "4 lines other than a class and four numbers: not used: {} (line 1), {} (line 2), {}",
        [],
    ),
    "not a number": (
        "0 nan 0.5 0.5 0.5\n0 0.5 inf 0.5 0.5\n0 0.5 0.5 1e999 0.5\n0 x 0.5 0.5 0.5",
        "4 boxes with a coordinate that is not a finite number: not used: {} (line 1), {} (l",
        [],
    ),
    "negative size": (
        "0 0.5 0.5 -0.5 0.5\n1 0.5 0.5 0 0",
        "2 boxes without area: not used: {} (line 1), {} (line 2).",
        [],
    ),
    "outlines": (
        "1 0.25 0.25 0.5 0.25 0.25 0.75",
        "1 line with an outline: the box around it is used: {} (line 1).",
        [[8, 6, 16, 18, 1]],
    ),
    "bytes": (
        b"0 0.5 0.5\xff\xfe 0.5 0.5",
        f"{REFUSED} (",
        [],
    ),
    "mark and returns": (
        "\ufeff0 0.5 0.5 0.5 0.5\r\n\r\n1 0.5 0.5 1 1\r\n".encode(),
        "",
        [[8, 6, 24, 18, 0], [0, 0, 32, 24, 1]],
    ),
    "two bytes a letter": (
        "0 0.5 0.5 0.5 0.5".encode("utf-16"),
        "",
        [[8, 6, 24, 18, 0]],
    ),
}


def change(key: str, **fields: Any) -> Callable[[dict[str, Any]], None]:
    """Return a change of the first object in a list of a COCO file."""
    return lambda content: content[key][0].update(fields)


def again(key: str) -> Callable[[dict[str, Any]], None]:
    """Return a change that repeats the first object in a list of a COCO file."""
    return lambda content: content[key].append(dict(content[key][0]))


CONTENTS: dict[str, tuple[Callable[[dict[str, Any]], Any], str, int]] = {
    "unknown image": (
        change("annotations", image_id=7),
        "1 annotation of an image that is not in the list: not used: data.json (no. 1).",
        2,
    ),
    "unknown class": (
        change("annotations", category_id=7),
        "1 annotation of a class that is not in the list: not used: data.json (no. 1).",
        2,
    ),
    "lists for ids": (
        change("annotations", category_id=[1], image_id={}),
        "1 annotation of an image that is not in the list: not used: data.json (no. 1).",
        2,
    ),
    "three numbers": (
        change("annotations", bbox=[1, 2, 3]),
        "1 annotation without a box: not used: data.json (no. 1).",
        2,
    ),
    "relative": (
        change("annotations", bbox=[0.1, 0.2, 0.3, 0.3]),
        "1 box in parts of the picture's size, where pixels are due: not used: data.json (ann",
        2,
    ),
    "negative size": (
        change("annotations", bbox=[5, 5, -3, 4]),
        "1 box without area: not used: data.json (annotation no. 1).",
        2,
    ),
    "words and huge numbers": (
        change("annotations", bbox=["a", True, None, 10**400]),
        "1 box with a coordinate that is not a finite number: not used: data.json (annotation",
        2,
    ),
    "not finite": (
        change("annotations", bbox=[1, 2, float("nan"), float("inf")]),
        "1 box with a coordinate that is not a finite number: not used: data.json (annotation",
        2,
    ),
    "missing picture": (
        change("images", file_name="gone.png"),
        "1 image without a picture: not used: data.json (no. 1: gone.png).",
        2,
    ),
    "a picture twice": (
        change("images", file_name="b.png"),
        "1 image with the file of an earlier image: not used: data.json (no. 2: b.png).",
        1,
    ),
    "an id twice": (
        again("images"),
        "1 image without an id and a file name of its own: not used: data.json (no. 3).",
        3,
    ),
    "a class twice": (
        again("categories"),
        "1 class without an id and a name of its own: not used: data.json (no. 3).",
        3,
    ),
    "not objects": (
        lambda content: content["annotations"].append(3),
        "1 item of 'annotations' that is not an object: not used: data.json (no. 4).",
        3,
    ),
}


@pytest.mark.parametrize("case", VOC_FILES)
def test_a_bad_voc_file_is_named_with_its_line(tmp_path, case):
    text, note, boxes = VOC_FILES[case]
    write_voc(tmp_path, {**GOOD, "bad": []})
    file = tmp_path / XML
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    found, notes = opened(tmp_path)
    assert note.replace("{}", XML) in notes
    assert len(found.train) == (2 if boxes is None else 3)
    assert rows_of(found, "a") == [[1, 2, 9, 12, 0]]
    if boxes is not None:
        assert rows_of(found, "bad") == boxes


@pytest.mark.parametrize("case", LINES)
def test_a_bad_yolo_line_is_named(tmp_path, case):
    text, note, boxes = LINES[case]
    write_yolo(tmp_path, {**GOOD, "bad": []}, PETS)
    file = tmp_path / TEXT
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    found, notes = opened(tmp_path)
    assert note.replace("{}", TEXT) in notes
    assert rows_of(found, "a") == [[1, 2, 9, 12, 0]]
    if "refused" not in note:
        assert rows_of(found, "bad") == boxes


@pytest.mark.parametrize("case", CONTENTS)
def test_a_bad_coco_object_is_named(tmp_path, case):
    alter, note, boxes = CONTENTS[case]
    file = write_coco(tmp_path / "data.json", GOOD, PETS)
    content = coco_content(GOOD, PETS)
    alter(content)
    file.write_text(json.dumps(content))
    found, notes = opened(file)
    assert note in notes
    assert (found.train.targets[..., 4] >= 0).sum() == boxes


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"images": [{"id": 1,', "data.json is damaged: Expecting property name"),
        ('{"images": [], "annotations": 3}', "data.json has no list of 'categories'"),
        (
            '{"images": [1, null], "annotations": [], "categories": []}',
            "no picture whose labels",
        ),
        ('{"images": [' + "[" * 10**5, "data.json is damaged: maximum recursion depth"),
    ],
)
def test_a_bad_coco_file_is_one_line(tmp_path, text, message):
    (tmp_path / "data.json").write_text(text)
    with pytest.raises(DataError, match=re.escape(message)) as caught:
        datasets.open(tmp_path / "data.json")
    assert "\n" not in str(caught.value)


def test_a_coco_file_beyond_memory_is_refused_before_it_is_read(tmp_path, monkeypatch):
    file = tmp_path / "data.json"
    with file.open("wb") as opened:
        opened.write(b'{"images": [')
        opened.truncate(2**30)  # a hole, which takes no room on disk
    monkeypatch.setattr(free_memory, "free_memory", lambda: 2**31)
    with pytest.raises(DataError, match=r"data\.json is too large: reading .* needs 8\.59 GB"):
        datasets.open(file)
    assert coco_files.MEMORY == 8


def test_two_coco_files_of_one_part_are_refused(tmp_path):
    for name in ("train_1", "train_2"):
        write_coco(tmp_path / f"{name}.json", GOOD, PETS)
    with pytest.raises(DataError, match=r"2 COCO files, .*train_1\.json, .*or open one"):
        datasets.open(tmp_path)


@pytest.mark.parametrize("name", ["annotations/instances_{}.json", "{}/_annotations.json"])
@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", " is damaged: Expecting value"),
        ('{"images": {}}', " has no list of 'images': it is not a COCO file of boxes"),
    ],
)
def test_a_broken_coco_file_of_one_part_is_an_error(tmp_path, name, text, message):
    for part in ("train", "val"):
        write_coco(tmp_path / name.format(part), GOOD, PETS)
    broken = tmp_path / name.format("val")
    broken.write_text(text)
    with pytest.raises(DataError, match=re.escape(f"{broken}{message}")):
        datasets.open(tmp_path)


def test_other_json_files_are_not_parts(tmp_path):
    write_coco(tmp_path / "data.json", GOOD, PETS)
    (tmp_path / "test_report.json").write_text("[]")
    assert len(opened(tmp_path)[0].train) == len(GOOD)


def test_bad_rows_of_a_table_are_named(tmp_path):
    file = write_boxes(tmp_path / "boxes.csv", {**GOOD, "c": []})
    rows = ["gone.png,cat,1,1,4,4", "a.png,,1,1,4,4", "a.png,dog,4,x,9,9", "b.png,dog,4,4,4,9"]
    file.write_bytes(
        ("\ufeff" + "\r\n".join([file.read_text().replace("\n", "\r\n"), *rows])).encode()
    )
    found, notes = opened(file)
    assert "1 name without a picture: not used: boxes.csv (row 6: gone.png)." in notes
    assert "1 row without a class: not used: boxes.csv (row 7)." in notes
    assert (
        "1 box with a coordinate that is not a finite number: not used: boxes.csv (row 8)."
        in notes
    )
    assert "1 box without area: not used: boxes.csv (row 9)." in notes
    assert rows_of(found, "b") == [[3, 3, 8, 8, 1], [0, 0, 4, 4, 0]]
    assert rows_of(found, "c") == []


def test_pictures_and_labels_without_each_other_are_named(tmp_path):
    write_yolo(tmp_path / "yolo", GOOD, PETS)
    write_picture(tmp_path / "yolo" / "images" / "c.png")
    (tmp_path / "yolo" / "labels" / "d.txt").write_text("0 0.5 0.5 0.1 0.1")
    found, notes = opened(tmp_path / "yolo")
    assert "1 picture without a label file: taken to show nothing: images/c.png." in notes
    assert "1 label file without a picture: not used: labels/d.txt." in notes
    assert rows_of(found, "c") == []
    write_voc(tmp_path / "voc", GOOD)
    write_picture(tmp_path / "voc" / "JPEGImages" / "c.png")
    (tmp_path / "voc" / "Annotations" / "d.xml").write_text(voc_xml(GOOD["a"]))
    found, notes = opened(tmp_path / "voc")
    assert "1 picture without a label file: taken to show nothing: JPEGImages/c.png." in notes
    assert "1 label file without a picture: not used: Annotations/d.xml." in notes
    assert len(found.train) == 3


def test_a_renamed_picture_is_found_by_the_name_in_its_file(tmp_path):
    write_voc(tmp_path, GOOD)
    named = voc_xml([("dog", 1, 1, 4, 4)], "<filename>new name.png</filename>")
    (tmp_path / "Annotations" / "old.xml").write_text(named)
    write_picture(tmp_path / "JPEGImages" / "new name.png")
    found, _ = opened(tmp_path)
    assert rows_of(found, "new name") == [[1, 1, 4, 4, 1]]
    assert len(found.train) == 3


@pytest.mark.parametrize("write", [write_voc, lambda f, p: write_yolo(f, p, PETS)])
def test_two_pictures_of_one_name_are_named(tmp_path, write):
    folder = write(tmp_path, GOOD)
    first = next(tmp_path.rglob("a.png"))
    Image.open(first).save(first.with_suffix(".bmp"))
    found, notes = opened(folder)
    message = "1 picture with the name of another picture, which has the labels: not used: "
    assert message in notes
    assert len(found.train) == 2


def test_two_pictures_of_one_name_are_not_confused_by_coco(tmp_path):
    write_coco(tmp_path / "data.json", GOOD, PETS, folder="x")
    write_picture(tmp_path / "y" / "a.png")
    found, notes = opened(tmp_path / "data.json")
    assert (
        "1 image with a name that several pictures have: not used: data.json (no. 1: a.png)"
        in notes
    )
    assert found.train.names == ["x/b.png"]


def test_bad_names_in_lists_are_named(tmp_path):
    write_lists(write_voc(tmp_path, GOOD), train=["a", "gone", "a"], val=["\ufeffb\r"])
    found = datasets.open(tmp_path, test=0)
    assert found.notes[:2] == [
        "1 name in a list without a picture: not used: ImageSets/Main/train.txt (line 2).",
        "1 name twice in a list: used once: ImageSets/Main/train.txt (line 3).",
    ]
    assert (len(found.train), len(found.validation)) == (1, 1)


def test_a_picture_in_two_lists_is_counted(tmp_path):
    write_lists(write_voc(tmp_path, GOOD), train=["a", "b"], val=["b"], test=["a", "b"])
    found = datasets.open(tmp_path)
    assert len(found.test) == 2
    notes = [note for note in found.notes if note.startswith("Duplicates")]
    assert [note.partition(",")[0] for note in notes] == [
        "Duplicates: 1 of 1 validation picture equal a training picture",
        "Duplicates: 2 of 2 test pictures equal a training picture",
    ]


def test_bad_pictures_are_set_aside_with_their_boxes(tmp_path):
    write_voc(tmp_path, {**GOOD, **{name: [("dog", 1, 1, 5, 5)] for name in "cdefg"}})
    pictures = tmp_path / "JPEGImages"
    whole = np.random.default_rng(0).integers(0, 255, (24, 32, 3), dtype=np.uint8)
    for name in "cdefg":
        (pictures / f"{name}.png").unlink()
    Image.fromarray(whole).save(pictures / "c.jpg")
    (pictures / "c.jpg").write_bytes((pictures / "c.jpg").read_bytes()[:700])
    (pictures / "d.jpg").write_bytes(b"")
    Image.fromarray(whole).convert("CMYK").save(pictures / "e.jpg")
    Image.fromarray(whole[..., 0].astype(np.uint16) * 200).save(pictures / "f.png")
    (pictures / "g.bmp").write_bytes(b"BM" + bytes(50))
    found, notes = opened(tmp_path)
    assert "3 broken pictures set aside: JPEGImages/c.jpg: it cannot be decoded" in notes
    assert "1 picture of more than 8 bits" in notes
    assert len(found.train) == 4
    for name in "ef":
        assert rows_of(found, name) == [[1, 1, 5, 5, 1]]


def test_pictures_are_found_by_names_that_windows_wrote(tmp_path):
    file = write_coco(tmp_path / "data.json", GOOD, PETS)
    content = coco_content(GOOD, PETS)
    for image in content["images"]:
        image["file_name"] = f"C:\\pets\\{image['file_name']}"
    file.write_text(json.dumps({"type": "instances", **content}))
    found, notes = opened(tmp_path)
    assert len(found.train) == len(GOOD)
    assert "without a picture" not in notes


def test_ids_written_as_decimal_numbers_are_the_same_ids(tmp_path):
    file = write_coco(tmp_path / "data.json", GOOD, PETS)
    content = coco_content(GOOD, PETS)
    for row in content["annotations"]:
        row["image_id"] = float(row["image_id"])
    file.write_text(json.dumps(content))
    found, _ = opened(file)
    assert (found.train.targets[..., 4] >= 0).sum() == 3


# A file with this depth takes many seconds if each tag costs as much as the path to it.
def test_a_deep_label_file_is_refused(tmp_path):
    write_voc(tmp_path, GOOD)
    (tmp_path / "Annotations" / "bad.xml").write_text("<a>" * 10**5)
    assert REFUSED.format(XML) in opened(tmp_path)[1]


def test_no_usable_label_is_one_line(tmp_path):
    write_voc(tmp_path, {"a": [("cat", 3, 3, 3, 3)]})
    with pytest.raises(DataError, match=r"has no boxes: .* 1 box without area: not used: A"):
        datasets.open(tmp_path)
    for part in ("images", "labels"):
        (tmp_path / "yolo" / part).mkdir(parents=True)
    with pytest.raises(DataError, match="yolo has no picture whose labels can be used"):
        datasets.open(tmp_path / "yolo")


@pytest.mark.parametrize(
    ("name", "text", "classes"),
    [
        ("data.yaml", "path: x\nnames: [cat, 'wild dog']  # two\n", ["cat", "wild dog"]),
        ("data.yaml", 'names: ["cat",\n  dog,\n]\n', ["cat", "dog"]),
        ("x.yml", "names:\n  0: cat\n\n  # pets\n  1: 'it''s'\nnc: 2\n", ["cat", "it's"]),
        ("data.yaml", "names:\r\n- cat\r\n- dog # big\r\ntrain: a\r\n", ["cat", "dog"]),
        ("data.yaml", "names: {0: cat, 1: dog}", ["cat", "dog"]),
        ("obj.names", "\ufeffcat\r\ndog\r\n\r\n", ["cat", "dog"]),
        ("classes_boxes.csv", "id,name\n1,dog\n0,cat\n", ["cat", "dog"]),
        ("none.txt", "", ["0", "1"]),
    ],
)
def test_class_names_are_read(tmp_path, name, text, classes):
    write_yolo(tmp_path, GOOD, PETS)
    (tmp_path / "classes.txt").unlink()
    (tmp_path / name).write_bytes(text.encode())
    found, _ = opened(tmp_path)
    assert list(found.target.classes) == classes


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("data.yaml", "nc: 2\nnames: [cat, dog\n", "line 2: the bracket after `names:` is not"),
        ("data.yaml", "names:\n  0: cat\n  2: dog", "line 3: class 2 follows 1 others"),
        ("data.yaml", "names:\n  0: cat\n  dog", "line 3: 'dog' is not a name of a class; wr"),
        ("data.yaml", "names: *pets", "line 1: '*pets' is not a name of a class"),
        ("data.yaml", "names: [cat, [dog]]", "line 1: '[dog]' is not a name of a class"),
        ("data.yaml", "names:\nnc: 2", "data.yaml names no class"),
        ("classes.txt", "cat\ncat", "line 2: the class 'cat' is given twice"),
        ("classes.txt", "cat\n\ndog", "line 2: the name is empty"),
        ("classes.csv", "number,name\n0,cat", "needs the columns id and name"),
        ("classes.csv", "id,name\nzero,cat", "line 2: 'zero' is not a class id"),
    ],
)
def test_bad_class_names_are_one_line(tmp_path, name, text, message):
    write_yolo(tmp_path, GOOD, PETS)
    (tmp_path / "classes.txt").unlink()
    (tmp_path / name).write_text(text)
    with pytest.raises(DataError, match=re.escape(message)):
        datasets.open(tmp_path)
