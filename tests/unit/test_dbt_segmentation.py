import duckdb
import pytest
from sklearn.metrics import davies_bouldin_score
from threadpoolctl import threadpool_info, threadpool_limits

from mall_segments import dbt_segmentation, engine_points
from mall_segments.dbt_segmentation import (
    CANDIDATE_COLUMNS,
    MODEL_COLUMNS,
    assignment_probabilities,
    customer_segments,
    segment_candidates,
    segment_models,
    segment_rules,
)
from mall_segments.duckdb_engine import relation_from_rows
from mall_segments.errors import MissingSelectionError, NotAppendedError, SettingError
from mall_segments.stored_model import NoStoredModelError

SETTINGS = {
    "segmentation_features": ["spending_score", "annual_income_k_usd"],
    "compared_feature_sets": [["age", "spending_score"]],
    "k": "auto",
    "k_max": 3,
    "random_state": 0,
    "search_effort": 1,
    "exact": False,
    "refit": True,
    "promote": False,
    "min_segment_stability": 0.5,
    "min_segment_share": 0.02,
    "min_adjusted_rand_index": 0.8,
    "max_population_shift": 0.5,
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
            i as customer_id, i + 2 as line_number, 'Female' as gender, 20.0 + i % 7 as age,
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
        connection,
        tables["points"],
        tables["scaling"],
        previous=lambda: connection.table("ml_segment_candidates"),
        settings={**SETTINGS, **settings},
    )


def build_of(connection, build_id="b1"):
    return connection.sql(
        f"select '{build_id}' as build_id, timestamp '2026-11-21' as segmented_at"
    )


def models_of(connection, tables, panel, previous=None, build_id="b1", **settings):
    return segment_models(
        connection,
        build_of(connection, build_id),
        tables["points"],
        tables["scaling"],
        panel,
        previous,
        {**SETTINGS, **settings},
    )


def assigned_of(connection, tables, model, previous=None, build_id="b1"):
    build = build_of(connection, build_id)
    return customer_segments(build, tables["customers"], model, previous, SETTINGS)


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
    error_by_k = panel.project("k, silhouette_standard_error").distinct().order("k")
    assert error_by_k.fetchall() == [(1, None), (2, 0.0), (3, 0.0)]


def test_customers_are_assigned_by_the_model_at_the_selected_k(connection, tables):
    model = models_of(connection, tables, candidates_of(connection, tables))
    assert model.columns == [name for name, _ in MODEL_COLUMNS]
    assert model.aggregate("count(*), bool_and(is_promoted)").fetchall() == [(4, True)]
    result = assigned_of(connection, tables, model)
    sizes = result.aggregate("segment_key, count(*)", "segment_key").order("segment_key")
    assert sizes.fetchall() == [("S1", 30), ("S2", 30)]
    rules = segment_rules(connection, tables["points"], tables["scaling"], model, SETTINGS)
    assert rules.aggregate("sum(customers), min(rule_precision)").fetchall() == [(60, 1.0)]
    certain = assignment_probabilities(connection, tables["points"], model, SETTINGS)
    assert certain.aggregate("min(assignment_probability)").fetchall() == [(1.0,)]
    assert certain.columns == ["annual_income_k_usd", "spending_score", "assignment_probability"]


def test_only_customers_after_the_last_line_are_assigned(connection, tables):
    model = models_of(connection, tables, candidates_of(connection, tables))
    early = {**tables, "customers": tables["customers"].filter("line_number < 50")}
    assigned_of(connection, early, model).create("assigned")
    previous = connection.table("assigned")
    found = assigned_of(connection, tables, model, previous, build_id="b2")
    assert found.columns == previous.columns
    whole = assigned_of(connection, tables, model, build_id="b2")
    expected = whole.filter("line_number >= 50").order("customer_id").fetchall()
    assert len(expected) == 12
    assert found.order("customer_id").fetchall() == expected
    assert found.project("model_id, build_id").distinct().fetchall() == [("b1", "b2")]


