"""Pictures with boxes are opened from every format, in memory and on demand."""

import json

import numpy as np
import pytest
import torch
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
from neuropil.datasets import (
    Boxes,
    DataError,
    PictureSource,
    read_for_evaluation,
    read_for_prediction,
)
from neuropil.datasets.pictures import picture_set
from neuropil.datasets.pictures.substitutes import BrokenPictureWarning

PETS = ["cat", "dog"]
TWO = {
    "train/a": [("dog", 2, 3, 12, 13), ("cat", 0, 0, 32, 24)],
    "train/b": [],
    "val/c": [("cat", 4, 4, 8, 8)],
    "test/d": [("dog", 1, 1, 30, 20)],
}


def boxes_of(part, name):
    """Return the boxes of a picture, without padding."""
    rows = part.targets[list(part.names).index(name)]
    return rows[rows[:, 4] != -1].tolist()


def test_voc_lists_divide_the_pictures(tmp_path):
    write_voc(tmp_path, {name[-1]: boxes for name, boxes in TWO.items()})
    write_lists(tmp_path, train=["a", "b"], val=["c"], test=["d"])
    opened = datasets.open(tmp_path)
    assert opened.target == Boxes(PETS)
    assert opened.train.targets.shape == (2, 2, 5)
    assert boxes_of(opened.train, "JPEGImages/a.png") == [[2, 3, 12, 13, 1], [0, 0, 32, 24, 0]]
    assert boxes_of(opened.train, "JPEGImages/b.png") == []
    assert boxes_of(opened.validation, "JPEGImages/c.png") == [[4, 4, 8, 8, 0]]
    assert boxes_of(opened.test, "JPEGImages/d.png") == [[1, 1, 30, 20, 1]]
    assert opened.notes == []


def test_voc_lists_name_pictures_by_the_whole_line(tmp_path):
    names = ["a", "a 1", "a 2", "b.c", "d", "e 0"]
    write_voc(tmp_path, dict.fromkeys(names, TWO["val/c"]))
    write_lists(
        tmp_path, train=["a 1", "a 2  -1", "b.c"], val=["d.png 1", "a  0"], test=["e 0.png"]
    )
    found = datasets.open(tmp_path)
    parts = [sorted(part.names) for part in (found.train, found.validation, found.test)]
    assert [[name.partition("/")[2] for name in part] for part in parts] == [
        ["a 1.png", "a 2.png", "b.c.png"],
        ["a.png", "d.png"],
        ["e 0.png"],
    ]
    write_lists(tmp_path, train=["a x", "d.jpg", "b.c"])
    notes = datasets.open(tmp_path).notes
    assert (
        "2 names in a list without a picture: not used: ImageSets/Main/train.txt (line 1), "
        "ImageSets/Main/train.txt (line 2)." in notes
    )


def test_the_pictures_that_no_list_of_voc_names_are_in_order(tmp_path):
    names = [f"{letter}{number}" for letter in "ab" for number in (1, 2, 3, 10, 20)]
    write_lists(write_voc(tmp_path, dict.fromkeys(names, SIX["a"])), train=["a3", "b3"])
    assert datasets.open(tmp_path, validation=0, test=0).notes[0] == (
        "8 pictures that no list names: not used: JPEGImages/a1.png, JPEGImages/a2.png, "
        "JPEGImages/a10.png, JPEGImages/a20.png, JPEGImages/b1.png and 3 more."
    )


def test_voc_files_may_lie_beside_their_pictures(tmp_path):
    for part, count in (("train", 3), ("valid", 2)):
        for number in range(count):
            write_picture(tmp_path / part / f"{number}.jpg", seed=number + 5 * count)
            text = voc_xml([("cat", 1, 2, 5, 6)])
            (tmp_path / part / f"{number}.xml").write_text(text)
    opened = datasets.open(tmp_path, test=0)
    assert (len(opened.train), len(opened.validation)) == (3, 2)
    assert boxes_of(opened.validation, "valid/1.jpg") == [[1, 2, 5, 6, 0]]
    alone = datasets.open(tmp_path / "train", validation=1, test=0)
    assert (len(alone.train), len(alone.validation)) == (2, 1)


