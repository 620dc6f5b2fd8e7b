{#- One row per row of a relation and feature: the given columns, `feature` and its `value`. -#}
{% macro unpivot_features(relation, columns=[], features=profile_features()) -%}
    {%- for feature in features %}
        select
            {% for column in columns %} {{ column }}, {% endfor %} '{{ feature }}' as feature,
            {{ feature }} as value
        from {{ relation }}
        {%- if not loop.last %}
            union all
        {%- endif %}
    {%- endfor %}
{%- endmacro %}
