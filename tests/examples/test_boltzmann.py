"""The examples of Boltzmann machines and of Gaussian windows, in a small setting."""


def test_a_machine_knows_digits_from_their_pixels(example, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert example("boltzmann_machine").main(epochs=5) > 30
    assert "Sigmoid(50) >> Softmax(10)" in capsys.readouterr().out
    assert (tmp_path / "rbm_samples.png").read_bytes().startswith(b"\x89PNG")


def test_windows_need_no_training(example, capsys):
    score, accuracy = example("gaussian_windows").main()
    assert score > 0.38
    assert accuracy > 0.94
    assert "[0. 0. 1.]" in capsys.readouterr().out
