{#- When dbt closes the row of a customer who left: the time of this build, as for one who moved, and not
the engine's clock some time later. So the rows that hold at a build's time are its customers. -#}
{% macro snapshot_get_time() -%} {{ segmented_at() }} {%- endmacro %}
