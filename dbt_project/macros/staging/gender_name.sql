{% macro gender_name(text) -%}
    {%- set spellings = {
        'Female': ['female', 'f', 'woman'],
        'Male': ['male', 'm', 'man'],
        'Other': ['other', 'non-binary', 'nonbinary', 'diverse', 'x'],
    } -%}
    case
        {%- for spelling, gender in var('gender_map').items() %}
            {%- if gender not in spellings %}
                {%- do exceptions.raise_compiler_error(
                    "gender_map: '" ~ spelling ~ "' maps to '" ~ gender
                    ~ "', expected one of " ~ spellings.keys() | list | join(', ')
                ) %}
            {%- endif %}
        when lower({{ text }}) = '{{ (spelling ~ "") | lower | replace("'", "''") }}'
        then '{{ gender }}'
        {%- endfor %}
        {%- for gender, words in spellings.items() %}
        when lower({{ text }}) in ('{{ words | join("', '") }}')
        then '{{ gender }}'
        {%- endfor %}
        else 'Unknown'
    end
{%- endmacro %}
