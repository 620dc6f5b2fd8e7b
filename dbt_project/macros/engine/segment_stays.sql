{#- Every stay of every customer in a segment: dbt's snapshot, or what takes its place. -#}
{% macro segment_stays() -%} {{ return(adapter.dispatch("segment_stays")()) }} {%- endmacro %}

{% macro duckdb__segment_stays() -%} {{ return(ref("customer_segment_history")) }} {%- endmacro %}

{% macro default__segment_stays() -%} {{ return(ref("customer_segment_stays")) }} {%- endmacro %}
