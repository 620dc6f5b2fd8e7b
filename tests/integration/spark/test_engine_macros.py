"""Every dispatched macro answers the same on DuckDB and on Spark."""

import datetime
import itertools
import math
import random
import re
import time

import numpy as np
import pytest

from mall_segments.intake.dialect import WHITE_SPACE
from mall_segments.project_sql import find_project

# py4j leaves its sockets to the garbage collector.
pytestmark = [
    pytest.mark.spark,
    pytest.mark.filterwarnings("ignore:unclosed <socket:ResourceWarning"),
]

TEXTS = [
    "",
    " ",
    "7",
    " 0007 ",
    "19.0",
    "100.",
    "+39",
    "-1",
    ".5",
    ".0",
    ".",
    "1.5",
    "1e1",
    "$15",
    "1,5",
    "inf",
    "NaN",
    "0x1F",
    "1d",
    "9" * 18,
    "9223372036854775807",
    "9223372036854775808",
    "9" * 38,
    "9" * 41,
    "0" * 60 + "7",
    "12\n",
    "\n12",
    "1\r2",
    "Ünïcode",
    "F\u00a0",
    "\u3000m\u2003",
    "tab\there",
    "'quoted'",
    "back\\slash",
]
# As typed in a file: whole, with decimals, very small and very large.
NUMBERS = [0.0, 15.0, 0.1, 15.5, 0.0005, 0.0001, 999.999, 1e7, 12345678.25, 1234567890123.5, 1 / 3]


def literal(value: object, type_name: str) -> str:
    """Return SQL for a value that both engines read alike, whatever characters it has."""
    if value is None:
        return f"cast(null as {type_name})"
    if isinstance(value, str):
        # Engines escape a quote and a backslash in different ways, and Jinja rewrites line ends.
        texts = (
            f"chr({ord(letter)})" if letter < " " or letter in "'\\" else f"'{letter}'"
            for letter in value
        )
        return f"concat('', {', '.join(texts)})" if value else "''"
    return f"cast('{value!r}' as {type_name})"


def rows(columns: dict[str, list], types: dict[str, str]) -> str:
    """Return a query of some rows, `place` first."""
    tuples = []
    for place, values in enumerate(zip(*columns.values(), strict=True)):
        fields = [literal(value, types[name]) for name, value in zip(columns, values, strict=True)]
        tuples.append(f"({place}, {', '.join(fields)})")
    return f"select * from (values {', '.join(tuples)}) as listed (place, {', '.join(columns)})"


def test_every_variant_of_an_engine_is_tested_here():
    macros = "".join(
        path.read_text(encoding="utf-8")
        for path in (find_project() / "dbt_project" / "macros" / "engine").glob("*.sql")
    )
    dispatched = set(re.findall(r'adapter\.dispatch\("(\w+)"\)', macros))
    tested = {
        "computed_once",
        "days_between",
        "engine_version",
        "exact_sum",
        "json_record",
        "matches",
        "row_hash",
        "seconds_since",
        "trim_characters",
    }
    assert dispatched == tested


def test_a_name_computed_once_can_be_read_twice(answers):
    expected, found = answers(
        "with ones as {{ computed_once() }} (select 1 as one) "
        "select one from ones union all select one + 1 from ones order by 1"
    )
    assert found == expected == [(1,), (2,)]


def test_the_days_between_two_have_both_ends(answers):
    text = (
        "with ends as (select cast({} as date) as first_date, cast('2028-03-01' as date) as"
        " last_date), days as ({{{{ days_between('ends', 'first_date', 'last_date') }}}})"
        " select cast(day_at as date) from days order by 1"
    )
    expected, found = answers(text.format("'2028-02-28'"))
    february = datetime.date(2028, 2, 28)
    assert found == expected
    assert found == [(february + datetime.timedelta(days),) for days in range(3)]
    expected, found = answers(text.format("null"))
    assert found == expected == []


def test_the_engine_says_its_version(answers):
    ((ours,),), ((theirs,),) = answers("select {{ engine_version() }}")
    assert re.fullmatch(r"v\d+\.\d+\.\d+.*", ours)
    assert re.fullmatch(r"Spark \d+\.\d+\.\d+", theirs)


def test_sums_are_exact_in_any_order(answers):
    """Added up as doubles, 1e9 would swallow the last digits of what comes after it."""
    values = [1e9, 0.1, -1e9, *[0.1] * 20, 1 / 3]
    numbers = rows({"value": values}, {"value": "double"})
    expected, found = answers(f"select {{{{ exact_sum('value') }}}} from ({numbers}) as numbers")
    assert found == expected
    assert found[0][0] == pytest.approx(2.1 + 1 / 3, abs=1e-11)
    expected, found = answers(
        f"select {{{{ exact_sum('value') }}}}, {{{{ exact_stddev('value') }}}}"
        f" from ({numbers}) as numbers where value > 1e10"
    )
    assert found == expected == [(None, None)]


