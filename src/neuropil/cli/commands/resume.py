"""``neuropil resume``."""

from typing import TYPE_CHECKING

from neuropil.cli.command_options import Quiet, RunFolder
from neuropil.cli.interruption import saying_what_is_kept

if TYPE_CHECKING:
    from pathlib import Path

    from neuropil.datasets import Splits
    from neuropil.runs.run_folder import Run


def resume(folder: RunFolder, *, quiet: Quiet = False) -> None:
    """Resume an interrupted training; the result is as if it had never stopped.

    Whatever is missing is done: epochs, figures, the report, the second part of ``--then``.
    """
    from neuropil.cli.console import say

    with saying_what_is_kept(folder):
        if not go_on(begun(folder), quiet=quiet):
            say(f"the training in {folder} is finished: there is nothing to resume.")


def begun(folder: "Path") -> "Run":
    """Return a run, or the first part of one whose second part ``--then`` has not begun."""
    from neuropil.cli.training_run import FIRST
    from neuropil.runs.run_facts import is_run
    from neuropil.runs.run_folder import Run

    first = folder.with_name(folder.name + FIRST)
    return Run.open(first if is_run(first) and not is_run(folder) else folder)


def go_on(run: "Run", *, quiet: bool) -> bool:
    """Do what a run lacks, to the bits that it would have had; return whether it lacked any."""
    from neuropil.cli.training_run import begin_second, second_part
    from neuropil.runs.run_facts import is_run
    from neuropil.runs.run_folder import Run

    unfinished = run.status != "finished"
    if unfinished:
        finish_part(run, quiet=quiet)
    second = second_part(run)
    if second is None:
        return unfinished
    if is_run(second):
        return go_on(Run.open(second), quiet=quiet) or unfinished
    begin_second(run, quiet=quiet)
    return True


def finish_part(run: "Run", *, quiet: bool) -> None:
    """Complete the training in one folder.

    Raises:
        ValueError: When there is nothing to go on from.
    """
    from neuropil.cli import classic_training, plan
    from neuropil.cli.plan_text import show_plan
    from neuropil.cli.training_run import complete, complete_classic

    with saying_what_is_kept(run.path):
        if run.is_classic:
            splits = same_data(run)
            complete_classic(
                run, splits, classic_training.model_again(run, splits), quiet=quiet
            )
            return
        # Once the network was written anew, it is no longer what the training began with.
        if not run.resumable and (run.is_fitted or run.status != "running"):
            raise ValueError(
                f"{run.checkpoints} holds no checkpoint to go on from: train anew."
            )
        made = plan.recipe_of(run)
        splits = same_data(run)
        if not quiet:
            show_plan(splits, run.task, made)
        complete(run, splits, made, quiet=quiet)


def same_data(run: "Run") -> "Splits":
    """Return the data of a run, and make sure that nothing has changed since it began.

    Raises:
        ValueError: When the data or the settings are not what they were.
    """
    from neuropil.cli.console import note
    from neuropil.cli.run_data import open_again
    from neuropil.runs.run_facts import FACTS, settings_hash, versions
    from neuropil.training.checkpoints.digest import fingerprint

    # Where there are checkpoints, they say which setting it is.
    if not run.resumable and settings_hash(run.settings) != run.data.get("settings"):
        raise ValueError(
            f"the settings in {run.path / FACTS} have changed since this run began: set them "
            f"back, or begin a new one by `neuropil train`."
        )
    splits = open_again(run)
    if fingerprint(splits, run.settings["data"]) != run.data.get("fingerprint"):
        raise ValueError(
            f"the data in {splits.source} have changed since this run began, so it cannot go "
            f"on as it would have: begin a new one by `neuropil train`."
        )
    for name, version in versions().items():
        if run.versions.get(name) != version:
            note(
                f"the training began with {name} {run.versions.get(name)} and goes on with "
                f"{version}: its last bits may differ."
            )
    return splits
