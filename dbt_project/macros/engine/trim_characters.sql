{% macro trim_characters(expression, code_points) -%}
    {{ return(adapter.dispatch("trim_characters")(expression, code_points)) }}
{%- endmacro %}

{% macro duckdb__trim_characters(expression, code_points) -%}
    trim({{ expression }}, concat(chr({{ code_points | join("), chr(") }})))
{%- endmacro %}

{#- Its chr() knows no code point above 255. -#}
{% macro spark__trim_characters(expression, code_points) -%}
    {%- set characters = [] -%}
    {%- for code_point in code_points -%}
        {%- do characters.append("\\u%04x" | format(code_point)) -%}
    {%- endfor -%}
    trim(both '{{ characters | join }}' from {{ expression }})
{%- endmacro %}
