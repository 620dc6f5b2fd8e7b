{% macro json_record(relation, columns) -%}
    {{ return(adapter.dispatch("json_record")(relation, columns)) }}
{%- endmacro %}

{% macro duckdb__json_record(relation, columns) -%}
    cast(
        json_object(
            {%- for column in columns %}
                '{{ column }}', {{ relation }}.{{ column }} {%- if not loop.last %}, {% endif %}
            {%- endfor %}
        ) as varchar
    )
{%- endmacro %}

{% macro spark__json_record(relation, columns) -%}
    to_json(
        struct({{ relation }}.{{ columns | join(", " ~ relation ~ ".") }}),
        map('ignoreNullFields', 'false')
    )
{%- endmacro %}
