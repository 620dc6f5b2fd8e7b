import pytest

from mall_segments.errors import SettingError, UnknownNameError, nearest
from mall_segments.settings import (
    check_settings,
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


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (
            {"column_aliases": {"agee": ["Alter"]}},
            "no field agee for column_aliases; did you mean age",
        ),
        ({"column_aliases": {"Age": "Alter"}}, "no field Age for column_aliases; did you mean age"),
        ({"gender_map": {1: "female"}}, "no gender female for gender_map; did you mean Female"),
        ({"gender_map": {1: None}}, r"no gender None for gender_map\. There are: Female, Male"),
    ],
)
def test_a_name_inside_a_mapping_is_one_that_there_is(settings, message):
    with pytest.raises(UnknownNameError, match=message):
        check_settings(settings)


def test_features_and_k_are_checked_with_the_names():
    check_settings({"k": "auto", "segmentation_features": ["age"], "gender_map": {}})
    for settings in (
        {"k": "6"},
        {"segmentation_features": ["aeg"]},
        {"compared_feature_sets": "age"},
    ):
        with pytest.raises(SettingError):
            check_settings(settings)


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("K", "k"),
        ("kmax", "k_max"),
        ("path", "customers_path"),
        ("nothing_like_it", None),
        ("", None),
    ],
)
def test_the_nearest_name_is_one_that_is_alike(name, meant):
    assert nearest(name, ["k", "k_max", "customers_path", "customers_relation"]) == meant
