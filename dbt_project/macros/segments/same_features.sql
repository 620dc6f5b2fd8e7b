{#- The condition of a join on a vector of features. -#}
{% macro same_features(relation, other, features=var("segmentation_features")) -%}
    {%- for feature in features -%}
        {%- if not loop.first %} and {% endif -%}
        {{ relation }}.{{ feature }} = {{ other }}.{{ feature }}
    {%- endfor -%}
{%- endmacro %}
