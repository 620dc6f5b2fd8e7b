{#- Below the first threshold stable, from the second on an alarm, a matter to watch between them. -#}
{% macro drift_verdict(value, watch, alarm) -%}
    case
        when {{ value }} >= {{ alarm }}
        then 'alarm'
        when {{ value }} >= {{ watch }}
        then 'watch'
        else 'stable'
    end
{%- endmacro %}
