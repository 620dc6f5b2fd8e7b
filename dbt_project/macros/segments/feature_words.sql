{#- How a feature reads in a sentence: its label, a figure, and the unit after it. -#}
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

{#- Rounded as a whole number of tenths, which no engine does in a way of its own. -#}
{% macro figure(number) -%}
    cast(round(({{ number }}) * 10) / 10 as {{ dbt.type_string() }})
{%- endmacro %}
