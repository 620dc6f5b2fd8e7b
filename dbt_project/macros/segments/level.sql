{#- Where a segment lies against all customers. -#}
{% macro level(standardised_difference) -%}
    case
        when {{ standardised_difference }} > {{ var("level_threshold") }}
        then 'high'
        when {{ standardised_difference }} < -{{ var("level_threshold") }}
        then 'low'
        else 'middle'
    end
{%- endmacro %}
