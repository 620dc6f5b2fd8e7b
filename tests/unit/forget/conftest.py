"""A production of a few rows, in which each customer has a name that can be searched for."""

import shutil
import uuid
from dataclasses import dataclass, field
from pathlib import Path

import duckdb
import pytest

from mall_segments.forget.production import LOG, LOG_COLUMNS, Request, forget
from mall_segments.publish.dbt_run import Made
from mall_segments.publish.export import export_marts
from mall_segments.publish.places import Places
from mall_segments.publish.progress import Quiet
from mall_segments.publish.publication import publish_build
from tests.faults.small_build import no_check

# As a file may spell them: the second is customer 42, the third has an id that is refused.
SPELLED = {"7": "Arthur-Dent", " 0042.0": "Zaphod-Beeblebrox", "B-1": "Ford-Prefect"}
NUMBERS = {"7": 7, " 0042.0": 42, "B-1": None}
MARTS = {
    "customer_segments": ["customer_id", "full_name", "build_id"],
    "segmentation_quality": ["build_id"],
    "builds": ["build_id", "published_at"],
    "erasures": ["erased_at"],
}


def make(candidate: Path) -> Made:
    """Build every kind of table into a candidate, over those of the build before."""
    build_id = str(uuid.uuid4())
    with duckdb.connect(str(candidate)) as connection:
        for schema in ("raw", "staging", "features", "ml", "marts", "crm"):
            connection.execute(f"create schema if not exists {schema}")
        connection.execute(
            "create or replace temp table people (line_number bigint, spelled varchar,"
            " customer_id bigint, full_name varchar)"
        )
        for line, (spelled, name) in enumerate(SPELLED.items(), start=2):
            connection.execute(
                "insert into people values (?, ?, ?, ?)", [line, spelled, NUMBERS[spelled], name]
            )
        connection.execute(
            """
            create or replace table raw.raw_customers as
            select line_number, spelled as customer_id, full_name from people;
            create or replace table staging.stg_customers_parsed as
            select line_number, customer_id, full_name, 30.5 as age from people;
            create or replace view staging.stg_customers as from staging.stg_customers_parsed;
            create or replace table staging.stg_customers_rejected as
            select
                line_number,
                cast(json_object('customer_id', spelled, 'full_name', full_name) as varchar)
                    as raw_record
            from people
            where customer_id is null;
            create or replace table features.int_feature_points as
            select age, 1 as customers from staging.stg_customers_parsed;
            create or replace table ml.optimum as select 'model' as model_id, 0.5 as centroid;
            create table if not exists ml.history (customer_id bigint, full_name varchar);
            insert into ml.history select customer_id, full_name from people;
            create or replace table crm.orders as
            select customer_id as "Customer Id", 9.5 as amount from people;
            create or replace table crm.products as select 42 as id, 'Towel' as product;
            """
        )
        connection.execute(f"create table if not exists {LOG} ({LOG_COLUMNS})")
        connection.execute(
            "create or replace table marts.customer_segments as"
            f" select customer_id, full_name, '{build_id}' as build_id from people"
            " where customer_id is not null"
        )
        connection.execute("comment on column marts.customer_segments.full_name is 'Who it is.'")
        connection.execute(
            f"create or replace table marts.segmentation_quality as select '{build_id}' as build_id"
        )
        connection.execute(
            "create table if not exists marts.builds (build_id varchar, published_at timestamp,"
            " customers bigint, rows_rejected bigint, k integer, wcss double,"
            " input_fingerprint varchar, duration_seconds double)"
        )
        connection.execute(
            f"insert into marts.builds values ('{build_id}', null, 3, 1, 5, 1.5, 'f', 0)"
        )
    return Made(build_id, MARTS, histories=frozenset({"builds", "erasures"}))


@dataclass
class Shop:
    """A production in one folder, with everything that is written about it."""

    folder: Path
    places: Places = field(init=False)

    def __post_init__(self):
        self.places = Places(
            self.folder / "warehouse" / "mall.duckdb", self.folder / "published" / "mall.duckdb"
        )

    def publish(self):
        return publish_build(self.places, make, no_check, Quiet()).build_id

    def export(self):
        for file_format in ("csv", "parquet"):
            export_marts(self.places.published, self.exports / file_format, file_format)

    @property
    def exports(self):
        return self.folder / "exports"

    @property
    def development(self):
        return self.folder / "dev.duckdb"

    def request(self, *ids, aliases=None):
        return Request(ids, self.folder, self.development, [self.exports], aliases or {})

    def forget(self, *ids, **options):
        return forget(self.places, self.request(*ids, **options))

    def files_with(self, text):
        """The files in which the bytes of a text are, wherever they lie."""
        return sorted(
            str(path.relative_to(self.folder))
            for path in self.folder.rglob("*")
            if path.is_file() and text.encode() in path.read_bytes()
        )

    def query(self, sql, path=None):
        with duckdb.connect(str(path or self.places.warehouse), read_only=True) as connection:
            return connection.sql(sql).fetchall()


@pytest.fixture(scope="session")
def made(tmp_path_factory):
    """Two builds, the second exported, so that free blocks hold rows of the first."""
    shop = Shop(tmp_path_factory.mktemp("made"))
    shop.publish()
    shop.publish()
    shop.export()
    return shop


@pytest.fixture
def shop(made, tmp_path):
    shutil.copytree(made.folder, tmp_path, symlinks=True, dirs_exist_ok=True)
    return Shop(tmp_path)
