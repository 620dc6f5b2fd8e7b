{% macro matches(expression, pattern) -%}
    {{ return(adapter.dispatch("matches")(expression, pattern)) }}
{%- endmacro %}

{% macro duckdb__matches(expression, pattern) -%}
    regexp_full_match({{ expression }}, '{{ pattern }}')
{%- endmacro %}
