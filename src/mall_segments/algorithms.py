"""Other algorithms on the customers that K-Means segments, each by a well-kept library.

K-Means is one opinion on where the groups are. Ward's hierarchy, two density methods, a mixture
model and an unsupervised neural network are others, each with parameters from a rule that was
published or follows from the number of customers and features, none tuned to a data set.
"""

from __future__ import annotations

import math
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import version

import numpy as np

from mall_segments.kmeans import MAX_ITERATIONS, fit_kmeans
from mall_segments.libraries import load_libraries
from mall_segments.lloyd import Floats, Integers, nearest_centroid
from mall_segments.weighted_points import WeightedPoints

ALGORITHMS = ("k_means", "ward", "dbscan", "hdbscan", "gaussian_mixture", "self_organising_map")
# The cluster of customers that an algorithm leaves out.
NOISE = 0
# Sander et al. (1998): twice the number of features; Ester et al. (1996): 4 in two dimensions.
MIN_SAMPLES_PER_FEATURE = 2
FEWEST_MIN_SAMPLES = 4
# scikit-learn's default for HDBSCAN.
# Share of the customers below which a group is no segment, the default of the gate of a refit.
SMALLEST_SHARE = 0.02
SMALLEST_MIN_CLUSTER_SIZE = 5
MIXTURE_STARTS = 10
# Fixed, so that no setting shows in what the algorithms find.
RANDOM_STATE = 0
# Vesanto and Alhoniemi (2000): 5 times the square root of the number of customers.
UNITS_PER_ROOT = 5
# Vesanto et al. (2000), SOM Toolbox: 10 x units / customers rough and 40 x fine epochs.
EPOCHS_PER_UNIT = 50
FEWEST_EPOCHS = 10

Parameters = dict[str, object]
Labelled = tuple[Integers, Parameters]


@dataclass(frozen=True)
class Clustering:
    """What one algorithm makes of the customers.

    Attributes
    ----------
    algorithm : str, one of ALGORITHMS
    library : str, with its version
    parameters : dict, by the library's own names
    clusters : (n,) array, 1 for the largest cluster, NOISE for customers that are left out
    seconds : float or None, wall time of the fit on one thread; None if there was none
    """

    algorithm: str
    library: str
    parameters: Parameters
    clusters: Integers
    seconds: float | None


def compare_algorithms(rows: Floats, segments: Integers, k: int) -> list[Clustering]:
    """Return the clustering of each of ALGORITHMS.

    Parameters
    ----------
    rows : (n, d) array
        Scaled features, one row per customer, ordered by customer.
    segments : (n,) array of integers
        Segment of each customer, the result of K-Means.
    k : int
        Number of segments that serve, for the algorithms that must be told.

    Returns
    -------
    list of Clustering
        Without a fit (`seconds` is None, everybody NOISE) where the customers have fewer than k
        distinct vectors, or fewer than two. `k_means` is `segments` in any case.

    Notes
    -----
    The seconds of `k_means` are those of the whole search of `fit_kmeans` on the same customers;
    the segments come from it, or from a stored model.

    Examples
    --------
    >>> rows = np.array([[0.0], [0.1], [0.2], [9.0], [9.1], [9.1]])
    >>> for one in compare_algorithms(rows, np.array([0, 0, 0, 1, 1, 1]), k=2)[:2]:
    ...     print(one.algorithm, one.clusters.tolist())
    k_means [1, 1, 1, 2, 2, 2]
    ward [1, 1, 1, 2, 2, 2]
    """
    # A requirement of scikit-learn.
    from threadpoolctl import threadpool_limits

    points = WeightedPoints.from_rows(rows)
    fits: dict[str, Callable[[], Labelled]] = {
        "k_means": lambda: (segments, _k_means(points, k)),
        "ward": lambda: ward(rows, k),
        "dbscan": lambda: dbscan(rows),
        "hdbscan": lambda: hdbscan(rows, SMALLEST_SHARE),
        "gaussian_mixture": lambda: gaussian_mixture(rows, k),
        "self_organising_map": lambda: self_organising_map(rows, k),
    }
    # Before the fits, so that none is charged for it.
    load_libraries()
    can_fit = len(points) >= max(k, 2)
    # One thread: the sums of several differ in their last digits, and for small matrices the
    # threads only wait for each other.
    with threadpool_limits(1):
        return [
            _clustering(algorithm, fit if can_fit else None, segments)
            for algorithm, fit in fits.items()
        ]


