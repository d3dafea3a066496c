"""Readers of points: the same points from each format, and one line for each problem."""

import json
import re

import numpy as np
import pytest
import torch
from PIL import Image
from tests.datasets.annotations.label_writers import write_coco as write_boxes
from tests.datasets.annotations.label_writers import write_picture
from tests.datasets.points.point_writers import write_arrays, write_coco, write_table

from neuropil import datasets
from neuropil.datasets import DataError, read_for_evaluation, read_for_prediction
from neuropil.datasets.points import point_arrays

NAMES = ["left_eye", "right_eye", "nose"]
PICTURES = {
    f"{number:02}": [(20 - number / 4, 8.5, 2), (6, 8.5, 1), (13, 15, 2 * (number % 3 > 0))]
    for number in range(12)
}
WRITERS = {"table.csv": write_table, "faces.json": write_coco, "arrays.npz": write_arrays}
every_format = pytest.mark.parametrize("name", WRITERS)


def everything(path, **options):
    """Return all of the data as training data, and its notes."""
    return datasets.open(path, validation=0, test=0, **options)


@every_format
def test_every_format_gives_the_same_points(tmp_path, name):
    path = WRITERS[name](tmp_path / name, PICTURES, NAMES)
    own = {"target": NAMES} if name == "arrays.npz" else {}
    splits = everything(path, **own)
    expected = np.array([*PICTURES.values()], np.float32)
    expected[expected[..., 2] == 0] = 0
    if name == "arrays.npz":  # which do not say what is hidden
        expected[expected[..., 2] == 1, 2] = 2
    assert splits.train.targets.tolist() == expected.tolist()
    assert splits.target.points == tuple(NAMES)
    assert splits.target.pairs == ((0, 1),)
    assert splits.notes == []
    labelled, notes = read_for_evaluation(splits.preparation, path)
    assert labelled.targets.tolist() == expected.tolist()
    assert notes == []


def test_points_move_along_when_pictures_are_resized(tmp_path):
    path = write_table(
        tmp_path / "table.csv", {"a": [(80, 60, 2)], "b": [(40, 20, 2)]}, ["tip"]
    )
    write_picture(tmp_path / "a.png", (120, 160))
    write_picture(tmp_path / "b.png", (60, 80))
    splits = everything(path, image_size=(30, 40))
    assert splits.train.targets[:, 0].tolist() == [[20, 15, 2], [20, 10, 2]]
    usual = everything(path)
    assert usual.input_shape == (3, 90, 120)
    assert any("2 sizes, the median is 90×120" in note for note in usual.notes)


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
@pytest.mark.parametrize("marks", [",.", ";,"])
def test_tables_of_windows_are_read(tmp_path, encoding, marks):
    path = write_table(tmp_path / "table.csv", PICTURES, NAMES)
    expected = everything(path).train.targets
    text = path.read_text().replace(",", marks[0]).replace("\n", "\r\n")
    decimal = re.sub(r"(?<=\d)\.(?=\d)", marks[1], text)
    path.write_bytes(decimal.encode(encoding))
    splits = everything(path)
    assert splits.notes == []
    assert torch.equal(splits.train.targets, expected)


def test_a_table_without_its_pictures_is_told_what_landmarks_take(tmp_path):
    path = tmp_path / "table.csv"
    path.write_text("image,nose_x,nose_y\n0.png,1,2\n")
    with pytest.raises(DataError) as caught:
        everything(path, task="landmarks")
    assert str(caught.value) == (
        f"the labels of {path} (a table) are classes or numbers, which need classification or "
        "regression, not landmarks. landmarks takes arrays of pictures and points (N, P, 2); a "
        ".json file of COCO keypoints, one person in each picture; a .csv or .tsv table of "
        "points (image, nose_x, nose_y, ...) with its pictures."
    )


