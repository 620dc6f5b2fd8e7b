{#- Whether this table goes on from itself, as the source only got new rows. -#}
{% macro is_appended() -%}
    {{
        return(
            execute
            and var("appended")
            and not should_full_refresh()
            and load_relation(this) is not none
        )
    }}
{%- endmacro %}