def number_by_size(labels: Integers) -> Integers:
    """Return clusters numbered from 1 for the largest, negative labels as NOISE.

    Of clusters with equal size the one with the earlier first row comes first.

    Examples
    --------
    >>> number_by_size(np.array([7, -1, 3, 3, 5])).tolist()
    [2, 0, 1, 1, 3]
    """
    clustered = labels >= 0
    _, first, index, size = np.unique(
        labels[clustered], return_index=True, return_inverse=True, return_counts=True
    )
    rank = np.empty(len(size), dtype=np.intp)
    rank[np.lexsort((first, -size))] = np.arange(1, len(size) + 1)
    numbers = np.full(len(labels), NOISE, dtype=np.intp)
    numbers[clustered] = rank[index.ravel()]
    return numbers


def ward(rows: Floats, k: int) -> Labelled:
    """Merge customers and groups by the least growth of the within-cluster sum of squares.

    Parameters
    ----------
    rows : (n, d) array of scaled features
    k : int
        Groups to stop at, at most n.

    Returns
    -------
    labels : (n,) array
    parameters : dict

    Notes
    -----
    Source: Ward (1963), Hierarchical grouping to optimize an objective function.

    Examples
    --------
    >>> ward(np.array([[0.0], [0.2], [5.0]]), 2)[0].tolist()
    [0, 0, 1]
    """
    from sklearn.cluster import AgglomerativeClustering

    parameters: Parameters = {"n_clusters": k, "linkage": "ward"}
    return AgglomerativeClustering(**parameters).fit_predict(rows), parameters


def dbscan(rows: Floats) -> Labelled:
    """Join customers that have `min_samples` neighbours within `eps`, and leave out the rest.

    Parameters
    ----------
    rows : (n, d) array of scaled features

    Returns
    -------
    labels : (n,) array, -1 for noise
    parameters : dict
        `min_samples` is twice the number of features, at least 4; `eps` is the knee of the sorted
        distances to the `min_samples`-th neighbour, where the customer counts as the first (see
        `knee`).

    Notes
    -----
    Sources: Ester et al. (1996), A density-based algorithm for discovering clusters; Sander et al.
    (1998), Density-based clustering in spatial databases.

    Examples
    --------
    >>> dbscan(np.array([[0.0], [0.1], [0.2], [0.3], [9.0]]))[0].tolist()
    [0, 0, 0, 0, -1]
    """
    from sklearn.cluster import DBSCAN
    from sklearn.neighbors import NearestNeighbors

    min_samples = _min_samples(rows)
    neighbours = NearestNeighbors(n_neighbors=min_samples).fit(rows)
    reach = np.sort(neighbours.kneighbors(rows)[0][:, -1])
    positive = reach[reach > 0]
    smallest = positive[0] if len(positive) else np.finfo(float).tiny
    eps = float(max(reach[knee(reach)], smallest))
    labels = DBSCAN(eps=eps, min_samples=min_samples).fit_predict(rows)
    return labels, {"eps": eps, "min_samples": min_samples}


