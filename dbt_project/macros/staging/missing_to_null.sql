{% macro missing_to_null(text) -%}
    case
        when upper({{ text }}) not in ('', 'NA', 'N/A', 'NULL', 'NONE', 'NAN', '?', '??', '-')
        then {{ text }}
    end
{%- endmacro %}
