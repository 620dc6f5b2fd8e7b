"""The marts to explore with are what pandas and scipy find, on the mall customers and others."""

from decimal import Decimal

import duckdb
import numpy as np
import pandas as pd
import pytest
import scipy.stats

FEATURES = ["age", "annual_income_k_usd", "spending_score"]
FIELDS = ["customer_id", "gender", *FEATURES]
MODELS = (
    "features/int_feature_points",
    "segments/int_customer_groups",
    "segments/int_feature_values",
    "marts/exploration/feature_distributions",
    "marts/exploration/feature_summaries",
    "marts/exploration/feature_correlations",
    "marts/exploration/outliers",
    "marts/exploration/outlier_customers",
    "marts/exploration/age_bands",
)
MARTS = tuple(path.rpartition("/")[2] for path in MODELS if path.startswith("marts/"))
# What the models read of a customer and these marts do not tell.
ELSEWHERE = {"line_number": 2, "distance_to_centroid": 0.0, "is_out_of_domain": False}
WIDTHS = [
    Decimal(mantissa) * Decimal(10) ** exponent
    for exponent in (-1, 0, 1)
    for mantissa in ("1", "2", "2.5", "5")
] + [Decimal(100)]
BANDS = {
    "under 18": (0, 17),
    "18-24": (18, 24),
    "25-34": (25, 34),
    "35-44": (35, 44),
    "45-54": (45, 54),
    "55-64": (55, 64),
    "65 and over": (65, 200),
}


class Laboratory:
    """The compiled models on tables of a test, in memory."""

    def __init__(self, project, threads=4):
        self.compiled = project.folder / "target/compiled/mall_segments/dbt_project/models"
        self.connection = duckdb.connect(config={"threads": threads})
        self.connection.execute("attach ':memory:' as dev")
        for schema in ("raw", "staging", "features", "ml", "marts"):
            self.connection.execute(f"create schema dev.{schema}")

    def table(self, name, frame):
        self.connection.register("given", frame)
        self.connection.execute(f"create table dev.{name} as select * from given")

    def run(self, path):
        schema, name = path.split("/")[0], path.rpartition("/")[2]
        schema = "ml" if schema == "segments" else schema
        text = (self.compiled / f"{path}.sql").read_text()
        self.connection.execute(f"create table dev.{schema}.{name} as {text}")
        return self.connection.table(f"dev.{schema}.{name}").df()


def explored(project, customers, threads=4):
    laboratory = Laboratory(project, threads)
    laboratory.table("features.int_customer_features", customers[FIELDS])
    laboratory.table("ml.ml_customer_segments", customers.assign(**ELSEWHERE))
    names = customers[["segment_key", "value_tier"]].drop_duplicates()
    laboratory.table("ml.int_segment_names", names)
    return {path.rpartition("/")[2]: laboratory.run(path) for path in MODELS}


def made_up(kind, seed):
    """Customers of a kind that breaks careless arithmetic."""
    draw = np.random.default_rng(seed)
    size = {"one": 1, "two": 2}.get(kind, 997)
    customers = pd.DataFrame(
        {
            "customer_id": np.arange(1, size + 1),
            "gender": draw.choice(["Female", "Male", "Other", "Unknown"], size),
            "age": draw.integers(16, 91, size).astype(float),
            "annual_income_k_usd": draw.integers(1, 41, size).astype(float),
            "spending_score": draw.integers(1, 101, size).astype(float),
            "segment_key": draw.choice(["S1", "S2", "S3"], size, p=[0.6, 0.3, 0.1]),
        }
    )
    if kind == "continuous":
        customers["annual_income_k_usd"] = draw.lognormal(3.5, 0.8, size).clip(0.01, 1000)
        customers["age"] = np.floor(customers["annual_income_k_usd"]).clip(1, 120)
    if kind == "tenths":
        customers["annual_income_k_usd"] = draw.integers(1, 30, size) / 10
    if kind == "constant":
        customers["annual_income_k_usd"] = 15.3
        customers["spending_score"] = np.where(draw.random(size) < 0.9, 50.0, 60.0)
    customers["value_tier"] = np.where(customers["segment_key"] == "S2", "high", "low")
    return customers


