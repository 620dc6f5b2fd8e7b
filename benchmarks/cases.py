"""The cases: ways to give every customer of a DuckDB table a segment, written back to the file.

`python benchmarks/cases.py CASE DATA DATABASE NOTES fixed|sweep` runs one of them in a process of
its own and writes what it found, and the CPU seconds that it took to start, to a JSON file. A case
imports what it needs before it opens the database, so that starting can be told from working.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb
from customers import Customers

if TYPE_CHECKING:
    import numpy as np

K = 5
SWEEP = range(2, 11)
RESTARTS = 10
RANDOM_STATE = 0
# Customers on whom the peers' silhouette is estimated: that of all would need their squared number.
SILHOUETTE_SAMPLE = 10_000
FAISS_ITERATIONS = 25


@dataclass
class Task:
    """What a case is to do, and what it found."""

    case: str
    features: tuple[str, ...]
    database: Path
    is_sweep: bool
    start_cpu_seconds: float = 0.0
    notes: dict[str, Any] = field(default_factory=dict)
    sweep: list[dict[str, float]] = field(default_factory=list)

    @property
    def select(self) -> str:
        """The key and the features of all customers."""
        return f"select customer_id, {', '.join(self.features)} from customers"

    @property
    def segments(self) -> str:
        """The table to be written."""
        return f"segments_{self.case}"

    def open(self) -> duckdb.DuckDBPyConnection:
        """Open the database; what came before was the start."""
        self.start_cpu_seconds = time.process_time()
        return duckdb.connect(str(self.database))

    def found(self, k: int, wcss: float, silhouette: float) -> None:
        """Note a row of the sweep."""
        self.sweep.append({"k": k, "wcss": float(wcss), "silhouette": float(silhouette)})

    @property
    def best_k(self) -> int:
        """The k of the highest silhouette."""
        return int(max(self.sweep, key=lambda row: row["silhouette"])["k"])


Fit = Callable[[int], tuple["np.ndarray", float]]


def floor(task: Task) -> None:
    """Read the customers and write a row each: what any way costs at least."""
    with task.open() as connection:
        connection.execute(
            f"create table {task.segments} as"
            " select customer_id, 1 as segment_number from customers"
        )


def ours(task: Task) -> None:
    """Fit weighted points, or pass over all rows, in the engine."""
    from mall_segments.engine_fit import assign_relation, segment_relation, sweep_relation

    with task.open() as connection:
        customers = connection.sql(task.select)
        if task.is_sweep:
            sweep = sweep_relation(connection, customers, task.features, SWEEP[-1])
            for row in sweep[1:]:
                task.found(row.fit.k, row.fit.wcss, row.silhouette)
            fit = sweep[task.best_k - 1].fit
            segments = assign_relation(customers, fit)
        else:
            fit, segments = segment_relation(connection, customers, task.features, K)
        segments.create(task.segments)
        task.notes = {"wcss": float(fit.wcss), "route": fit.route, "passes": int(fit.passes)}


def tutorial(task: Task) -> None:
    """Do as the notebooks do: everything through pandas, ten restarts."""
    import pandas  # noqa: F401
    from sklearn.cluster import KMeans
    from sklearn.metrics import silhouette_score
    from sklearn.preprocessing import StandardScaler

    with task.open() as connection:
        frame = connection.execute(task.select).df()
        scaled = StandardScaler().fit_transform(frame[list(task.features)])

        def fit(k: int) -> tuple[np.ndarray, float]:
            model = KMeans(k, n_init=RESTARTS, random_state=RANDOM_STATE).fit(scaled)
            return model.labels_, model.inertia_

        frame["segment_number"] = fixed_or_best(task, scaled, fit, silhouette_score)
        connection.execute(
            f"create table {task.segments} as select customer_id, segment_number from frame"
        )


def sklearn_auto(task: Task) -> None:
    """Use scikit-learn on DuckDB's columns, with the restarts it chooses: one."""
    from sklearn.cluster import KMeans

    def model(k: int) -> Any:
        return KMeans(k, n_init="auto", random_state=RANDOM_STATE)

    on_columns(task, model)


