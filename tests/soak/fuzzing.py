"""Mutated files of arrays and pictures: what the readers make of them.

Run as a program with a seed and a number of files, it holds itself to 1 GB and 10 s a file.
"""

import faulthandler
import gzip
import io
import resource
import struct
import sys
import tempfile
import zlib
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import numpy as np
from PIL import Image

from neuropil import datasets
from neuropil.datasets import DataError

SECONDS, BYTES = 10, 2**30
ENDS = (".npy", "-ubyte", ".png", ".jpeg", ".gif", ".bmp", ".tiff", ".webp", ".ppm")
NUMBERS = [0, 1, 2**7, 2**8 - 1, 2**15, 2**16 - 1, 2**31 - 1, 2**32 - 1, 2**63, 2**64 - 1]


def npz(save: Callable[..., None], **arrays: np.ndarray) -> bytes:
    """Return arrays as an archive."""
    file = io.BytesIO()
    save(file, **arrays)
    return file.getvalue()


def npy(array: np.ndarray) -> bytes:
    """Return an array as a file."""
    file = io.BytesIO()
    np.save(file, array)
    return file.getvalue()


def idx(array: np.ndarray) -> bytes:
    """Return bytes as one of MNIST's files."""
    header = struct.pack(">HBB", 0, 8, array.ndim)
    return header + struct.pack(f">{array.ndim}I", *array.shape) + array.tobytes()


def picture(suffix: str, mode: str = "L", **options: object) -> bytes:
    """Return a picture as a file."""
    pixels = np.random.default_rng(0).integers(0, 256, (6, 5, len(mode)), dtype=np.uint8)
    file = io.BytesIO()
    made = Image.fromarray(pixels.squeeze(), mode) if mode != "I;16" else deep()
    made.save(file, suffix, **options)
    return file.getvalue()


