"""The project's own SQL models, rendered outside dbt.

Rows are judged by the staging models of the dbt project. What inspects a file without a build
renders the same model and macros, so that there is one set of rules and not two.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any, NoReturn

import jinja2
import yaml

from mall_segments.errors import MallSegmentsError

PROJECT_FILE = "dbt_project.yml"


class ProjectNotFoundError(MallSegmentsError):
    """No dbt project in the working directory, above it, or beside the package."""

    def __init__(self) -> None:
        super().__init__(
            "PROJECT_NOT_FOUND",
            f"There is no {PROJECT_FILE} in {Path.cwd()} or above it.",
            "Work in a clone of the project.",
        )


def find_project() -> Path:
    """Return the folder of the dbt project that the working directory or the package is in."""
    for folder in (Path.cwd(), *Path.cwd().parents, *Path(__file__).resolve().parents):
        if (folder / PROJECT_FILE).is_file() and (folder / "dbt_project" / "macros").is_dir():
            return folder
    raise ProjectNotFoundError


def project_variables() -> dict[str, object]:
    """Return the variables of the project with the values that its project file gives."""
    text = (find_project() / PROJECT_FILE).read_text(encoding="utf-8")
    return dict(yaml.safe_load(text)["vars"])


def render_model(
    name: str,
    relations: Mapping[str, str],
    variables: Mapping[str, object],
    engine: str = "duckdb",
) -> str:
    """Return the SQL of a model of the project.

    Parameters
    ----------
    name : str
        Name of the model.
    relations : mapping of model to what `ref` renders as
    variables : mapping of variable to its value
    engine : str
        Whose variant of a macro to take: duckdb or spark.
    """
    (path,) = (find_project() / "dbt_project").glob(f"models/**/{name}.sql")
    return render_sql(path.read_text(encoding="utf-8"), relations, variables, engine)


def render_sql(
    text: str,
    relations: Mapping[str, str],
    variables: Mapping[str, object],
    engine: str = "duckdb",
) -> str:
    """Return the SQL of a text with Jinja; the other parameters are those of `render_model`."""
    return _load(find_project(), text).render(
        ref=relations.__getitem__,
        var=variables.__getitem__,
        adapter=_Adapter(engine),
        dbt=_Dbt(engine),
    )


@cache
def _load(project: Path, text: str) -> jinja2.Template:
    environment = jinja2.Environment(  # noqa: S701 - what is rendered is SQL, not HTML
        extensions=["jinja2.ext.do"], undefined=jinja2.StrictUndefined
    )
    environment.globals |= {
        "exceptions": _Exceptions(),
        "is_incremental": lambda: False,
        "return": lambda value: value,
    }
    macros = sorted((project / "dbt_project").glob("macros/**/*.sql"))
    return environment.from_string(
        "".join([*(path.read_text(encoding="utf-8") for path in macros), text])
    )


class _Adapter:
    """Stands for dbt's `adapter` in a macro: finds the variant for an engine."""

    def __init__(self, engine: str) -> None:
        self._engine = engine

    @jinja2.pass_context
    def dispatch(self, context: jinja2.runtime.Context, name: str) -> Any:
        macros = context.vars
        return macros.get(f"{self._engine}__{name}") or macros[f"default__{name}"]


class _Dbt:
    """Stands for the macros of the package `dbt` that the project uses."""

    def __init__(self, engine: str) -> None:
        self._quote = "\\'" if engine == "spark" else "''"

    def escape_single_quotes(self, text: str) -> str:
        return text.replace("'", self._quote)

    def type_string(self) -> str:
        return "string"


class _Exceptions:
    """Stands for dbt's `exceptions`."""

    def raise_compiler_error(self, message: str) -> NoReturn:
        raise MallSegmentsError("INVALID_SETTING", message, "Correct the variable.")