def knee(curve: Floats) -> int:
    """Return where a rising convex curve bends most, farthest below the chord of its ends.

    Parameters
    ----------
    curve : (n,) array, sorted

    Notes
    -----
    Source: Satopää et al. (2011), Finding a "kneedle" in a haystack, without its smoothing.

    Examples
    --------
    >>> knee(np.array([0.0, 0.1, 0.2, 0.3, 2.0, 4.0]))
    3
    """
    rise = curve[-1] - curve[0]
    if not rise > 0:
        return 0
    return int((np.linspace(0, 1, len(curve)) - (curve - curve[0]) / rise).argmax())


def hdbscan(rows: Floats, smallest_share: float) -> Labelled:
    """Join customers at every density, and keep the groups that last longest.

    Parameters
    ----------
    rows : (n, d) array of scaled features
    smallest_share : float
        Share of the customers below which a group does not count.

    Returns
    -------
    labels : (n,) array, -1 for noise
    parameters : dict
        `min_cluster_size` is that share of the customers, at least scikit-learn's default of 5;
        `min_samples` is that of `dbscan`, so that both mean the same by density.

    Notes
    -----
    Source: Campello, Moulavi and Sander (2013), Density-based clustering based on hierarchical
    density estimates.

    Examples
    --------
    >>> rows = np.repeat([[0.0], [9.0]], 6, axis=0) + np.tile(np.linspace(0, 1, 6), 2)[:, None]
    >>> sorted(np.bincount(hdbscan(rows, 0.02)[0]).tolist())
    [6, 6]
    """
    from sklearn.cluster import HDBSCAN

    smallest = max(SMALLEST_MIN_CLUSTER_SIZE, math.ceil(smallest_share * len(rows)))
    parameters: Parameters = {
        "min_cluster_size": smallest,
        "min_samples": _min_samples(rows),
    }
    return HDBSCAN(**parameters, copy=True).fit_predict(rows), parameters


def gaussian_mixture(rows: Floats, k: int) -> Labelled:
    """Fit k normal distributions, each of its own shape, and give each customer to the likeliest.

    Parameters
    ----------
    rows : (n, d) array of scaled features
    k : int
        Number of components, at most n.

    Returns
    -------
    labels : (n,) array
    parameters : dict

    Notes
    -----
    The likeliest of the results of MIXTURE_STARTS starts by k-means++ is kept.
    Source: Dempster, Laird and Rubin (1977), Maximum likelihood from incomplete data via the EM
    algorithm.

    Examples
    --------
    >>> labels, _ = gaussian_mixture(np.array([[0.0], [0.2], [5.0], [5.2]]), 2)
    >>> labels[0] == labels[1] != labels[2] == labels[3]
    np.True_
    """
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.mixture import GaussianMixture

    parameters: Parameters = {
        "n_components": k,
        "covariance_type": "full",
        "init_params": "k-means++",
        "n_init": MIXTURE_STARTS,
        "max_iter": MAX_ITERATIONS,
        "random_state": RANDOM_STATE,
    }
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        return GaussianMixture(**parameters).fit_predict(rows), parameters


