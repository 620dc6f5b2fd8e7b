{#- Without a format dbt-spark's macros differ in what they assume: text files, parquet or delta. -#}
{% macro sparksession__file_format_clause() %}
    using {{ config.get('file_format') or 'parquet' }}
{%- endmacro %}


{% macro sparksession__persist_constraints(relation, model) %}
    {%- if config.get('file_format') == 'delta' -%}
        {{ spark__persist_constraints(relation, model) }}
    {%- endif -%}
{% endmacro %}


{#- Comments are part of the statement that makes the table or the view. -#}
{% macro sparksession__persist_docs(relation, model, for_relation, for_columns) %}{% endmacro %}


{#- dbt-spark leaves backslashes and line ends of a description as they are. Sail takes no comment with
    a query. -#}
{% macro sparksession__comment_clause() %}
    {%- if config.persist_relation_docs() and model.description and adapter.is_spark() -%}
        comment {{ adapter.literal(model.description | trim) }}
    {%- endif -%}
{% endmacro %}