def test_a_folder_may_hold_a_table_of_points_and_the_pictures(tmp_path):
    path = write_table(tmp_path / "table.csv", PICTURES, NAMES)
    splits = everything(tmp_path)
    assert splits.train.targets.tolist() == everything(path).train.targets.tolist()
    assert len(read_for_prediction(splits.preparation, tmp_path).inputs) == len(PICTURES)
    for each in ("cat/a.png", "cat/b.png", "dog/a.png", "dog/b.png"):
        write_picture(tmp_path / "classes" / each, seed=len(list(tmp_path.rglob("*.png"))))
    table = tmp_path / "classes" / "table.csv"
    table.write_text("image,nose_x,nose_y\ncat/a.png,3,4\n")
    assert everything(tmp_path / "classes").target.kind == "classes"


def test_columns_are_found_in_names_of_every_style(tmp_path):
    write_picture(tmp_path / "a.png")
    write_picture(tmp_path / "b.png", seed=1)
    path = tmp_path / "table.csv"
    path.write_text(
        "file,Nose X,Nose Y,age,l.ear.x,l.ear.y\na.png,1,2,30,3,4\nb.png,5,6,31,,\n"
    )
    splits = everything(path)
    assert splits.target.points == ("Nose", "l.ear")
    assert splits.train.targets[1].tolist() == [[5, 6, 2], [0, 0, 0]]
    assert splits.notes == ["Columns not used: 'age'."]


def test_points_that_cannot_be_used_are_counted_and_set_aside(tmp_path):
    for number in range(8):
        write_picture(tmp_path / f"{number}.png", seed=number)
    rows = [
        "image,a_x,a_y,a_v,b_x,b_y,b_v",
        "0.png,1,2,2,31.5,23.5,2",
        "1.png,40,2,2,3,4,2",  # a is outside
        "2.png,1,,2,3,4,2",  # a has no y
        "3.png,one,2,2,3,4,2",  # a is a word
        "4.png,1,2,7,3,4,2",  # of no known visibility
        "5.png,,,,,,",  # nothing
        "6.png,-0.3,2,2,3,4,0",  # a rounding error, and a missing point
        "7.png,inf,2,2,3,4,",
        "8.png,1,2,2,3,4,2",  # no such picture
        "0.png,1,2,2,3,4,2",  # once more
    ]
    path = tmp_path / "table.csv"
    path.write_text("\n".join(rows))
    splits = everything(path)
    assert len(splits.train) == 7
    assert (splits.train.targets[..., 2] > 0).sum(1).tolist() == [2, 1, 1, 1, 1, 1, 1]
    assert splits.train.targets[5].tolist() == [[0, 2, 2], [0, 0, 0]]
    assert splits.notes == [
        "1 row without a picture: not used: table.csv (row 10: 8.png).",
        "1 row with the picture of an earlier row: not used: table.csv (row 11: 0.png).",
        "1 point with one of its two coordinates missing: not used: table.csv (row 4: a).",
        (
            "2 points with a coordinate that is not a finite number: not used: "
            "table.csv (row 5: a), table.csv (row 9: a)."
        ),
        (
            "1 point with a visibility other than 0, 1 and 2: not used: table.csv (row 6: a "
            "has 7)."
        ),
        (
            "1 point outside the picture: not used: table.csv (row 3: a at x 40, y 2; the "
            "picture is 32 wide and 24 high)."
        ),
        "1 picture without points: set aside: table.csv (row 7).",
    ]


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ("image,a_x,a_y,b_x\n0.png,1,2,3", "the column 'b_x' has no partner b_y: each point"),
        ("image,a_x,b_y\n0.png,1,2", "the column 'a_x' has no partner a_y"),
        ("image,a_x,a_y\n0.png,0.1,0.2\n1.png,0.3,0.9", "must be in pixels, not in parts"),
        ("image,a_x,a_y\n0.png,,\n1.png,,", "no picture whose labels can be used"),
        ("image,a_x,a_y\n0.png,900,2\n1.png,-4,1", "2 points outside the picture"),
        ("image,a_x,a_y\n0.png,3,4", "1 example cannot spare 1 for validation"),
    ],
)
def test_a_table_that_cannot_be_used_is_one_line(tmp_path, table, message):
    for number in range(2):
        write_picture(tmp_path / f"{number}.png", seed=number)
    (tmp_path / "table.csv").write_text(table)
    with pytest.raises(DataError, match=message) as caught:
        datasets.open(tmp_path / "table.csv")
    assert "\n" not in str(caught.value)


