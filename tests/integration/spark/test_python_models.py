"""The functions of the Python models give on Spark, row by row, what they give on DuckDB."""

import duckdb
import pytest

from mall_segments import dbt_algorithms, dbt_segmentation, engine_points
from mall_segments.dbt_segmentation import CANDIDATE_COLUMNS, segment_candidates, segment_models
from mall_segments.project_sql import project_variables
from mall_segments.stored_model import NoStoredModelError

pytestmark = [
    pytest.mark.spark,
    # Spark's client leaves the sockets of what it fetched to the garbage collector.
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]
SETTINGS = {**project_variables(), "k_max": 6}
POINTS = {"points": "features.int_feature_points", "scaling": "features.int_feature_scaling"}
MODEL = {"model": "ml.int_segment_model"}


@pytest.fixture(scope="module")
def warehouse(mall):
    with duckdb.connect(str(mall.database), read_only=True) as connection:
        yield connection


@pytest.fixture
def both(warehouse, spark):
    """Call a function with relations of DuckDB and with frames of Spark, and return all rows."""

    def both(function, settings=SETTINGS, *, has_session=True, **names):
        ours = {key: warehouse.table(name) for key, name in names.items()}
        theirs = {key: spark.createDataFrame(one.to_arrow_table()) for key, one in ours.items()}
        sessions = (warehouse, spark) if has_session else ()
        expected, found = (
            function(*(sessions[i : i + 1]), **relations, settings=settings)
            for i, relations in enumerate((ours, theirs))
        )
        assert found.columns == expected.columns
        rows = [tuple(row) for row in found.collect()]
        return sorted(expected.fetchall(), key=str), sorted(rows, key=str)

    return both


def frames_of_points(spark, warehouse):
    return {
        key: spark.createDataFrame(warehouse.table(name).to_arrow_table())
        for key, name in POINTS.items()
    }


def test_the_panel_is_the_same(both):
    expected, found = both(
        lambda *args, **named: segment_candidates(*args, **named, previous=lambda: None), **POINTS
    )
    assert len(expected) > 15
    assert found == expected


@pytest.mark.parametrize("largest", [engine_points.LARGEST_POINTS, 100])
def test_the_model_is_the_same_of_points_and_by_passes(both, monkeypatch, largest):
    monkeypatch.setattr(engine_points, "LARGEST_POINTS", largest)
    # Every vector has a cell of its own, however the engines estimate their number.
    monkeypatch.setattr(engine_points, "LARGEST_CELLS", 10_000)
    expected, found = both(
        lambda *args, **named: segment_models(*args, **named, previous=None),
        settings={**SETTINGS, "exact": True},
        build="ml.int_build",
        candidates="ml.ml_segment_candidates",
        **POINTS,
    )
    assert len(expected) == 10
    assert found == expected


@pytest.mark.parametrize(
    ("name", "relations"),
    [
        ("assignment_probabilities", {"points": POINTS["points"], **MODEL}),
        ("segment_rules", {**POINTS, **MODEL}),
        ("silhouettes_of_points", {"points": "ml.int_segment_points", **MODEL}),
        ("tree_nodes", {"customers": "ml.int_compared_customers", **MODEL}),
        (
            "algorithm_scores",
            {
                "customers": "ml.int_compared_customers",
                "assignments": "ml.ml_algorithm_assignments",
                **MODEL,
            },
        ),
    ],
)
def test_what_is_made_of_the_model_is_the_same(both, name, relations):
    function = getattr(dbt_segmentation, name, None) or getattr(dbt_algorithms, name)
    expected, found = both(function, **relations)
    assert expected
    assert found == expected


def test_customers_are_assigned_by_the_engine(both):
    expected, found = both(
        lambda **named: dbt_segmentation.customer_segments(**named, previous=None),
        has_session=False,
        build="ml.int_build",
        customers="features.int_customer_features",
        **MODEL,
    )
    assert len(expected) == 200
    assert found == expected


def test_algorithms_see_the_same_customers(both):
    expected, found = both(
        dbt_algorithms.algorithm_assignments, customers="ml.int_compared_customers", **MODEL
    )
    assert [row[:5] for row in found] == [row[:5] for row in expected]


def test_columns_that_a_stored_panel_lacks_are_null(spark, warehouse):
    new = "selection_reason"
    older = warehouse.table("ml.ml_segment_candidates").project(f"* exclude ({new})")
    found = segment_candidates(
        spark,
        **frames_of_points(spark, warehouse),
        previous=lambda: spark.createDataFrame(older.to_arrow_table()),
        settings={**SETTINGS, "refit": False},
    )
    assert found.columns == [name for name, _ in CANDIDATE_COLUMNS]
    assert {row[new] for row in found.collect()} == {None}


def test_a_missing_panel_is_named(spark, warehouse):
    with pytest.raises(NoStoredModelError):
        segment_candidates(
            spark,
            **frames_of_points(spark, warehouse),
            previous=lambda: spark.table("no_such_table"),
            settings={**SETTINGS, "refit": False},
        )
