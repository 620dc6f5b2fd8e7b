{#- How many customers the algorithms are compared on at most; none where it is switched off. -#}
{% macro compared_customers() -%}
    {%- set compare = var("compare_algorithms") -%}
    {%- set limit = var("compared_customers") -%}
    {%- if compare is not boolean -%}
        {%- do exceptions.raise_compiler_error(
            "compare_algorithms is " ~ compare ~ ", expected true or false"
        ) -%}
    {%- endif -%}
    {#- The memory of a hierarchy grows with the square of it: 400 MB at the upper end. -#}
    {%- if limit is not integer or limit < 1 or limit > 10000 -%}
        {%- do exceptions.raise_compiler_error(
            "compared_customers is " ~ limit ~ ", expected an integer from 1 to 10000"
        ) -%}
    {%- endif -%}
    {{ return(limit if compare else 0) }}
{%- endmacro %}