def test_a_picture_that_cannot_be_read_is_set_aside(tmp_path):
    path = write_table(tmp_path / "table.csv", PICTURES, NAMES)
    (tmp_path / "03.png").write_bytes(b"no picture")
    splits = everything(path)
    assert len(splits.train) == 11
    assert any("03.png" in note for note in splits.notes)


def changed(path, change):
    """Change the content of a JSON file."""
    content = json.loads(path.read_text())
    change(content)
    path.write_text(json.dumps(content))
    return path


def test_people_of_coco_are_used_if_they_are_alone(tmp_path):
    path = write_coco(tmp_path / "faces.json", PICTURES, NAMES)

    def change(content):
        annotations = content["annotations"]
        annotations[0]["keypoints"] = annotations[0]["keypoints"][:6]
        annotations[1]["keypoints"][0] = "here"
        annotations[2]["image_id"] = 99
        annotations.append(annotations[3] | {"iscrowd": 1})
        annotations.append(annotations[4])

    splits = everything(changed(path, change))
    assert len(splits.train) == 9
    assert splits.notes == [
        (
            "1 annotation without 3 numbers for each keypoint: not used: faces.json "
            "(no. 1: 6 in place of 9)."
        ),
        "1 annotation of an image that is not in the list: not used: faces.json (no. 3).",
        "2 pictures without keypoints: set aside: 00.png, 02.png.",
        "1 picture with several sets of keypoints: set aside: 04.png.",
        (
            "1 point with a coordinate that is not a finite number: not used: faces.json "
            "(annotation no. 2: left_eye)."
        ),
    ]


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (["a", "b"], "no picture whose labels can be used.*without 3 numbers for each"),
        ([], "has no names of keypoints"),
        (["a", "a", "b"], "the same distinct keypoints"),
        ("abc", "has no names of keypoints"),
    ],
)
def test_names_of_keypoints_that_do_not_fit_are_one_line(tmp_path, names, message):
    path = write_coco(tmp_path / "faces.json", PICTURES, NAMES)
    changed(path, lambda content: content["categories"][0].update(keypoints=names))
    with pytest.raises(DataError, match=message) as caught:
        everything(path)
    assert "\n" not in str(caught.value)


def test_a_task_chooses_between_the_boxes_and_the_points_of_one_file(tmp_path):
    path = write_coco(tmp_path / "faces.json", PICTURES, NAMES)
    assert everything(path).target.kind == "points"
    assert everything(path, task="detection").target.kind == "boxes"
    boxes = write_boxes(tmp_path / "boxes.json", {"00": [("no", 1, 1, 4, 5)]}, ["no"])
    with pytest.raises(DataError, match="are boxes, which need detection or localisation"):
        everything(boxes, task="landmarks")
    table = write_table(tmp_path / "table.csv", PICTURES, NAMES)
    numbers = everything(table, task="regression", target="nose_v")
    assert numbers.target.kind == "numbers"


