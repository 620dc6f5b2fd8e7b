{#- Trimming a set of characters is ten times the cost of seeing that there is nothing to trim. -#}
{% macro clean_text(column) -%}
    case
        when {{ matches(column, "[!-~]([ -~]*[!-~])?") }}
        then {{ column }}
        else {{ trim_white_space(column) }}
    end
{%- endmacro %}

{% macro trim_white_space(column) -%}
    {{ return(adapter.dispatch("trim_white_space")(column)) }}
{%- endmacro %}

{% macro duckdb__trim_white_space(column) -%}
    trim({{ column }}, ' ' || chr(9) || chr(10) || chr(11) || chr(12) || chr(13) || chr(160))
{%- endmacro %}