def test_yolo_folders_divide_the_pictures(tmp_path):
    opened = datasets.open(write_yolo(tmp_path, TWO, PETS))
    assert opened.target == Boxes(PETS)
    found = boxes_of(opened.train, "images/train/a.png")
    np.testing.assert_allclose(found, [[2, 3, 12, 13, 1], [0, 0, 32, 24, 0]], atol=1e-4)
    assert boxes_of(opened.train, "images/train/b.png") == []
    assert [len(opened.validation), len(opened.test)] == [1, 1]


def test_classes_without_names_are_the_numbers_that_occur(tmp_path):
    write_yolo(
        tmp_path, {"a": [("cat", 0, 0, 8, 8)], "b": [("fox", 0, 0, 4, 4)]}, ["cat", "x", "fox"]
    )
    (tmp_path / "classes.txt").unlink()
    opened = datasets.open(tmp_path, validation=0, test=0)
    assert opened.target == Boxes(["0", "2"])
    assert [row[4] for row in boxes_of(opened.train, "images/b.png")] == [1]


def test_yolo_parts_may_hold_the_folders(tmp_path):
    write_yolo(tmp_path / "train", {"a": TWO["train/a"]}, PETS)
    write_yolo(tmp_path / "valid", {"c": TWO["val/c"]}, PETS)
    for part in ("train", "valid"):
        (tmp_path / part / "classes.txt").unlink()
    (tmp_path / "data.yaml").write_text("train: ../train/images\nnames: ['cat', 'dog']\nnc: 2")
    opened = datasets.open(tmp_path, test=0)
    assert opened.target == Boxes(PETS)
    assert [len(opened.train), len(opened.validation)] == [1, 1]


SIX = {name: [("cat", 4, 4, 8, 8), ("dog", 0, 0, 9, 9)] for name in "abcdef"}


@pytest.mark.parametrize(
    ("lists", "expected"),
    [
        ("train: images/one\nval: images/two\n", ["ab", "cd"]),
        ("train: [images/one, 'images/two']  # x\nval:\n- images/x\ntest:\n", ["abcd", "ef"]),
        ("path: images\ntrain: ./two\nvalid: one\ntest: x\n", ["cd", "ab", "ef"]),
        ("train: train.txt\nval: ../lists/val.txt\n", ["abc", "de"]),
        ("path: /nowhere\ntrain: ../images/two\nval: images/one\n", ["cd", "ab"]),
    ],
)
def test_the_yaml_file_of_yolo_divides_the_pictures(tmp_path, lists, expected):
    folders = dict(zip("abcdef", ("one", "one", "two", "two", "x", "x"), strict=True))
    write_yolo(tmp_path, {f"{folders[name]}/{name}": SIX[name] for name in SIX}, PETS)
    (tmp_path / "data.yaml").write_text(f"{lists}names: [cat, dog]\nnc: 2\n")
    (tmp_path / "train.txt").write_text("./images/one/a.png\nimages/one/b.png\ndata/c.png")
    (tmp_path / "lists").mkdir()
    (tmp_path / "lists" / "val.txt").write_text("../images/two/d.png\r\ne.png\r\n\r\n")
    found = datasets.open(tmp_path, validation=0, test=0)
    parts = [found.train, found.validation, *([found.test] if len(expected) > 2 else [])]
    assert ["".join(sorted(name[-5] for name in part.names)) for part in parts] == expected
    assert all((part.targets[:, 0, 4] == 0).all() for part in parts)
    unlisted = [note for note in found.notes if "that no list names: not used" in note]
    assert len(unlisted) == (sum(map(len, expected)) < 6)
    assert len(found.notes) == len(unlisted)


