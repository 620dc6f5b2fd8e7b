import re

import pytest

from mall_segments.checks.checkpoint import Finding
from mall_segments.checks.sentences import EXPECTED, sentence
from tests.integration.conftest import ROOT


def finding(relation, expectation, column="", failing=(), rows=0, observed="", **bounds):
    return Finding(relation, expectation, column, False, observed, list(failing), rows, bounds)


@pytest.mark.parametrize(
    ("found", "said"),
    [
        (
            finding(
                "marts.segment_profiles",
                "column_values_to_be_between",
                "customer_share",
                [("S2", 0.004975)],
                2,
                min_value=0.02,
            ),
            "marts.segment_profiles: expected customer_share at least 0.02 in every row, found 1 of"
            " 2 rows that are not: segment S2 has 0.004975. See marts.outlier_customers; correct or"
            " leave out what is wrong, choose another k, or lower min_segment_share.",
        ),
        (
            finding(
                "staging.stg_customers",
                "column_values_to_be_between",
                "age",
                [(7, 15), (9, 3), (11, 119), (12, 14)],
                200,
                min_value=16,
                max_value=100,
                mostly=0.99,
            ),
            "staging.stg_customers: expected age between 16 and 100 in at least 99% of the rows,"
            " found 4 of 200 rows that are not: customer 11 has 119, customer 9 has 3, customer 12"
            " has 14 and 1 more. Look at the customers: is a column another one, or its unit?",
        ),
        (
            finding(
                "staging.stg_customers",
                "column_mean_to_be_between",
                "age",
                observed="12.5",
                min_value=18,
                max_value=80,
            ),
            "staging.stg_customers: expected a mean age between 18 and 80, found 12.5. Look at the"
            " customers: is a column another one, or its unit?",
        ),
        (
            finding(
                "staging.stg_customers",
                "column_kl_divergence_to_be_less_than",
                "age",
                observed="0.31",
                threshold=0.1,
            ),
            "staging.stg_customers: expected age distributed as in the registered baseline, a"
            " divergence of at most 0.1 nats, found 0.31. If other customers are meant, build again"
            " with --update-baseline.",
        ),
        (
            finding(
                "marts.segment_profiles",
                "table_row_count_to_be_between",
                observed="1",
                min_value=2,
                max_value=12,
            ),
            "marts.segment_profiles: expected a number of rows between 2 and 12, found 1. Choose"
            " another k, or k: auto.",
        ),
    ],
)
def test_a_sentence_says_what_was_expected_found_and_helps(found, said):
    assert sentence(found) == said


def test_every_expectation_of_the_suites_has_words():
    """Importing Great Expectations takes seconds and warns, so its names are read."""
    text = (ROOT / "src" / "mall_segments" / "checks" / "suites.py").read_text()
    names = set(re.findall(r"gxe\.Expect(\w+)", text))
    snake = {re.sub("(?<=[a-z])(?=[A-Z])|(?<=KL)(?=D)", "_", name).lower() for name in names}
    assert snake == set(EXPECTED)
    for relation in re.findall(r'^ {8}"(\w+\.\w+)": ', text, flags=re.MULTILINE):
        for kind in EXPECTED:
            bounds = {"min_value": 1, "value_set": ["a"], "threshold": 0.1}
            said = sentence(finding(relation, kind, "age", observed="7", **bounds))
            assert said.startswith(f"{relation}: expected ")
            assert "None" not in said
