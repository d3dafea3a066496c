"""What the hash of data covers."""

import os
import struct

import numpy as np
import pytest
from PIL import Image

from neuropil import datasets
from neuropil.datasets.fingerprint import files_of, fingerprint


def write_table(folder, name="table.csv", last="8,b"):
    rows = [f"{x},{'ab'[x % 2]}" for x in range(40)]
    (folder / name).write_text("\n".join(["size,class", *rows, last, ""]))


def write_idx(path, values):
    head = struct.pack(f">BBBB{values.ndim}I", 0, 0, 8, values.ndim, *values.shape)
    path.write_bytes(head + values.astype(np.uint8).tobytes())


def make_tables(folder, _):
    write_table(folder, "train.csv")
    write_table(folder, "test.csv")
    return folder / "test.csv"


def make_arrays(folder, draw):
    x, y = draw.normal(size=(60, 3)), np.arange(60) % 2
    parts = {"x_train": x, "y_train": y, "x_test": x[:20], "y_test": y[:20]}
    for name, values in parts.items():
        np.save(folder / f"{name}.npy", values)
    return folder / "x_test.npy"


def make_idx(folder, draw):
    for part, count in (("train", 40), ("t10k", 20)):
        pictures = draw.integers(0, 255, (count, 5, 5))
        write_idx(folder / f"{part}-images-idx3-ubyte", pictures)
        write_idx(folder / f"{part}-labels-idx1-ubyte", np.arange(count) % 2)
    return folder / "t10k-images-idx3-ubyte"


def make_pictures(folder, draw):
    for place in ("train/cat", "train/dog", "test/cat", "test/dog"):
        (folder / place).mkdir(parents=True)
        for k in range(12):
            picture = Image.fromarray(draw.integers(0, 255, (4, 4)).astype(np.uint8))
            picture.save(folder / place / f"{k}.png")
    return folder / "test" / "dog" / "11.png"


@pytest.mark.parametrize("make", [make_tables, make_arrays, make_idx, make_pictures])
def test_a_changed_byte_of_the_test_part_is_noticed_without_reading_it(
    tmp_path, make, monkeypatch
):
    last = make(tmp_path, np.random.default_rng(0))
    splits = datasets.open(tmp_path)
    if splits.facts()["test"] is None:
        monkeypatch.setattr(datasets.Splits, "test", property(lambda _: pytest.fail("read")))
    before = fingerprint(splits, tmp_path)
    assert fingerprint(splits, tmp_path) == before
    content = bytearray(last.read_bytes())
    content[-3] ^= 1
    last.write_bytes(content)
    assert fingerprint(splits, tmp_path) != before


def test_data_in_memory_are_hashed_with_their_test_part():
    def digits(where):
        splits = datasets.load_handwritten_digits()
        part = getattr(splits, where)
        part.inputs = part.inputs.clone()
        part.inputs[-1, 0, 0, 0] += 1
        return fingerprint(splits)

    prints = {digits(where) for where in ("train", "validation", "test")}
    assert len(prints | {fingerprint(datasets.load_handwritten_digits())}) == 4


def test_hidden_files_and_runs_are_no_data_and_links_end(tmp_path):
    (tmp_path / "b").mkdir()
    for name in ("a.txt", "b/c.txt", ".hidden", "b/.DS_Store"):
        (tmp_path / name).write_text(name)
    (tmp_path / "b" / "round").symlink_to(tmp_path)
    (tmp_path / "runs" / "one").mkdir(parents=True)
    (tmp_path / "runs" / "one" / "run.json").write_text("{}")
    assert [name for name, _ in files_of(tmp_path)] == ["a.txt", "b/c.txt"]
    assert list(files_of(tmp_path / "a.txt")) == [("a.txt", tmp_path / "a.txt")]


def test_what_is_no_file_is_not_waited_for(tmp_path):
    write_table(tmp_path)
    splits = datasets.open(tmp_path / "table.csv")
    before = fingerprint(splits, tmp_path)
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "gone").symlink_to(tmp_path / "nowhere")
    assert fingerprint(splits, tmp_path) != before
