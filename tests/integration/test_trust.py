"""What a segment is from build to build, whether it can be trusted, and why a customer is in it."""

import csv
import hashlib
import json
import shutil

import duckdb
import pytest

from tests.integration.conftest import SERVING_MARTS, seed_rows

MODEL = "select segment_key, feature, mean, scale, centroid_scaled from ml.int_segment_model"


def changed(rows, column, function):
    return [[*row[:column], function(row), *row[column + 1 :]] for row in rows]


def test_the_certificates_of_the_mall_segments(mall):
    rows = mall.query(
        "select segment_key, jaccard_mean, jaccard_low, jaccard_high, verdict"
        " from marts.segment_trust order by 1"
    )
    assert [row[0] for row in rows] == ["S1", "S2", "S3", "S4", "S5"]
    assert [row[4] for row in rows] == ["stable"] * 5
    assert all(0.96 < mean <= 1 and 0.84 < low <= high for _, mean, low, high, _ in rows)
    ((least, certain),) = mall.query(
        "select min(assignment_probability), count(*) filter (assignment_probability = 1)"
        " from marts.customer_segments"
    )
    assert 0.5 < least < 0.7
    assert certain > 150


def test_how_good_the_optimum_is(mall):
    assert mall.query(
        "select round(restarts_at_best_share, 3), round(runner_up_wcss_gap, 3),"
        " runner_up_customers from marts.segmentation_quality"
    ) == [(0.64, 0.502, 36)]


def test_the_contributions_add_up_and_the_change_really_moves_every_customer(mall):
    assert mall.query(
        """
        select count(*) from (
            select
                customer_id,
                abs(sum(contribution) - max(squared_distance_difference)) as left_over,
                max(squared_distance_difference) as difference
            from marts.assignment_reasons group by customer_id
        ) as reasons
        join ml.ml_customer_segments as customers using (customer_id)
        where left_over > 1e-9 or abs(
            difference - (runner_up_distance * runner_up_distance
                - distance_to_centroid * distance_to_centroid)
        ) > 1e-9
        """
    ) == [(0,)]
    flips = mall.query(
        """
        select customer_id, segment_key, changed_segment_key,
            annual_income_k_usd + if(feature = 'annual_income_k_usd', smallest_change, 0),
            spending_score + if(feature = 'spending_score', smallest_change, 0)
        from marts.assignment_reasons join marts.customer_segments using (customer_id, segment_key)
        """
    )
    model = mall.query(MODEL)
    assert len(flips) == 400
    for _, own, expected, *values in flips:
        distance = {}
        for key, feature, mean, scale, centroid in model:
            value = values[feature == "spending_score"]
            distance[key] = distance.get(key, 0) + ((value - mean) / scale - centroid) ** 2
        assert min(distance, key=distance.get) == expected != own


def test_no_smaller_whole_step_would_move_the_customer(mall):
    steps = {"annual_income_k_usd": 0.1, "spending_score": 1}
    model = mall.query(MODEL)
    rows = mall.query(
        "select segment_key, feature, smallest_change, annual_income_k_usd, spending_score"
        " from marts.assignment_reasons"
        " join marts.customer_segments using (customer_id, segment_key)"
        " where abs(smallest_change) > 1"
    )
    for own, changed_feature, change, income, score in rows:
        shorter = change - (steps[changed_feature] if change > 0 else -steps[changed_feature])
        values = {"annual_income_k_usd": income, "spending_score": score}
        values[changed_feature] += shorter
        distance = {}
        for key, feature, mean, scale, centroid in model:
            value = (values[feature] - mean) / scale - centroid
            distance[key] = distance.get(key, 0) + value**2
        assert distance[own] <= min(distance.values()) + 1e-9


def test_a_rule_is_as_right_as_it_says(mall):
    rows = mall.query(
        "select segment_key, sum(rule_recall) from marts.segment_rules group by segment_key"
    )
    assert {key for key, _ in rows} == {"S1", "S2", "S3", "S4", "S5"}
    assert all(recall > 0.95 for _, recall in rows)
    assert mall.query("select sum(customers) from marts.segment_rules") == [(200,)]


