"""Three studies as plain data: of an ordinary size, too small to tell, and large and wild."""

import copy
from typing import Any

import numpy as np
from scipy.stats import norm

# name | title | group | gain, low, high, p | verdict | seconds, parameters, lr, published
TABLE = """
elu | ELU in place of ReLU | activation | 0.83 0.31 1.35 0.004 | helps | 3.3 72010 1 1.7
augment | Shifts and rotations of the training pictures | augmentation \
  | 1.42 0.95 1.89 0.0004 | helps | 4.9 72010 1 2.1
dropout | Dropout before the last layer | regularisation \
  | 0.61 0.12 1.10 0.021 | helps | 3.1 72010 1 none
sum_pooling | Sum of average and max pooling | pooling \
  | 0.22 -0.14 0.58 0.31 | cannot tell | 3.4 72010 1 1.3
linear_decay | Linear learning-rate decay | schedule \
  | 0.05 -0.21 0.31 0.62 | no difference | 3.1 72010 1 1.3
batch_half | Batches of 32, half the learning rate | batches \
  | -0.03 -0.44 0.38 0.88 | no difference | 5.2 72010 0.5 0.6
batch_double | Batches of 128, twice the learning rate | batches \
  | -0.36 -0.95 0.23 0.18 | cannot tell | 2.2 72010 2 none
colour | Learned colour space | input | 0.02 -0.40 0.44 0.9 | no difference | 3.6 72122 1 1.4
stride | Strided convolution for pooling | pooling \
  | -0.72 -1.22 -0.22 0.009 | hurts | 2.7 96650 1 -1.2
no_batch_norm | Without BatchNorm | normalisation \
  | -2.41 -3.02 -1.80 0.0001 | hurts | 2.4 71754 1 -3.6
weight_decay | Weight decay of 0.05 | regularisation \
  | 0.14 -0.28 0.56 0.44 | cannot tell | 3.1 72010 1 none
depthwise | Depthwise separable convolutions | convolution \
  | -1.15 -1.96 -0.34 0.011 | hurts | 3.0 14320 1 none
"""
DEVIATIONS = (-0.2, 0.1, 0.0, 0.2, -0.1)


def parsed(line: str) -> dict[str, Any]:
    """Return a change of the table as plain data."""
    name, title, group, gains, verdict, costs = (part.strip() for part in line.split("|"))
    gain, low, high, p = map(float, gains.split())
    seconds, parameters, lr, published = costs.split()
    return {
        "name": name, "title": title, "group": group, "gain": gain, "low": low, "high": high,
        "p": p, "verdict": verdict, "seeds": 5, "seconds": float(seconds),
        "parameters": int(parameters), "lr": float(lr),
        "figures": [round(97.1 + gain + deviation, 2) for deviation in DEVIATIONS],
        "failed": 0, "published": None if published == "none" else float(published),
    }  # fmt: skip


ORDINARY: dict[str, Any] = {
    "format": 1,
    "study": {
        "data": "digits",
        "task": "classification",
        "outcome": "accuracy",
        "unit": "points",
        "larger_is_better": True,
        "smallest": 0.5,
        "level": 0.95,
        "seeds": 5,
        "network": "resnet_small: Input(1, 8, 8) >> Convolution(32, 3, padding='same') >> …",
        "train": 1078,
        "validation": 360,
        "test": 359,
        "fingerprint": "9f2c41d07be3a855",
        "seconds": 512.3,
        "looks": [3, 4, 5],
    },
    "baseline": {
        "name": "baseline",
        "mean": 97.1,
        "deviation": 0.3,
        "figures": [97.0, 97.4, 96.8, 97.1, 97.2],
        "seconds": 3.1,
        "parameters": 72_010,
        "description": "adamw, lr 0.004, one_cycle, 20 epochs, batches of 64, no augmentation",
    },
    "variants": [parsed(line) for line in TABLE.strip().splitlines()],
    "left_out": [
        {
            "name": "batch_norm_before",
            "title": "BatchNorm before the activation",
            "reason": "the network has BatchNorm already",
        },
        {
            "name": "fine_tune_larger",
            "title": "Train small, then fine-tune larger",
            "reason": "the pictures have only 8 × 8 pixels",
        },
    ],
    "together": {
        "names": ["augment", "elu", "dropout"],
        "sum": 2.86,
        "gain": 1.93,
        "low": 1.37,
        "high": 2.49,
        "verdict": "helps",
        "seconds": 5.2,
        "seeds": 5,
    },
    "learning_curve": {
        "points": [
            {"examples": 135, "mean": 90.1, "low": 89.0, "high": 91.2},
            {"examples": 270, "mean": 93.8, "low": 93.1, "high": 94.5},
            {"examples": 539, "mean": 95.9, "low": 95.4, "high": 96.4},
            {"examples": 1078, "mean": 97.1, "low": 96.8, "high": 97.4},
        ],
        "twice": {"gain": 0.71, "low": 0.34, "high": 1.08},
    },
    "label_noise": {
        "points": [
            {"noise": 0.0, "mean": 97.1, "low": 96.8, "high": 97.4, "as_examples": 1078},
            {"noise": 0.05, "mean": 96.6, "low": 96.2, "high": 97.0, "as_examples": 800},
            {"noise": 0.1, "mean": 95.6, "low": 95.0, "high": 96.2, "as_examples": 490},
            {"noise": 0.2, "mean": 93.0, "low": 92.1, "high": 93.9, "as_examples": 230},
        ]
    },
    "recommendation": [
        "Use shifts and rotations, ELU and dropout: together +1.9 points (1.4 to 2.5).",
        "Keep BatchNorm and max pooling: without them accuracy falls.",
        "The sum of poolings, weight decay and batches of 128 need more seeds.",
    ],
}


