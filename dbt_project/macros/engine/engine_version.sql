{% macro engine_version() -%} {{ return(adapter.dispatch("engine_version")()) }} {%- endmacro %}

{% macro duckdb__engine_version() -%} version() {%- endmacro %}
