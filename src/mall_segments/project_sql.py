"""The project's own SQL models, rendered outside dbt.

Rows are judged by the staging models of the dbt project. What inspects a file without a build
renders the same model and macros, so that there is one set of rules and not two.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import jinja2
import yaml

from mall_segments.errors import MallSegmentsError, UnknownNameError
from mall_segments.settings import check_settings

PROJECT_FILE = "dbt_project.yml"
# Where dbt puts packages unless told otherwise.
PACKAGES = "dbt_packages"
READERS = (".sql", ".yml", ".yaml")
# How models, macros and tests ask for a variable.
READ = re.compile(r"""\bvar\(\s*["']([^"']+)["']""")


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
        if is_project(folder):
            return folder
    raise ProjectNotFoundError


def is_project(folder: Path) -> bool:
    """Whether this is a copy of the dbt project."""
    return (folder / PROJECT_FILE).is_file() and (folder / "dbt_project" / "macros").is_dir()


def project_variables(
    given: Mapping[str, object] | None = None, project: Path | None = None
) -> dict[str, object]:
    """Return the variables of the project with their values.

    A name that no model, macro or test asks for is refused, whoever gives it: dbt would ignore it,
    and build with the default of the variable that was meant.

    Parameters
    ----------
    given : what is given instead of the values of the project file, on the command line perhaps
    project : folder of the project, by default that which `find_project` finds

    Raises
    ------
    SettingError, UnknownNameError
    """
    project = project or find_project()
    configured = yaml.safe_load((project / PROJECT_FILE).read_text(encoding="utf-8"))
    declared = dict(configured.get("vars") or {})
    # dbt lets a project file give variables to one package alone.
    declared |= declared.pop(configured["name"], None) or {}
    packages = project / configured.get("packages-install-path", PACKAGES)
    for package in packages.glob("*/"):
        declared.pop(package.name, None)
    variables = declared | {str(name): value for name, value in (given or {}).items()}
    known = _names_read(project, [*_folders(configured), packages.name])
    for name in variables:
        if name not in known:
            raise UnknownNameError("variable", name, known)
    check_settings(variables)
    return variables


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


def _folders(configured: Mapping[str, Any]) -> list[str]:
    return [path for key, paths in configured.items() if key.endswith("-paths") for path in paths]


def _names_read(project: Path, folders: Iterable[str]) -> list[str]:
    """Return the names of the variables that the files of a project ask for."""
    files = [*project.glob("*.yml")]
    for folder in folders:
        files += [path for path in (project / folder).rglob("*") if path.suffix in READERS]
    texts = (path.read_text(encoding="utf-8", errors="replace") for path in files)
    return sorted({name for text in texts for name in READ.findall(text)})


@cache
def _load(project: Path, text: str) -> jinja2.Template:
    environment = jinja2.Environment(  # noqa: S701 - what is rendered is SQL, not HTML
        extensions=["jinja2.ext.do"], undefined=jinja2.StrictUndefined
    )
    environment.globals |= {
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
