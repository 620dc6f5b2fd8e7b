{% macro engine_version() -%} {{ return(adapter.dispatch("engine_version")()) }} {%- endmacro %}

{% macro duckdb__engine_version() -%} version() {%- endmacro %}

{#- Of `4.1.4 0abc`, the release. -#}
{% macro spark__engine_version() -%}
    concat('Spark ', substring_index(version(), ' ', 1))
{%- endmacro %}
