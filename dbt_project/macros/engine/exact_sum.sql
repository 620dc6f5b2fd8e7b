{% macro exact_sum(expression) -%}
    {{ return(adapter.dispatch("exact_sum")(expression)) }}
{%- endmacro %}

{% macro default__exact_sum(expression) -%}
    cast(sum(cast({{ expression }} as decimal(38, 12))) as double)
{%- endmacro %}
