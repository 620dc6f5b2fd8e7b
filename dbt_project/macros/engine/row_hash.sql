{% macro row_hash(columns) -%} {{ return(adapter.dispatch("row_hash")(columns)) }} {%- endmacro %}

{% macro duckdb__row_hash(columns) -%}
    md5_number_lower(concat_ws('|', {{ columns | join(", ") }}))
{%- endmacro %}