def colour_of_16_bits() -> bytes:
    """Return a picture of 16 bits a channel, which Pillow reads but cannot write."""
    head = struct.pack(">IIBBBBB", 5, 6, 16, 2, 0, 0, 0)
    rows = b"".join(b"\0" + row.tobytes() for row in np.arange(90, dtype=">u2").reshape(6, 15))
    parts = ((b"IHDR", head), (b"IDAT", zlib.compress(rows)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + tag + data + struct.pack(">I", zlib.crc32(tag + data))
        for tag, data in parts
    )


def deep() -> Image.Image:
    """Return a picture of 16 bits."""
    return Image.fromarray(np.arange(30, dtype=np.uint16).reshape(6, 5) * 100)


def sources() -> list[dict[str, bytes]]:
    """Return sound data of each kind: the content of each file by its name."""
    random = np.random.default_rng(0)
    X, y = random.normal(size=(30, 4)), np.arange(30) % 3
    pixels = random.integers(0, 256, (30, 6, 5), dtype=np.uint8)
    words = np.array(["cat", "dog", "cow"])[y]
    archives = [
        npz(np.savez, x=X, y=y),
        npz(np.savez_compressed, images=pixels, labels=words),
        npz(np.savez_compressed, x=X.astype(">f4"), y=y, classes=words[:3]),
        npz(np.savez_compressed, data=X + 1e9, target=X[:, :2]),
        npz(np.savez, x_train=X, y_train=np.eye(3)[y], x_test=X, y_test=np.eye(3)[y]),
    ]
    digits = {"images-idx3": idx(pixels), "labels-idx1": idx(y.astype(np.uint8))}
    labels = {"train-labels-idx1-ubyte": digits["labels-idx1"]}
    forms = [("png", "L"), ("png", "I;16"), ("png", "RGBA"), ("jpeg", "RGB"), ("gif", "L")]
    forms += [("bmp", "RGB"), ("tiff", "RGB"), ("tiff", "I;16"), ("webp", "RGB"), ("ppm", "L")]
    return [
        *({"data.npz": archive} for archive in archives),
        {"x.npy": npy(X), "y.npy": npy(y)},
        {"x.npy": npy(np.asfortranarray(X)), "y.npy": npy(words)},
        {"train-images-idx3-ubyte": digits["images-idx3"], **labels},
        {"train-images-idx3-ubyte.gz": gzip.compress(digits["images-idx3"]), **labels},
        {f"{name}/{k}.png": colour_of_16_bits() for name in "ab" for k in range(4)},
        *(
            {f"{name}/{k}.{suffix}": picture(suffix, mode) for name in "ab" for k in range(4)}
            for suffix, mode in forms
        ),
    ]


def mutated(content: bytes, random: np.random.Generator) -> bytes:
    """Return a file with one thing wrong: flipped, cut, doubled, or another number in it."""
    data = bytearray(content)
    # Half of all changes hit the header, where the sizes are.
    reach = len(data) if random.random() < 0.5 else min(len(data), 128)
    place = int(random.integers(reach))
    match int(random.integers(6)):
        case 0:
            for at in random.integers(reach, size=int(random.integers(1, 9))).tolist():
                data[at] = int(random.integers(256))
        case 1:
            del data[place:]
        case 2:
            data[place:place] = data[: int(random.integers(1, 64))]
        case 3:
            del data[place : place + int(random.integers(1, 64))]
        case 4:
            form = str(random.choice([">I", "<I", "<Q", "<H"]))
            number = NUMBERS[int(random.integers(len(NUMBERS)))] % 2 ** (
                8 * struct.calcsize(form)
            )
            data[place : place + struct.calcsize(form)] = struct.pack(form, number)
        case _:
            digits = str(NUMBERS[int(random.integers(len(NUMBERS)))] - 1).encode()
            data[place : place + len(digits)] = digits
    return bytes(data)


def failures(seed: int, count: int) -> Iterator[str]:
    """Yield a line for each mutated data set that gives anything but a result or one line."""
    random, kinds = np.random.default_rng(seed), sources()
    with tempfile.TemporaryDirectory() as folder:
        preparations = [
            datasets.open(write(files, Path(folder, str(n)))).preparation
            for n, files in enumerate(kinds)
        ]
    for number in range(count):
        kind = number % len(kinds)
        files = dict(kinds[kind])
        victim = sorted(files)[int(random.integers(len(files)))]
        files[victim] = mutated(files[victim], random)
        with tempfile.TemporaryDirectory() as folder:
            place = write(files, Path(folder, "data"))
            alone = place if place.is_file() else place / victim
            for read in (
                partial(examine, place),
                partial(datasets.read_for_evaluation, preparations[kind], place),
                partial(datasets.read_for_prediction, preparations[kind], [alone]),
            ):
                if wrong := attempt(read):
                    yield f"seed {seed}, number {number}, {victim}: {wrong}"


def write(files: dict[str, bytes], folder: Path) -> Path:
    """Write files into a new folder; return what is to be opened."""
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(exist_ok=True, parents=True)
        path.write_bytes(content)
    return folder / "data.npz" if "data.npz" in files else folder


def examine(place: Path) -> None:
    """Open data and use all of them."""
    splits = datasets.open(place)
    assert splits.test is None or len(splits.test)
    assert bool(splits.train.inputs.double().isfinite().all())


def attempt(
    read: Callable[[], object],
    refusals: tuple[type[Exception], ...] = (DataError,),
    names: tuple[str, ...] = ("data", *ENDS),
) -> str:
    """Return what is wrong with how reading ends, or nothing.

    It may end in a result, or in one line of one of the types, which holds one of the names.
    """
    try:
        faulthandler.dump_traceback_later(SECONDS, exit=True)
        read()
    except refusals as error:
        fine = any(name in str(error) for name in names) and "\n" not in str(error)
        return "" if fine and len(str(error)) < 2000 else f"{type(error).__name__}: {error}"
    except BaseException as error:  # anything else is what is sought
        return f"{type(error).__name__}: {error}"
    finally:
        faulthandler.cancel_dump_traceback_later()
    return ""


def main() -> int:
    """Mutate files within the limits; print what fails."""
    seed, count = map(int, sys.argv[1:])
    limit_memory()
    found = list(failures(seed, count))
    sys.stdout.write("".join(f"{line}\n" for line in found))
    return 1 if found else 0


def limit_memory() -> None:
    """Let this process take at most 1 GB beside what it has."""
    status = dict(
        line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines()
    )
    limit = int(status["VmSize"].split()[0]) * 1024 + BYTES
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))


if __name__ == "__main__":
    sys.exit(main())