def minibatch(task: Task) -> None:
    """Use scikit-learn's MiniBatchKMeans on columns, with its defaults."""
    from sklearn.cluster import MiniBatchKMeans

    def model(k: int) -> Any:
        return MiniBatchKMeans(k, n_init="auto", random_state=RANDOM_STATE)

    on_columns(task, model)


def sklearnex(task: Task) -> None:
    """Use Intel's extension for scikit-learn on columns, ten restarts."""
    from sklearnex.cluster import KMeans

    def model(k: int) -> Any:
        return KMeans(k, n_init=RESTARTS, random_state=RANDOM_STATE)

    on_columns(task, model)


def on_columns(task: Task, model: Callable[[int], Any]) -> None:
    """Fit an estimator on scaled columns, without pandas."""
    import numpy as np
    from sklearn.metrics import silhouette_score

    with task.open() as connection:
        ids, scaled = read_scaled(task, connection, np.float64)

        def fit(k: int) -> tuple[np.ndarray, float]:
            fitted = model(k).fit(scaled)
            return fitted.labels_, fitted.inertia_

        write(task, connection, ids, fixed_or_best(task, scaled, fit, silhouette_score))


def faiss(task: Task) -> None:
    """Train faiss on all customers, ten restarts."""
    with_faiss(task, restarts=RESTARTS, customers_per_centroid=2**31 - 1)


def faiss_sample(task: Task) -> None:
    """Train faiss with its defaults: one start on 256 sampled customers per centroid."""
    with_faiss(task, restarts=1, customers_per_centroid=256)


def with_faiss(task: Task, restarts: int, customers_per_centroid: int) -> None:
    """Train faiss, and look up the nearest centroid of all customers."""
    import faiss as library
    import numpy as np

    silhouette_score = None
    if task.is_sweep:
        from sklearn.metrics import silhouette_score

    with task.open() as connection:
        ids, scaled = read_scaled(task, connection, np.float32)

        def fit(k: int) -> tuple[np.ndarray, float]:
            model = library.Kmeans(
                len(task.features),
                k,
                niter=FAISS_ITERATIONS,
                nredo=restarts,
                seed=RANDOM_STATE + 1,
                max_points_per_centroid=customers_per_centroid,
            )
            model.train(scaled)
            distances, labels = model.index.search(scaled, 1)
            return labels[:, 0], distances.sum(dtype=np.float64)

        write(task, connection, ids, fixed_or_best(task, scaled, fit, silhouette_score))


def spark(task: Task) -> None:
    """Use Spark MLlib on this machine, by way of Parquet: there is no connector."""
    from pyspark import SparkContext
    from pyspark.ml.clustering import KMeans
    from pyspark.ml.evaluation import ClusteringEvaluator
    from pyspark.ml.feature import StandardScaler, VectorAssembler
    from pyspark.sql import SparkSession

    with task.open() as connection:
        source, target = (str(task.database.with_suffix(f".{name}")) for name in ("in", "out"))
        connection.execute(f"copy ({task.select}) to '{source}' (format parquet)")
        session = SparkSession.builder.master("local[*]").config("spark.ui.enabled", "false")
        session = session.config("spark.driver.memory", "8g").getOrCreate()
        frame = session.read.parquet(source)
        frame = VectorAssembler(inputCols=list(task.features), outputCol="raw").transform(frame)
        scaler = StandardScaler(inputCol="raw", outputCol="features").fit(frame)
        frame = scaler.transform(frame).select("customer_id", "features").cache()
        estimator = KMeans(seed=RANDOM_STATE, predictionCol="segment_number")
        k = K
        if task.is_sweep:
            # Spark scales by the sample's standard deviation; and its silhouette, of all customers,
            # is one of squared distances.
            customers = frame.count()
            to_population = customers / (customers - 1)
            evaluator = ClusteringEvaluator(predictionCol="segment_number")
            for k in SWEEP:
                model = estimator.setK(k).fit(frame)
                silhouette = evaluator.evaluate(model.transform(frame))
                task.found(k, model.summary.trainingCost * to_population, silhouette)
            k = task.best_k
        segments = estimator.setK(k).fit(frame).transform(frame)
        segments.select("customer_id", "segment_number").write.mode("overwrite").parquet(target)
        gateway = SparkContext._gateway
        session.stop()
        gateway.shutdown()
        # Its cost counts once it has been waited for.
        gateway.proc.stdin.close()
        gateway.proc.wait()
        connection.execute(f"create table {task.segments} as from '{target}/*.parquet'")


