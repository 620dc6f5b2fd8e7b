{#- Write a table aside and give it its name when it is complete: the query may read the table that
    it replaces, and one that fails leaves it as it was. -#}
{% macro write_table_aside(target_relation, old_relation, query, statement_name) %}
    {%- set described = target_relation.schema ~ '__' ~ target_relation.identifier ~ '__dbt_described' -%}
    {%- set query = query_with_comments(target_relation, query, described) -%}
    {#- These formats replace a table in one step; Sail does so with any table, and cannot rename one. -#}
    {%- set is_replaced = config.get('file_format') in ['delta', 'iceberg'] -%}
    {%- if not adapter.is_spark() -%}
        {%- if old_relation is not none and old_relation.is_view -%}
            {%- do adapter.drop_relation(old_relation) -%}
        {%- endif -%}
        {%- call statement(statement_name) -%}
            {{ create_table_as(False, target_relation, query)
                | replace('create table ', 'create or replace table ', 1) }}
        {%- endcall -%}
    {%- elif is_replaced or config.get('location_root') -%}
        {#- A place of its own admits one table. -#}
        {%- if old_relation is not none and not (
            is_replaced and (old_relation.is_delta or old_relation.is_iceberg)
        ) -%}
            {%- do adapter.drop_relation(old_relation) -%}
        {%- endif -%}
        {%- call statement(statement_name) -%}
            {{ create_table_as(False, target_relation, query) }}
        {%- endcall -%}
    {%- else -%}
        {%- set aside = clear_relation_beside(target_relation, '__dbt_tmp') -%}
        {%- call statement(statement_name) -%}
            {{ create_table_as(False, aside, query) }}
        {%- endcall -%}
        {%- if old_relation is none -%}
            {%- do adapter.rename_relation(aside, target_relation) -%}
        {%- elif old_relation.is_view -%}
            {%- do adapter.drop_relation(old_relation) -%}
            {%- do adapter.rename_relation(aside, target_relation) -%}
        {%- else -%}
            {%- set backup = clear_relation_beside(target_relation, adapter.backup_suffix()) -%}
            {%- do adapter.rename_relation(target_relation, backup) -%}
            {%- do adapter.rename_relation(aside, target_relation) -%}
            {%- do adapter.drop_relation(backup) -%}
        {%- endif -%}
    {%- endif -%}
    {%- do adapter.drop_view_of_session(described) -%}
{% endmacro %}


{#- A relation beside another one, with nothing in its place. -#}
{% macro clear_relation_beside(relation, suffix) %}
    {%- set beside = relation.incorporate(
        path={'identifier': relation.identifier ~ suffix}, type='table'
    ) -%}
    {%- do adapter.drop_relation(beside) -%}
    {%- do adapter.clear_location(beside) -%}
    {{ return(beside) }}
{% endmacro %}


{#- Columns of a view have comments, and a table made of it keeps them: one statement for all. -#}
{% macro query_with_comments(relation, query, described) %}
    {%- if not (config.persist_column_docs() and model.columns) -%}
        {{ return(query) }}
    {%- endif -%}
    {%- set names = get_columns_in_query(query) -%}
    {%- do validate_doc_columns(relation, model.columns, names) -%}
    {%- call statement('described') -%}
        create or replace temporary view {{ described }} (
            {% for name in names -%}
                {%- set column = model.columns.get(name) -%}
                {{ adapter.quote(name) }}
                {%- if column and column.description %} comment {{ adapter.literal(column.description | trim) }}{% endif -%}
                {{- ', ' if not loop.last }}
            {% endfor %}
        ) as
        {{ query }}
    {%- endcall -%}
    {{ return('select * from ' ~ described) }}
{% endmacro %}
