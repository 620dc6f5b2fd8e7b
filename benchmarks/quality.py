"""How good the partitions are that the search finds, against restarts of scikit-learn and of faiss.

`make bench-quality` fits twenty data sets, made here from fixed seeds, and writes a section of
RESULTS.md. Ours runs from ten values of `random_state`, each on shuffled rows and features: what it
found worst counts, and whether all found the same partition. `--csv FILE` takes the numbers of a
table of yours instead, `--log1p` their logarithms.
"""

from __future__ import annotations

import argparse
import time
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path

import duckdb
import numpy as np
import results
from numpy.typing import NDArray
from processes import machine
from sklearn.cluster import KMeans
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import adjusted_rand_score
from threadpoolctl import threadpool_limits

from mall_segments.kmeans import fit_kmeans
from mall_segments.lloyd import nearest_centroid
from mall_segments.search import LARGEST_EFFORT
from mall_segments.weighted_points import WeightedPoints

Rows = NDArray[np.float64]

RESTARTS = (10, 60, 1_000)
# A thousand restarts of more rows would take hours; of these ours runs from fewer seeds too.
MANY_ROWS = 20_000
SEEDS, SEEDS_OF_MANY = 10, 2
FAISS_ITERATIONS = 300
K = (4, 6, 10)
PACKAGES = ("numpy", "scikit-learn", "faiss-cpu")
READING = """\
Rows are standardised. WCSS above the best known (the lowest of all columns, and of ours with the
largest effort), as a share; of ours the worst of its seeds. Agreement: the lowest adjusted Rand
index of two of the seeds, each with rows and features shuffled anew. CPU seconds of one fit, on one
thread, in one process; scikit-learn with tol=0."""


@dataclass
class Outcome:
    """What was found in one data set at one k."""

    name: str
    rows: Rows
    k: int
    wcss: dict[str, float] = field(default_factory=dict)
    cpu_seconds: dict[str, float] = field(default_factory=dict)
    agreement: float = 1.0

    @property
    def best_known(self) -> float:
        """The lowest WCSS of all."""
        return min(self.wcss.values())

    def timed(self, title: str, fit: Callable[[], float]) -> None:
        """Note what a fit found and took."""
        start = time.process_time()
        self.wcss[title] = fit()
        self.cpu_seconds[title] = time.process_time() - start

    def line(self) -> list[str]:
        """Return the cells of the table."""
        columns = ["ours", *(f"scikit-learn, {n}" for n in RESTARTS), "faiss, 60"]
        above = [
            f"{max(self.wcss[title] / self.best_known - 1, 0):.0e}" if title in self.wcss else ""
            for title in columns
        ]
        ours, theirs = self.cpu_seconds["ours"], self.cpu_seconds["scikit-learn, 60"]
        size = f"{self.rows.shape[0]:,} x {self.rows.shape[1]}"
        cost = [f"{ours:.2f}", f"{theirs:.2f}", f"{ours / theirs:.2f}"]
        best = f"{self.best_known:.6f}"
        return [self.name, size, str(self.k), best, *above, f"{self.agreement:.3f}", *cost]


HEAD = (
    "data",
    "rows x features",
    "k",
    "best known WCSS",
    "ours above it",
    *(f"scikit-learn, {n} restarts" for n in RESTARTS),
    "faiss, 60",
    "agreement of ours",
    "CPU s of ours",
    "of 60 restarts",
    "ratio",
)


def data_sets() -> Iterator[tuple[str, Rows]]:
    """Make twenty data sets of 200 to 200,000 rows and 2 to 20 features."""
    draw = np.random.default_rng(19)

    def mixture(rows: int, features: int, groups: int, apart: float, unbalanced: float = 1) -> Rows:
        share = np.geomspace(1, 1 / unbalanced, groups)
        group = draw.choice(groups, rows, p=share / share.sum())
        return draw.normal(size=(groups, features))[group] * apart + draw.normal(
            size=(rows, features)
        )

    yield "mixture, 2 features", mixture(200, 2, 5, 3)
    yield "mixture, 2 features", mixture(2_000, 2, 12, 4)
    yield "mixture, 5 features", mixture(5_000, 5, 8, 1.2)
    yield "mixture, 10 features", mixture(1_000, 10, 6, 0.8)
    yield "mixture, 20 features, overlapping", mixture(3_000, 20, 10, 0.6)
    yield "mixture, 20 features", mixture(10_000, 20, 8, 1.5)
    yield "mixture, 3 features, many rows", mixture(100_000, 3, 8, 1.5)
    yield "mixture, 6 features, many rows", mixture(200_000, 6, 10, 1)
    yield "anisotropic, 4 features", mixture(4_000, 4, 6, 2) @ draw.normal(size=(4, 4))
    yield "anisotropic, 2 features", mixture(600, 2, 4, 2) @ draw.normal(size=(2, 2))
    yield "unbalanced 1:100, 3 features", mixture(10_000, 3, 6, 3, unbalanced=100)
    yield "unbalanced 1:100, 2 features", mixture(500, 2, 5, 3, unbalanced=100)
    spent = np.exp(5 + draw.normal(size=(440, 2)) @ draw.normal(size=(2, 6)))
    yield "money, 6 features, log1p", np.log1p(spent * np.exp(draw.normal(size=spent.shape)))
    yield "money, 6 features, as it is", spent
    used = np.exp(5 + draw.normal(size=(8_000, 4)) @ draw.normal(size=(4, 17)) * 0.8)
    used[draw.normal(size=used.shape) < np.linspace(-2, 1, 17)] = 0
    yield "often zero, 17 features, log1p", np.log1p(used)
    visits = draw.poisson(draw.gamma(0.6, 3, size=2_400))
    money = np.round(np.exp(3 + 0.5 * draw.normal(size=2_400)) * (1 + visits), 2)
    behaviour = np.stack([draw.integers(0, 500, 2_400), 1 + visits, money], axis=1)
    yield "recency, orders, revenue, log1p", np.log1p(behaviour)
    yield "heavy tails, 8 features", np.log1p(np.exp(draw.standard_t(3, size=(50_000, 8)) + 3))
    whole = draw.normal([40, 60, 50], [14, 26, 25], size=(5_000, 3))
    yield "lattice, 3 features", whole.clip(1, 137).round()
    few = draw.normal(size=(300, 2)).round(1)
    yield "repeated, 2 features", np.repeat(few, draw.integers(1, 60, 300), axis=0)
    yield "one cloud, 3 features", draw.normal(size=(20_000, 3))


