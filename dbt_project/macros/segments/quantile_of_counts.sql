{#- The quantile of customers who are counted per value, interpolated linearly as by numpy.quantile.
    Needs the value, its customers, those up to it and those of the whole group. -#}
{% macro quantile_of_counts(share) -%}
    {%- set position = "((group_customers - 1) * " ~ share ~ ")" -%}
    {%- set below = "floor(" ~ position ~ ")" -%}
    {%- set above = "ceil(" ~ position ~ ")" -%}
    {{ value_at_rank(below) }}
    + ({{ value_at_rank(above) }} - {{ value_at_rank(below) }})
    * cast(max({{ position }} - {{ below }}) as double)
{%- endmacro %}

{#- Ranks count from 0. -#}
{% macro value_at_rank(rank) -%}
    max(
        case
            when customers_up_to - customers <= {{ rank }} and {{ rank }} < customers_up_to
            then value
        end
    )
{%- endmacro %}
