"""The proof of how good a segmentation is, kept in the warehouse for the next build to publish."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path

import duckdb

from mall_segments.dbt_segmentation import read_model
from mall_segments.engine_points import read_points
from mall_segments.errors import MallSegmentsError, NotBuiltError
from mall_segments.publish.database import reading, storage_errors
from mall_segments.publish.durable import clone_file, replace_file, sync_file
from mall_segments.publish.lock import production_lock
from mall_segments.publish.places import Places

QUALITY = "select input_fingerprint, feature_set, k, wcss from marts.segmentation_quality"


class CannotCertifyError(MallSegmentsError):
    """A segmentation that no bound can be proven for here."""

    def __init__(self, problem: str, hint: str) -> None:
        super().__init__("CANNOT_CERTIFY", problem, hint)


@dataclass(frozen=True)
class OptimalityCertificate:
    """A segmentation and the bound that no other of the same customers can go below.

    Attributes
    ----------
    feature_set, k : what was segmented by, and into how many
    wcss : objective of the segmentation that is served
    lower_bound : proven least objective of any partition into k segments
    """

    feature_set: str
    k: int
    wcss: float
    lower_bound: float

    @property
    def gap(self) -> float:
        """How far from the global optimum it can be at most, relative to the bound."""
        return self.wcss / self.lower_bound - 1


def certify_warehouse(places: Places) -> OptimalityCertificate:
    """Prove a lower bound for the segmentation that a warehouse holds, and keep it there.

    Raises
    ------
    CannotCertifyError
        If there are too many distinct points, or the solver is not installed.
    NotBuiltError, BusyError, StorageError
    """
    if not places.warehouse.exists():
        raise NotBuiltError(f"There is no warehouse at {places.warehouse}.")
    try:
        with reading(places.warehouse) as connection:
            ((fingerprint, feature_set, k, wcss),) = connection.sql(QUALITY).fetchall()
            served = connection.table("ml.int_segment_model")
            model = read_model(served, feature_set.split(", "))
            if model is None:
                raise NotBuiltError(f"{places.warehouse} holds no model.")
            points = read_points(connection.table("features.int_feature_points"), model.scaling)
    except duckdb.Error as error:
        raise NotBuiltError(f"{places.warehouse}: {str(error).splitlines()[0]}") from None
    if not len(points.weights):
        raise CannotCertifyError(
            "The warehouse holds no points, as customers were forgotten since its last build.",
            "Build again, then certify.",
        )
    from mall_segments.optimality import lower_bound

    try:
        bound = lower_bound(points.coordinates, points.weights, k, wcss=wcss)
    except ImportError:
        raise CannotCertifyError(
            "The solver scs is not installed.", "pip install 'mall-segments[certify]'."
        ) from None
    except ValueError as error:
        raise CannotCertifyError(str(error), "See docs/trust.md.") from None
    certificate = OptimalityCertificate(feature_set, k, wcss, bound)
    _keep(places, fingerprint, certificate)
    return certificate


def _keep(places: Places, fingerprint: str, certificate: OptimalityCertificate) -> None:
    """Append the certificate to a copy of the warehouse, and put that in its place."""
    row = [fingerprint, *vars(certificate).values()]
    with (
        storage_errors(),
        production_lock(places),
        tempfile.TemporaryDirectory(dir=places.warehouse.parent) as folder,
    ):
        copy = Path(folder) / places.warehouse.name
        clone_file(places.warehouse, copy)
        with duckdb.connect(str(copy)) as connection:
            connection.execute(
                "insert into ml.optimality_certificates"
                " values (?, ?, ?, ?, ?, cast(now() at time zone 'UTC' as timestamp))",
                row,
            )
            connection.execute("checkpoint")
        sync_file(copy)
        replace_file(copy, places.warehouse)
