"""dbt on a SparkSession of its own process: SQL by dbt-spark, Python models in the same session."""

from importlib.util import find_spec

from dbt.adapters.base import AdapterPlugin

if find_spec("dbt.adapters.spark") is None:
    # The name is what dbt takes for an adapter that is not installed, instead of a defect in it.
    raise ModuleNotFoundError(
        "The adapter sparksession needs dbt-spark and pyspark: "
        "pip install 'dbt-spark>=1.11,<1.12' 'pyspark[connect]>=4.0,<5'",
        name=__name__,
    )

from dbt.adapters.sparksession.connections import SparkSessionConnectionManager
from dbt.adapters.sparksession.credentials import SparkSessionCredentials
from dbt.adapters.sparksession.impl import SparkSessionAdapter
from dbt.include import sparksession

__all__ = [
    "Plugin",
    "SparkSessionAdapter",
    "SparkSessionConnectionManager",
    "SparkSessionCredentials",
]

Plugin = AdapterPlugin(
    adapter=SparkSessionAdapter,  # type: ignore[arg-type]
    credentials=SparkSessionCredentials,
    include_path=sparksession.PACKAGE_PATH,
    # Macros that this adapter does not have are those of dbt-spark.
    dependencies=["spark"],
)
