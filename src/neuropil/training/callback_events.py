"""The events that callbacks are called for, and their names in other libraries."""

from __future__ import annotations

from neuropil.text import nearest_name

# The events in the order in which they occur, each with its names in other libraries.
EVENTS = {
    "on_start": "on_train_begin on_train_start on_fit_start on_fit_begin on_training_start",
    "on_epoch_start": "on_epoch_begin on_train_epoch_start on_train_epoch_begin",
    "on_step_start": "on_step_begin on_batch_start on_batch_begin on_train_batch_start "
    "on_train_batch_begin",
    "on_step": "on_step_end on_batch_end on_train_batch_end on_batch on_after_backward",
    "on_epoch": "on_epoch_end on_train_epoch_end on_validation_end on_validation_epoch_end "
    "on_test_end on_evaluate",
    "on_stop": "on_end on_train_end on_fit_end on_training_end",
}
ELSEWHERE = {name: event for event, names in EVENTS.items() for name in names.split()}


def check_events(callback: object) -> None:
    """Check that each method of a callback for an event is called.

    Raises:
        TypeError: If a method is for an event that does not exist.
    """
    for name in dir(type(callback)):
        if name.startswith("on_") and name not in EVENTS:
            event = ELSEWHERE.get(name) or nearest_name(name, [*EVENTS, *ELSEWHERE])
            event = ELSEWHERE.get(event or "", event)
            near = f" Did you mean {event!r}?" if event else ""
            raise TypeError(
                f"{type(callback).__name__}.{name} would never be called.{near} The events are "
                f"{', '.join(EVENTS)}."
            )
