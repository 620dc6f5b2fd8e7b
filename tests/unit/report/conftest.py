import pytest

from mall_segments.report.contents import QUERIES, Contents

BUILD = "build-2"


def profile(key, customers, **changes):
    features = ("age", "annual_income_k_usd", "spending_score")
    figures = {f"{name}_{what}": 50.0 for name in features for what in ("mean", "index")}
    row = {
        "segment_key": key,
        "segment_name": f"Name of {key}",
        "value_tier": "high",
        "recommended_action": "Call them.",
        "customers": customers,
        "customer_share": customers / 100,
        "female_share": None,
    }
    return row | figures | changes


def trusted(key, jaccard, verdict):
    return {"segment_key": key, "jaccard_mean": jaccard, "verdict": verdict} | {
        "jaccard_low": jaccard,
        "jaccard_high": jaccard,
        "uncertain_customers": 0,
    }


@pytest.fixture
def contents():
    """Two segments in their first build; other datasets are given by name."""

    def make(**datasets):
        quality = {
            "build_id": BUILD,
            "segmented_at": "2026-01-02 03:04:05",
            "feature_set": "annual_income_k_usd, spending_score",
            "k": 2,
            "customers": 100,
            "silhouette": 0.6,
            "search_verdict": "7 of 10 local searches end in this partition.",
            "proven_wcss_gap": None,
            "mall_segments_version": "0.1.0",
        }
        rejected = {"rule": "rejected_rows", "rows_checked": 100, "rows_failed": 0} | {
            "failed_share": 0.0,
            "threshold": 0.25,
            "verdict": "pass",
        }
        usual = {
            "quality": [quality | datasets.pop("quality", {})],
            "profiles": [profile("S1", 40), profile("S2", 60)],
            "trust": [trusted("S1", 0.9, "stable"), trusted("S2", 0.8, "stable")],
            "data_quality": [rejected],
        }
        return Contents({name: [] for name in QUERIES} | usual | datasets)

    return make
