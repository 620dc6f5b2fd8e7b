{% macro seconds_since(utc_timestamp) -%}
    {{ return(adapter.dispatch("seconds_since")(utc_timestamp)) }}
{%- endmacro %}

{% macro duckdb__seconds_since(utc_timestamp) -%}
    epoch(cast(now() at time zone 'UTC' as timestamp)) - epoch({{ utc_timestamp }})
{%- endmacro %}

{% macro spark__seconds_since(utc_timestamp) -%}
    (unix_micros(current_timestamp()) - unix_micros({{ utc_timestamp }})) / cast(1e6 as double)
{%- endmacro %}
