import contextlib
import traceback

import pytest

from mall_segments.errors import MallSegmentsError, SettingError


def test_an_error_says_what_was_found_what_was_expected_and_what_to_do():
    error = SettingError("k", 0, "an integer from 1 to 50")
    assert str(error) == (
        "INVALID_SETTING: The variable k is 0, expected an integer from 1 to 50. "
        "Set it under vars in dbt_project.yml or with --vars '{k: ...}'."
    )


def test_dbt_shows_the_message_without_a_traceback():
    @contextlib.contextmanager
    def passing_through():
        yield

    with pytest.raises(MallSegmentsError) as caught, passing_through():
        raise SettingError("k", 0, "more")
    assert "Traceback" not in "".join(traceback.format_exception(caught.value))
    assert "INVALID_SETTING" in "".join(traceback.format_exception(caught.value))
