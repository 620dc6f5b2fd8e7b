"""The site about a build: dbt's documentation, Data Docs and the report, behind one index page."""