def test_a_failing_challenger_leaves_all_serving_marts_byte_identical(first_build, production):
    result = production.run(
        "mall-segments", "build", "--json", "--vars", "{min_segment_stability: 0.99}"
    )
    assert result.returncode == 0, result.stdout
    notes = [
        event["text"]
        for event in map(json.loads, result.stdout.splitlines())
        if event["event"] == "note"
    ]
    assert any(note.startswith("The stored model goes on serving. Not promoted:") for note in notes)
    published = production.published
    assert production.marts(published, SERVING_MARTS) == first_build.marts(
        first_build.published, SERVING_MARTS
    )
    ((promoted, serving, decision),) = production.query(
        "select is_promoted, is_serving, decision from marts.model_runs"
        " order by fitted_at desc limit 1",
        published,
    )
    assert (promoted, serving) == (False, False)
    assert decision.startswith(
        "Not promoted: the bootstrap Jaccard of S3 is 0.97, below min_segment_stability 0.99"
    )


def test_a_challenger_that_fails_is_promoted_on_request(built):
    fitted = ("int_build", "ml_segment_models", "int_segment_model", "model_runs")
    built.build("--select", *fitted, min_segment_share=0.5, promote=True)
    ((promoted, decision),) = built.query(
        "select is_promoted, decision from marts.model_runs where is_serving"
    )
    assert promoted
    assert decision.startswith("Promoted by request, against the gates: S5 has 11.0%")


def test_the_stored_model_scores_new_customers_with_the_same_keys(built):
    before = dict(built.query("select customer_id, segment_key from marts.customer_segments"))
    fitted = built.query("select distinct model_id from ml.int_segment_model")
    newcomers = [[201, "Female", 30, 90, 85], [202, "Male", 30, 200, 5]]
    built.write_seed([*seed_rows()[1:], *newcomers])
    built.tested_build(refit=False)
    after = dict(built.query("select customer_id, segment_key from marts.customer_segments"))
    assert {key: after[key] for key in before if key != 1} == {
        key: segment for key, segment in before.items() if key != 1
    }
    assert (after[201], after[202]) == ("S2", "S3")
    assert built.query("select distinct model_id from ml.int_segment_model") == fitted
    assert built.query(
        "select customer_id from marts.customer_segments where is_out_of_domain"
    ) == [(202,)]
    assert built.query(
        "select from_segment_key, to_segment_key, customers from marts.segment_migrations"
        " where from_segment_key is distinct from to_segment_key order by 1 nulls last, 2"
    ) == [("S4", None, 1), (None, "S2", 1), (None, "S3", 1)]
    assert built.query(
        "select distinct verdict from marts.segment_history join ml.int_build using (build_id)"
    ) == [("kept",)]


@pytest.mark.parametrize("mistyped", [1, 2, 4])
def test_customers_with_a_mistyped_income_rename_no_other_segment(built, mistyped):
    named = "select segment_key, segment_name, value_tier, recommended_action from {} order by 1"
    before = built.query(named.format("marts.segment_profiles"))
    outliers = [[300 + n, "Male", 40, 999, 50] for n in range(mistyped)]
    built.write_seed([*seed_rows(), *outliers])
    built.build("--select", "+int_segment_names", refit=False)
    # The one that the mistyped customers are in may be called otherwise.
    ((theirs,),) = built.query(
        "select distinct segment_key from ml.ml_customer_segments where customer_id >= 300"
    )
    after = built.query(named.format("ml.int_segment_names"))
    assert [row for row in after if row[0] != theirs] == [row for row in before if row[0] != theirs]


def test_a_segment_that_empties_is_retired_and_its_customers_are_seen_to_leave(built):
    of_segment = dict(built.query("select customer_id, segment_key from marts.customer_segments"))
    rest = [row for row in seed_rows() if of_segment[int(row[0])] != "S5"]
    built.write_seed(rest)
    built.tested_build(k=4)
    assert dict(built.query("select segment_key, state from marts.segment_registry")) == {
        **dict.fromkeys(["S1", "S2", "S3", "S4"], "active"),
        "S5": "retired",
    }
    assert built.query(
        "select segment_key, verdict, customers, segment_name from marts.segment_history"
        " join ml.int_build using (build_id) where verdict <> 'kept'"
    ) == [("S5", "retired", 0, "Low income, high spenders")]
    assert built.query(
        "select from_segment_key, customers from marts.segment_migrations"
        " where to_segment_key is null"
    ) == [("S5", 22)]
    closed = built.query(
        "select segment_key, count(*) from ml.customer_segment_history"
        " where dbt_valid_to is not null group by 1"
    )
    assert closed == [("S5", 22)]
    assert built.query("select verdict from marts.segment_drift where subject = 'segment_mix'") == [
        ("alarm",)
    ]


