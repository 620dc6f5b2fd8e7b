{#- As in dbt-duckdb, whose catalog has no statistics, with the number of rows of each table. -#}
{% macro duckdb__get_catalog_results_sql() %}
    select
        tables.table_database,
        tables.table_schema,
        tables.table_name,
        tables.table_type,
        tables.table_comment,
        columns.column_name,
        columns.column_index,
        columns.column_type,
        columns.column_comment,
        null as table_owner,
        'Rows' as "stats:row_count:label",
        stored.estimated_size as "stats:row_count:value",
        'Rows of the table when this page was written' as "stats:row_count:description",
        stored.estimated_size is not null as "stats:row_count:include"
    from tables
    inner join columns using (table_database, table_schema, table_name)
    left join
        duckdb_tables() as stored
        on tables.table_database = stored.database_name
        and tables.table_schema = stored.schema_name
        and tables.table_name = stored.table_name
    order by table_schema, table_name, column_index
{% endmacro %}
