"""TensorBoard's event files: records with checksums, each a small protocol buffer.

A record is the length of its data (64 bits), a checksum of the length, the data, and a checksum
of the data, all in little-endian order.
"""

from __future__ import annotations

import os
import socket
import struct
import time
from typing import TYPE_CHECKING

from neuropil.training.logs.whole_append import append_whole

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

POLYNOMIAL = 0x82F63B78  # CRC-32C, Castagnoli's, with the bits reversed
# Wire types of protocol buffers.
VARINT, DOUBLE, BYTES, FLOAT = 0, 1, 2, 5
VERSION = b"brain.Event:2"
START = 1  # the status of a session that begins


def table_of(polynomial: int) -> tuple[int, ...]:
    """Return the checksum of each byte."""
    table: list[int] = []
    for value in range(256):
        for _ in range(8):
            value = (value >> 1) ^ (polynomial if value & 1 else 0)
        table.append(value)
    return tuple(table)


TABLE = table_of(POLYNOMIAL)


class EventFile:
    """A new event file in a folder, which may hold those of earlier runs of a training.

    Args:
        folder: An existing folder.
        first_step: First step of this run; TensorBoard drops figures that an earlier run wrote
            for this step and later ones.
    """

    def __init__(self, folder: Path, first_step: int) -> None:
        stem = (
            f"events.out.tfevents.{int(time.time()):010}.{socket.gethostname()}.{os.getpid()}"
        )
        number = 0
        while (folder / f"{stem}.{number}").exists():
            number += 1
        self.path = folder / f"{stem}.{number}"
        session = field(7, BYTES, field(1, VARINT, varint(START)))
        self.write(event(field(3, BYTES, VERSION)), event(step_of(first_step) + session))

    def add(self, step: int, figures: Mapping[str, float]) -> None:
        """Append the figures of a step.

        Args:
            step: The step.
            figures: Numbers by name.
        """
        values = b"".join(map(scalar, figures, figures.values()))
        self.write(event(step_of(step) + field(5, BYTES, values)))

    def write(self, *events: bytes) -> None:
        """Append events as records."""
        append_whole(self.path, b"".join(map(record, events)))


def crc32c(data: bytes) -> int:
    """Return the CRC-32C checksum of some bytes.

    Example:
        >>> hex(crc32c(b"123456789"))
        '0xe3069283'
    """
    value = 0xFFFFFFFF
    for byte in data:
        value = TABLE[(value ^ byte) & 0xFF] ^ (value >> 8)
    return value ^ 0xFFFFFFFF


def checksum(data: bytes) -> bytes:
    """Return the checksum as records contain it: rotated, plus a constant."""
    value = crc32c(data)
    return struct.pack("<I", ((value >> 15 | value << 17) + 0xA282EAD8) & 0xFFFFFFFF)


def record(data: bytes) -> bytes:
    """Return data as a record."""
    length = struct.pack("<Q", len(data))
    return length + checksum(length) + data + checksum(data)


def event(content: bytes) -> bytes:
    """Return an event with the present time."""
    return field(1, DOUBLE, struct.pack("<d", time.time())) + content


def step_of(step: int) -> bytes:
    """Return the field of an event for its step."""
    return field(2, VARINT, varint(step))


def scalar(name: str, value: float) -> bytes:
    """Return one value of a summary."""
    named = field(1, BYTES, name.encode())
    return field(1, BYTES, named + field(2, FLOAT, struct.pack("<f", value)))


def field(number: int, kind: int, content: bytes) -> bytes:
    """Return a field of a protocol buffer."""
    length = varint(len(content)) if kind == BYTES else b""
    return varint(number << 3 | kind) + length + content


def varint(value: int) -> bytes:
    """Return a number of 0 or more in groups of 7 bits, lowest first.

    Example:
        >>> varint(300).hex()
        'ac02'
    """
    groups = bytearray()
    while value > 127:
        groups.append(value & 127 | 128)
        value >>= 7
    groups.append(value)
    return bytes(groups)
