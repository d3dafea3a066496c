"""The section on the agreement of the gains with those published for ImageNet."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from neuropil.report.page import Section
from neuropil.report.study.gain_text import whole_percent
from neuropil.report.study.published_agreement import FEWEST, published_agreement
from neuropil.study.gain_digits import is_known
from neuropil.study.recommendation import mostly_diverged
from neuropil.text import number_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from neuropil.report.study.published_agreement import Agreement


def published_section(found: Mapping[str, Any]) -> Section | None:
    """Return how far the published gains predict those here; None if there are none."""
    pairs = [
        (variant["gain"], variant["published"])
        for variant in found["variants"]
        if variant.get("published") is not None
        and is_known(variant["gain"])
        and not mostly_diverged(variant)
    ]
    if not pairs:
        return None
    level = found["study"]["level"]
    agreement = published_agreement(*zip(*pairs, strict=True), level=level)
    return Section("study_published", finding=finding(agreement, len(pairs), level))


def finding(agreement: Agreement | None, pairs: int, level: float) -> str:
    """Return the correlation in words."""
    if agreement is None:
        have = "has" if pairs == 1 else "have"
        return (
            f"{number_of(pairs, 'change')} with a gain here {have} a published one. For a rank "
            f"correlation at least {FEWEST} are needed, and not all equal."
        )
    tau, low, high = (
        f"{value + 0.0:.2f}".replace("-", "−")
        for value in (agreement.tau, agreement.low, agreement.high)
    )
    words = (
        f"Over {number_of(pairs, 'change')} the gains here and the published gains have a rank "
        f"correlation (Kendall’s τ) of {tau}, with a {whole_percent(level)} interval from "
        f"{low} to {high}. "
    )
    if agreement.low > 0:
        return f"{words}What gained more on ImageNet tends to gain more on this data."
    if agreement.high < 0:
        return f"{words}What gained more on ImageNet tends to gain less on this data."
    return (
        f"{words}The interval contains 0: the study does not show that the published gains "
        "predict the order on this data."
    )
