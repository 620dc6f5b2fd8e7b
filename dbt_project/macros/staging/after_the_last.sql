{#- The condition for rows whose line in the source comes after all that this table has seen. -#}
{% macro after_the_last(seen="line_number") -%}
    line_number > (select coalesce(max({{ seen }}), 0) from {{ this }})
{%- endmacro %}
