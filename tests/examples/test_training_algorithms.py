"""The example about training optimisers, in a small setting."""


def test_both_pictures_are_drawn_of_all_algorithms(example, tmp_path, capsys):
    optimizers = example("training_algorithms")
    optimizers.main(tmp_path, steps=5, epochs=25)
    for name in ("paths.png", "loss.png"):
        assert (tmp_path / name).read_bytes().startswith(b"\x89PNG")
    assert len(optimizers.FIRST_ORDER | optimizers.WHOLE_BATCH) == 16
    assert "LevenbergMarquardt fits the sine best" in capsys.readouterr().out
