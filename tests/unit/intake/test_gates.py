from dataclasses import fields

import pytest

from mall_segments.errors import SettingError
from mall_segments.intake.gates import Gates, parse_gates
from mall_segments.project_sql import project_variables


def test_the_project_sets_the_gates_of_the_policy():
    variables = project_variables()
    assert {field.name: variables[field.name] for field in fields(Gates)} == vars(Gates())


@pytest.mark.parametrize("value", [-1, "50", None, True, float("nan")])
def test_a_gate_is_a_number(value):
    with pytest.raises(SettingError, match="min_customers"):
        parse_gates({"min_customers": value})
