{#- Where a segment lies against all customers. -#}
{% macro level(standardised_difference) -%}
    {%- set threshold = var("level_threshold") -%}
    {%- if threshold is not number or threshold < 0 -%}
        {%- do exceptions.raise_compiler_error(
            "level_threshold is " ~ threshold ~ ", expected a number of 0 or more"
        ) -%}
    {%- endif -%}
    case
        when {{ standardised_difference }} > {{ threshold }}
        then 'high'
        when {{ standardised_difference }} < -{{ threshold }}
        then 'low'
        else 'middle'
    end
{%- endmacro %}