def test_what_is_wrong_in_the_yaml_file_of_yolo_is_named(tmp_path):
    write_yolo(tmp_path, {f"{'train' if n < 'd' else 'val'}/{n}": SIX[n] for n in SIX}, PETS)
    yaml = tmp_path / "data.yaml"
    yaml.write_text("train: images/train\nval: val.txt\ntest: gone\nnc: 5\nnames: [cat, dog]")
    (tmp_path / "val.txt").write_text("images/val/d.png\ngone.png\nimages/val/d.png\na.png")
    found = datasets.open(tmp_path, test=0)
    assert [len(found.train), len(found.validation)] == [3, 1]
    assert found.notes[:6] == [
        "data.yaml states nc: 5, but names 2 classes: the names are used.",
        "1 name in a list without a picture: not used: val.txt (line 2).",
        "1 name twice in a list: used once: val.txt (line 3).",
        "1 picture of several parts: used for the first one: images/train/a.png.",
        "1 path without a file or folder: not used: data.yaml (test: gone).",
        "2 pictures that no list names: not used: images/val/e.png, images/val/f.png.",
    ]
    yaml.write_text("train: nowhere\nval: images/train\nnames: [cat, dog]")
    found = datasets.open(tmp_path, test=0)
    assert [len(found.train), len(found.validation)] == [3, 3]
    assert found.notes[0] == (
        "1 path without a file or folder: not used: data.yaml (train: nowhere)."
    )


def test_lists_of_yolo_beside_the_labels_are_not_labels(tmp_path):
    for seed, name in enumerate("abc"):
        write_picture(tmp_path / f"{name}.png", seed=seed)
        (tmp_path / f"{name}.txt").write_text("0 0.5 0.5 0.5 0.5")
    (tmp_path / "data.yaml").write_text("train: train.txt\nval: val.txt\nnames: [cat]")
    (tmp_path / "train.txt").write_text("a.png\nb.png\n")
    (tmp_path / "val.txt").write_text("c.png\n")
    found = datasets.open(tmp_path, test=0)
    assert [len(found.train), len(found.validation)] == [2, 1]
    assert found.notes == []


def test_the_yaml_file_of_yolo_may_be_far_from_the_pictures(tmp_path):
    write_yolo(tmp_path / "far" / "one", {"a": SIX["a"]}, PETS)
    write_yolo(tmp_path / "far" / "two", {"b": SIX["b"]}, PETS)
    (tmp_path / "set").mkdir()
    text = "path: ../far\ntrain: one/images\nval: two/images\nnames: [cat, dog]"
    (tmp_path / "set" / "data.yaml").write_text(text)
    found = datasets.open(tmp_path / "set", test=0)
    assert [len(found.train), len(found.validation)] == [1, 1]
    assert found.target == Boxes(PETS)


def test_labels_of_yolo_may_have_a_suffix_in_capitals(tmp_path):
    write_yolo(tmp_path, {"a": SIX["a"], "b": SIX["b"]}, PETS)
    label = tmp_path / "labels" / "a.txt"
    label.rename(label.with_suffix(".TXT"))
    found = datasets.open(tmp_path, validation=0, test=0)
    assert len(boxes_of(found.train, "images/a.png")) == 2
    assert found.notes == []


def test_yolo_files_may_lie_beside_their_pictures(tmp_path):
    write_picture(tmp_path / "obj_train_data" / "a.png")
    (tmp_path / "obj_train_data" / "a.txt").write_text("1 0.5 0.5 0.5 0.5")
    (tmp_path / "obj.names").write_text("cat\ndog\n")
    opened = datasets.open(tmp_path, validation=0, test=0)
    assert boxes_of(opened.train, "obj_train_data/a.png") == [[8, 6, 24, 18, 1]]


