"""The figures that must come out of the 200 mall customers."""

import json
import re

import pytest
from click.testing import CliRunner

from mall_segments.cli import main

INCOME_SCORE = "annual_income_k_usd, spending_score"
TRIPLE = "age, annual_income_k_usd, spending_score"

# Middle/middle, high/high, high/low, low/low, low/high by income and spending.
PROFILES = [
    (81, 55.296, 49.519, 42.716),
    (39, 86.538, 82.128, 32.692),
    (35, 88.200, 17.114, 41.114),
    (23, 26.304, 20.913, 45.217),
    (22, 25.727, 79.364, 25.273),
]
BEST_KNOWN = {
    2: (269.016794, 0.2951),
    3: (157.704008, 0.4666),
    4: (108.921317, 0.4939),
    5: (65.568408, 0.5547),
    6: (55.057348, 0.5399),
    7: (44.864756, 0.5281),
    8: (37.148117, 0.4567),
    9: (32.330814, 0.4594),
    10: (29.061153, 0.4505),
}


def test_five_segments_with_the_published_means(mall):
    rows = mall.query(
        "select customers, annual_income_k_usd_mean, spending_score_mean, age_mean "
        "from marts.segment_profiles order by customers desc"
    )
    assert [tuple(round(value, 3) for value in row) for row in rows] == PROFILES


def test_the_segments_have_names_people_use(mall):
    assert mall.query(
        "select segment_key, segment_name, value_tier from marts.segment_profiles order by 1"
    ) == [
        ("S1", "Middle income, steady spenders", "medium"),
        ("S2", "High income, high spenders", "high"),
        ("S3", "High income, low spenders", "medium"),
        ("S4", "Low income, low spenders", "low"),
        ("S5", "Low income, high spenders", "medium"),
    ]


def test_the_model_card(mall):
    ((k, feature_set, customers, *criteria),) = mall.query(
        "select k, feature_set, customers, wcss, silhouette, davies_bouldin, calinski_harabasz "
        "from marts.segmentation_quality"
    )
    assert (k, feature_set, customers) == (5, INCOME_SCORE, 200)
    wcss, silhouette, davies_bouldin, calinski_harabasz = criteria
    assert wcss == pytest.approx(65.568408, abs=5e-7)
    assert silhouette == pytest.approx(0.554657, abs=5e-7)
    assert davies_bouldin == pytest.approx(0.572236, abs=5e-7)
    assert calinski_harabasz == pytest.approx(248.649, abs=5e-4)


def test_the_panel_reaches_every_best_known_wcss(mall):
    rows = mall.query(
        "select k, wcss, silhouette from marts.k_selection "
        f"where feature_set = '{INCOME_SCORE}' and k > 1 order by k"
    )
    assert {k: (round(wcss, 6), round(width, 4)) for k, wcss, width in rows} == BEST_KNOWN
    errors = "select distinct k > 1, silhouette_standard_error from marts.k_selection order by 1"
    assert mall.query(errors) == [(False, None), (True, 0.0)]
    ((triple,),) = mall.query(
        f"select wcss from marts.k_selection where feature_set = '{TRIPLE}' and k = 6"
    )
    assert triple == pytest.approx(133.868334, abs=5e-7)


def test_the_panel_shows_criteria_that_disagree(mall):
    ((k, is_elbow, reason),) = mall.query(
        "select k, is_elbow, selection_reason from marts.k_selection where is_selected"
    )
    assert (k, is_elbow) == (5, True)
    assert reason == (
        "Highest silhouette (0.555) among the k whose every segment is stable "
        "(weakest bootstrap Jaccard >= 0.75): 3, 5. "
        "For comparison, the elbow is at 5 and the gap statistic prefers 1."
    )


