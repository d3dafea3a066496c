"""The examples about sequences, each in a small setting."""

import itertools

import pytest
import torch


def test_an_lstm_learns_rebers_grammar(example, capsys):
    accuracy = example("reber_grammar").main(words=4000, epochs=10, progress=False)
    assert accuracy > 0.9
    lines = capsys.readouterr().out.splitlines()
    assert "never seen" in lines[0]
    assert len(lines) == 7


def test_a_character_model_learns_to_write(example, tmp_path, capsys):
    text = tmp_path / "text.txt"
    text.write_text("the cat sat on the mat, and the rat sat on the hat. " * 300)
    model = example("character_model")
    options = {"units": 32, "streams": 8, "length": 20, "written": 60, "progress": False}
    figure = model.main(text, epochs=3, lr=1e-2, **options)
    assert figure < 0.2
    sample = capsys.readouterr().out.split("\n\n", 1)[1]
    assert sum(word in sample for word in ("the", "cat", "sat", "mat", "rat", "hat")) >= 3
    same = model.main(text, epochs=3, lr=1e-2, **options)
    assert same == pytest.approx(figure)


def test_pieces_of_streams_follow_each_other(example):
    model = example("character_model")
    torch.manual_seed(0)
    pieces = list(model.Streams(torch.arange(100), 4, 5))
    assert len(pieces) == (100 // 4 - 1) // 5
    for (x, y), (following, _) in itertools.pairwise(pieces):
        assert x.shape == y.shape == (4, 5)
        assert torch.equal(y, (x + 1) % 100)
        assert torch.equal(following[:, 0], y[:, -1])


def test_the_held_out_figure_is_that_of_one_reading(example):
    model = example("character_model")
    torch.manual_seed(0)
    layers = model.Embedding(5, 4) >> model.LSTM(3, only_last=False)
    network = model.Input(None, dtype="int64") >> layers >> model.Dropout(0) >> model.Softmax(5)
    text = torch.randint(5, (1300,))
    probabilities = network(text[None, :-1])[0]
    expected = -probabilities.gather(1, text[1:, None]).log().squeeze(1)[99:].mean()
    assert model.nats(network, text[:100], text[100:]) == pytest.approx(expected.item(), 1e-5)
