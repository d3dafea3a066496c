"""The states of several processes, for another number of them."""

from neuropil.training.checkpoints.process_states import state_of


def meter(rows, loss):
    sums, counts = {"loss": loss * rows}, {"loss": rows}
    lists = {"totals": [[f"total of {rows}"]], "scores": [f"scores {rows}"], "targets": [rows]}
    return {"rows": rows, "sums": sums, "counts": counts, "limit": 64, **lists}


def state(rank, with_meter=True):
    figures = meter(3 + rank, 0.5) if with_meter else None
    place = {"batches": 2, "steps": 7, "meter": figures, "randomness": {"order": "start"}}
    return {"random": {"order": "now", "data": None, "torch": f"rank {rank}"}, "place": place}


FRESH = {"order": "fresh", "data": "fresh", "torch": "new"}


def test_as_many_processes_get_their_own_states_back():
    states = [state(0), state(1)]
    assert [state_of(states, rank, 2, FRESH) for rank in (0, 1)] == states


def test_one_process_takes_over_the_figures_of_all():
    only = state_of([state(0), state(1)], 0, 1, FRESH)
    assert only["random"] == state(0)["random"]
    place = only["place"]
    assert (place["batches"], place["steps"], place["randomness"]) == (2, 7, {"order": "start"})
    assert place["meter"] == {
        "rows": 7,
        "sums": {"loss": 3.5},
        "counts": {"loss": 7},
        "totals": [["total of 3", "total of 4"]],
        "scores": ["scores 3", "scores 4"],
        "targets": [3, 4],
        "limit": 64,
    }


def test_new_processes_begin_without_figures_in_the_common_order():
    first, second, third = (state_of([state(0), state(1)], rank, 3, FRESH) for rank in range(3))
    assert first["place"]["meter"]["rows"] == 7
    assert second["random"]["torch"] == "rank 1"
    assert third["random"] == {"order": "now", "data": None, "torch": "new"}
    assert second["place"]["meter"] == third["place"]["meter"]
    assert third["place"]["meter"]["totals"] == [[]]
    assert third["place"]["meter"]["rows"] == 0


def test_at_the_start_of_an_epoch_there_are_no_figures():
    states = [state(rank, with_meter=False) for rank in (0, 1)]
    assert state_of(states, 0, 1, FRESH)["place"]["meter"] is None
