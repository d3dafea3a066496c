"""A notebook as a user would write it, run and exported as a page.

`python -m tests.browser.notebook_cells FOLDER` writes ``notebook.ipynb``, ``light.html`` and
``dark.html``.
"""

import json
import sys
from pathlib import Path

CELLS = {
    "network": """
import torch
from neuropil import Trainer, datasets, plots
from neuropil.layers import *

network = (
    Input(1, 8, 8) >> Convolution(16, 3, padding="same") >> Relu()
    >> ResidualBlock(24)
    >> SqueezeExcitation() >> MaxPooling(2) >> Flatten() >> Relu(32) >> Softmax(10)
)
network.reset_parameters(torch.Generator().manual_seed(0))
network.summary()
""",
    "diagram": "network.diagram()",
    "cost": """
from neuropil.analysis import cost
cost(network)
""",
    "data": """
digits = datasets.load_handwritten_digits()
digits
""",
    "fit": """
trainer = Trainer(network, metrics=["accuracy"], seed=0)
history = trainer.fit(digits.train, digits.validation, epochs=3)
""",
    "history": "history",
    "plot": "history.plot()",
    "trainer": "trainer",
    "confusion": """
plots.confusion_matrix(digits.test.targets, network.predict(digits.test.inputs))
""",
    "running": """
from neuropil.training import NotebookProgress, Status
bar = NotebookProgress()
bar.start(Status(epoch=1, epochs=20))
bar.epoch(Status(epoch=6, epochs=20), {"epoch": 6, "loss": 0.31, "validation_accuracy": 0.93})
bar.update(Status(epoch=7, epochs=20, step=30, steps=45, loss=0.28, rate=20000.0, left=65.0))
""",
    "run": """
import tempfile
from neuropil.cli import main
from neuropil.runs import Run
folder = tempfile.mkdtemp() + "/run"
main(["train", "--epochs", "1", "--threads", "1", "--quiet", "--out", folder])
Run.open(folder)
""",
    "map": """
from neuropil.classic import SOFM
SOFM(grid=(5, 5), n_epochs=3, random_state=0).fit(digits.train.inputs.flatten(1))
""",
    "u_matrix": "plots.u_matrix(_)",
}


def notebook() -> dict[str, object]:
    """Return the cells as a notebook."""
    cells = [
        {
            "cell_type": "code", "id": name, "source": source.strip(), "metadata": {},
            "outputs": [], "execution_count": None,
        }
        for name, source in CELLS.items()
    ]  # fmt: skip
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    return {
        "cells": cells, "metadata": {"kernelspec": kernel}, "nbformat": 4, "nbformat_minor": 5
    }  # fmt: skip


def execute(folder: Path) -> dict[str, object]:
    """Run the notebook, write it and its pages into a folder, and return it."""
    import nbformat
    from nbclient import NotebookClient
    from nbconvert import HTMLExporter

    book = nbformat.from_dict(notebook())
    NotebookClient(book, timeout=300).execute()
    nbformat.write(book, folder / "notebook.ipynb")
    for theme in ("light", "dark"):
        # Scripts of a foreign server are not needed to show outputs.
        page, _ = HTMLExporter(
            theme=theme, require_js_url="", mathjax_url=""
        ).from_notebook_node(book)
        (folder / f"{theme}.html").write_text(page)
    return json.loads((folder / "notebook.ipynb").read_text())


if __name__ == "__main__":
    execute(Path(sys.argv[1]))
