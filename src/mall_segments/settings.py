"""The settings a user gives as dbt variables, checked once."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from mall_segments.errors import SettingError, UnknownNameError
from mall_segments.intake.header import FIELDS

PROFILE_FEATURES = ("age", "annual_income_k_usd", "spending_score")
GENDERS = ("Female", "Male", "Other", "Unknown")
AUTOMATIC = "auto"
LARGEST_K = 50


def parse_features(value: object, setting: str = "segmentation_features") -> tuple[str, ...]:
    """Return feature names in their canonical order.

    Parameters
    ----------
    value : object
        A list of distinct names from PROFILE_FEATURES, in any order.
    setting : str
        Name of the variable, for the error.

    Raises
    ------
    SettingError
        If the value is not such a list.

    Examples
    --------
    >>> parse_features(["spending_score", "age"])
    ('age', 'spending_score')
    """
    if not isinstance(value, Sequence) or isinstance(value, str) or not value:
        raise SettingError(setting, value, f"a list of features out of {list(PROFILE_FEATURES)}")
    unknown = [name for name in value if name not in PROFILE_FEATURES]
    if unknown or len(set(value)) != len(value):
        raise SettingError(setting, value, f"distinct features out of {list(PROFILE_FEATURES)}")
    return tuple(name for name in PROFILE_FEATURES if name in value)


def parse_feature_sets(value: object) -> list[tuple[str, ...]]:
    """Return the feature sets to compare, each as `parse_features` gives it, without repeats."""
    setting = "compared_feature_sets"
    if not isinstance(value, Sequence) or isinstance(value, str):
        raise SettingError(setting, value, "a list of lists of features")
    return list(dict.fromkeys(parse_features(features, setting) for features in value))


def parse_aliases(value: object) -> dict[str, list[str]]:
    """Return the column names a user adds, by field."""
    if not isinstance(value, Mapping):
        raise SettingError("column_aliases", value, "a mapping of fields to lists of column names")
    aliases = {
        str(field): [names] if isinstance(names, str) else names for field, names in value.items()
    }
    for field in aliases:
        if field not in FIELDS:
            raise UnknownNameError("field", field, FIELDS, "column_aliases")
    for names in aliases.values():
        if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
            raise SettingError("column_aliases", value, "a list of column names for each field")
    return {field: list(names) for field, names in aliases.items()}


def parse_gender_map(value: object) -> dict[str, str]:
    """Return the gender that each added word stands for."""
    if not isinstance(value, Mapping):
        raise SettingError("gender_map", value, "a mapping of words to genders")
    for gender in map(str, value.values()):
        if gender not in GENDERS:
            raise UnknownNameError("gender", gender, GENDERS, "gender_map")
    return {str(word): str(gender) for word, gender in value.items()}


def parse_k(value: object) -> int | None:
    """Return the number of segments, or None for `auto`."""
    if value == AUTOMATIC:
        return None
    return parse_integer(value, "k", 1, LARGEST_K, alternative=f"'{AUTOMATIC}' or ")


def parse_integer(
    value: object, setting: str, smallest: int, largest: int, alternative: str = ""
) -> int:
    """Return an integer setting, or raise SettingError if it is not one in the range."""
    is_integer = isinstance(value, int) and not isinstance(value, bool)
    if not is_integer or not smallest <= int(str(value)) <= largest:
        expected = f"{alternative}an integer from {smallest} to {largest}"
        raise SettingError(setting, value, expected)
    return int(str(value))


def parse_flag(value: object, setting: str) -> bool:
    """Return a setting that is true or false."""
    if not isinstance(value, bool):
        raise SettingError(setting, value, "true or false")
    return value


def parse_number(value: object, setting: str) -> float:
    """Return a setting that is a number of 0 or more."""
    if not isinstance(value, int | float) or isinstance(value, bool) or not value >= 0:
        raise SettingError(setting, value, "a number of 0 or more")
    return float(value)


def check_settings(settings: Mapping[str, object]) -> None:
    """Refuse values that name what there is not, before anything is built of the others.

    Raises
    ------
    SettingError, UnknownNameError
    """
    for name, parse in NAMING.items():
        if name in settings:
            parse(settings[name])


def feature_set_name(features: Sequence[str]) -> str:
    """Return the name of a feature set as the marts show it.

    >>> feature_set_name(("age", "spending_score"))
    'age, spending_score'
    """
    return ", ".join(features)


# The variables whose values name something.
NAMING: Mapping[str, Callable[[object], object]] = {
    "segmentation_features": parse_features,
    "compared_feature_sets": parse_feature_sets,
    "k": parse_k,
    "column_aliases": parse_aliases,
    "gender_map": parse_gender_map,
}