def test_a_record_is_the_same_json(answers):
    texts = [*TEXTS, None, '"', "\x01\x1f", "é/\u2028"]
    expected, found = answers(
        "select {{ json_record('records', ['place', 'text']) }} from ("
        + rows({"text": texts}, {"text": "string"})
        + ") as records order by place"
    )
    assert found == expected
    assert found[2] == ('{"place":2,"text":"7"}',)


def test_a_pattern_is_of_the_whole_text(answers):
    texts = rows({"text": TEXTS}, {"text": "string"})
    expected, found = answers(
        "select place, {{ is_number('text') }}, {{ is_whole_number('text') }},"
        f" {{{{ matches('text', 'a|b|[0-9]+') }}}} from ({texts}) as texts order by place"
    )
    assert found == expected
    assert dict(zip(TEXTS, (row[3] for row in found), strict=True))["12\n"] is False


def test_a_text_becomes_the_same_number(answers):
    texts = rows({"text": TEXTS}, {"text": "string"})
    expected, found = answers(
        "select place, {{ amount('text') }}, try_cast({{ whole_number('text') }} as bigint),"
        " {{ whole_number_reason('id', 'text', 0, 9223372036854775807) }},"
        " {{ amount_reason('income', 'text', 0, 1000) }}"
        f" from ({texts}) as texts order by place"
    )
    assert found == expected


def test_a_text_is_trimmed_and_named_alike(answers):
    texts = [*TEXTS, *(f"{space}m{space}{space}" for space in WHITE_SPACE), "FEMALE", "\ufefff"]
    expected, found = answers(
        "select place, {{ clean_text('text') }}, {{ missing_to_null('text') }},"
        " {{ gender_name(clean_text('text')) }} from ("
        + rows({"text": texts}, {"text": "string"})
        + ") as texts order by place"
    )
    assert found == expected
    assert [row[1] for row in found] == [text.strip() for text in texts]


@pytest.mark.parametrize("share", [0, 0.1, 0.25, 0.5, 0.9, 1])
def test_quantiles_of_counted_values_interpolate_alike(answers, share):
    counts = {0.7: 1, 1.0: 2, 4.0: 1, 8.0: 3, 33.3: 1, 100.0: 1}
    columns = {"value": list(counts), "customers": list(counts.values())}
    expected, found = answers(
        f"select {{{{ quantile_of_counts({share}) }}}} from ("
        "select *, sum(customers) over (order by value) as customers_up_to,"
        " sum(customers) over () as group_customers from ("
        + rows(columns, {"value": "double", "customers": "bigint"})
        + ") as counted) as placed"
    )
    assert found[0] == pytest.approx(expected[0], rel=1e-14)
    assert found[0][0] == pytest.approx(
        np.quantile(np.repeat(columns["value"], columns["customers"]), share)
    )


def test_rows_have_the_same_hash(answers):
    """Of as many numbers as matter, with up to six decimals, and of texts and nulls."""
    chance = random.Random(0)
    numbers = [*NUMBERS, *(round(chance.uniform(0, 1000), places % 7) for places in range(300))]
    columns = {
        "customer_id": list(range(len(numbers))),
        "gender": list(itertools.islice(itertools.cycle(["Female", "Male", None]), len(numbers))),
        "income": numbers,
    }
    types = {"customer_id": "bigint", "gender": "string", "income": "double"}
    expected, found = answers(
        "select place, {{ row_hash(['customer_id', 'gender', 'income']) }} from ("
        + rows(columns, types)
        + ") as customers order by place"
    )
    assert [(place, int(number)) for place, number in found] == expected
    total, found_total = answers(
        "select md5(cast(sum({{ row_hash(['income']) }}) as string)) from ("
        + rows(columns, types)
        + ") as customers"
    )
    assert found_total == total


def test_figures_of_a_sentence_are_rounded_alike(answers):
    """Halves that are a digit less in floating point too: 100 * (9 / 2000) is below 0.45."""
    shares = [100 * (customers / 2000) for customers in range(1, 400)]
    means = [(10 * tenths + 5) / 100 for tenths in range(400)]
    expected, found = answers(
        "select place, {{ figure('value') }} from ("
        + rows({"value": [*shares, *means]}, {"value": "double"})
        + ") as numbers order by place"
    )
    assert found == expected
    assert [text for _, text in found[8:10]] == ["0.5", "0.5"]


def test_seconds_count_from_a_moment_in_utc(answers):
    moment = datetime.datetime.now(datetime.UTC) - datetime.timedelta(hours=1)
    began = time.monotonic()
    for ((seconds,),) in answers(
        f"select {{{{ seconds_since(\"cast('{moment:%Y-%m-%d %H:%M:%S.%f}' as timestamp)\") }}}}"
    ):
        assert 3600 <= seconds <= 3600 + 1 + time.monotonic() - began
        assert math.isfinite(seconds)
