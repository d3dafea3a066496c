"""Search for pictures and the masks that belong to them."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from neuropil.datasets.annotations.label_files import subfolder
from neuropil.datasets.annotations.part_names import part_folders
from neuropil.datasets.paths import natural_key, visible_entries
from neuropil.datasets.pictures.class_folders import FolderScan, is_picture

if TYPE_CHECKING:
    from pathlib import Path

    from neuropil.datasets.annotations.label_problems import LabelProblems

PICTURES = ("images", "image", "imgs", "img", "pictures", "jpegimages", "data")
MASKS = (
    "masks",
    "mask",
    "segmentationclass",
    "segmentations",
    "annotations",
    "labels",
    "label",
)
"""Names of the folders of pictures and of masks, the preferred one first."""
ENDINGS = ("_mask", "-mask", "_masks", "_label", "_labels", "_segmentation", "_seg", "_gt")
"""Endings of the names of masks, after the name of the picture."""
NO_MASK = "without a mask: not used"
NO_PICTURE = "without a picture: not used"
SAME_NAME = "of the same name as another picture: not used"
SEVERAL = "for a picture that has another mask: not used"


class MaskFolder(NamedTuple):
    """Folders whose files belong together.

    Attributes:
        pictures: The folder of the pictures.
        masks: The folder of the masks, which may be the same.
        part: The part that they are, or None.
    """

    pictures: Path
    masks: Path
    part: str | None


def recognise(path: Path) -> str | None:
    """Return ``"pictures with masks"`` for a folder of pictures and masks, else None."""
    return "pictures with masks" if path.is_dir() and folders_of(path) else None


def list_pictures(path: Path) -> list[Path]:
    """Return the pictures of a folder, with or without masks."""
    found = []
    for folder in folders_of(path):
        files = files_below(folder.pictures)
        if folder.pictures == folder.masks:
            files = [file for file in files if plain_stem(file.stem) is None]
        found += files
    return found


def folders_of(path: Path) -> list[MaskFolder]:
    """Return the folders of pictures and masks, and the part that each pair is.

    They are ``images`` and ``masks``, in the folder or in each of folders such as ``train`` and
    ``test``, which may also lie in both; or a picture ``a.png`` lies beside ``a_mask.png``.

    Args:
        path: The folder that may hold pictures and masks.
    """
    places: dict[Path, str | None] = {path: None, **part_folders(path)}
    found = []
    for folder, part in places.items():
        pictures, masks = subfolder(folder, *PICTURES), mask_folder(folder)
        if pictures is None or masks is None:
            continue
        inner = {own.name: own for own in part_folders(masks)}
        pairs = [
            MaskFolder(own, inner[own.name], of)
            for own, of in part_folders(pictures).items()
            if own.name in inner
        ]
        found += pairs or [MaskFolder(pictures, masks, part)]
    if not found:
        beside = [folder for folder in places if has_pairs(folder)]
        found = [MaskFolder(folder, folder, places[folder]) for folder in beside]
    return found


def mask_folder(folder: Path) -> Path | None:
    """Return the folder of masks in a folder: one that has pictures."""
    named = (subfolder(folder, name) for name in MASKS)
    return next((each for each in named if each is not None and has_picture(each)), None)


def has_picture(folder: Path) -> bool:
    """Return whether there is a picture in a folder, or in one of its folders of parts."""
    inside = (entry for place in (folder, *part_folders(folder)) for entry in place.iterdir())
    return any(map(is_picture, inside))


def has_pairs(folder: Path) -> bool:
    """Return whether a picture in a folder lies beside its mask."""
    stems = {file.stem for file in visible_entries(folder) if is_picture(file)}
    return any(plain_stem(stem) in stems for stem in stems)


def plain_stem(stem: str) -> str | None:
    """Return the name of the picture of a mask, by the ending of its own name, or None.

    Example:
        >>> plain_stem("a7_mask"), plain_stem("a7")
        ('a7', None)
    """
    low = stem.casefold()
    return next((stem[: -len(each)] for each in ENDINGS if low.endswith(each)), None)


def files_below(folder: Path) -> list[Path]:
    """Return the pictures below a folder, in natural order."""
    scan = FolderScan(folder)
    scan.walk(folder)
    found = filter(is_picture, scan.files)
    return sorted(found, key=lambda file: natural_key(str(file.relative_to(folder))))


def pair_files(folder: MaskFolder, problems: LabelProblems) -> list[tuple[Path, Path]]:
    """Return each picture of a folder with its mask.

    Args:
        folder: The folders.
        problems: Gains the pictures without a mask, and the masks without a picture.
    """
    masks: dict[str, Path] = {}
    pictures = files_below(folder.pictures)
    beside = folder.pictures == folder.masks
    if beside:
        files = [file for file in pictures if plain_stem(file.stem) is not None]
        pictures = [file for file in pictures if plain_stem(file.stem) is None]
    else:
        files = files_below(folder.masks)
    exact = {key_of(file, folder.pictures) for file in pictures}
    for file in files:
        key = key_of(file, folder.masks)
        short = plain_stem(key)
        own = key if short is None or key in exact else short
        if masks.setdefault(own, file) is not file:
            problems.add("mask", SEVERAL, file)
    pairs = []
    used: set[str] = set()
    for picture in pictures:
        key = key_of(picture, folder.pictures)
        mask = masks.pop(key, None)
        if mask is None:
            problems.add("picture", SAME_NAME if key in used else NO_MASK, picture)
        else:
            used.add(key)
            pairs.append((picture, mask))
    for mask in masks.values():
        problems.add("mask", NO_PICTURE, mask)
    return pairs


def key_of(file: Path, folder: Path) -> str:
    """Return the name of a file below a folder, without the suffix."""
    return file.relative_to(folder).with_suffix("").as_posix()
