"""Which k, and why: the elbow, and the rule behind `k: auto`.

The rule: among the k >= 2 whose smallest segment is large enough and whose every segment is stable
under the bootstrap (weakest mean Jaccard of 0.75 or more, Hennig 2007), take the highest silhouette;
where no k is stable, take the highest silhouette of all and say so. Size asks whether a segment is
more than a few unusual customers, stability whether the segments would come back with other
customers, the silhouette whether they are apart; WCSS, elbow, gap and the other criteria are shown
beside them, because on real data they rarely agree.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from mall_segments.stability import STABLE_JACCARD

# Default of min_segment_share.
SMALLEST_SHARE = 0.02


@dataclass(frozen=True)
class Criteria:
    """Every criterion of one k; None where a criterion is undefined.

    `stability_jaccard` is the mean over the segments, `weakest_segment_jaccard` their minimum, and
    `smallest_segment_share` the share of the customers in the smallest.
    """

    k: int
    wcss: float
    silhouette: float | None
    silhouette_standard_error: float | None
    calinski_harabasz: float | None
    davies_bouldin: float | None
    gap: float | None
    gap_standard_error: float | None
    stability_jaccard: float
    weakest_segment_jaccard: float
    restarts: int
    restarts_at_best: int
    runner_up_wcss: float | None = None
    runner_up_customers: float | None = None
    smallest_segment_share: float = 1.0

    @property
    def is_stable(self) -> bool:
        """Whether every segment reaches Hennig's threshold."""
        return self.weakest_segment_jaccard >= STABLE_JACCARD


def elbow(wcss_by_k: Sequence[float]) -> int | None:
    """Return the k at which the curve of WCSS bends most, or None for fewer than three values.

    Parameters
    ----------
    wcss_by_k : sequence of float
        Objective at k = 1, 2, and so on.

    Notes
    -----
    Kneedle for a convex falling curve: both axes are scaled to 0..1 and the elbow lies furthest
    below the line that joins the ends.
    Source: Satopaa, Albrecht, Irwin and Raghavan (2011), Finding a "kneedle" in a haystack.

    Examples
    --------
    >>> elbow([100, 40, 10, 8, 7, 6])
    3
    """
    curve = np.asarray(wcss_by_k, dtype=float)
    if len(curve) < 3 or curve[0] <= curve[-1]:
        return None
    position = np.linspace(0, 1, len(curve))
    height = (curve - curve[-1]) / (curve[0] - curve[-1])
    return int((1 - position - height).argmax()) + 1


def choose_k(panel: Sequence[Criteria], smallest_share: float = SMALLEST_SHARE) -> int:
    """Return the k that the rule of this module picks from a panel of k = 1, 2, ...

    Parameters
    ----------
    panel : sequence of Criteria
    smallest_share : float
        Share of the customers that the smallest segment must have, while some k is like that.
    """
    eligible = _eligible(panel, smallest_share)
    stable = [row for row in eligible if row.is_stable]
    candidates = stable or eligible
    if not candidates:
        return panel[0].k
    return max(candidates, key=lambda row: (row.silhouette or 0.0, -row.k)).k


def _eligible(panel: Sequence[Criteria], smallest_share: float) -> list[Criteria]:
    """Return the rows of several segments, those with segments that are large enough if any."""
    several = [row for row in panel if row.silhouette is not None]
    large = [row for row in several if row.smallest_segment_share >= smallest_share]
    return large or several


def explain_choice(
    panel: Sequence[Criteria],
    chosen: int,
    forced: bool,
    gap_k: int | None,
    smallest_share: float = SMALLEST_SHARE,
) -> dict[int, str]:
    """Return for each k of the segmentation's own feature set why it was chosen, or why not."""
    by_k = {row.k: row for row in panel}
    context = _context(panel, gap_k)
    reasons = {row.k: _reason_against(row, by_k[chosen], forced, smallest_share) for row in panel}
    if forced:
        choice = choose_k(panel, smallest_share)
        rule = f"k = {chosen} was set by the variable k; the rule would choose {choice}."
    else:
        rule = _reason_for(panel, by_k[chosen], smallest_share)
    reasons[chosen] = f"{rule} {context}"
    return reasons


def explain_comparison(
    panel: Sequence[Criteria], gap_k: int | None, smallest_share: float = SMALLEST_SHARE
) -> str:
    """Return the reason shown for a feature set that is compared but not segmented by."""
    choice = choose_k(panel, smallest_share)
    return f"Compared only. The rule would choose {choice} here. {_context(panel, gap_k)}"


def _reason_for(panel: Sequence[Criteria], row: Criteria, smallest_share: float) -> str:
    if row.silhouette is None:
        return "Only one segment can be told apart."
    stable = [str(other.k) for other in _eligible(panel, smallest_share) if other.is_stable]
    if not stable:
        reason = (
            f"No k has only stable segments (weakest Jaccard >= {STABLE_JACCARD}); this is the "
            f"highest silhouette, {row.silhouette:.3f}. Treat the segments with caution."
        )
    else:
        reason = (
            f"Highest silhouette ({row.silhouette:.3f}) among the k whose every segment is stable "
            f"(weakest bootstrap Jaccard >= {STABLE_JACCARD}): {', '.join(stable)}."
        )
    if row.smallest_segment_share < smallest_share:
        reason += f" Every k has a segment below {_percent(smallest_share)} of the customers."
    return reason


def _reason_against(row: Criteria, chosen: Criteria, forced: bool, smallest_share: float) -> str:
    if forced:
        return f"Not chosen: the variable k is {chosen.k}."
    if row.silhouette is None or chosen.silhouette is None:
        return "Not chosen: one segment has no silhouette."
    if row.smallest_segment_share < smallest_share <= chosen.smallest_segment_share:
        return (
            f"Not chosen: the smallest segment has {_percent(row.smallest_segment_share)} of the "
            f"customers, fewer than {_percent(smallest_share)} (min_segment_share)."
        )
    if not row.is_stable and chosen.is_stable:
        return (
            f"Not chosen: the weakest segment is not stable "
            f"(Jaccard {row.weakest_segment_jaccard:.2f} < {STABLE_JACCARD})."
        )
    return (
        f"Not chosen: silhouette {row.silhouette:.3f} is not above "
        f"{chosen.silhouette:.3f} at k = {chosen.k}."
    )


def _percent(share: float) -> str:
    return f"{share:.1%}".replace(".0%", "%").replace("%", " %")


def _context(panel: Sequence[Criteria], gap_k: int | None) -> str:
    bend = elbow([row.wcss for row in panel])
    elbow_text = f"the elbow is at {bend}" if bend else "there is no elbow"
    gap_text = f"the gap statistic prefers {gap_k}" if gap_k else "the gap statistic prefers none"
    return f"For comparison, {elbow_text} and {gap_text}."
