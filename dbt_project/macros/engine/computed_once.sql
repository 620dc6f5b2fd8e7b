{#- Goes between `as` and the CTE that several others read, where an engine would repeat it. -#}
{% macro computed_once() -%} {{ return(adapter.dispatch("computed_once")()) }} {%- endmacro %}

{% macro duckdb__computed_once() -%} materialized {%- endmacro %}

{% macro default__computed_once() -%} {%- endmacro %}