def test_coco_files_are_for_the_parts_in_their_names(tmp_path):
    for part in ("train", "val", "test"):
        own = {name.split("/")[1]: TWO[name] for name in TWO if name.startswith(part)}
        file = tmp_path / "annotations" / f"instances_{part}2017.json"
        write_coco(file, own, PETS, folder=f"../{part}2017")
    (tmp_path / "annotations" / "captions_val2017.json").write_text('{"images": []}')
    opened = datasets.open(tmp_path)
    assert opened.target == Boxes(PETS)
    assert boxes_of(opened.train, "train2017/a.png") == [[2, 3, 12, 13, 1], [0, 0, 32, 24, 0]]
    assert boxes_of(opened.train, "train2017/b.png") == []
    assert [len(opened.validation), len(opened.test)] == [1, 1]
    alone = datasets.open(
        tmp_path / "annotations" / "instances_train2017.json", validation=1, test=0
    )
    assert [len(alone.train), len(alone.validation)] == [1, 1]


def test_the_keys_of_a_coco_file_are_in_any_order(tmp_path):
    for part in ("train", "val"):
        write_coco(tmp_path / "annotations" / f"{part}.json", {part: TWO["train/a"]}, PETS)
    content = {"version": {"of": 1}, **coco_content({"val": TWO["val/c"]}, PETS)}
    (tmp_path / "annotations" / "val.json").write_text(json.dumps(content))
    found = datasets.open(tmp_path, test=0)
    assert [len(found.train), len(found.validation)] == [1, 1]
    assert boxes_of(found.validation, "annotations/val.png") == [[4, 4, 8, 8, 0]]
    alone = datasets.open(tmp_path / "annotations" / "val.json", validation=0, test=0)
    assert len(alone.train) == 1


def test_coco_files_may_lie_beside_their_pictures(tmp_path):
    for part in ("train", "valid"):
        write_coco(tmp_path / part / "_annotations.coco.json", {"a": TWO["train/a"]}, PETS)
    opened = datasets.open(tmp_path, test=0)
    assert [len(opened.train), len(opened.validation)] == [1, 1]
    assert opened.train.names == ["train/a.png"]


@pytest.mark.parametrize("column", ["split", "Subset", "set"])
def test_a_column_of_a_table_of_boxes_divides_the_pictures(tmp_path, column):
    file = write_boxes(tmp_path / "boxes.csv", {name: SIX[name] for name in "abcd"})
    header, *rows = file.read_text().splitlines()
    parts = ["train", "train", "VALID", "valid", "test", "train", "", "train"]
    lines = [f"{header},{column}", *(f"{r},{p}" for r, p in zip(rows, parts, strict=True))]
    file.write_text("\n".join(lines))
    found = datasets.open(file)
    assert [p.names for p in (found.train, found.validation, found.test)] == [
        ["images/a.png", "images/d.png"],
        ["images/b.png"],
        ["images/c.png"],
    ]
    assert boxes_of(found.test, "images/c.png") == [[4, 4, 8, 8, 0], [0, 0, 9, 9, 1]]
    assert [note[:36] + note[-18:] for note in found.notes[:2]] == [
        "1 row of another part than its pictuboxes.csv (row 7).",
        "1 row without a part of the data: noboxes.csv (row 8).",
    ]
    file.write_text("\n".join([f"{header},{column}", *(f"{row},spring" for row in rows)]))
    assert len(datasets.open(file, validation=0, test=0).train) == 4


def test_a_folder_may_hold_a_table_of_boxes_and_the_pictures(tmp_path):
    file = write_boxes(tmp_path / "boxes.csv", {name: SIX[name] for name in "abcd"})
    (tmp_path / "notes.csv").write_text("image,weather\na.png,rain\n")
    found = datasets.open(tmp_path, validation=0, test=0)
    assert found.target == Boxes(PETS)
    assert found.train.names == datasets.open(file, validation=0, test=0).train.names
    write_picture(tmp_path / "images" / "new.png")
    read = read_for_prediction(found.preparation, tmp_path)
    assert [name[-5:] for name in read.names] == ["a.png", "b.png", "c.png", "d.png", "w.png"]
    (tmp_path / "other.csv").write_text(file.read_text())
    with pytest.raises(DataError, match=r"2 tables of labels: open one .*boxes\.csv, .*other"):
        datasets.open(tmp_path)


