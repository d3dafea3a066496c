"""``neuropil resume``."""

from typing import TYPE_CHECKING

from neuropil.cli.command_options import Quiet, RunFolder
from neuropil.cli.terminal.interruption import suggesting_resume

if TYPE_CHECKING:
    from pathlib import Path

    from neuropil.datasets import Splits
    from neuropil.runs.recipes.recipe import Recipe
    from neuropil.runs.run_folder import Run


def resume(folder: RunFolder, *, quiet: Quiet = False) -> None:
    """Resume an interrupted training; the result is the same as without the interruption.

    All missing work is done: epochs, figures, the report, the second part of ``--then``.
    Any number of processes may resume it; the result is the same only with as many as before.
    """
    from neuropil.cli.console import say
    from neuropil.cli.terminal.process_group import is_group

    if not is_group():  # only the machine of the first process needs the folder
        check_run(folder)
    from neuropil.training.processes import join_processes

    with suggesting_resume(folder):
        run = join_processes().call_in_first(lambda: find_run(folder))
        if not finish_run(run, quiet=quiet):
            say(f"the training in {folder} is finished: there is nothing to resume.")


def find_run(folder: "Path") -> "Run":
    """Return the run in a folder, or its first part if the part of ``--then`` has not begun."""
    from neuropil.runs.run_folder import Run

    return Run.open(check_run(folder))


def check_run(folder: "Path") -> "Path":
    """Return the folder of `find_run` after a check that does not load PyTorch."""
    from neuropil.runs.run_facts import FIRST, is_run, read_facts

    first = folder.with_name(folder.name + FIRST)
    found = first if is_run(first) and not is_run(folder) else folder
    read_facts(found)
    return found


def finish_run(run: "Run", *, quiet: bool) -> bool:
    """Finish a run with bit-identical results; return whether anything was missing."""
    from neuropil.cli.training_run import begin_second, say_paths, second_part
    from neuropil.runs.run_facts import is_run
    from neuropil.runs.run_folder import Run
    from neuropil.training.processes import join_processes

    processes = join_processes()
    unfinished = run.status != "finished"
    if unfinished:
        finish_part(run, quiet=quiet)
        if quiet:
            say_paths(run)
    second = second_part(run)
    if second is None:
        return unfinished
    begun = processes.call_in_first(lambda: Run.open(second) if is_run(second) else None)
    if begun is not None:
        return finish_run(begun, quiet=quiet) or unfinished
    began = begin_second(run, quiet=quiet)
    if quiet and began is not None:
        say_paths(began)
    return True


def finish_part(run: "Run", *, quiet: bool) -> None:
    """Complete the training in one folder.

    Raises:
        ValueError: When the run has no checkpoint to resume from.
    """
    from neuropil.cli import classic_training
    from neuropil.cli.plan_text import show_plan, show_processes
    from neuropil.cli.training_run import complete, complete_classic
    from neuropil.training.processes import join_processes

    processes = join_processes()
    with suggesting_resume(run.path):
        if processes.call_in_first(lambda: run.is_classic):

            def fit() -> None:
                check_settings(run)
                splits = same_data(run)
                model = classic_training.model_again(run, splits)
                complete_classic(run, splits, model, quiet=quiet)

            processes.call_in_first(fit)
            return
        made = processes.call_in_first(lambda: recipe_again(run))
        splits = same_data(run)
        if not quiet:
            show_plan(splits, run.task, made)
            show_processes(run.settings["threads"])
        complete(run, splits, made, quiet=quiet)


def recipe_again(run: "Run") -> "Recipe":
    """Return the recipe of a run that can be resumed.

    Raises:
        ValueError: When the run has no checkpoint to resume from.
    """
    from neuropil.cli import plan

    # Once trained weights are written, the initial ones are lost: training cannot restart.
    if not run.resumable and (run.is_fitted or run.status != "running"):
        raise ValueError(
            f"{run.checkpoints} has no checkpoint to resume from: start a new training."
        )
    made = plan.recipe_of(run)
    check_settings(run)
    return plan.without_weights(made) if run.resumable and plan.is_sharded(run) else made


def check_settings(run: "Run") -> None:
    """Check that the settings of a run without a checkpoint have not changed.

    Raises:
        ValueError: When they have.
    """
    from neuropil.runs.run_facts import FACTS, settings_hash

    # A checkpoint names the setting that changed; without one, the hash is compared.
    if not run.resumable and settings_hash(run.settings) != run.data.get("settings"):
        raise ValueError(
            f"the settings in {run.path / FACTS} have changed since this run began: restore "
            f"them, or start a new run with `neuropil train`."
        )


def same_data(run: "Run") -> "Splits":
    """Return the data of a run after a check that they have not changed.

    Raises:
        ValueError: When the data have changed since the run began.
    """
    from neuropil.cli.console import note
    from neuropil.cli.run_data import open_again
    from neuropil.runs.run_facts import versions
    from neuropil.training.processes import join_processes

    splits = open_again(run)
    # One process on each machine reads all files.
    if join_processes().first_here and not run.was_trained_on(splits):
        raise ValueError(
            f"the data in {splits.source} have changed since this run began, so it cannot be "
            f"resumed: start a new run with `neuropil train`."
        )
    for name, version in versions().items():
        if run.versions.get(name) != version:
            note(
                f"the training began with {name} {run.versions.get(name)} and resumes with "
                f"{version}: the last bits of the results may differ."
            )
    return splits