KINDS = ("whole", "continuous", "tenths", "constant", "one", "two")


@pytest.fixture(scope="module", params=["mall", *KINDS])
def case(request, mall):
    """Customers and the marts about them."""
    if request.param != "mall":
        customers = made_up(request.param, seed=KINDS.index(request.param))
        return customers, explored(mall, customers)
    with duckdb.connect(str(mall.database), read_only=True) as connection:
        customers = connection.sql("from marts.customer_segments").df()
        return customers, {name: connection.table(f"marts.{name}").df() for name in MARTS}


def groups_of(customers):
    yield "all", "all", customers
    for breakdown, column in (("segment", "segment_key"), ("gender", "gender")):
        for key, members in customers.groupby(column):
            yield breakdown, key, members


def rows_of(mart, feature, breakdown, key):
    found = (mart["feature"] == feature) & (mart["breakdown"] == breakdown)
    return mart[found & (mart["group_key"] == key)]


def test_every_group_is_described_as_by_pandas(case):
    customers, marts = case
    summaries = marts["feature_summaries"]
    seen = 0
    for breakdown, key, members in groups_of(customers):
        for feature in FEATURES:
            ((_, row),) = rows_of(summaries, feature, breakdown, key).iterrows()
            seen += 1
            values = members[feature].astype(float)
            constant = values.nunique() == 1
            expected = {
                "customers": len(values),
                "mean": values.mean(),
                "stddev": values.std(),
                "minimum": values.min(),
                "p10": values.quantile(0.10),
                "p25": values.quantile(0.25),
                "median": values.median(),
                "p75": values.quantile(0.75),
                "p90": values.quantile(0.90),
                "maximum": values.max(),
                "skewness": np.nan if constant else values.skew(),
                "distinct_values": values.nunique(),
            }
            assert row[list(expected)].astype(float).to_dict() == pytest.approx(
                expected, rel=1e-9, abs=1e-9, nan_ok=True
            )
    assert seen == len(summaries)


def test_the_bins_count_what_numpy_counts_and_cover_everybody(case):
    customers, marts = case
    distributions = marts["feature_distributions"]
    seen = 0
    for breakdown, key, members in groups_of(customers):
        for feature in FEATURES:
            rows = rows_of(distributions, feature, breakdown, key)
            seen += len(rows)
            assert list(rows["bin_number"]) == list(range(1, len(rows) + 1))
            assert list(rows["bin_lower"])[1:] == list(rows["bin_upper"])[:-1]
            # The last edge of numpy's belongs to the last bin; an edge further, and it does not.
            edges = [*rows["bin_lower"], list(rows["bin_upper"])[-1], np.inf]
            counts, _ = np.histogram(members[feature], edges)
            assert list(rows["customers"]) == list(counts[:-1])
            assert rows["customers"].sum() == len(members)
            assert rows["share"].sum() == pytest.approx(1)
    assert seen == len(distributions)


