"""Checkpoints: whole or not at all, and nothing in them is executed."""

import contextlib
import errno
import os
import pathlib
import pickle
import random
import zipfile

import pytest
import torch
from torch import nn

from neuropil.training import Callback, CheckpointError, Trainer
from neuropil.training.checkpoints.checkpoint import Checkpoints


class Everything(Callback):
    """Remembers what it is given."""

    def __init__(self, state):
        self.state = state

    def state_dict(self):
        return self.state


def trainer_of(folder, **options):
    torch.manual_seed(0)
    return Trainer(
        nn.Linear(3, 1),
        seed=0,
        threads=1,
        progress=False,
        checkpoints=folder,
        checkpoint_every=2,
        **options,
    )


def fit(folder, **options):
    trainer = trainer_of(folder, **options)
    x = torch.linspace(-1, 1, 60).reshape(20, 3)
    trainer.fit((x, x.sum(1, keepdim=True)), epochs=3, batch_size=4, resume=True)
    return trainer


def files(folder):
    return sorted(path.name for path in folder.iterdir())


def test_the_last_two_states_stay_and_torch_reads_them(tmp_path):
    fit(tmp_path)
    assert files(tmp_path) == ["step-000000014.pt", "step-000000015.pt"]
    state = torch.load(tmp_path / "step-000000015.pt", weights_only=True)
    assert (state["format"], state["epoch"], state["steps"]) == (1, 3, 15)


@pytest.mark.parametrize("damage", ["cut", "flipped", "empty", "text"])
def test_a_damaged_file_is_passed_over_and_named(tmp_path, damage):
    fit(tmp_path)
    newest = tmp_path / "step-000000015.pt"
    content = bytearray(newest.read_bytes())
    if damage == "flipped":
        content[len(content) // 2] ^= 4
    newest.write_bytes(
        {"cut": content[:-100], "flipped": content, "empty": b"", "text": b"hello" * 99}[damage]
    )
    with pytest.warns(
        UserWarning, match=r"damaged checkpoints \(step-000000015.pt\); resuming"
    ):
        trainer = fit(tmp_path)
    assert trainer.steps == 15


def test_any_flipped_bit_is_noticed_or_harmless(tmp_path):
    whole = fit(tmp_path)
    older, newest = (tmp_path / name for name in files(tmp_path))
    older.unlink()
    content = newest.read_bytes()
    draw = random.Random(0)
    for _ in range(25):
        broken = bytearray(content)
        broken[draw.randrange(len(content))] ^= 1 << draw.randrange(8)
        newest.write_bytes(broken)
        other = Trainer(nn.Linear(3, 1), progress=False)
        with contextlib.suppress(CheckpointError):
            other.resume(tmp_path)
            assert torch.equal(other.network.weight, whole.network.weight)


def moved(value):
    """Return a value of the same kind that is another."""
    if isinstance(value, torch.Tensor):
        return value + 1 if value.numel() else torch.ones(1)
    return value + 1 if isinstance(value, int | float) else {"else": value}


def places(state, depth=3):
    """Yield a path to each value in nested dicts."""
    for key, value in state.items():
        inner = isinstance(value, dict) and value and depth
        yield from ((key, *rest) for rest in places(value, depth - 1)) if inner else [(key,)]


@pytest.mark.parametrize("damage", ["changed", "missing"])
def test_a_state_damaged_inside_an_intact_archive_gives_way_to_the_older(tmp_path, damage):
    fit(tmp_path)
    newest = tmp_path / "step-000000015.pt"
    whole = torch.load(newest, weights_only=True)
    for place in places(whole):
        state = torch.load(newest, weights_only=True)
        inner = state
        for key in place[:-1]:
            inner = inner[key]
        if damage == "changed":
            inner[place[-1]] = moved(inner[place[-1]])
        else:
            del inner[place[-1]]
        if place == ("format",) and damage == "changed":
            continue
        torch.save(state, newest)
        trainer = trainer_of(tmp_path)
        with pytest.warns(UserWarning, match="resuming from step-000000014.pt"):
            trainer.resume()
        assert trainer.steps == 14
        torch.save(whole, newest)


def test_code_in_a_file_is_never_run(tmp_path):
    class Bomb:
        def __reduce__(self):
            return os.mkdir, (str(tmp_path / "boom"),)

    torch.save({"format": 1, "network": Bomb()}, tmp_path / "step-000000001.pt")
    with pytest.raises(CheckpointError, match="no intact checkpoint"):
        fit(tmp_path)
    with zipfile.ZipFile(tmp_path / "step-000000001.pt", "w") as archive:
        archive.writestr("archive/data.pkl", pickle.dumps(Bomb()))
    with pytest.raises(CheckpointError, match="no intact checkpoint"):
        fit(tmp_path)
    assert not (tmp_path / "boom").exists()


def test_a_newer_format_is_refused(tmp_path):
    torch.save({"format": 2}, tmp_path / "step-000000001.pt")
    with pytest.raises(CheckpointError, match="has format 2, and this version reads up to 1"):
        fit(tmp_path)


def test_a_full_disk_leaves_the_old_state(tmp_path, monkeypatch):
    fit(tmp_path)
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}

    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    trainer = trainer_of(tmp_path)
    x = torch.zeros(20, 3)
    with pytest.raises(
        OSError, match=r"the disk is full. step-000000015.pt is intact"
    ) as caught:
        trainer.fit((x, x[:, :1]), epochs=4, batch_size=4, resume=True)
    assert caught.value.errno == errno.ENOSPC
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


