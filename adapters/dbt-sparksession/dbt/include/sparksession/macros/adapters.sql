{#- Without a format Spark would choose, and dbt-spark would assume delta. -#}
{% macro sparksession__file_format_clause() %}
    using {{ config.get('file_format') or 'parquet' }}
{%- endmacro %}


{% macro sparksession__persist_constraints(relation, model) %}
    {%- if config.get('file_format') == 'delta' -%}
        {{ spark__persist_constraints(relation, model) }}
    {%- endif -%}
{% endmacro %}
