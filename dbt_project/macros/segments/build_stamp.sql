{#- One moment and one id for the whole build, so that no two marts of a build disagree. -#}
{% macro segmented_at() -%}
    cast('{{ run_started_at.strftime("%Y-%m-%d %H:%M:%S.%f") }}' as timestamp)
{%- endmacro %}

{% macro build_id() -%} '{{ invocation_id }}' {%- endmacro %}
