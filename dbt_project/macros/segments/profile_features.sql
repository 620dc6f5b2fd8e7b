{#- The features of every profile, in the order of the marts. -#}
{% macro profile_features() -%}
    {{ return(["age", "annual_income_k_usd", "spending_score"]) }}
{%- endmacro %}
