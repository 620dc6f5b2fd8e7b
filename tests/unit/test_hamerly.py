import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from sklearn.cluster import KMeans

from mall_segments import hamerly
from mall_segments.hamerly import converge
from mall_segments.lloyd import lloyd
from mall_segments.weighted_points import WeightedPoints


@settings(max_examples=120)
@given(
    seed=st.integers(0, 2**32 - 1),
    size=st.integers(2, 300),
    features=st.integers(1, 4),
    k=st.integers(1, 8),
    blocks=st.sampled_from([0, 8, 64]),
)
@example(seed=268_435_457, size=2, features=1, k=1, blocks=8)  # both on one place
@example(seed=7378, size=42, features=1, k=5, blocks=0)  # a point between two of the start
def test_it_ends_where_lloyd_ends_from_the_same_start(seed, size, features, k, blocks):
    generator = np.random.default_rng(seed)
    points = WeightedPoints.from_rows(generator.normal(size=(size, features)).round(2))
    k = min(k, len(points))
    # A point as near to two centroids is a matter of rounding, so none is.
    apart = points.coordinates + generator.normal(scale=1e-4, size=points.coordinates.shape)
    points = WeightedPoints(apart, generator.integers(1, 9, len(points)).astype(float))
    start = points.coordinates[generator.choice(len(points), k, replace=False)]
    found = converge(points, start, points.in_blocks(blocks) if blocks else None)
    plain = lloyd(points.coordinates, points.weights, start[None])
    assert found.labels.tolist() == plain.labels[0].tolist()
    assert found.wcss == pytest.approx(plain.wcss[0], rel=1e-9, abs=1e-9)


@pytest.mark.parametrize("blocks", [0, 4_000])
def test_many_points_end_as_in_scikit_learn(generator, blocks):
    centres = generator.normal(scale=3, size=(6, 3))
    rows = (centres[generator.integers(0, 6, 120_000)] + generator.normal(size=(120_000, 3))).round(
        1
    )
    points = WeightedPoints.from_rows(rows)
    start = points.coordinates[generator.choice(len(points), 6, replace=False)]
    found = converge(points, start, points.in_blocks(blocks) if blocks else None)
    other = KMeans(6, init=start, n_init=1, tol=0.0, max_iter=1000).fit(
        points.coordinates, sample_weight=points.weights
    )
    assert found.wcss == pytest.approx(other.inertia_, rel=1e-9)
    assert (found.labels == other.labels_).all()


def test_only_points_of_blocks_near_a_border_are_looked_at(generator, monkeypatch):
    rows = np.concatenate([generator.normal(centre, size=(20_000, 2)) for centre in (-4, 4)])
    points = WeightedPoints.from_rows(rows.round(2))
    looked_at = []
    rounds = hamerly._rounds

    def counted(points, *arguments):
        looked_at.append(len(points))
        return rounds(points, *arguments)

    monkeypatch.setattr(hamerly, "_rounds", counted)
    converge(points, np.array([[-3.0, -4.0], [4.0, 3.0]]), points.in_blocks(2_000))
    assert len(looked_at) > 1, "the centroids moved too far for one choice of blocks"
    assert max(looked_at) < 0.1 * len(points)


def test_every_point_sits_with_its_nearest_centroid_and_those_are_means(blobs):
    points = WeightedPoints.from_rows(blobs)
    found = converge(points, points.coordinates[:3])
    squared = ((points.coordinates[:, None] - found.centroids) ** 2).sum(axis=2)
    assert (found.labels == squared.argmin(axis=1)).all()
    for cluster in range(3):
        mean = points.coordinates[found.labels == cluster].mean(axis=0)
        assert found.centroids[cluster] == pytest.approx(mean)


def test_a_cluster_that_nobody_is_in_stays_where_it_was():
    points = WeightedPoints(np.array([[0.0], [1.0]]), np.ones(2))
    found = converge(points, np.array([[0.4], [50.0]]))
    assert found.centroids.ravel().tolist() == [0.5, 50.0]
    assert found.labels.tolist() == [0, 0]
