{#- Sample standard deviation from exact sums, so that no order of the rows shows in it. -#}
{% macro exact_stddev(expression) -%}
    case
        when count(*) > 1
        then
            sqrt(
                greatest(
                    {{ exact_sum(expression ~ " * " ~ expression) }}
                    - {{ exact_sum(expression) }} * {{ exact_sum(expression) }} / count(*),
                    0
                )
                / (count(*) - 1)
            )
    end
{%- endmacro %}
