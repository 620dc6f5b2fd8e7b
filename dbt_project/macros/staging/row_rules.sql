{#- Every reason that the staging model can give a row. -#}
{% macro row_rules() -%}
    {%- set rules = ["field_count", "exact_duplicate", "customer_id:conflict"] -%}
    {%- for field in ["customer_id"] + profile_features() -%}
        {%- for problem in ["missing", "not_a_number", "not_an_integer", "out_of_range"] -%}
            {%- if not (field == "annual_income_k_usd" and problem == "not_an_integer") -%}
                {%- do rules.append(field ~ ":" ~ problem) -%}
            {%- endif -%}
        {%- endfor -%}
    {%- endfor -%}
    {{ return(rules) }}
{%- endmacro %}
