"""Event files and JSON lines, read by parsers that are not ours."""

import contextlib
import errno
import json
import math
import os
import struct

import pytest
import torch
from torch import nn

from neuropil.training import Callback, JsonLinesLog, TensorBoardLog, Trainer
from neuropil.training.logs.event_file import crc32c
from neuropil.training.logs.json_lines_log import line_of

X, Y = torch.randn(8, 3), torch.randn(8, 1)


class Answer(Callback):
    """Adds a figure to the history."""

    def on_epoch(self, trainer, record):
        record["answer"] = 42


class Stop(Callback):
    """Stops the process after an epoch was logged, before its checkpoint is written."""

    def __init__(self, epoch):
        self.epoch = epoch

    def on_epoch(self, trainer, record):
        if record["epoch"] == self.epoch:
            raise KeyboardInterrupt


def train(log, *, epochs=3, stop=0, **options):
    torch.manual_seed(0)
    trainer = Trainer(
        nn.Linear(3, 1),
        loss="squared_error",
        metrics=["mae"],
        callbacks=[Answer(), log, Stop(stop)],
        seed=0,
        threads=1,
        progress=False,
        **options,
    )
    with contextlib.suppress(KeyboardInterrupt):
        trainer.fit((X, Y), (X, Y), epochs=epochs, batch_size=4, resume=bool(options))
    return trainer


def message_of():
    """Return the class of TensorFlow's `Event`, as its definition has it, from protobuf."""
    pytest.importorskip("google.protobuf")
    from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

    kinds = descriptor_pb2.FieldDescriptorProto
    messages = {
        "Value": [("tag", 1, "STRING"), ("simple_value", 2, "FLOAT")],
        "Summary": [("value", 1, "Value")],
        "SessionLog": [("status", 1, "INT32")],
        "Event": [
            ("wall_time", 1, "DOUBLE"),
            ("step", 2, "INT64"),
            ("file_version", 3, "STRING"),
            ("summary", 5, "Summary"),
            ("session_log", 7, "SessionLog"),
        ],
    }
    file = descriptor_pb2.FileDescriptorProto(name="event.proto", package="t")
    for name, fields in messages.items():
        message = file.message_type.add(name=name)
        for field, number, kind in fields:
            label = kinds.LABEL_REPEATED if field == "value" else kinds.LABEL_OPTIONAL
            made = message.field.add(name=field, number=number, label=label)
            if kind in messages:
                made.type, made.type_name = kinds.TYPE_MESSAGE, f".t.{kind}"
            else:
                made.type = getattr(kinds, f"TYPE_{kind}")
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName("t.Event"))


def crc_by_bits(data):
    """The checksum by the division of polynomials, bit by bit."""
    value = 0xFFFFFFFF
    for byte in data:
        value ^= byte
        for _ in range(8):
            value = value >> 1 ^ (0x82F63B78 if value & 1 else 0)
    value ^= 0xFFFFFFFF
    return ((value >> 15 | value << 17) + 0xA282EAD8) & 0xFFFFFFFF


def events_of(path):
    """Read a file's records, check their sums, and parse them."""
    data, kind = path.read_bytes(), message_of()
    while data:
        (length, own) = struct.unpack("<QI", data[:12])
        content, (of_content,) = (
            data[12 : 12 + length],
            struct.unpack("<I", data[12 + length :][:4]),
        )
        assert own == crc_by_bits(data[:8])
        assert of_content == crc_by_bits(content)
        yield kind.FromString(content)
        data = data[16 + length :]


def curves_of(folder):
    """Return the points of each curve as TensorBoard shows them: files by name, runs purged."""
    points = {}
    for path in sorted(folder.iterdir()):
        for event in events_of(path):
            if event.session_log.status == 1:
                points = {
                    name: [(s, v) for s, v in pairs if s < event.step]
                    for name, pairs in points.items()
                }
            for value in event.summary.value:
                points.setdefault(value.tag, []).append((event.step, value.simple_value))
    return points


@pytest.mark.parametrize(
    ("data", "checksum"),
    [
        (bytes(32), 0x8A9136AA),
        (b"\xff" * 32, 0x62A8AB43),
        (bytes(range(32)), 0x46DD794E),
        (bytes(range(31, -1, -1)), 0x113FDB5C),
    ],
)
def test_checksums_are_those_of_rfc_3720(data, checksum):
    assert crc32c(data) == checksum


