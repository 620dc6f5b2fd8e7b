"""Errors that say what was found, what was expected and what to do."""

from __future__ import annotations

from collections.abc import Sequence
from difflib import SequenceMatcher

# Names less alike than this are no misspelling of each other.
ALIKE = 0.6


class MallSegmentsError(Exception):
    """Base of every error this project raises on purpose.

    dbt prints the whole traceback of whatever a Python model raises. These errors are messages to a
    person about their data or settings, so they carry none.

    Attributes
    ----------
    code, message, hint : what it is, what was found and expected, what to do
    exit_code : of the command that ends with it
    """

    exit_code = 2

    def __init__(self, code: str, message: str, hint: str) -> None:
        super().__init__(f"{code}: {message} {hint}")
        self.code = code
        self.message = message
        self.hint = hint

    @property
    def __traceback__(self) -> None:
        return None

    @__traceback__.setter
    def __traceback__(self, value: object) -> None:
        """Ignore the traceback that context managers try to restore."""


class TooFewPointsError(MallSegmentsError):
    """Fewer distinct points than clusters."""

    def __init__(self, found: int, needed: int) -> None:
        super().__init__(
            "TOO_FEW_POINTS",
            f"Found {found} distinct feature vectors; {needed} segments need at least {needed}.",
            "Lower k, add a segmentation feature, or load more customers.",
        )


class SettingError(MallSegmentsError):
    """A dbt variable or command line option with a value that means nothing."""

    def __init__(self, setting: str, found: object, expected: str) -> None:
        super().__init__(
            "INVALID_SETTING",
            f"The variable {setting} is {found!r}, expected {expected}.",
            f"Set it under vars in dbt_project.yml or with --vars '{{{setting}: ...}}'.",
        )


class UnknownNameError(MallSegmentsError):
    """A name that nothing reads, misspelt perhaps.

    Parameters
    ----------
    kind : what it should be the name of
    found : the name
    names : those that there are
    setting : whose value has the name, if any
    """

    def __init__(self, kind: str, found: str, names: Sequence[str], setting: str = "") -> None:
        meant = nearest(found, names)
        super().__init__(
            "INVALID_SETTING",
            f"There is no {kind} {found}"
            + (f" for {setting}" if setting else "")
            + (f"; did you mean {meant}?" if meant else "."),
            f"There are: {', '.join(names)}.",
        )


class NotAppendedError(MallSegmentsError):
    """With `appended` an earlier build should go on that was not of this source or model."""

    def __init__(self, message: str) -> None:
        super().__init__("NOT_APPENDED", message, "Build once without appended: true.")


class MissingSelectionError(MallSegmentsError):
    """The panel of candidates has no selected k for the segmentation features."""

    def __init__(self, feature_set: str, found: list[str]) -> None:
        super().__init__(
            "MISSING_SELECTION",
            f"No k is selected for the features '{feature_set}'; the panel selects for {found}.",
            "Build both models with the same vars: dbt build -s ml_segment_candidates+.",
        )


class InputRefusedError(MallSegmentsError):
    """A source of customers that cannot be built from.

    Attributes
    ----------
    columns : fields or columns that the refusal is about, if any
    line : line of the file where it was found, counted from 1, if known
    """

    def __init__(
        self,
        code: str,
        message: str,
        hint: str,
        *,
        columns: list[str] | None = None,
        line: int | None = None,
    ) -> None:
        where = f" (line {line})" if line is not None else ""
        super().__init__(code, f"{message}{where}", hint)
        self.columns = columns
        self.line = line


class MissingColumnError(InputRefusedError):
    """A table of customers without one of the five columns."""

    def __init__(self, fields: list[str], found: list[str]) -> None:
        super().__init__(
            "MISSING_COLUMN",
            f"No column found for {', '.join(fields)}. The columns are: {', '.join(found)}.",
            "If one of them holds it under another name, add an alias: "
            f"column_aliases: {{{fields[0]}: ['the name in your table']}}, "
            f"or --alias '{fields[0]}=the name in your table'.",
            columns=fields,
        )


class AmbiguousColumnError(InputRefusedError):
    """Two columns that could both hold the same field."""

    def __init__(self, field: str, columns: list[str]) -> None:
        super().__init__(
            "AMBIGUOUS_COLUMN",
            f"Several columns could hold {field}: {', '.join(columns)}.",
            "Rename or remove all but one of them.",
            columns=columns,
        )


class NotBuiltError(MallSegmentsError):
    """A database without the marts."""

    def __init__(self, found: str) -> None:
        super().__init__(
            "NOT_BUILT", found, "Run mall-segments build first, or name the file: --database."
        )


class AuditFailedError(MallSegmentsError):
    """A candidate that is finished but must not be published."""

    exit_code = 3

    def __init__(self, problems: Sequence[str]) -> None:
        super().__init__(
            "AUDIT_FAILED",
            "\n".join(problems),
            "Nothing was published. Look at the candidate: build again with --keep-candidate.",
        )


def nearest(name: str, names: Sequence[str]) -> str | None:
    """Return the one of the names that another is most like, if it is like any.

    Examples
    --------
    >>> nearest("customer_path", ["customers_path", "customers_relation"])
    'customers_path'
    >>> nearest("features", ["compared_feature_sets", "segmentation_features"])
    'segmentation_features'
    """
    wanted = name.casefold().replace("-", "_")

    def likeness(known: str) -> float:
        is_part = len(wanted) > 3 and wanted in known.casefold()
        return is_part + SequenceMatcher(None, wanted, known.casefold()).ratio()

    best = max(names, key=likeness, default=None)
    return best if best is not None and likeness(best) >= ALIKE else None
