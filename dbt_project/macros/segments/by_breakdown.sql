{#- Customers of a relation summed for all of them, for each segment and for each gender. -#}
{% macro by_breakdown(relation, columns) -%}
    {%- set groups = {"all": "'all'", "segment": "segment_key", "gender": "gender"} -%}
    {%- for breakdown, group_key in groups.items() %}
        select
            {% for column in columns %} {{ column }}, {% endfor %} '{{ breakdown }}' as breakdown,
            {{ group_key }} as group_key,
            cast(sum(customers) as bigint) as customers
        from {{ relation }}
        group by
            {{ columns | join(", ") }} {%- if breakdown != "all" %}, {{ group_key }} {%- endif %}
        {%- if not loop.last %}
            union all
        {%- endif %}
    {%- endfor %}
{%- endmacro %}
