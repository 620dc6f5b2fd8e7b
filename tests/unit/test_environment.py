import re

import pytest

from mall_segments.environment import EXPECTED, check_environment, environment_variable
from mall_segments.errors import MallSegmentsError
from tests.integration.conftest import ROOT

NAMES = sorted(EXPECTED)


@pytest.mark.parametrize("name", NAMES)
def test_a_variable_that_is_empty_is_as_one_that_is_not_set(name, monkeypatch):
    check_environment({name: ""})
    monkeypatch.setenv(name, "")
    assert environment_variable(name, "default") == "default"
    monkeypatch.setenv(name, "other")
    assert environment_variable(name, "default") == "other"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *(("MEMORY_LIMIT", value) for value in ("abc", "4", "GB", '"4GB"', " ")),
        *(("WAREHOUSE", value) for value in (".", "/", " a.duckdb", " ")),
        ("PUBLISHED", "."),
        ("CANDIDATE", "."),
        ("DATABASE", "."),
        ("DATABASE", "no_such_folder/dev.duckdb"),
    ],
)
def test_a_value_that_means_nothing_is_named_with_its_variable(name, value):
    with pytest.raises(MallSegmentsError) as caught:
        check_environment({f"MALL_SEGMENTS_{name}": value})
    assert (caught.value.code, caught.value.exit_code) == ("INVALID_SETTING", 2)
    assert f"MALL_SEGMENTS_{name} is {value!r}, expected" in caught.value.message


def test_values_that_duckdb_takes_are_taken(tmp_path):
    for value in ("4GB", "1.5 GiB", "500mb"):
        check_environment({"MALL_SEGMENTS_MEMORY_LIMIT": value})
    for value in (":memory:", "md:mall", "dev.duckdb", str(tmp_path / "new.duckdb")):
        check_environment({"MALL_SEGMENTS_DATABASE": value})
    check_environment({"MALL_SEGMENTS_WAREHOUSE": "new_folder/mall.duckdb"})


def test_a_misspelt_name_is_refused_and_that_of_somebody_else_is_not():
    with pytest.raises(MallSegmentsError, match="did you mean MALL_SEGMENTS_MEMORY_LIMIT"):
        check_environment({"MALL_SEGMENTS_MEMORYLIMIT": "4GB"})
    # What Kubernetes sets for a service of this name, and what the tests set.
    for name in ("SERVICE_HOST", "PORT", "PORT_8501_TCP_ADDR", "KILL_AT", "BROWSER"):
        check_environment({f"MALL_SEGMENTS_{name}": "any"})


def test_every_variable_of_the_profile_is_checked_and_may_be_empty():
    profile = (ROOT / "profiles.yml").read_text()
    asked = re.findall(r"env_var\('(\w+)'(, '')?\)", profile)
    assert {name for name, _ in asked} == set(EXPECTED)
    assert {name for name, default in asked if not default} == {"MALL_SEGMENTS_CANDIDATE"}