def test_the_distributions_of_the_customers(mall):
    rows = mall.query(
        "select feature, mean, standard_deviation, minimum, maximum "
        "from features.int_feature_scaling order by feature"
    )
    sample = (200 / 199) ** 0.5
    published = [
        ("age", 38.85, 13.969007, 18, 70),
        ("annual_income_k_usd", 60.56, 26.264721, 15, 137),
        ("spending_score", 50.20, 25.823522, 1, 99),
    ]
    for row, expected in zip(rows, published, strict=True):
        assert row[0] == expected[0]
        assert (row[1], row[2] * sample, *row[3:]) == pytest.approx(expected[1:], abs=1e-6)


def test_schemas_are_the_contract(mall):
    schemas = mall.query(
        "select distinct schema_name from duckdb_tables() where database_name = 'dev' "
        "union select distinct schema_name from duckdb_views() where not internal order by 1"
    )
    assert schemas == [("features",), ("marts",), ("ml",), ("raw",), ("staging",)]


def test_bi_tools_see_what_each_column_means(mall):
    without = mall.query(
        "select table_name, column_name from duckdb_columns() "
        "where schema_name = 'marts' and comment is null"
    )
    assert without == []


def test_the_terminal_shows_the_segments(mall):
    result = CliRunner().invoke(main, ["segments", "--database", str(mall.database)])
    assert result.exit_code == 0
    for text in ("81", "40.5%", "Protect: invite to a VIP tier", "WCSS 65.568408"):
        assert text in result.stdout


def test_every_analysis_runs(mall):
    result = mall.dbt("compile", "--select", "resource_type:analysis")
    assert result.returncode == 0, result.stdout
    compiled = sorted((mall.folder / "target/compiled/mall_segments/analyses").glob("*.sql"))
    assert len(compiled) == len(list((mall.folder / "analyses").glob("*.sql"))) > 0
    for analysis in compiled:
        assert mall.query(analysis.read_text())


def test_every_column_that_is_built_is_described_and_no_other(mall):
    manifest = json.loads((mall.folder / "target" / "manifest.json").read_text())
    described = {
        (node["alias"].lower(), column.lower())
        for node in manifest["nodes"].values()
        if node["resource_type"] in ("model", "seed", "snapshot")
        for column, details in node["columns"].items()
        if details["description"]
    }
    built = mall.query(
        "select lower(table_name), lower(column_name) from duckdb_columns() "
        "where not internal and schema_name in ('raw', 'staging', 'features', 'ml', 'marts')"
    )
    assert set(built) - described == set()
    assert described - set(built) == set()


def test_everything_that_dbt_documents_is_described(mall):
    manifest = json.loads((mall.folder / "target" / "manifest.json").read_text())
    assert set(undescribed(manifest)) == set()


def undescribed(manifest):
    """Name whatever of the project has no description, down to the parts of semantic models."""
    own = [
        resource
        for kind in ("nodes", "sources", "exposures", "metrics", "semantic_models", "saved_queries")
        for resource in manifest[kind].values()
        if resource["resource_type"] not in ("test", "sql_operation", "analysis")
    ]
    own += described_macros(manifest)
    for resource in own:
        parts = [resource]
        for kind in ("columns", "arguments", "entities", "dimensions", "measures"):
            of_kind = resource.get(kind, [])
            parts += of_kind.values() if isinstance(of_kind, dict) else of_kind
        for part in parts:
            if not (part["description"] or "").strip():
                yield f"{resource['unique_id']}: {part['name']}"


def described_macros(manifest):
    """Return our macros, each with the arguments that it takes, or has a description of."""
    macros = [
        macro for macro in manifest["macros"].values() if macro["package_name"] == "mall_segments"
    ]
    documented = {macro["name"]: macro["arguments"] for macro in macros}
    for macro in macros:
        signature = re.match(r"\{%-? (?:macro|test) \w+\((.*?)\)", macro["macro_sql"], re.DOTALL)
        taken = re.findall(r"(\w+)(?:=\S+)?(?:,|$)", signature[1])
        name = macro["name"].rpartition("__")[2]
        # What an engine does in its own way is described once, at the macro that chooses.
        is_variant = name != macro["name"] and name in documented
        listed = documented[name] if is_variant else macro["arguments"]
        assert [argument["name"] for argument in listed] == taken, macro["unique_id"]
        if not is_variant:
            yield macro
