{#- How a feature reads in a sentence: its label, and the unit after a figure. -#}
{% macro feature_label(feature) -%}
    case
        {{ feature }}
        when 'age'
        then 'age'
        when 'annual_income_k_usd'
        then 'annual income'
        when 'spending_score'
        then 'spending score'
    end
{%- endmacro %}

{% macro feature_unit(feature) -%}
    case {{ feature }} when 'annual_income_k_usd' then ' k$' else '' end
{%- endmacro %}
