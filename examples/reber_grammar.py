"""Learn Reber's grammar with an LSTM: which words belong to it, and which only look like it.

The words that do not belong are valid ones with a single letter exchanged, so that a network
must follow the whole word to find them; and it is asked about words that it has never seen.
Run it with ``python examples/reber_grammar.py``.
"""

import numpy as np
import torch

from neuropil import Trainer
from neuropil.datasets import is_valid_by_reber, make_reber_classification
from neuropil.datasets.builtin.reber import to_indices
from neuropil.layers import LSTM, Embedding, Input, Sigmoid
from neuropil.optim import Adam

# Longer words are one in ten thousand. Shorter ones get zeros in front.
LENGTH = 40
EXAMPLES = ["VVS", "VXXXVPXVPS", "TPPTS", "TPPTT", "VXXXVPXPPS", "TTXXVPXVV"]


def main(
    words: int = 10_000,
    units: int = 32,
    epochs: int = 15,
    *,
    seed: int = 0,
    progress: bool = True,
) -> float:
    """Train on three quarters of the different words, return the accuracy on the others."""
    drawn, y = make_reber_classification(words, errors=1, random_state=seed)
    drawn, y = (values[np.char.str_len(drawn) <= LENGTH] for values in (drawn, y))
    X = to_indices(drawn.tolist(), LENGTH)
    # Short words come again and again: all of one are on the same side.
    different, number = np.unique(drawn, return_inverse=True)
    unknown = (np.random.default_rng(seed).random(len(different)) < 0.25)[number]
    _, once = np.unique(drawn[unknown], return_index=True)
    held_out = X[unknown][once], y[unknown][once]

    torch.manual_seed(seed)
    network = (
        Input(LENGTH, dtype="int64")
        >> Embedding(6, 8, padding_idx=0)
        >> LSTM(units)
        >> Sigmoid(1)
    )
    trainer = Trainer(
        network,
        optimizer=Adam(network.parameters(), lr=1e-2),
        metrics=["accuracy"],
        schedule="one_cycle",
        seed=seed,
        progress=progress,
    )
    trainer.fit((X[~unknown], y[~unknown]), epochs=epochs, batch_size=64)

    accuracy = trainer.evaluate(held_out)["accuracy"]
    share = held_out[1].mean()
    print(f"{len(once)} different words never seen, {share:.0%} valid: accuracy {accuracy:.4f}")
    answers = network.predict(to_indices(EXAMPLES, LENGTH))
    for word, probability in zip(EXAMPLES, answers, strict=True):
        kind = "valid" if is_valid_by_reber(word) else "not valid"
        print(f"{word:10}  {probability.item():.3f}  {kind}")
    return accuracy


if __name__ == "__main__":
    main()
