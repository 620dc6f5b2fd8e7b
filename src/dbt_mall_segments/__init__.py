"""A plugin of dbt: no command of dbt begins with settings of the project that mean nothing.

dbt loads every module whose name begins with `dbt_`, and makes its plugins when it has read the
project file, before it parses a model or opens a database.
"""

from __future__ import annotations

from pathlib import Path

from dbt.flags import get_flags
from dbt.plugins import dbtPlugin

from mall_segments.environment import check_environment
from mall_segments.project_sql import is_project, project_variables


class CheckedSettings(dbtPlugin):
    """Refuses unknown variables of the project, from the command line or its file."""

    def initialize(self) -> None:
        """Check the settings of this project; others are none of our business."""
        flags = get_flags()
        # A tool that calls dbt's parts by itself may have set no flags.
        project = Path(getattr(flags, "PROJECT_DIR", None) or Path.cwd())
        if is_project(project):
            check_environment()
            project_variables(getattr(flags, "VARS", None), project)


plugins = [CheckedSettings]