def test_a_file_begins_as_tensorflow_writes_it(tmp_path):
    train(TensorBoardLog(tmp_path), epochs=1)
    (path,) = tmp_path.iterdir()
    data = path.read_bytes()
    assert data[:13].hex() == "1800000000000000a37f4b2209"  # 24 bytes, their sum, a double
    assert data[21:36] == b"\x1a\x0dbrain.Event:2"
    assert path.name.startswith("events.out.tfevents.")


def test_each_column_is_a_curve(tmp_path):
    trainer = train(TensorBoardLog(tmp_path / "new" / "folder"))
    curves = curves_of(tmp_path / "new" / "folder")
    shown = set(trainer.history.columns) - {"epoch", "steps"}
    assert set(curves) == shown
    for name in shown:
        steps, values = zip(*curves[name], strict=True)
        assert steps == (2, 4, 6)
        assert values == pytest.approx(trainer.history[name])
    (path,) = (tmp_path / "new" / "folder").iterdir()
    assert next(events_of(path)).file_version == "brain.Event:2"


def test_a_resumed_training_continues_the_curves(tmp_path):
    log, options = tmp_path / "log", {"checkpoints": tmp_path / "checkpoints"}
    for stop in (3, 0):
        trainer = train(TensorBoardLog(log), epochs=4, stop=stop, **options)
    curve = curves_of(log)["validation_loss"]
    assert [step for step, _ in curve] == [2, 4, 6, 8]
    assert [v for _, v in curve] == pytest.approx(trainer.history["validation_loss"])
    assert len(list(log.iterdir())) == 2


def test_json_lines_are_the_history_also_of_a_resumed_training(tmp_path):
    path, options = tmp_path / "logs" / "log.jsonl", {"checkpoints": tmp_path / "checkpoints"}
    lines = []
    for stop in (3, 0):
        trainer = train(JsonLinesLog(path), epochs=4, stop=stop, **options)
        lines.append([json.loads(line) for line in path.read_text().splitlines()])
    assert [record["epoch"] for record in lines[0]] == [1, 2, 3]
    assert [record["epoch"] for record in lines[1]] == [1, 2, 3, 4]
    assert lines[1] == list(trainer.history)
    assert all(record["answer"] == 42 for record in lines[1])


def test_a_second_fit_adds_lines_and_a_new_training_begins_anew(tmp_path):
    path = tmp_path / "log.jsonl"
    trainer = train(JsonLinesLog(path), epochs=2)
    trainer.fit((X, Y), epochs=1, batch_size=4)
    assert len(path.read_text().splitlines()) == 3
    train(JsonLinesLog(path), epochs=1)
    assert len(path.read_text().splitlines()) == 1


def test_figures_that_are_not_finite_are_null():
    record = {"a": math.nan, "b": torch.tensor(1.5), "c": -math.inf, "d": "é", "e": 3}
    line = '{"a": null, "b": 1.5, "c": null, "d": "é", "e": 3}\n'
    assert line_of(record).decode() == line


@pytest.mark.parametrize("kind", [JsonLinesLog, TensorBoardLog])
def test_a_full_disk_leaves_no_half_entry(tmp_path, monkeypatch, kind):
    path, write, sizes = tmp_path / "log", os.write, []

    def full(handle, data):
        if len(sizes) < 2:
            sizes.append(os.fstat(handle).st_size)
            return write(handle, data[:7])
        raise OSError(errno.ENOSPC, "No space left on device")

    class Fill(Callback):
        def on_epoch_start(self, trainer):
            if trainer.epoch == 1:
                file = path if path.is_file() else next(path.iterdir())
                sizes.append(file.stat().st_size)
                monkeypatch.setattr("neuropil.training.logs.whole_append.os.write", full)

    log = kind(path)
    trainer = Trainer(nn.Linear(3, 1), callbacks=[log, Fill()], progress=False, threads=1)
    with pytest.raises(OSError, match="No space left"):
        trainer.fit((X, Y), epochs=3)
    file = path if path.is_file() else next(path.iterdir())
    assert file.stat().st_size == sizes[0]


@pytest.mark.parametrize("kind", [JsonLinesLog, TensorBoardLog])
def test_only_the_first_process_writes(tmp_path, monkeypatch, kind):
    trainer = Trainer(
        nn.Linear(3, 1), callbacks=[kind(tmp_path / "log")], progress=False, threads=1
    )
    log = trainer.callbacks[0]
    monkeypatch.setattr(trainer.learner.processes, "rank", 1)
    log.on_start(trainer)
    log.on_epoch(trainer, {"epoch": 1, "loss": 0.5})
    assert list(tmp_path.iterdir()) == []
