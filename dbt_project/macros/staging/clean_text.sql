{% macro clean_text(column) -%} {{ return(adapter.dispatch("clean_text")(column)) }} {%- endmacro %}

{% macro duckdb__clean_text(column) -%}
    trim({{ column }}, ' ' || chr(9) || chr(10) || chr(11) || chr(12) || chr(13) || chr(160))
{%- endmacro %}
