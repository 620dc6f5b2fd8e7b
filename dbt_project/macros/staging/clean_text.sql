{#- Trimming a set of characters is ten times the cost of seeing that there is nothing to trim. -#}
{% macro clean_text(column) -%}
    case
        when {{ matches(column, "[!-~]([ -~]*[!-~])?") }}
        then {{ column }}
        else {{ trim_white_space(column) }}
    end
{%- endmacro %}

{#- The code points that Unicode calls white space, as in Python's str.strip(). -#}
{% macro trim_white_space(column) -%}
    {%- set code_points = (
        [9, 10, 11, 12, 13, 28, 29, 30, 31, 32, 133, 160, 5760]
        + [8192, 8193, 8194, 8195, 8196, 8197, 8198, 8199, 8200, 8201, 8202]
        + [8232, 8233, 8239, 8287, 12288]
    ) -%}
    {{ trim_characters(column, code_points) }}
{%- endmacro %}