def test_an_outline_of_coco_without_a_box_is_one(tmp_path):
    file = write_coco(tmp_path / "data.json", {"a": SIX["a"] * 2}, PETS)
    content = coco_content({"a": SIX["a"] * 2}, PETS)
    outlines = [
        {"segmentation": [[3, 4, 9, 5, 7, 20]]},
        {"segmentation": [[3, 4, 9, 5, 7, 20], [1, 6, 5, 6, 5, 9]], "bbox": []},
        {"segmentation": {"counts": "abc", "size": [24, 32]}},
        {"segmentation": [[1, 2, 5, 4]]},
    ]
    for entry, outline in zip(content["annotations"], outlines, strict=True):
        del entry["bbox"]
        entry.update(outline)
    file.write_text(json.dumps(content))
    found = datasets.open(file, validation=0, test=0)
    assert boxes_of(found.train, "a.png") == [[3, 4, 9, 20, 0], [1, 4, 9, 20, 1]]
    assert [note.partition(":")[0] for note in found.notes[:2]] == [
        "2 annotations with an outline and no box",
        "2 annotations without a box",
    ]


@pytest.mark.parametrize(
    ("header", "row", "relative"),
    [
        ("filename,xmin,ymin,width,height,class", "a.png,4,6,12,9,cat", False),
        ("image,label,left,top,width,height", "a.png,cat,4,6,12,9", False),
        ("filename,width,height,class,xmin,ymin,xmax,ymax", "a.png,32,24,cat,4,6,16,15", False),
        ("image,class,xmin,ymin,xmax,ymax", "a.png,cat,0.125,0.25,0.5,0.625", True),
        ("image,class,xmin,ymin,width,height", "a.png,cat,0.125,0.25,0.375,0.375", True),
        ("ImageID,LabelName,XMin,XMax,YMin,YMax", "a,cat,0.125,0.5,0.25,0.625", True),
    ],
)
def test_tables_of_boxes_have_several_forms(tmp_path, header, row, relative):
    write_picture(tmp_path / "images" / "a.png")
    file = tmp_path / "boxes.csv"
    file.write_text(f"{header}\n{row}\n")
    found = datasets.open(file, validation=0, test=0)
    assert boxes_of(found.train, "images/a.png") == [[4, 6, 16, 15, 0]]
    assert [note for note in found.notes if "parts of" in note] == relative * [
        "All coordinates are about 0 to 1: taken as parts of the picture's size."
    ]


def test_crowds_count_for_nothing(tmp_path):
    file = write_coco(tmp_path / "data.json", {"a": TWO["train/a"]}, PETS)
    content = coco_content({"a": TWO["train/a"]}, PETS)
    content["annotations"][0]["iscrowd"] = 1
    file.write_text("\ufeff" + json.dumps(content))
    opened = datasets.open(file, validation=0, test=0)
    assert boxes_of(opened.train, "a.png") == [[2, 3, 12, 13, -3], [0, 0, 32, 24, 0]]


def test_difficult_boxes_count_for_nothing(tmp_path):
    write_voc(tmp_path, {"a": [("cat", 1, 1, 9, 9)], "b": []})
    hard = voc_xml([("dog", 1, 1, 9, 9)]).replace("<difficult>0", "<difficult>1")
    (tmp_path / "Annotations" / "b.xml").write_text(hard)
    opened = datasets.open(tmp_path, validation=0, test=0)
    assert boxes_of(opened.train, "JPEGImages/b.png") == [[1, 1, 9, 9, -3]]


