{#- Where a segment lies against all customers. -#}
{% macro level(robust_difference) -%}
    {%- set threshold = var("level_threshold") -%}
    {%- if threshold is not number or threshold < 0 -%}
        {%- do exceptions.raise_compiler_error(
            "level_threshold is " ~ threshold ~ ", expected a number of 0 or more"
        ) -%}
    {%- endif -%}
    case
        when {{ robust_difference }} > {{ threshold }}
        then 'high'
        when {{ robust_difference }} < -{{ threshold }}
        then 'low'
        else 'middle'
    end
{%- endmacro %}
