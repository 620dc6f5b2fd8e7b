{#- The words that are recognised, after those a user adds with the variable gender_map. -#}
{% macro gender_name(text) -%}
    {%- set words = {
        "female": "Female",
        "f": "Female",
        "woman": "Female",
        "male": "Male",
        "m": "Male",
        "man": "Male",
        "other": "Other",
        "non-binary": "Other",
        "nonbinary": "Other",
        "diverse": "Other",
        "x": "Other",
    } -%}
    case
        {%- for word, gender in var("gender_map").items() %}
            when lower({{ text }}) = '{{ dbt.escape_single_quotes(word | string | lower) }}'
            then '{{ gender }}'
        {%- endfor %}
        {%- for word, gender in words.items() %}
            when lower({{ text }}) = '{{ word }}' then '{{ gender }}'
        {%- endfor %}
        else 'Unknown'
    end
{%- endmacro %}
