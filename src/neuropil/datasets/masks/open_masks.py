"""Open pictures with masks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from neuropil.datasets.annotations.label_problems import LabelProblems
from neuropil.datasets.data_errors import DataError, adding_notes
from neuropil.datasets.masks.mask_classes import VOID, listed_names, name_classes
from neuropil.datasets.masks.mask_file import MaskFile, scan_mask
from neuropil.datasets.masks.mask_pairs import folders_of, pair_files
from neuropil.datasets.masks.masks_target import Masks
from neuropil.datasets.pictures.class_folders import LabelledFiles
from neuropil.datasets.pictures.picture_batch import in_threads, read_headers
from neuropil.datasets.pictures.picture_set import open_pictures, read_more
from neuropil.text import number_of, some_of

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from neuropil.datasets.open_options import Options
    from neuropil.datasets.pictures.picture_header import Header
    from neuropil.datasets.pictures.picture_set import Pictures
    from neuropil.datasets.splits import Splits

SET_ASIDE = "set aside because the mask"
MOST_NAMED = 8


def open_masks(path: Path, options: Options) -> Splits:
    """Read pictures with masks.

    Args:
        path: The folder.
        options: Options of the caller.

    Raises:
        DataError: If no picture can be used, or no mask has any foreground.
    """
    options.refuse("pictures with masks", "target")
    found = MaskSet(path)
    if len(found.scans) == 1:
        found.scans = {"train": next(iter(found.scans.values()))}
    if "train" not in found.scans:
        raise DataError(
            f"{path} has pictures for {' and '.join(found.scans)}, but none for the training: "
            "their folder must be called train."
        )
    names = listed_names(path)
    notes: list[str] = []
    with adding_notes(notes):
        train = found.labelled("train", None if names is None else listed_values(names, found))
        target = Masks.fit([mask for _, mask in train.pictures], str(path), names=names)
        files = {
            name: train if name == "train" else found.labelled(name, target.values)
            for name in found.scans
        }
        notes += [*found.problems.notes(), *doubtful_void(train, target)]
        more: dict[str, Any] = {
            "validation": lambda preparation: read_more(
                files["validation"], preparation, path, notes
            ),
            "test": lambda preparation: (
                lambda notes: read_more(files["test"], preparation, path, notes)
            ),
        }
        return open_pictures(
            train,
            lambda _labels: target,
            options,
            path,
            notes,
            {name: more[name] for name in files if name in more},
        )


def doubtful_void(train: LabelledFiles, target: Masks) -> list[str]:
    """Return a note if 255, which counts for nothing, is never beside a class: it may be one.

    Args:
        train: The training masks.
        target: Their classes.
    """
    marked = [mask for _, mask in train.pictures if VOID in mask.values]
    beside = {value for mask in marked for value in mask.values} - {0, VOID}
    if VOID in target.values or not marked or beside:
        return []
    have = "has" if len(marked) == 1 else "have"
    note = (
        f"The value {VOID} counts for nothing, but {len(marked):,} of "
        f"{number_of(len(train.pictures), 'mask')}, such as {marked[0].path.name}, "
        f"{have} it without any class: "
        "if it marks a thing, save all masks with the same values."
    )
    return [note]


def read_labelled(preparation: Any, path: Path, notes: list[str]) -> Pictures:
    """Return the test pictures with their masks, or all pictures.

    Args:
        preparation: Preparation of the training pictures, whose target is masks.
        path: The folder.
        notes: Gains notes for the user.

    Raises:
        DataError: If no picture can be used.
    """
    found = MaskSet(path)
    part = next(name for name in ("test", "train", "validation") if name in found.scans)
    with adding_notes(notes):
        files = found.labelled(part, preparation.target.values)
        notes += found.problems.notes()
        return read_more(files, preparation, path, notes)


def listed_values(names: Sequence[str], found: MaskSet) -> list[int]:
    """Return the value of each class of a list, given the values of the training masks."""
    shown = {value for _, mask, _ in found.scans["train"] for value in mask.values}
    return name_classes(shown, names)[1]


class MaskSet:
    """The pictures of a folder with their masks.

    Args:
        path: The folder.

    Raises:
        DataError: If no picture has a mask that can be used.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.problems = LabelProblems(path)
        parts: dict[str, list[tuple[Path, Path]]] = {}
        for folder in folders_of(path):
            pairs = pair_files(folder, self.problems)
            if pairs:
                parts.setdefault(folder.part or "train", []).extend(pairs)
        if not parts:
            raise self.refusal()
        self.scans = {name: self.scan(pairs) for name, pairs in parts.items()}

    def refusal(self) -> DataError:
        """Return the error for a folder without a pair that can be used."""
        why = " ".join(self.problems.notes())
        return DataError(f"{self.path} has no picture whose mask can be used. {why}".strip())

    def scan(self, pairs: list[tuple[Path, Path]]) -> list[tuple[Path, MaskFile, Header]]:
        """Return the pictures whose masks can be read and have their size."""
        masks, broken = in_threads(
            lambda k: scan_mask(pairs[k][1]), [mask for _, mask in pairs]
        )
        for path, reason in broken.items():
            self.problems.add("picture", f"{SET_ASIDE} cannot be used", path, reason)
        headers, unreadable = read_headers([picture for picture, _ in pairs])
        for path, reason in unreadable.items():
            self.problems.add("broken picture", "set aside", path, reason)
        found = []
        for place, mask in masks.items():
            header = headers.get(place)
            if header is None:
                continue
            if header.size != mask.size:
                sizes = "{}×{}, the picture {}×{}".format(*mask.size, *header.size)
                what = f"{SET_ASIDE} has another size"
                self.problems.add("picture", what, mask.path, sizes)
                continue
            found.append((pairs[place][0], mask, header))
        return found

    def labelled(self, part: str, values: Sequence[int] | None) -> LabelledFiles:
        """Return the pictures of a part whose masks have only known values.

        Args:
            part: The part.
            values: The value of each class; None if all are classes.

        Raises:
            DataError: If there are none.
        """
        known = set(range(256)) if values is None else {*values, VOID}
        kept: list[tuple[Path, MaskFile]] = []
        headers: dict[int, Header] = {}
        for picture, mask, header in self.scans[part]:
            unknown = [value for value in mask.values if value not in known]
            if unknown:
                what = f"{SET_ASIDE} has values outside the classes"
                got, right = some_of(unknown, MOST_NAMED), some_of(values or (), MOST_NAMED)
                self.problems.add("picture", what, mask.path, f"{got}; the classes are {right}")
                continue
            headers[len(kept)] = header
            kept.append((picture, mask))
        if not kept:
            raise self.refusal()
        return LabelledFiles(self.path, list(kept), [], located=True, scanned=(headers, {}))