def ordinary() -> dict[str, Any]:
    """Return a study of twelve changes with all parts."""
    return copy.deepcopy(ORDINARY)


def undecided() -> dict[str, Any]:
    """Return a study of a log loss with three changes, none of which can be told yet."""
    found = ordinary()
    found["study"] |= {
        "data": "wine.csv", "outcome": "log_loss", "unit": "", "larger_is_better": False,
        "smallest": 0.02, "seeds": 2, "train": 107, "validation": 35, "test": 36,
        "seconds": 41.8, "looks": [2], "network": "Relu(32) >> Softmax(3)",
    }  # fmt: skip
    found["baseline"] |= {
        "mean": 0.0834, "deviation": None, "figures": [0.0811, 0.0857], "seconds": 0.6,
        "parameters": 547, "description": "adamw, lr 0.004, 50 epochs, batches of 32",
    }  # fmt: skip
    rows = [("elu", 0.011, -0.021, 0.043, 0.6), ("dropout", -0.004, -0.071, 0.063, 0.6)]
    found["variants"] = [
        variant | {
            "gain": gain, "low": low, "high": high, "p": None, "verdict": "cannot tell",
            "seeds": 2, "seconds": seconds, "parameters": 547, "lr": 1.0, "published": None,
            "figures": [0.0834 - gain] * 2,
        }
        for name, gain, low, high, seconds in rows
        for variant in found["variants"] if variant["name"] == name
    ]  # fmt: skip
    found["variants"].append(
        found["variants"][0] | {
            "name": "linear_decay", "title": "Linear learning-rate decay", "group": "schedule",
            "gain": 0.007, "low": None, "high": None, "seeds": 1, "failed": 1,
            "figures": [0.0764],
        }
    )  # fmt: skip
    found |= {"left_out": [], "together": None, "learning_curve": None, "label_noise": None}
    found["recommendation"] = ["Keep the baseline: with two seeds no change can be told yet."]
    return found


def wild() -> dict[str, Any]:
    """Return a study of forty changes with extreme, failed and long-named ones."""
    found = ordinary()
    random = np.random.default_rng(0)
    groups = sorted({variant["group"] for variant in found["variants"]})
    found["variants"] = [invented(number, groups, random) for number in range(40)]
    unknown = {"gain": None, "low": None, "high": None, "p": None, "verdict": "cannot tell"}
    changed = {
        3: {"gain": -61.2, "low": -63.9, "high": -58.5, "p": 0.0001, "verdict": "hurts"},
        4: {"gain": -7.5, "low": -41.0, "high": 26.0, "p": 0.66, "verdict": "cannot tell"},
        5: unknown | {"failed": 5, "seeds": 0, "seconds": None, "figures": []},
        6: {"title": "A change with a title that is far longer than any other " + "w" * 40},
        7: {"gain": 13.4, "low": 11.1, "high": 15.7, "p": 0.0, "verdict": "helps"},
    }
    for number, values in changed.items():
        found["variants"][number] |= values
    found["variants"][4] |= {"failed": 3, "seeds": 2}
    found["variants"][7] |= {"lr": 0.25, "published": 4.4}
    found["study"] |= {"data": "/data/forty kinds of birds", "seconds": 80_212.0}
    found["study"] |= {"train": 48_211, "test": 6_026, "validation": 6_026}
    found["baseline"] |= {"seconds": 431.0, "parameters": 11_000_000, "mean": 70.4}
    found["together"] |= {"names": ["change_7", "change_17"], "sum": 15.5, "seconds": 512.0}
    found["together"] |= {"gain": 12.2, "low": 9.8, "high": 14.6}
    found["label_noise"] = None
    found["learning_curve"]["twice"] = {"gain": 4.2, "low": 1.1, "high": 7.3}
    return found


def invented(number: int, groups: list[str], random: np.random.Generator) -> dict[str, Any]:
    """Return a change with random figures."""
    gain, half = random.normal(0, 1.2), random.uniform(0.3, 1.6)
    verdict = "cannot tell" if abs(gain) < half else "helps" if gain > 0 else "hurts"
    return {
        "name": f"change_{number}", "group": groups[number % len(groups)],
        "title": f"Change {number} of the {groups[number % len(groups)]}",
        "gain": round(gain, 3), "low": round(gain - half, 3), "high": round(gain + half, 3),
        "p": round(2 * norm.sf(1.96 * abs(gain) / half), 6), "verdict": verdict, "seeds": 5,
        "seconds": round(random.uniform(200, 900), 1), "parameters": 11_000_000 + number,
        "lr": 1.0, "figures": [round(70.4 + gain, 2)] * 5, "failed": 0,
        "published": round(gain + random.normal(), 1) if number % 3 else None,
    }  # fmt: skip


STUDIES = {"ordinary": ordinary, "undecided": undecided, "wild": wild}
