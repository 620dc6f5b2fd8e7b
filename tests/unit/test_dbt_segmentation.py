import duckdb
import pytest

from mall_segments.dbt_segmentation import (
    CANDIDATE_COLUMNS,
    customer_segments,
    segment_candidates,
)
from mall_segments.duckdb_engine import relation_from_rows
from mall_segments.errors import MissingSelectionError, SettingError

SETTINGS = {
    "segmentation_features": ["spending_score", "annual_income_k_usd"],
    "compared_feature_sets": [["age", "spending_score"]],
    "k": "auto",
    "k_max": 3,
    "random_state": 0,
}


@pytest.fixture
def connection():
    with duckdb.connect() as connection:
        yield connection


@pytest.fixture
def tables(connection):
    """Customers in two clear groups, with their points and scaling."""
    customers = connection.sql(
        """
        select
            i as customer_id, 'Female' as gender, 20.0 + i % 7 as age,
            if(i % 2 = 0, 20.0, 90.0) + i % 5 as annual_income_k_usd,
            if(i % 2 = 0, 10.0, 80.0) + i % 3 as spending_score
        from range(60) as t(i)
        """
    )
    features = "age, annual_income_k_usd, spending_score"
    points = customers.aggregate(f"{features}, count(*) as customers", features)
    scaling = connection.sql(
        " union all ".join(
            f"select '{name}' as feature, avg({name}) as mean, stddev_pop({name}) as scale, "
            f"min({name}) as minimum, max({name}) as maximum from customers"
            for name in features.split(", ")
        )
    )
    return {"customers": customers, "points": points, "scaling": scaling}


def candidates_of(connection, tables, **settings):
    return segment_candidates(
        connection, tables["points"], tables["scaling"], {**SETTINGS, **settings}
    )


def empty(tables):
    return {name: relation.filter("false") for name, relation in tables.items()}


def test_the_panel_covers_every_feature_set_and_k(connection, tables):
    panel = candidates_of(connection, tables)
    assert panel.columns == [name for name, _ in CANDIDATE_COLUMNS]
    assert panel.project("feature_set, k").fetchall() == [
        (name, k)
        for name in ("annual_income_k_usd, spending_score", "age, spending_score")
        for k in (1, 2, 3)
    ]
    assert panel.filter("is_selected").project("k").fetchall() == [(2,)]


def test_customers_are_assigned_at_the_selected_k(connection, tables):
    panel = candidates_of(connection, tables)
    result = customer_segments(**tables, candidates=panel, settings=SETTINGS)
    sizes = result.aggregate("segment_key, count(*)", "segment_key").order("segment_key")
    assert sizes.fetchall() == [("S1", 30), ("S2", 30)]


def test_no_customers_give_typed_relations_without_rows(connection, tables):
    panel = candidates_of(connection, empty(tables))
    assert panel.fetchall() == []
    result = customer_segments(**empty(tables), candidates=panel, settings=SETTINGS)
    assert result.fetchall() == []
    assert "segment_key" in result.columns


def test_candidates_for_other_features_are_named(connection, tables):
    panel = candidates_of(connection, tables)
    with pytest.raises(MissingSelectionError, match="'age'; the panel selects for"):
        customer_segments(
            **tables,
            candidates=panel,
            settings={**SETTINGS, "segmentation_features": ["age"]},
        )


def test_stale_tables_without_any_selection_are_named(connection, tables):
    nothing = relation_from_rows(connection, CANDIDATE_COLUMNS, [])
    with pytest.raises(MissingSelectionError):
        customer_segments(**tables, candidates=nothing, settings=SETTINGS)


@pytest.mark.parametrize("setting", [{"k": 0}, {"k_max": "ten"}, {"random_state": -1}])
def test_settings_that_mean_nothing_are_refused(connection, tables, setting):
    with pytest.raises(SettingError, match=next(iter(setting))):
        candidates_of(connection, tables, **setting)