def test_customers_of_another_model_are_not_gone_on_with(connection, tables):
    panel = candidates_of(connection, tables)
    assigned_of(connection, tables, models_of(connection, tables, panel)).create("assigned")
    other = models_of(connection, tables, panel, build_id="b2")
    with pytest.raises(NotAppendedError, match="assigned by model b1, expected b2"):
        assigned_of(connection, tables, other, connection.table("assigned"))


@pytest.fixture
def crowd(connection):
    """Customers without two alike, in four groups, with their points and scaling."""
    connection.execute("select setseed(0.5)")
    connection.execute(
        """
        create table crowd as
        select
            i as customer_id, i + 2 as line_number, 'Male' as gender, 20 + 50 * random() as age,
            if(i % 2 = 0, 30.0, 90.0) + 30 * (random() + random() - 1) as annual_income_k_usd,
            if(i % 4 < 2, 20.0, 80.0) + 30 * (random() + random() - 1) as spending_score
        from range(20000) as t(i)
        """
    )
    features = ("age", "annual_income_k_usd", "spending_score")
    points = connection.sql(f"select {', '.join(features)}, 1::bigint as customers from crowd")
    scaling = connection.sql(
        " union all ".join(
            f"select '{name}' as feature, avg({name}) as mean, stddev_pop({name}) as scale, "
            f"min({name}) as minimum, max({name}) as maximum from crowd"
            for name in features
        )
    )
    return {"customers": connection.table("crowd"), "points": points, "scaling": scaling}


@pytest.mark.parametrize("exact", [False, True])
def test_of_too_many_vectors_the_model_is_still_that_of_all_customers(
    connection, crowd, monkeypatch, exact
):
    whole = candidates_of(connection, crowd, k=4)
    monkeypatch.setattr(engine_points, "LARGEST_POINTS", 5_000)
    monkeypatch.setattr(engine_points, "LARGEST_CELLS", 2_000)
    monkeypatch.setattr(dbt_segmentation, "PROBABILITY_POINTS", 5_000)
    candidates_of(connection, crowd, k=4, exact=exact).create("panel")
    panel = connection.table("panel")
    models_of(connection, crowd, panel, k=4, exact=exact).create("model")
    model = connection.table("model")
    assigned_of(connection, crowd, model).create("assigned")
    ((wcss, by_index),) = panel.filter("is_selected").project("wcss, davies_bouldin").fetchall()
    customers = "segment_key, spending_score, annual_income_k_usd, distance_to_centroid"
    rows = connection.table("assigned").project(customers).df()
    assert wcss == pytest.approx((rows["distance_to_centroid"] ** 2).sum(), rel=1e-9)
    sizes = rows.groupby("segment_key").size()
    assert dict(model.project("segment_key, segment_customers").fetchall()) == sizes.to_dict()
    # The centroids are the means of their customers, to the tolerance.
    means = rows.groupby("segment_key")[["annual_income_k_usd", "spending_score"]].mean()
    step = sum(
        sizes[key] * ((means.loc[key, feature] - centroid) / scale) ** 2
        for key, feature, centroid, scale in model.project(
            "segment_key, feature, centroid, scale"
        ).fetchall()
    )
    assert step <= (1e-20 if exact else 1e-6) * wcss
    scaled = rows[["spending_score", "annual_income_k_usd"]]
    scaled = (scaled - scaled.mean()) / scaled.std(ddof=0)
    assert by_index == pytest.approx(davies_bouldin_score(scaled, rows["segment_key"]), rel=1e-3)
    # The other rows are those of cells, hardly above those of points.
    for (k, of_cells), (_, of_points) in zip(
        panel.project("k, wcss").fetchall(), whole.project("k, wcss").fetchall(), strict=True
    ):
        assert of_cells == pytest.approx(of_points, rel=5e-3), k
    rules = segment_rules(connection, crowd["points"], crowd["scaling"], model, SETTINGS)
    assert rules.aggregate("sum(customers)").fetchall() == [(20_000,)]
    assert rules.aggregate("min(rule_precision)").fetchall()[0][0] > 0.9
    assert assignment_probabilities(connection, crowd["points"], model, SETTINGS).fetchall() == []


