{% macro seconds_since(utc_timestamp) -%}
    {{ return(adapter.dispatch("seconds_since")(utc_timestamp)) }}
{%- endmacro %}

{% macro duckdb__seconds_since(utc_timestamp) -%}
    epoch(cast(now() at time zone 'UTC' as timestamp)) - epoch({{ utc_timestamp }})
{%- endmacro %}