@pytest.mark.skipif(
    not pathlib.Path("/dev/full").exists(), reason="no device that is always full"
)
def test_a_disk_that_fills_up_in_the_middle_of_a_file_is_one_clear_error(tmp_path, monkeypatch):
    @contextlib.contextmanager
    def full(path):
        with pathlib.Path("/dev/full").open("wb") as file:
            yield file

    monkeypatch.setattr("neuropil.core.atomic.open_locked", full)
    x = torch.zeros(20, 3)
    trainer = Trainer(nn.Linear(3, 1), progress=False, checkpoints=tmp_path)
    with pytest.raises(OSError, match="a checkpoint could not be written: the disk is full"):
        trainer.fit((x, x[:, :1]), epochs=4, batch_size=4)
    assert files(tmp_path) == []


def test_remains_of_a_killed_writer_are_cleared(tmp_path):
    (tmp_path / ".step-000000001.pt.4711.tmp").write_bytes(b"half")
    fit(tmp_path)
    assert files(tmp_path) == ["step-000000014.pt", "step-000000015.pt"]


def test_the_state_of_callbacks_is_kept_and_must_be_plain(tmp_path):
    kept = {"number": 1.5, "list": [1, (2, None)], "tensor": torch.ones(2), "text": "a"}
    fit(tmp_path, callbacks=[Everything(kept)])
    state = torch.load(tmp_path / "step-000000015.pt", weights_only=True)
    assert state["callbacks"]["Everything"].keys() == kept.keys()
    with pytest.raises(CheckpointError, match=r"\['Everything'\]\['x'\] is a set, which"):
        fit(tmp_path / "other", callbacks=[Everything({"x": {1}})])


def piped(path):
    path.unlink()
    os.mkfifo(path)


def endless(path):
    path.unlink()
    path.symlink_to("/dev/zero")


def packed(path):
    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, part in parts.items():
            archive.writestr(name, part)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes with names")
@pytest.mark.parametrize("change", [piped, endless, packed])
def test_what_is_no_file_of_ours_is_passed_over_at_once(tmp_path, change):
    fit(tmp_path)
    change(tmp_path / "step-000000015.pt")
    with pytest.warns(UserWarning, match=r"step-000000015.pt\); resuming from step-000000014"):
        assert Checkpoints(tmp_path).load() is not None
