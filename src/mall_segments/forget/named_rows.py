"""Which rows are about customers, told by the names and types of columns, not by a list of tables.

So a table that is new, of a loader or of an earlier version is searched as those of today are.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from mall_segments.errors import AmbiguousColumnError, MissingColumnError
from mall_segments.forget.asked import ASKED, ID, KEY
from mall_segments.intake.header import normalised, resolve_header
from mall_segments.settings import PROFILE_FEATURES
from mall_segments.sql_text import identifier

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

Aliases = Mapping[str, Sequence[str]]

TEXTS = ("VARCHAR", "JSON")
INTEGERS = ("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT")
LINE = "line_number"
# Lines of the source where an id stood that is no number, so that later layers have none.
UNREAD_LINES = "temp.unread_lines"
# Layers that each build makes anew from its customers, and columns that hold their values there.
MADE_ANEW = ("features", "ml")
VALUES = frozenset({*PROFILE_FEATURES, "value"})


@dataclass(frozen=True, eq=False)
class Layout:
    """The columns of a table or file.

    Attributes
    ----------
    types : type of each column by name
    ids : columns that hold the id of a customer
    records : text columns that hold records as JSON
    """

    types: Mapping[str, str]
    ids: Sequence[str]
    records: Sequence[str]

    @cached_property
    def keys(self) -> list[str]:
        """SQL for the key of the customer in each column that can name one."""
        keys = [_key(name, self.types[name]) for name in self.ids]
        return keys + [_key_of_record(name) for name in self.records]

    @property
    def unread_key(self) -> str | None:
        """SQL for the key of a row whose id may be anything, if there are its lines too."""
        names = [name for name in self.ids if self.types[name] not in INTEGERS]
        return _key(names[0], self.types[names[0]]) if names and LINE in self.types else None

    @property
    def is_about_them(self) -> str:
        """SQL for whether a row is about a customer who is asked for; never null."""
        conditions = [is_asked(key) for key in self.keys]
        if LINE in self.types:
            conditions += [
                f"({identifier(name)} is null and {LINE} in (select line from {UNREAD_LINES}))"
                for name in self.ids
                if self.types[name] in INTEGERS
            ]
        return f"({' or '.join(conditions)})" if conditions else "false"


@dataclass(frozen=True, eq=False)
class Table(Layout):
    """A table of a database."""

    schema: str
    name: str

    @property
    def path(self) -> str:
        """Schema and name as SQL spells them."""
        return f"{identifier(self.schema)}.{identifier(self.name)}"

    @property
    def holds_points(self) -> bool:
        """Whether it holds values of customers without saying whose, until the next build."""
        return self.schema in MADE_ANEW and not self.ids and not VALUES.isdisjoint(self.types)


def tables_of(session: DuckDBPyConnection, database: str, aliases: Aliases) -> list[Table]:
    """Return the tables of an attached database, those that others refer to first."""
    types: dict[tuple[str, str], dict[str, str]] = {}
    for schema, name, column, kind in session.execute(
        "select schema_name, table_name, column_name, data_type"
        " from duckdb_columns() inner join duckdb_tables()"
        " using (database_name, schema_name, table_name, table_oid)"
        " where database_name = ? order by table_oid, column_index",
        [database],
    ).fetchall():
        types.setdefault((schema, name), {})[column] = kind
    return [
        Table(
            found,
            id_columns(list(found), aliases),
            record_columns(session, f"{database}.{identifier(schema)}.{identifier(name)}", found),
            schema,
            name,
        )
        for (schema, name), found in types.items()
    ]


def id_columns(names: Sequence[str], aliases: Aliases) -> list[str]:
    """Return the columns that hold the id of a customer.

    Any called `customer_id`, however it is spelled; of a table with all fields of a customer, such
    as the seed, the one that a build would take for the id. A mere `id` is somebody else's.

    Examples
    --------
    >>> id_columns(["Customer ID", "amount"], {})
    ['Customer ID']
    >>> id_columns(["id", "price"], {})
    []
    """
    found = [name for name in names if normalised(name) == normalised(ID)]
    if not found:
        try:
            found = [resolve_header(names, aliases).columns[ID]]
        except (MissingColumnError, AmbiguousColumnError):
            return []
    return found


def record_columns(
    session: DuckDBPyConnection, relation: str, types: Mapping[str, str]
) -> list[str]:
    """Return the text columns of a relation in which something begins as a JSON object does."""
    texts = [name for name, kind in types.items() if kind in TEXTS]
    if not texts:
        return []
    begins = ", ".join(f"bool_or(starts_with({identifier(name)}, '{{'))" for name in texts)
    (found,) = session.execute(f"select {begins} from {relation}").fetchall()
    return [name for name, is_record in zip(texts, found, strict=True) if is_record]


def is_asked(key: str) -> str:
    """Return the SQL for whether the customer of a key is asked for; never null."""
    return f"coalesce({key} in (select key from {ASKED}), false)"


def note_unread_lines(session: DuckDBPyConnection, database: str, tables: Iterable[Table]) -> None:
    """Leave in UNREAD_LINES where the customers stand whose ids are no numbers."""
    session.execute("create or replace temp table unread_lines (line bigint)")
    for table in tables:
        if key := table.unread_key:
            session.execute(
                f"insert into {UNREAD_LINES} select {LINE} from {database}.{table.path}"
                f" where {is_asked(key)} and try_cast({key} as bigint) is null"
            )


def _key(column: str, kind: str) -> str:
    text = f"cast({identifier(column)} as varchar)"
    return text if kind in INTEGERS else f"{KEY}({text})"


def _key_of_record(column: str) -> str:
    text = identifier(column)
    record = f"case when starts_with({text}, '{{') and json_valid({text}) then {text} end"
    return f"{KEY}(json_extract_string({record}, '$.{ID}'))"
