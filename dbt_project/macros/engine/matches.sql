{% macro matches(expression, pattern) -%}
    {{ return(adapter.dispatch("matches")(expression, pattern)) }}
{%- endmacro %}

{% macro duckdb__matches(expression, pattern) -%}
    regexp_full_match({{ expression }}, '{{ pattern }}')
{%- endmacro %}

{#- In Java `$` would match before a line feed at the end too. -#}
{% macro spark__matches(expression, pattern) -%}
    {{ expression }} rlike '^({{ pattern }})\\z'
{%- endmacro %}
