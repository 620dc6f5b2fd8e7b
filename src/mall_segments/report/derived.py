"""Datasets of charts that are drawn from the marts by some arithmetic of places, not of figures."""

from __future__ import annotations

from mall_segments.report.contents import Contents, Row
from mall_segments.settings import PROFILE_FEATURES

ALGORITHM_NAMES = {
    "k_means": "K-Means",
    "ward": "Ward",
    "dbscan": "DBSCAN",
    "hdbscan": "HDBSCAN",
    "gaussian_mixture": "Gaussian mixture",
    "self_organising_map": "Self-organising map",
}


def centres(contents: Contents) -> list[Row]:
    """Return the middle of every segment: the centroid, or the mean of a feature without one."""
    centroids = {row["segment_key"]: row for row in contents["centroids"]}
    rows = []
    for profile in contents["profiles"]:
        key = profile["segment_key"]
        means = {feature: profile[f"{feature}_mean"] for feature in PROFILE_FEATURES}
        rows.append({"segment_key": key, **means, **centroids.get(key, {})})
    return rows


def silhouette_bars(contents: Contents) -> list[Row]:
    """Return the silhouettes with the place of each bar, from top to bottom."""
    return [{**row, "bar": bar} for bar, row in enumerate(contents["silhouettes"])]


def agreement(contents: Contents) -> list[Row]:
    """Return the customers of every cluster per segment, with the name of its row and shares.

    K-Means is left out: its clusters are the segments.
    """
    rows = [row for row in contents["agreement"] if row["algorithm"] != "k_means"]
    sizes: dict[tuple[str, int | None], int] = {}
    for row in rows:
        cluster = row["algorithm"], row["cluster"]
        sizes[cluster] = sizes.get(cluster, 0) + row["customers"]
    return [
        {
            **row,
            "row": _cluster_name(row["algorithm"], row["cluster"]),
            "share": row["customers"] / sizes[row["algorithm"], row["cluster"]],
        }
        for row in rows
    ]


def tree_lines(contents: Contents) -> list[Row]:
    """Return the corners of the line from every node of Ward's tree to its parent."""
    nodes = {row["node"]: row for row in contents["cluster_tree"]}
    lines = []
    for node in nodes.values():
        if node["parent_node"] is None:
            continue
        parent = nodes[node["parent_node"]]
        corners = [
            (node["position"], node["height"]),
            (node["position"], parent["height"]),
            (parent["position"], parent["height"]),
        ]
        lines += [
            {"node": node["node"], "step": step, "x": x, "y": y, "segment_key": node["segment_key"]}
            for step, (x, y) in enumerate(corners)
        ]
    return lines


def tree_leaves(contents: Contents) -> list[Row]:
    """Return the nodes of Ward's tree that have no children in it."""
    parents = {row["parent_node"] for row in contents["cluster_tree"]}
    return [
        {
            "x": row["position"],
            "y": row["height"],
            "customers": row["customers"],
            "segment_key": row["segment_key"],
        }
        for row in contents["cluster_tree"]
        if row["node"] not in parents
    ]


DERIVED = {
    "centres": centres,
    "silhouette_bars": silhouette_bars,
    "agreement": agreement,
    "tree_lines": tree_lines,
    "tree_leaves": tree_leaves,
}


def with_derived(contents: Contents) -> dict[str, list[Row]]:
    """Return every dataset that a chart may name."""
    return {**contents.datasets, **{name: derive(contents) for name, derive in DERIVED.items()}}


def _cluster_name(algorithm: str, cluster: int | None) -> str:
    name = ALGORITHM_NAMES.get(algorithm, algorithm)
    return f"{name}, noise" if cluster is None else f"{name} {cluster}"