def test_new_data_need_the_same_points_in_any_order(tmp_path):
    preparation = everything(write_table(tmp_path / "table.csv", PICTURES, NAMES)).preparation
    turned = {name: points[::-1] for name, points in PICTURES.items()}
    path = write_table(tmp_path / "turned.csv", turned, NAMES[::-1])
    labelled, _ = read_for_evaluation(preparation, path)
    assert labelled.targets[1, 0].tolist() == [19.75, 8.5, 2]
    other = write_table(tmp_path / "other.csv", PICTURES, ["left_eye", "right_eye", "chin"])
    with pytest.raises(DataError, match="lacks the point 'nose' of the training data; it has"):
        read_for_evaluation(preparation, other)
    given = read_for_prediction(preparation, path)
    assert len(given.names) == len(PICTURES)


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ("face68", "has 3 points for each picture, but 'face68' names 68"),
        ("a,b", "names 2: give a name for each, or one of the schemes face68"),
        (["a", "b", "a"], "needs distinct points"),
    ],
)
def test_names_of_points_in_arrays_must_fit(tmp_path, asked, message):
    path = write_arrays(tmp_path / "arrays.npz", PICTURES, NAMES)
    with pytest.raises(DataError, match=message):
        everything(path, target=asked)
    assert everything(path, target="a, b, c").target.points == ("a", "b", "c")
    assert everything(path).target.points == ("point_1", "point_2", "point_3")


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"x": np.zeros((4, 9)), "k": np.ones((4, 2, 2))}, r"must be pictures and k points"),
        ({"x": np.zeros((4, 9, 9)), "k": np.ones((4, 2, 2))}, "points need pictures"),
        ({"x": np.zeros((3, 9, 9), "u1"), "k": np.ones((4, 2, 2))}, "each picture needs its"),
        (
            {"x": np.zeros((4, 9, 9), "u1"), "k": np.full((4, 2, 2), np.nan)},
            "4 pictures without",
        ),
    ],
)
def test_arrays_that_do_not_fit_are_one_line(tmp_path, arrays, message):
    np.savez(tmp_path / "arrays.npz", **arrays)
    with pytest.raises(DataError, match=message) as caught:
        everything(tmp_path / "arrays.npz")
    assert "\n" not in str(caught.value)


def test_arrays_of_points_are_known_by_their_headers_alone(tmp_path):
    folder, archive = tmp_path / "folder", tmp_path / "arrays.npz"
    folder.mkdir()
    arrays = {"x": np.zeros((2000, 3, 3), "u1"), "k": np.arange(8000.0).reshape(2000, 2, 2)}
    np.savez(archive, **arrays)
    for name, array in arrays.items():
        np.save(folder / f"{name}.npy", array)
    for file in (archive, folder / "k.npy"):
        last = np.array([7999.0]).tobytes()
        file.write_bytes(file.read_bytes().replace(last, b"no value"))
    (folder / "k.npy").write_bytes((folder / "k.npy").read_bytes()[:-8])
    for path, name in ((archive, "arrays.npz"), (folder, "k.npy")):
        assert point_arrays.recognise(path) == "arrays of points"
        with pytest.raises(DataError, match=f"{name} is damaged"):
            everything(path)


def test_a_network_for_points_refuses_arrays_with_another_number(tmp_path):
    preparation = everything(write_arrays(tmp_path / "a.npz", PICTURES, NAMES)).preparation
    fewer = {name: points[:2] for name, points in PICTURES.items()}
    with pytest.raises(DataError, match="has 2 points for each picture; the net"):
        read_for_evaluation(preparation, write_arrays(tmp_path / "b.npz", fewer, NAMES))


def test_pictures_of_a_part_are_read_by_the_names_of_the_files(tmp_path):
    for part, count in (("train", 12), ("test", 4)):
        some = {f"{part}{name}": PICTURES[name] for name in list(PICTURES)[:count]}
        write_coco(tmp_path / f"{part}.json", some, NAMES)
    Image.new("RGB", (4, 4)).save(tmp_path / "more.png")
    splits = datasets.open(tmp_path)
    assert [len(splits.train), len(splits.validation), len(splits.test)] == [11, 1, 4]
    changed(
        tmp_path / "test.json",
        lambda content: content["categories"][0].update(keypoints=["a", "b", "c"]),
    )
    with pytest.raises(DataError, match="has other keypoints than"):
        datasets.open(tmp_path)
