"""Options that several commands share, and what they mean."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields
from functools import wraps
from pathlib import Path
from typing import Any

import click

from mall_segments import environment
from mall_segments.intake.gates import Gates
from mall_segments.publish.places import Places
from mall_segments.settings import parse_aliases, parse_gender_map

WAREHOUSE = "warehouse/mall_segments.duckdb"
PUBLISHED = "published/mall_segments.duckdb"
# Environment variables that name them.
FILE_VARIABLES = {WAREHOUSE: environment.WAREHOUSE, PUBLISHED: environment.PUBLISHED}
BASELINE = "tests/expectations/customer_baseline.json"
SITE = "target/data_docs"
PATH = click.Path(path_type=Path)


class Pairs(click.ParamType):
    """An option of the form NAME=VALUE, or several separated by commas."""

    name = "name=value"

    def __init__(self, *, several: bool) -> None:
        self.several = several

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> list[tuple[str, str]]:
        """Split the text into (name, value) pairs."""
        text = str(value)
        pairs = [part.partition("=") for part in (text.split(",") if self.several else [text])]
        if not all(name.strip() and sign and meaning.strip() for name, sign, meaning in pairs):
            self.fail(f"{text!r} is not of the form NAME=VALUE.", param, ctx)
        return [(name.strip(), meaning.strip()) for name, _, meaning in pairs]


class Variables(click.ParamType):
    """A mapping of variables as YAML, as dbt's own --vars takes it."""

    name = "yaml"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> dict[str, object]:
        """Parse the text."""
        import yaml

        try:
            parsed = yaml.safe_load(str(value))
        except yaml.YAMLError:
            parsed = None
        if not isinstance(parsed, dict):
            self.fail(f"{value!r} is not a mapping of variables.", param, ctx)
        return parsed


def intake_options(command: Callable[..., None]) -> Callable[..., None]:
    """Add the options that say how a source of customers is read."""
    for gate in reversed(fields(Gates)):
        command = click.option(
            f"--{gate.name.replace('_', '-')}",
            type=int if gate.type == "int" else float,
            help=f"Gate of the intake policy, {gate.default} unless the project says otherwise.",
        )(command)
    command = click.option(
        "--gender-map",
        type=Pairs(several=True),
        help="What other genders mean, such as '1=Female,2=Male'.",
    )(command)
    return click.option(
        "--alias",
        "aliases",
        type=Pairs(several=False),
        multiple=True,
        help="Another name of a column, such as 'annual_income_k_usd=Ingreso anual'. Repeatable.",
    )(command)


def places_options(command: Callable[..., None]) -> Callable[..., None]:
    """Add the options that name the two files, and give the command their `places`."""

    @click.option(
        "--warehouse",
        type=PATH,
        envvar=FILE_VARIABLES[WAREHOUSE],
        default=lambda: in_project(WAREHOUSE),
        show_default=WAREHOUSE,
        show_envvar=True,
        help="Private DuckDB file with all layers and their history.",
    )
    @click.option(
        "--published",
        type=PATH,
        envvar=FILE_VARIABLES[PUBLISHED],
        default=lambda: in_project(PUBLISHED),
        show_default=PUBLISHED,
        show_envvar=True,
        help="DuckDB file that BI reads.",
    )
    @wraps(command)
    def with_places(warehouse: Path, published: Path, **others: Any) -> None:
        command(places=Places(warehouse.resolve(), published.resolve()), **others)

    return with_places


def database_option(default: str, of: str) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Return the option that names the file of a build, by default one of production."""
    return click.option(
        "--database",
        type=PATH,
        envvar=FILE_VARIABLES[default],
        default=lambda: in_project(default),
        show_default=default,
        show_envvar=True,
        help=f"DuckDB file of the build: {of}; dev.duckdb after a bare dbt build.",
    )


def in_project(path: str) -> Path:
    """Return a path of the project."""
    from mall_segments.project_sql import find_project

    return find_project() / path


def variable_overrides(
    project: Mapping[str, object],
    aliases: Sequence[list[tuple[str, str]]],
    gender_map: list[tuple[str, str]] | None,
    gates: Mapping[str, float | None],
) -> dict[str, object]:
    """Return the variables that the options change; aliases and genders add to the project's."""
    overrides: dict[str, object] = {
        name: value for name, value in gates.items() if value is not None
    }
    if aliases:
        names = parse_aliases(project["column_aliases"])
        for field, name in (pair for pairs in aliases for pair in pairs):
            names.setdefault(field, []).append(name)
        overrides["column_aliases"] = parse_aliases(names)
    if gender_map:
        added = parse_gender_map(project["gender_map"]) | dict(gender_map)
        overrides["gender_map"] = parse_gender_map(added)
    return overrides
