"""The linear batch-size rule."""

from __future__ import annotations

from neuropil.checks import number


def scale_lr(lr: float, batch_size: int, base_batch_size: int = 256) -> float:
    """Return the learning rate in proportion to the batch: ``lr · batch / base batch``.

    With a batch k times as large, an epoch has k times fewer steps, each along the mean
    gradient of k times more examples; a rate k times as large covers the same distance. The
    rule holds for batches of up to a few thousand images, with `warmup` at the start, and for
    plain gradient descent and momentum; adaptive optimisers need a smaller increase.

    Args:
        lr: A good rate for ``base_batch_size``.
        batch_size: Examples in a batch.
        base_batch_size: The batch that ``lr`` belongs to.

    Raises:
        ValueError: If a number is not above 0.

    Reference:
        Goyal et al., "Accurate, Large Minibatch SGD: Training ImageNet in 1 Hour", 2017.

    Example:
        >>> scale_lr(0.1, batch_size=1024)
        0.4
        >>> scale_lr(0.1, batch_size=32, base_batch_size=128)
        0.025
    """
    number(lr, "scale_lr: `lr`", "(0, inf)")
    number(batch_size, "scale_lr: `batch_size`", "[1, inf)")
    number(base_batch_size, "scale_lr: `base_batch_size`", "[1, inf)")
    return lr * (batch_size / base_batch_size)
