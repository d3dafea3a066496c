"""Learn the dynamics of a swinging arm while it swings: CMAC, one measurement at a time.

Albus made CMAC for such tasks: the table learns the arm's acceleration from angle, speed and
torque, and is asked before each correction. Run it with ``python examples/cmac.py``.
"""

import numpy as np

from neuropil.classic import CMAC

STEP = 0.02


def main(seconds: int = 600, seed: int = 0) -> list[float]:
    """Print how far predictions are off in each tenth of the time; return the errors."""
    states, accelerations = swing(seconds, seed)
    model = CMAC(width=16, n_levels=128, lr=0.5)
    # The first rows settle levels and mean: take the whole range of the machine for them.
    model.partial_fit([[-np.pi, -8, -2], [np.pi, 8, 2]], [0.0, 0.0])
    errors = []
    spread = accelerations.std()
    tenths = zip(np.array_split(states, 10), np.array_split(accelerations, 10), strict=True)
    for number, (X, y) in enumerate(tenths, 1):
        off = []
        for rows, targets in zip(np.array_split(X, 50), np.array_split(y, 50), strict=True):
            off.append(np.abs(model.predict(rows) - targets))
            model.partial_fit(rows, targets)
        errors.append(float(np.concatenate(off).mean() / spread))
        print(f"{number * seconds // 10:5} s   error {errors[-1]:6.1%} of the spread")
    print(f"{len(model.weights_)} cells")
    return errors


def swing(seconds: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Return angle, speed, torque, and the acceleration of a damped pendulum at each step."""
    rng = np.random.default_rng(seed)
    angle, speed, torque = 0.5, 0.0, 0.0
    states, accelerations = [], []
    for step in range(int(seconds / STEP)):
        if step % 25 == 0:
            torque = rng.uniform(-2, 2)
        acceleration = -9.81 * np.sin(angle) - 0.3 * speed + 3.0 * torque
        states.append((angle, speed, torque))
        accelerations.append(acceleration)
        speed = float(np.clip(speed + STEP * acceleration, -8, 8))
        angle = (angle + STEP * speed + np.pi) % (2 * np.pi) - np.pi
    return np.array(states), np.array(accelerations)


if __name__ == "__main__":
    main()
