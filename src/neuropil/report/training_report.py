"""The report on a training: its sections, per task and kind of network."""

from __future__ import annotations

from pathlib import PurePath
from typing import TYPE_CHECKING, Any, NamedTuple

from neuropil.core import Network
from neuropil.report.page import render, render_sections
from neuropil.report.sections.classic_section import classic_section, fitting_words
from neuropil.report.sections.classification_pages import CLASSIFICATION
from neuropil.report.sections.data_section import data_section
from neuropil.report.sections.detection.detection_pages import DETECTION
from neuropil.report.sections.detection.localisation_pages import LOCALISATION
from neuropil.report.sections.gradients_section import gradients_section
from neuropil.report.sections.importance_section import importance_section
from neuropil.report.sections.landmarks.landmark_pages import LANDMARKS
from neuropil.report.sections.network_section import network_section, training_words
from neuropil.report.sections.regression_pages import REGRESSION
from neuropil.report.sections.segmentation.segmentation_pages import SEGMENTATION
from neuropil.report.sections.settings_section import settings_section
from neuropil.report.sections.summary_section import summary_section
from neuropil.report.sections.training_section import training_section
from neuropil.report.sections.use_section import use_section

if TYPE_CHECKING:
    from collections.abc import Callable

    from neuropil.report.page import Section
    from neuropil.report.sections.base import TaskPages
    from neuropil.report.subject import Subject
    from neuropil.runs.task import Task

TASK_PAGES: dict[str, TaskPages] = {
    "classification": CLASSIFICATION,
    "regression": REGRESSION,
    "detection": DETECTION,
    "localisation": LOCALISATION,
    "landmarks": LANDMARKS,
    "segmentation": SEGMENTATION,
}
"""The pages of each task by its name."""


class ModelPages(NamedTuple):
    """The parts of a report that depend on the kind of network.

    Args:
        network: The section on the network.
        effort: A sentence on its size and training time.
        training: The section on the training; None if there are no epochs.
    """

    network: Callable[[Subject, Any], Section]
    effort: Callable[[Subject, Any], str]
    training: Callable[[Subject], Section] | None


NETWORK_PAGES = ModelPages(network_section, training_words, training_section)
CLASSIC_PAGES = ModelPages(classic_section, fitting_words, None)


def pages_of(task: Task[Any]) -> TaskPages:
    """Return the pages of a task, or those of its nearest base class that has some.

    Raises:
        ValueError: If there are none.
    """
    names = [getattr(kind, "name", "") for kind in type(task).__mro__]
    found = [TASK_PAGES[name] for name in names if name in TASK_PAGES]
    if not found:
        raise ValueError(f"report: no pages for {task.name}, only for {', '.join(TASK_PAGES)}.")
    return found[0]


def training_report(subject: Subject) -> str:
    """Return the whole report as HTML."""
    splits, network = subject.splits, subject.network
    task = pages_of(subject.evidence.task)
    # Comparing with the class of classic networks would load scikit-learn for every report.
    model = NETWORK_PAGES if isinstance(network, Network) else CLASSIC_PAGES
    sections = {
        "Summary": summary_section(subject, task, model.effort(subject, network)),
        "Results": task.results(subject),
        "Curves": task.ranking(subject) if task.ranking else None,
        "Mistakes": task.mistakes(subject),
        "Pictures": task.pictures(subject) if task.pictures else None,
        "Columns": importance_section(subject),
        "Certainty": task.certainty(subject) if task.certainty else None,
        "Training": model.training(subject) if model.training else None,
        "Gradients": gradients_section(subject),
        "Network": model.network(subject, network),
        "Data": data_section(subject, task),
        "Use it": use_section(subject, task),
        "Settings": settings_section(subject),
    }
    values = {
        # Without the parent folders.
        "title": PurePath(splits.source).name or splits.source,
        "task": subject.evidence.task.name,
        "sections": render_sections(sections),
        "version": subject.versions.get("neuropil", ""),
        "run": subject.run,
    }
    return render("training_report", values)
