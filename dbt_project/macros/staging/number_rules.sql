{#- Plain decimal notation only: an exponent, a currency sign or a separator is not guessed at. -#}
{% macro is_number(text) -%}
    {{ matches(text, "[+-]?([0-9]+[.]?[0-9]*|[.][0-9]+)") }}
{%- endmacro %}

{% macro is_whole_number(text) -%} {{ matches(text, "[+-]?([0-9]+[.]?0*|[.]0+)") }} {%- endmacro %}

{#- Whole digits are cast at full precision, so that no id is rounded on its way. -#}
{% macro whole_number(text) -%}
    case when {{ is_whole_number(text) }} then try_cast({{ text }} as decimal(38, 0)) end
{%- endmacro %}

{% macro amount(text) -%}
    case when {{ is_number(text) }} then try_cast({{ text }} as double) end
{%- endmacro %}

{% macro whole_number_reason(field, text, smallest, largest) -%}
    case
        when {{ text }} is null
        then '{{ field }}:missing'
        when not {{ is_number(text) }}
        then '{{ field }}:not_a_number'
        when not {{ is_whole_number(text) }}
        then '{{ field }}:not_an_integer'
        when coalesce({{ whole_number(text) }} not between {{ smallest }} and {{ largest }}, true)
        then '{{ field }}:out_of_range'
    end
{%- endmacro %}

{#- The range is open below and closed above: 0 k$ is not an income, 1000 k$ is. -#}
{% macro amount_reason(field, text, above, largest) -%}
    case
        when {{ text }} is null
        then '{{ field }}:missing'
        when not {{ is_number(text) }}
        then '{{ field }}:not_a_number'
        when coalesce({{ amount(text) }} <= {{ above }} or {{ amount(text) }} > {{ largest }}, true)
        then '{{ field }}:out_of_range'
    end
{%- endmacro %}
