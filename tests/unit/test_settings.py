import pytest

from mall_segments.errors import SettingError
from mall_segments.settings import (
    parse_aliases,
    parse_feature_sets,
    parse_features,
    parse_gender_map,
    parse_integer,
    parse_k,
)


def test_features_come_in_canonical_order():
    assert parse_features(["spending_score", "age"]) == ("age", "spending_score")


@pytest.mark.parametrize("value", [None, [], "age", ["wealth"], ["age", "age"], 3])
def test_what_is_not_a_feature_list_is_refused_with_what_is(value):
    with pytest.raises(SettingError, match=r"segmentation_features is .* features out of \['age',"):
        parse_features(value)


def test_feature_sets_are_kept_once():
    assert parse_feature_sets([["age"], ["spending_score", "age"], ["age"]]) == [
        ("age",),
        ("age", "spending_score"),
    ]


@pytest.mark.parametrize("value", ["age", None, ["age"], [["wealth"]]])
def test_what_is_not_a_list_of_feature_lists_is_refused(value):
    with pytest.raises(SettingError, match="compared_feature_sets"):
        parse_feature_sets(value)


@pytest.mark.parametrize(("value", "expected"), [("auto", None), (1, 1), (50, 50)])
def test_k_is_automatic_or_a_number(value, expected):
    assert parse_k(value) == expected


@pytest.mark.parametrize("value", [0, 51, 5.0, "5", True, None])
def test_what_is_not_a_k_is_refused_with_what_is(value):
    with pytest.raises(SettingError, match="expected 'auto' or an integer from 1 to 50"):
        parse_k(value)


@pytest.mark.parametrize("value", [1, 3])
def test_an_integer_outside_its_range_is_refused(value):
    with pytest.raises(SettingError, match=r"size is .* expected an integer from 2 to 2"):
        parse_integer(value, "size", 2, 2)


def test_aliases_may_be_one_name_or_several():
    assert parse_aliases({"age": "Edad", "gender": ["sexo", "género"]}) == {
        "age": ["Edad"],
        "gender": ["sexo", "género"],
    }
    with pytest.raises(SettingError, match="column_aliases"):
        parse_aliases(["Edad"])
    for names in (5, None, [5]):
        with pytest.raises(SettingError, match="a list of column names for each field"):
            parse_aliases({"age": names})


def test_genders_may_be_coded_as_numbers():
    assert parse_gender_map({1: "Female"}) == {"1": "Female"}
    with pytest.raises(SettingError, match="gender_map"):
        parse_gender_map("1=Female")