def test_drift_raises_its_alarms_until_it_is_accepted(built):
    built.write_seed(changed(seed_rows(), 3, lambda row: round(float(row[3]) * 1.15, 1)))
    built.build("--select", "+segment_drift", refit=False)
    found = dict(
        built.query("select subject, verdict from marts.segment_drift where verdict <> 'stable'")
    )
    assert found["annual_income_k_usd"] == "watch"
    assert "spending_score" not in found
    assert "age" not in found
    built.build("--select", "+segment_drift", update_baseline=True)
    assert built.query("select distinct verdict from marts.segment_drift") == [("stable",)]


def test_explain_and_score_on_the_command_line(first_build, tmp_path):
    result = first_build.run("mall-segments", "explain", 44)
    assert result.returncode == 0, result.stderr
    for text in ("is in S1, Middle income, steady spenders", "bootstrap refits", "As a rule:"):
        assert text in result.stdout
    assert first_build.run("mall-segments", "explain", 999).returncode == 2
    digests = []
    for name in ("one.csv", "two.csv"):
        result = first_build.run(
            "mall-segments", "score", first_build.seed, "--to", tmp_path / name
        )
        assert result.returncode == 0, result.stderr
        digests.append(hashlib.sha256((tmp_path / name).read_bytes()).hexdigest())
    assert digests[0] == digests[1]
    with (tmp_path / "one.csv").open(newline="") as file:
        scored = {int(row["customer_id"]): row["segment_key"] for row in csv.DictReader(file)}
    fitted = first_build.query(
        "select customer_id, segment_key from marts.customer_segments", first_build.published
    )
    assert scored == dict(fitted)
    assert len(scored) == 200


def test_a_file_to_score_may_be_small_and_its_refused_rows_are_kept(first_build, tmp_path):
    source = tmp_path / "new.csv"
    source.write_text(
        "id,gender,age,income,score\n1,F,30,250,50\n2,F,x,20,80\n"
        "3,M,40,60,50\n4,M,41,61,50\n5,M,42,60,51\n"
    )
    output = tmp_path / "new.parquet"
    result = first_build.run("mall-segments", "score", source, "--to", output)
    assert result.returncode == 0, result.stderr
    assert "4 customers in" in result.stdout
    assert "1 of them are beyond the range" in result.stdout
    assert "1 rows are no customers" in result.stdout
    assert "age:not_a_number" in (tmp_path / "new.rejected.csv").read_text()
    assert first_build.run("mall-segments", "score", source, "--to", "x.txt").returncode == 2
    nowhere = first_build.run(
        "mall-segments", "score", source, "--to", output, "--warehouse", tmp_path / "no.duckdb"
    )
    assert "NOT_BUILT" in nowhere.stderr


def test_a_proven_bound_is_published_with_the_next_build(production):
    with duckdb.connect(str(production.warehouse)) as connection:
        # A bound on the WCSS of some points holds for all, and is proven in a second.
        connection.execute("delete from features.int_feature_points where rowid >= 40")
    result = production.run("mall-segments", "certify")
    assert result.returncode == 0, result.stderr
    assert "This one has 65.568408: within " in result.stdout
    ((proven,),) = production.query(
        "select wcss_lower_bound from ml.optimality_certificates", production.warehouse
    )
    shutil.copy(production.warehouse, production.database)
    result = production.dbt("run", "--select", "segmentation_quality")
    assert result.returncode == 0, result.stdout
    ((wcss, bound, gap),) = production.query(
        "select wcss, wcss_lower_bound, proven_wcss_gap from marts.segmentation_quality"
    )
    assert 0 < bound == proven < wcss
    assert gap == pytest.approx(wcss / bound - 1)


@pytest.mark.faults
def test_the_segmentation_is_proven_to_be_within_a_tenth_of_a_percent(production):
    result = production.run("mall-segments", "certify")
    assert result.returncode == 0, result.stderr
    assert "This one has 65.568408: within 0.00" in result.stdout
    assert production.run("mall-segments", "build", "--quiet").returncode == 0
    ((wcss, bound, gap),) = production.query(
        "select wcss, wcss_lower_bound, proven_wcss_gap from marts.segmentation_quality",
        production.published,
    )
    assert 0 <= gap < 1e-3
    assert 0.999 * wcss < bound <= wcss
