{#- dbt-duckdb keeps the table from which it appends the rows of an incremental Python model. -#}
{% macro drop_temporary_tables() -%}
    {%- if execute and target.type == "duckdb" -%}
        {%- set query -%}
            select schema_name, table_name
            from duckdb_tables()
            where
                database_name = '{{ this.database }}'
                and starts_with(table_name, '{{ this.identifier }}__dbt_tmp')
        {%- endset -%}
        {%- for schema_name, table_name in run_query(query).rows %}
            drop table {{ schema_name }}.{{ table_name }};
        {%- endfor -%}
    {%- endif -%}
{%- endmacro %}