def bins_needed(values, width):
    multiples = [Decimal(str(value)) // width for value in (min(values), max(values))]
    return int(multiples[1] - multiples[0]) + 1


def test_the_bins_have_the_nice_width_that_comes_nearest_to_the_usual_number(case):
    customers, marts = case
    for feature, rows in marts["feature_distributions"].groupby("feature"):
        values = customers[feature].astype(float)
        for _, group in rows.groupby(["breakdown", "group_key"]):
            edges = group[["bin_number", "bin_lower", "bin_upper"]].to_numpy().tolist()
            assert (
                edges
                == rows[["bin_number", "bin_lower", "bin_upper"]][: len(edges)].to_numpy().tolist()
            )
        of_all = rows[rows["breakdown"] == "all"]
        width = Decimal(str(of_all["bin_upper"].iloc[0])) - Decimal(
            str(of_all["bin_lower"].iloc[0])
        )
        assert width in WIDTHS
        assert all(Decimal(str(edge)) % width == 0 for edge in of_all["bin_lower"])
        allowed = WIDTHS
        if (values % 1 == 0).all():
            allowed = [choice for choice in WIDTHS if choice % 1 == 0]
        ratios = [abs(np.log(bins_needed(values, choice) / 17)) for choice in allowed]
        assert width == allowed[int(np.argmin(ratios))]
        assert len(of_all) == bins_needed(values, width)
        assert len(of_all) >= 11 or width == allowed[0]
        assert len(of_all) <= 25


def test_whole_numbers_get_no_comb(mall):
    # 40 whole incomes would be nearest to 17 in bins of 2.5, which hold two and three in turn.
    whole = made_up("whole", seed=0)
    assert bins_needed(whole["annual_income_k_usd"], Decimal("2.5")) == 17
    distributions = explored(mall, whole)["feature_distributions"]
    bins = rows_of(distributions, "annual_income_k_usd", "all", "all")
    assert set(bins["bin_upper"] - bins["bin_lower"]) == {2}


def test_correlations_are_those_of_scipy_and_symmetric(case):
    customers, marts = case
    found = marts["feature_correlations"].set_index(["feature", "other_feature"])
    assert len(found) == 9
    assert (found["customers"] == len(customers)).all()
    constant = {feature for feature in FEATURES if customers[feature].nunique() == 1}
    for feature in FEATURES:
        for other in FEATURES:
            row, mirrored = found.loc[(feature, other)], found.loc[(other, feature)]
            for measure in ("pearson", "spearman"):
                if {feature, other} & constant:
                    assert np.isnan(row[measure])
                    continue
                expected = getattr(scipy.stats, f"{measure}r")(customers[feature], customers[other])
                assert row[measure] == pytest.approx(expected.statistic, abs=1e-9)
                assert row[measure] == mirrored[measure]
                assert abs(row[measure]) <= 1
                assert feature != other or row[measure] == 1


def bounds_of(values, rule):
    """Lower and upper bound of a rule by scipy, nan where it finds no spread."""
    if rule.startswith("tukey"):
        reach = float(rule.partition("_")[2]) * scipy.stats.iqr(values)
        low, high = np.quantile(values, [0.25, 0.75])
    elif rule == "z_score_3":
        reach = 3 * pd.Series(values).std()
        low = high = values.mean()
    else:
        reach = 3.5 * scipy.stats.median_abs_deviation(values) / 0.6745
        low = high = np.median(values)
    return (low - reach, high + reach) if reach > 1e-9 else (np.nan, np.nan)


def test_outliers_are_those_of_their_rules(case):
    customers, marts = case
    assert len(marts["outliers"]) == 12
    listed = marts["outlier_customers"].set_index("customer_id")
    by_id = customers.set_index("customer_id")
    for _, row in marts["outliers"].iterrows():
        values = by_id[row["feature"]].astype(float)
        low, high = bounds_of(values, row["rule"])
        assert (row["lower_bound"], row["upper_bound"]) == pytest.approx((low, high), nan_ok=True)
        below, above = values < low, values > high
        assert (row["customers_below"], row["customers_above"]) == (below.sum(), above.sum())
        assert row["customers"] == below.sum() + above.sum()
        assert row["share"] == pytest.approx(row["customers"] / len(values))
        flagged = listed[(listed["feature"] == row["feature"]) & (listed["rule"] == row["rule"])]
        assert sorted(flagged.index) == sorted(values.index[below | above])
        assert (flagged["value"] == values[flagged.index]).all()
        assert (flagged["segment_key"] == by_id["segment_key"][flagged.index]).all()
        assert (flagged["lower_bound"] == row["lower_bound"]).all()
        assert (flagged["upper_bound"] == row["upper_bound"]).all()


def test_the_richest_customers_of_the_mall_are_outliers_by_one_rule(mall):
    assert mall.query(
        "select customer_id, feature, rule, value, lower_bound, upper_bound"
        " from marts.outlier_customers"
    ) == [
        (199, "annual_income_k_usd", "tukey_1.5", 137, -13.25, 132.75),
        (200, "annual_income_k_usd", "tukey_1.5", 137, -13.25, 132.75),
    ]


def test_age_bands_hold_every_customer_once(case):
    customers, marts = case
    bands = marts["age_bands"]
    assert bands["customers"].sum() == len(customers)
    assert bands["customers"].min() > 0
    assert not bands.duplicated(["age_band", "segment_key", "gender"]).any()
    for _, row in bands.iterrows():
        youngest, oldest = BANDS[row["age_band"]]
        assert list(BANDS)[row["age_band_number"] - 1] == row["age_band"]
        members = customers[
            customers["age"].between(youngest, oldest)
            & (customers["segment_key"] == row["segment_key"])
            & (customers["gender"] == row["gender"])
        ]
        assert row["customers"] == len(members)
        assert row["high_value_customers"] == (members["value_tier"] == "high").sum()
        assert row["annual_income_k_usd_mean"] == pytest.approx(
            members["annual_income_k_usd"].mean()
        )
        assert row["spending_score_mean"] == pytest.approx(members["spending_score"].mean())


def test_neither_the_order_of_the_rows_nor_the_threads_show(mall):
    customers = made_up("continuous", seed=3)
    shuffled = customers.sample(frac=1, random_state=1)
    one, other = explored(mall, customers, threads=1), explored(mall, shuffled, threads=4)
    for name in MARTS:
        pd.testing.assert_frame_equal(one[name], other[name], check_exact=True)


def test_the_missing_values_of_raw_rows_are_those_that_pandas_finds(mall):
    draw = np.random.default_rng(5)
    size = 500
    raw = pd.DataFrame({field: draw.integers(18, 80, size).astype(str) for field in FIELDS})
    raw["line_number"] = np.arange(2, size + 2)
    raw["intake_reason"] = None
    is_missing = pd.DataFrame({field: draw.random(size) < 0.1 for field in FIELDS})
    is_missing["annual_income_k_usd"] |= is_missing["age"] & (draw.random(size) < 0.7)
    is_missing["customer_id"] = False
    spellings = ["", "  ", "n/a", "NULL", "?", "-", " nan "]
    for field in FIELDS:
        raw.loc[is_missing[field], field] = draw.choice(spellings, is_missing[field].sum())
    # Wrong, but not missing.
    raw.loc[:9, "age"] = "old"
    is_missing.loc[:9, "age"] = False
    torn = raw.head(3).assign(
        line_number=[901, 902, 903], intake_reason="field_count", **dict.fromkeys(FIELDS)
    )
    laboratory = Laboratory(mall)
    laboratory.table("raw.raw_customers", pd.concat([raw, torn]))
    laboratory.run("staging/stg_customers_parsed")
    found = laboratory.run("marts/exploration/feature_missingness")
    assert len(found) == 25
    assert (found["raw_rows"] == size).all()
    expected = is_missing.astype(float).corr()
    for _, row in found.iterrows():
        pair = row["column_name"], row["other_column_name"]
        both = (is_missing[pair[0]] & is_missing[pair[1]]).sum()
        assert row["missing_rows"] == both
        assert row["missing_share"] == pytest.approx(both / size)
        assert row["missing_correlation"] == pytest.approx(expected.loc[pair], nan_ok=True)
    assert expected.loc["age", "annual_income_k_usd"] > 0.4


def test_nothing_is_missing_from_the_mall_customers(mall):
    assert mall.query(
        "select distinct raw_rows, missing_rows, missing_share, missing_correlation"
        " from marts.feature_missingness"
    ) == [(200, 0, 0, None)]