def read_scaled(
    task: Task, connection: duckdb.DuckDBPyConnection, kind: type
) -> tuple[np.ndarray, np.ndarray]:
    """Read the customers' keys, (n,), and their scaled features, (n, d)."""
    import numpy as np

    columns = connection.execute(task.select).fetchnumpy()
    scaled = np.empty((len(columns["customer_id"]), len(task.features)), kind)
    for place, name in enumerate(task.features):
        column = columns.pop(name)
        scaled[:, place] = (column - column.mean()) / column.std()
    return columns["customer_id"], scaled


def fixed_or_best(
    task: Task, scaled: np.ndarray, fit: Fit, silhouette_score: Callable[..., float] | None
) -> np.ndarray:
    """Return the labels of the fixed k, or of the k in the sweep with the highest silhouette."""
    if silhouette_score is None or not task.is_sweep:
        return fit(K)[0]
    best = None
    for k in SWEEP:
        labels, wcss = fit(k)
        silhouette = silhouette_score(
            scaled, labels, sample_size=SILHOUETTE_SAMPLE, random_state=RANDOM_STATE
        )
        task.found(k, wcss, silhouette)
        if task.best_k == k:
            best = labels
    return best


def write(
    task: Task, connection: duckdb.DuckDBPyConnection, ids: np.ndarray, labels: np.ndarray
) -> None:
    """Write the segments."""
    segments = {"customer_id": ids, "segment_number": labels}  # noqa: F841
    connection.execute(f"create table {task.segments} as select * from segments")


# In the order in which they are run and shown, with the package that each needs.
CASES: dict[str, tuple[Callable[[Task], None], str, str]] = {
    "floor": (floor, "duckdb", "floor: read, write one row each"),
    "ours": (ours, "mall_segments", "mall-segments"),
    "tutorial": (tutorial, "sklearn", "tutorial: pandas, KMeans(n_init=10)"),
    "sklearn_auto": (sklearn_auto, "sklearn", 'scikit-learn on columns, n_init="auto"'),
    "minibatch": (minibatch, "sklearn", "scikit-learn on columns, MiniBatchKMeans"),
    "sklearnex": (sklearnex, "sklearnex", "scikit-learn-intelex on columns, n_init=10"),
    "faiss": (faiss, "faiss", "faiss, all customers, nredo=10"),
    "faiss_sample": (faiss_sample, "faiss", "faiss, its sample, nredo=1"),
    "spark": (spark, "pyspark", "Spark MLlib, local"),
}


def available() -> dict[str, str]:
    """Return the titles of the cases whose package is installed."""
    return {name: title for name, (_, package, title) in CASES.items() if find_spec(package)}


def main(name: str, data: str, database: str, notes: str, kind: str) -> None:
    """Run one case, on a file that has no segments of it yet."""
    features = tuple(feature.name for feature in Customers.named(data).features)
    task = Task(name, features, Path(database), kind == "sweep")
    CASES[name][0](task)
    found = {"start_cpu_seconds": task.start_cpu_seconds, "sweep": task.sweep, **task.notes}
    Path(notes).write_text(json.dumps(found))


if __name__ == "__main__":
    main(*sys.argv[1:])