def judge(name: str, rows: Rows, k: int) -> Outcome:
    """Fit a data set in every way."""
    outcome = Outcome(name, rows, k)
    draw = np.random.default_rng(0)
    few = len(rows) <= MANY_ROWS
    partitions, worst = [], 0.0
    for random_state in range(SEEDS if few else SEEDS_OF_MANY):
        columns = draw.permutation(rows.shape[1])
        shuffled = draw.permutation(rows)[:, columns]
        found = []

        def ours(shuffled: Rows = shuffled, seed: int = random_state, found: list = found) -> float:
            fit = fit_kmeans(WeightedPoints.from_rows(shuffled), k, seed)
            found.append(fit)
            return fit.wcss

        outcome.timed("ours", ours)
        worst = max(worst, outcome.wcss["ours"])
        back = found[0].centroids[:, np.argsort(columns)]
        partitions.append(nearest_centroid(rows, back)[0])
    outcome.wcss["ours"] = worst
    outcome.agreement = min(adjusted_rand_score(partitions[0], other) for other in partitions)
    if few:
        points = WeightedPoints.from_rows(rows)
        outcome.wcss["most effort"] = fit_kmeans(points, k, effort=LARGEST_EFFORT).wcss
    for restarts in RESTARTS if few else RESTARTS[:-1]:
        outcome.timed(f"scikit-learn, {restarts}", lambda n=restarts: scikit_learn(rows, k, n))
    if find_spec("faiss"):
        outcome.timed("faiss, 60", lambda: faiss(rows, k))
    return outcome


def scikit_learn(rows: Rows, k: int, restarts: int) -> float:
    """Return the WCSS of the best restart."""
    model = KMeans(k, n_init=restarts, tol=0, max_iter=1_000, random_state=1)
    return float(model.fit(rows).inertia_)


def faiss(rows: Rows, k: int) -> float:
    """Return the WCSS of the best of 60 restarts, which faiss makes in single precision."""
    import faiss as library

    library.omp_set_num_threads(1)
    model = library.Kmeans(
        rows.shape[1],
        k,
        niter=FAISS_ITERATIONS,
        nredo=60,
        seed=1,
        max_points_per_centroid=len(rows),
        min_points_per_centroid=1,
    )
    model.train(np.ascontiguousarray(rows, dtype=np.float32))
    _, squared = nearest_centroid(rows, model.centroids.astype(float))
    return float(squared.sum())


def standardised(rows: Rows) -> Rows:
    """Return rows of mean 0 and population standard deviation 1."""
    return (rows - rows.mean(axis=0)) / rows.std(axis=0)


def read_csv(path: Path, *, logarithms: bool) -> Rows:
    """Return the columns of a table that are numbers without gaps and vary."""
    frame = duckdb.read_csv(str(path)).df().select_dtypes("number").dropna(axis=1)
    rows = frame.loc[:, frame.nunique() > 1].to_numpy(dtype=float)
    return np.log1p(rows) if logarithms else rows


def main() -> None:
    """Judge the data sets and write the section, or print the table of one's own."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--csv", type=Path, help="a table of your own")
    parser.add_argument("--log1p", action="store_true", help="its logarithms")
    parser.add_argument("--k", type=int, nargs="+", default=K)
    arguments = parser.parse_args()
    warnings.simplefilter("ignore", ConvergenceWarning)
    chosen: Iterator[tuple[str, Rows]] = data_sets()
    if arguments.csv:
        rows = read_csv(arguments.csv, logarithms=arguments.log1p)
        chosen = iter([(arguments.csv.name, rows)])
    lines = []
    with threadpool_limits(1):
        # What the first fit imports is not its cost.
        fit_kmeans(WeightedPoints.from_rows(np.eye(4)), 2)
        for name, rows in chosen:
            for k in arguments.k:
                lines.append(judge(name, standardised(rows), k).line())
                print(" | ".join(lines[-1]), flush=True)
    table = results.table(HEAD, lines)
    if arguments.csv:
        print(table)
    else:
        text = f"## The optimum\n\n{machine(PACKAGES)}.\n\n{READING}\n\n{table}"
        results.replace_section("quality", text)


if __name__ == "__main__":
    main()
