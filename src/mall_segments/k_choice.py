"""Which k, and why: the elbow, and the rule behind `k: auto`.

The rule: among the k >= 2 whose every segment is stable under the bootstrap (weakest mean Jaccard
of 0.75 or more, Hennig 2007), take the highest silhouette; where no k is stable, take the highest
silhouette of all and say so. Stability asks whether the segments would come back with other
customers, the silhouette whether they are apart; WCSS, elbow, gap and the other criteria are shown
beside them, because on real data they rarely agree.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from mall_segments.stability import STABLE_JACCARD


@dataclass(frozen=True)
class Criteria:
    """Every criterion of one k; None where a criterion is undefined.

    `stability_jaccard` is the mean over the segments, `weakest_segment_jaccard` their minimum.
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


def choose_k(panel: Sequence[Criteria]) -> int:
    """Return the k that the rule of this module picks from a panel of k = 1, 2, ..."""
    several = [row for row in panel if row.silhouette is not None]
    stable = [row for row in several if row.is_stable]
    candidates = stable or several
    if not candidates:
        return panel[0].k
    return max(candidates, key=lambda row: (row.silhouette or 0.0, -row.k)).k


def explain_choice(
    panel: Sequence[Criteria], chosen: int, forced: bool, gap_k: int | None
) -> dict[int, str]:
    """Return for each k of the segmentation's own feature set why it was chosen, or why not."""
    by_k = {row.k: row for row in panel}
    context = _context(panel, gap_k)
    reasons = {row.k: _reason_against(row, by_k[chosen], forced) for row in panel}
    if forced:
        rule = f"k = {chosen} was set by the variable k; the rule would choose {choose_k(panel)}."
    else:
        rule = _reason_for(panel, by_k[chosen])
    reasons[chosen] = f"{rule} {context}"
    return reasons


def explain_comparison(panel: Sequence[Criteria], gap_k: int | None) -> str:
    """Return the reason shown for a feature set that is compared but not segmented by."""
    return f"Compared only. The rule would choose {choose_k(panel)} here. {_context(panel, gap_k)}"


def _reason_for(panel: Sequence[Criteria], row: Criteria) -> str:
    if row.silhouette is None:
        return "Only one segment can be told apart."
    stable = [str(other.k) for other in panel if other.silhouette is not None and other.is_stable]
    if not stable:
        return (
            f"No k has only stable segments (weakest Jaccard >= {STABLE_JACCARD}); this is the "
            f"highest silhouette, {row.silhouette:.3f}. Treat the segments with caution."
        )
    return (
        f"Highest silhouette ({row.silhouette:.3f}) among the k whose every segment is stable "
        f"(weakest bootstrap Jaccard >= {STABLE_JACCARD}): {', '.join(stable)}."
    )


def _reason_against(row: Criteria, chosen: Criteria, forced: bool) -> str:
    if forced:
        return f"Not chosen: the variable k is {chosen.k}."
    if row.silhouette is None or chosen.silhouette is None:
        return "Not chosen: one segment has no silhouette."
    if not row.is_stable and chosen.is_stable:
        return (
            f"Not chosen: the weakest segment is not stable "
            f"(Jaccard {row.weakest_segment_jaccard:.2f} < {STABLE_JACCARD})."
        )
    return (
        f"Not chosen: silhouette {row.silhouette:.3f} is not above "
        f"{chosen.silhouette:.3f} at k = {chosen.k}."
    )


def _context(panel: Sequence[Criteria], gap_k: int | None) -> str:
    bend = elbow([row.wcss for row in panel])
    elbow_text = f"the elbow is at {bend}" if bend else "there is no elbow"
    gap_text = f"the gap statistic prefers {gap_k}" if gap_k else "the gap statistic prefers none"
    return f"For comparison, {elbow_text} and {gap_text}."
