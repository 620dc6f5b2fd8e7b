{#- A query of every day as `day_at`, both ends included; of no row where an end is null. -#}
{% macro days_between(relation, first_date, last_date) -%}
    {{ return(adapter.dispatch("days_between")(relation, first_date, last_date)) }}
{%- endmacro %}

{% macro duckdb__days_between(relation, first_date, last_date) -%}
    select unnest(generate_series({{ first_date }}, {{ last_date }}, interval 1 day)) as day_at
    from {{ relation }}
{%- endmacro %}

{% macro spark__days_between(relation, first_date, last_date) -%}
    select explode(sequence({{ first_date }}, {{ last_date }}, interval 1 day)) as day_at
    from {{ relation }}
{%- endmacro %}