def test_without_a_refit_the_stored_model_and_panel_stay(connection, tables):
    panel = candidates_of(connection, tables)
    panel.create("ml_segment_candidates")
    model = models_of(connection, tables, panel)
    model.create("ml_segment_models")
    kept = candidates_of(connection, empty(tables), refit=False)
    assert kept.fetchall() == panel.fetchall()
    stored = connection.table("ml_segment_models")
    assert models_of(connection, tables, panel, stored, refit=False).fetchall() == []


def test_columns_that_the_stored_panel_did_not_know_are_null(connection, tables):
    known = [name for name, _ in CANDIDATE_COLUMNS if name != "silhouette_standard_error"]
    candidates_of(connection, tables).project(", ".join(known)).create("ml_segment_candidates")
    kept = candidates_of(connection, empty(tables), refit=False)
    assert kept.columns == [name for name, _ in CANDIDATE_COLUMNS]
    assert kept.types == candidates_of(connection, tables).types
    errors = kept.aggregate("count(*), count(silhouette), count(silhouette_standard_error)")
    assert errors.fetchall() == [(6, 4, 0)]


def test_a_refit_knows_its_segments_again(connection, tables):
    panel = candidates_of(connection, tables)
    models_of(connection, tables, panel).create("ml_segment_models")
    stored = connection.table("ml_segment_models")
    again = models_of(connection, tables, panel, stored, build_id="b2")
    found = again.project("segment_key, verdict, adjusted_rand_index").distinct()
    assert found.order("segment_key").fetchall() == [("S1", "kept", 1.0), ("S2", "kept", 1.0)]


def test_without_a_stored_model_there_is_nothing_to_score_by(connection, tables):
    with pytest.raises(NoStoredModelError):
        candidates_of(connection, tables, refit=False)
    with pytest.raises(NoStoredModelError, match="annual_income_k_usd, spending_score"):
        models_of(connection, tables, candidates_of(connection, tables), refit=False)


def test_no_customers_give_typed_relations_without_rows(connection, tables):
    nobody = empty(tables)
    panel = candidates_of(connection, nobody)
    assert panel.fetchall() == []
    model = models_of(connection, nobody, panel)
    assert model.fetchall() == []
    result = assigned_of(connection, nobody, model)
    assert result.fetchall() == []
    assert "segment_key" in result.columns
    assert (
        segment_rules(connection, nobody["points"], nobody["scaling"], model, SETTINGS).fetchall()
        == []
    )
    assert assignment_probabilities(connection, nobody["points"], model, SETTINGS).fetchall() == []


def test_candidates_for_other_features_are_named(connection, tables):
    panel = candidates_of(connection, tables)
    with pytest.raises(MissingSelectionError, match="'age'; the panel selects for"):
        models_of(connection, tables, panel, segmentation_features=["age"])


def test_stale_tables_without_any_selection_are_named(connection, tables):
    nothing = relation_from_rows(connection, CANDIDATE_COLUMNS, [])
    with pytest.raises(MissingSelectionError):
        models_of(connection, tables, nothing)


@pytest.mark.parametrize(
    "setting",
    [{"refit": "no"}, {"promote": 1}, {"min_segment_share": -1}, {"max_population_shift": "x"}],
)
def test_settings_of_a_refit_that_mean_nothing_are_refused(connection, tables, setting):
    panel = candidates_of(connection, tables)
    with pytest.raises(SettingError, match=next(iter(setting))):
        models_of(connection, tables, panel, **setting)


@pytest.mark.parametrize(
    "setting", [{"k": 0}, {"k_max": "ten"}, {"random_state": -1}, {"search_effort": 6}]
)
def test_settings_that_mean_nothing_are_refused(connection, tables, setting):
    with pytest.raises(SettingError, match=next(iter(setting))):
        candidates_of(connection, tables, **setting)


def test_fits_run_on_one_thread(connection, tables, monkeypatch):
    threads = []

    def evaluate(*_):
        threads.extend(pool["num_threads"] for pool in threadpool_info())
        return []

    monkeypatch.setattr(dbt_segmentation, "evaluate_candidates", evaluate)
    with threadpool_limits(2):
        candidates_of(connection, tables)
        assert {pool["num_threads"] for pool in threadpool_info()} == {2}
    assert set(threads) == {1}