@pytest.mark.parametrize("on_disk", [False, True])
@pytest.mark.parametrize("size", [(12, 16), (24, 32), (48, 16)])
def test_boxes_move_along_with_a_resized_picture(tmp_path, monkeypatch, size, on_disk):
    if on_disk:
        monkeypatch.setattr(picture_set, "MEMORY", 0)
    opened = datasets.open(write_yolo(tmp_path, TWO, PETS), image_size=size)
    scale = torch.tensor([size[1] / 32, size[0] / 24] * 2)
    for part, name, row in (
        (opened.train, "images/train/a.png", [2, 3, 12, 13]),
        (opened.validation, "images/val/c.png", [4, 4, 8, 8]),
        (opened.test, "images/test/d.png", [1, 1, 30, 20]),
    ):
        assert isinstance(part, PictureSource) == on_disk
        batch = part.fetch([list(part.names).index(name)])
        assert batch.inputs.shape[2:] == size
        moved = torch.tensor(row) * scale
        torch.testing.assert_close(batch.targets[0, 0, :4], moved, atol=1e-3, rtol=0)


@pytest.mark.parametrize("how", [None, "buckets", "native"])
def test_pictures_of_several_sizes_keep_their_proportions(tmp_path, how):
    sizes = [(240, 320), (320, 240), (600, 800), (96, 128)]
    names = []
    for number, (height, width) in enumerate(sizes * 2):
        name = f"{number}.png"
        write_picture(tmp_path / "images" / name, (height, width), number)
        label = tmp_path / "labels" / f"{number}.txt"
        label.parent.mkdir(exist_ok=True)
        label.write_text("0 0.5 0.25 0.5 0.5")
        names.append(name)
    opened = datasets.open(tmp_path, validation=0, test=0, image_size=how)
    assert opened.input_shape == (3, None, None)
    for place in range(8):
        batch = opened.train.fetch([place])
        height, width = batch.inputs.shape[2:]
        own = sizes[place % 4]
        assert abs(np.log(height / width) - np.log(own[0] / own[1])) < 0.05
        assert max(height, width) <= (800 if how == "native" else 320)
        expected = torch.tensor([width / 4, 0, 3 * width / 4, height / 2])
        torch.testing.assert_close(batch.targets[0, 0, :4], expected, atol=1e-3, rtol=0)


def test_a_picture_in_place_of_a_broken_one_brings_its_own_boxes(tmp_path):
    folder = write_yolo(tmp_path, {"a": [("cat", 2, 3, 12, 13)]}, PETS)
    write_yolo(tmp_path, {"b": [("dog", 4, 4, 8, 8), ("cat", 1, 1, 9, 9)]}, PETS, (12, 16))
    broken = folder / "images" / "a.png"
    content = bytearray(broken.read_bytes())
    content[100:200] = bytes(100)  # header and end are sound
    broken.write_bytes(content)
    train = datasets.open(folder, image_size="native", validation=0, test=0).train
    for _ in range(2):  # the second time, other pictures come from the cache
        with pytest.warns(BrokenPictureWarning, match=r"b\.png takes its place"):
            batch = train.fetch([0])
        assert batch.inputs.shape == (1, 3, 24, 32)
        doubled = torch.tensor([[[8.0, 8, 16, 16, 1], [2, 2, 18, 18, 0]]])
        torch.testing.assert_close(batch.targets, doubled, atol=1e-4, rtol=0)


def test_boxes_follow_the_turned_picture(tmp_path):
    write_voc(tmp_path, {"a": [("cat", 0, 20, 10, 40)]})
    pixels = np.zeros((24, 48, 3), np.uint8)
    exif = Image.Exif()
    exif[0x0112] = 6
    (tmp_path / "JPEGImages" / "a.png").unlink()
    Image.fromarray(pixels).save(tmp_path / "JPEGImages" / "a.jpg", exif=exif)
    opened = datasets.open(tmp_path, validation=0, test=0)
    assert opened.input_shape[1:] == (48, 24)
    assert boxes_of(opened.train, "JPEGImages/a.jpg") == [[0, 20, 10, 40, 0]]


