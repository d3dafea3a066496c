"""The parts of a report that are specific to segmentation."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from neuropil.report.page import Section
from neuropil.report.sections.base import Targets, TaskPages
from neuropil.report.sections.figures_table import figures_table
from neuropil.report.sections.segmentation.mask_pictures import (
    answer_mask,
    labelled_picture,
    mask_mistakes,
    mask_pictures,
)
from neuropil.report.sections.segmentation.segmentation_summary import (
    counts_of,
    judged_names,
    segmentation_figures,
    segmentation_headline,
    segmentation_remarks,
)
from neuropil.text import number_of
from neuropil.vision.segmentation.mask_metrics import dice_values, iou_values

if TYPE_CHECKING:
    from neuropil.report.evidence import Evidence
    from neuropil.report.subject import Subject

MOST_SAMPLES = 6
# Of more classes than this, the table scrolls.
MANY = 20


def segmentation_results(subject: Subject) -> Section:
    """Return the figures, and those of each class."""
    evidence = subject.evidence
    rows = counts_of(evidence).sum(0)
    dice, iou = (
        values(torch.from_numpy(rows)).tolist() for values in (dice_values, iou_values)
    )
    known = max(1, int((evidence.targets != 255).sum()))
    classes = [
        {
            "name": name,
            "share": float(rows[place, 2]) / known,
            "pictures": int(rows[place, 4]),
            "dice": dice[place],
            "iou": iou[place],
        }
        for place, name in enumerate(judged_names(evidence))
    ]
    table = figures_table(subject, of_classes=False)
    return Section(
        "segmentation_results",
        classes=classes,
        many=len(classes) > MANY,
        noun=subject.noun,
        **table,
    )


def targets(subject: Subject) -> Targets:
    """Return the task, and the first training pictures that show something."""
    task, train = subject.evidence.task, subject.splits.train
    labels = train.targets
    judged = torch.tensor(task.target.judged)
    masks = [] if labels is None else list(labels)
    shown = [place for place, mask in enumerate(masks) if torch.isin(mask.cpu(), judged).any()]
    return Targets(
        [("task", f"segmentation, masks of {number_of(len(judged), 'class')}")],
        f"Training {subject.noun}s with their masks",
        [(place, "") for place in shown[:MOST_SAMPLES]],
    )


def answer(subject: Subject) -> tuple[str, str]:
    """Return the Python name of the predictions, and their shape in words."""
    del subject
    return "masks", "(N, H, W): the class number of each pixel; 255 follows a smaller picture"


def is_faultless(evidence: Evidence) -> bool:
    """Tell whether every pixel is right."""
    common, predicted, true = (counts_of(evidence)[..., column] for column in range(3))
    return bool((common == predicted).all() and (common == true).all())


SEGMENTATION = TaskPages(
    intervals=segmentation_figures, headline=segmentation_headline,
    remarks=segmentation_remarks, results=segmentation_results, mistakes=mask_mistakes,
    targets=targets, answer=answer, pictures=mask_pictures, sample=labelled_picture,
    draw=answer_mask, is_faultless=is_faultless,
)  # fmt: skip
