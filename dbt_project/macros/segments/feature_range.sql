{#- The least and largest value that the intake accepts, and the step in which a change is told. -#}
{% macro feature_range(feature) -%}
    {%- set ranges = {
        "age": {"smallest": 1, "largest": 120, "step": 1},
        "annual_income_k_usd": {"smallest": 0.1, "largest": 1000, "step": 0.1},
        "spending_score": {"smallest": 1, "largest": 100, "step": 1},
    } -%}
    {{ return(ranges[feature]) }}
{%- endmacro %}
