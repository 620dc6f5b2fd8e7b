{#- Covariance over deviations, null where one of them is 0. The last digit must not leave -1 to 1. -#}
{% macro correlation(covariance, variance, other_variance) -%}
    {%- set ratio -%}
        {{ covariance }} / nullif(sqrt({{ variance }} * {{ other_variance }}), 0)
    {%- endset -%}
    case when abs({{ ratio }}) > 1 then cast(sign({{ ratio }}) as double) else {{ ratio }} end
{%- endmacro %}