def test_labelled_pictures_are_read_for_an_evaluation(tmp_path):
    preparation = datasets.open(write_yolo(tmp_path / "yolo", TWO, PETS)).preparation
    other = {"e": [("dog", 2, 2, 6, 8), ("fox", 0, 0, 9, 9)], "f": [("cat", 0, 0, 4, 4)]}
    labelled, notes = read_for_evaluation(preparation, write_voc(tmp_path / "voc", other))
    assert boxes_of(labelled, "JPEGImages/e.png") == [[2, 2, 6, 8, 1]]
    assert boxes_of(labelled, "JPEGImages/f.png") == [[0, 0, 4, 4, 0]]
    assert notes == ["1 box of an unknown class: not used: Annotations/e.xml (line 3)."]


@pytest.mark.parametrize("kind", ["VOC", "COCO", "YOLO"])
def test_new_pictures_keep_their_own_size_beside_the_networks(tmp_path, kind):
    own = {"a": [("dog", 2, 3, 12, 13)], "b": [("cat", 2, 3, 12, 13)]}
    write = {
        "VOC": lambda: write_voc(tmp_path, own),
        "COCO": lambda: write_coco(tmp_path / "labels.json", own, PETS).parent,
        "YOLO": lambda: write_yolo(tmp_path, own, PETS),
    }
    folder = write[kind]()
    write_picture(folder / "masks" / "a.png")
    preparation = datasets.open(folder, image_size=(12, 16), validation=0, test=0).preparation
    read = read_for_prediction(preparation, folder)
    assert read.inputs.shape == (2, 3, 12, 16)
    assert read.sizes == [(24, 32)] * 2
    assert [name[-5:] for name in read.names] == ["a.png", "b.png"]
    np.save(tmp_path / "x.npy", np.zeros((1, 3, 12, 16), np.uint8))
    assert read_for_prediction(preparation, [folder, tmp_path / "x.npy"]).sizes is None


def test_the_task_must_be_one_of_boxes(tmp_path):
    folder = write_yolo(tmp_path, TWO, PETS)
    assert datasets.open(folder, task="localisation").target.kind == "boxes"
    message = (
        r"YOLO annotations\) are boxes, which need detection or localisation, not regression"
    )
    with pytest.raises(DataError, match=message):
        datasets.open(folder, task="regression")
    (tmp_path / "data.csv").write_text("a,b\n1,2\n3,4\n")
    with pytest.raises(DataError, match="which need classification or regression, not detec"):
        datasets.open(tmp_path / "data.csv", task="detection")


def test_boxes_are_not_classes(tmp_path, write_pictures):
    boxes = datasets.open(write_yolo(tmp_path / "yolo", TWO, PETS)).preparation
    write_pictures("pictures/cat", "pictures/dog")
    classes = datasets.open(tmp_path / "pictures").preparation
    with pytest.raises(
        DataError, match=r"\(YOLO annotations\) .* trained on classes, not on boxes"
    ):
        read_for_evaluation(classes, tmp_path / "yolo")
    with pytest.raises(DataError, match="trained on boxes, not on classes"):
        read_for_evaluation(boxes, tmp_path / "pictures")


def test_real_blood_cells_are_read(data):
    opened = datasets.open(data / "bccd", image_size=(48, 64))
    assert [len(opened.train), len(opened.validation), len(opened.test)] == [205, 87, 72]
    assert opened.target == Boxes(["Platelets", "RBC", "WBC"])
    parts = (opened.train, opened.validation, opened.test)
    counts = [opened.target.count(part.targets) for part in parts]
    assert [sum(each) for each in zip(*counts, strict=True)] == [361, 4153, 372]
    assert opened.notes[0].startswith(
        "2 boxes without area: not used: Annotations/BloodImage_00"
    )


def test_real_photographs_are_read(data):
    opened = datasets.open(data / "coco128", test=0)
    train, held_out = (
        int((part.targets[..., 4] != -1).sum()) for part in (opened.train, opened.validation)
    )
    assert "3 boxes thinner than a pixel after the resize: not used." in opened.notes
    assert (train + 3, held_out) == (929, 898)
    assert len(opened.target.classes) == 80
    assert opened.notes[0].startswith(
        "2 pictures without a label file: taken to show nothing: "
    )
