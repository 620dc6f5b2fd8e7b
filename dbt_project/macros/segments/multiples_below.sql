{#- How many whole widths lie at or below a value. 0.3 / 0.1 is 2.9999999999999996, so that the quotient
    is only a guess, to be compared with the edges themselves. -#}
{% macro multiples_below(value, width) -%}
    {%- set guess = "cast(floor(" ~ value ~ " / " ~ width ~ ") as integer)" -%}
    {{ guess }} + case
        when {{ value }} < cast({{ guess }} * {{ width }} as double)
        then -1
        when {{ value }} >= cast(({{ guess }} + 1) * {{ width }} as double)
        then 1
        else 0
    end
{%- endmacro %}