def self_organising_map(rows: Floats, k: int) -> Labelled:
    """Train a map of the customers, and merge its units into k groups by Ward's method.

    Parameters
    ----------
    rows : (n, d) array of scaled features, n > 1
    k : int
        Number of groups. There are fewer where fewer units have customers.

    Returns
    -------
    labels : (n,) array
    parameters : dict

    Notes
    -----
    The map is trained by the batch algorithm, which does not depend on the order of the customers.
    It begins as the plane of their first two principal components; with one feature there is none,
    and it begins with customers drawn by a fixed seed. Its size is that of `map_sides`; its
    neighbourhood shrinks from a quarter of the longer side to one unit. Units without customers
    take no part in the merging.
    Sources: Kohonen (2013), Essentials of the self-organizing map; Vesanto and Alhoniemi (2000),
    Clustering of the self-organizing map.

    Examples
    --------
    >>> rows = np.array([[0.0, 0.0], [0.1, 0.0], [5.0, 4.0], [5.1, 4.0]])
    >>> labels, _ = self_organising_map(rows, 2)
    >>> labels[0] == labels[1] != labels[2] == labels[3]
    np.True_
    """
    from minisom import MiniSom

    length, width = map_sides(rows)
    radius = max(length / 4, 1.0)
    epochs = max(math.ceil(EPOCHS_PER_UNIT * length * width / len(rows)), FEWEST_EPOCHS)
    network = MiniSom(
        length,
        width,
        rows.shape[1],
        sigma=radius,
        learning_rate=1.0,
        decay_function=_constant_rate,
        sigma_decay_function="linear_decay_to_one",
        random_seed=RANDOM_STATE,
    )
    if rows.shape[1] > 1:
        network.pca_weights_init(rows)
    else:
        network.random_weights_init(rows)
    network.train_batch_offline(rows, epochs)
    code_book = network.get_weights().reshape(-1, rows.shape[1])
    unit, _ = nearest_centroid(rows, code_book)
    occupied, index = np.unique(unit, return_inverse=True)
    groups = np.arange(len(occupied))
    if len(occupied) > k:
        groups, _ = ward(code_book[occupied], k)
    return groups[index.ravel()], {
        "x": length,
        "y": width,
        "sigma": radius,
        "num_iteration": epochs,
        "random_seed": RANDOM_STATE,
        "n_clusters": k,
    }


def map_sides(rows: Floats) -> tuple[int, int]:
    """Return the longer and the shorter side of a map for some customers.

    Parameters
    ----------
    rows : (n, d) array of scaled features, n > 1

    Notes
    -----
    There are about 5 sqrt(n) units, and the sides relate as the standard deviations along the
    first two principal components, unless the map would be a line.
    Source: Vesanto et al. (2000), SOM Toolbox for Matlab 5, function som_topol_struct.

    Examples
    --------
    >>> map_sides(np.array([[-1.0, -1.0], [-1.0, 1.0], [1.0, -1.0], [1.0, 1.0]] * 50))
    (9, 8)
    """
    units = math.ceil(UNITS_PER_ROOT * math.sqrt(len(rows)))
    variances = np.sort(np.linalg.eigvalsh(np.atleast_2d(np.cov(rows, rowvar=False))))[::-1]
    first, second = variances[0], variances[1] if len(variances) > 1 else 0.0
    ratio = math.sqrt(first / second) if second * units > first > 0 else 1.0
    shorter = max(round(math.sqrt(units / ratio)), 2)
    longer = max(round(units / shorter), 2)
    return max(longer, shorter), min(longer, shorter)


def _clustering(
    algorithm: str, fit: Callable[[], Labelled] | None, segments: Integers
) -> Clustering:
    """Fit, and describe the result; without a fit only K-Means has one."""
    labels = segments if algorithm == "k_means" else np.full(len(segments), -1)
    parameters = Parameters()
    seconds = None
    if fit is not None:
        begin = time.perf_counter()
        labels, parameters = fit()
        seconds = time.perf_counter() - begin
    name = "MiniSom" if algorithm == "self_organising_map" else "scikit-learn"
    return Clustering(
        algorithm=algorithm,
        library=f"{name} {version(name)}",
        parameters=parameters,
        clusters=number_by_size(labels),
        seconds=seconds,
    )


def _k_means(points: WeightedPoints, k: int) -> Parameters:
    fit_kmeans(points, k)
    return {
        "n_clusters": k,
        "init": "search by HG-means",
        "n_init": 1,
        "tol": 0.0,
        "max_iter": MAX_ITERATIONS,
    }


def _min_samples(rows: Floats) -> int:
    return min(max(MIN_SAMPLES_PER_FEATURE * rows.shape[1], FEWEST_MIN_SAMPLES), len(rows))


def _constant_rate(rate: float, _iteration: int, _iterations: int) -> float:
    """Return the rate of the batch algorithm, which replaces the map in every epoch."""
    return rate
