{% macro row_hash(columns) -%} {{ return(adapter.dispatch("row_hash")(columns)) }} {%- endmacro %}

{% macro duckdb__row_hash(columns) -%}
    md5_number_lower(concat_ws('|', {{ columns | join(", ") }}))
{%- endmacro %}

{#- The same number: the last eight bytes of the digest, the lowest first, without a sign. Java writes
    0.0001 as 1.0E-4 and 1e7 as 1.0E7, which DuckDB spells out. -#}
{% macro spark__row_hash(columns) -%}
    {%- set texts = [] -%}
    {%- for column in columns -%}
        {%- set text = "cast(" ~ column ~ " as string)" -%}
        {%- set spelled_out -%}
            case
                when {{ text }} rlike '^-?[0-9][.][0-9]+E-?[0-9]+$'
                then
                    coalesce(
                        regexp_replace(
                            cast(try_cast({{ text }} as decimal(38, 18)) as string),
                            '([.][0-9]+?)0*$',
                            '$1'
                        ),
                        {{ text }}
                    )
                else {{ text }}
            end
        {%- endset -%}
        {%- do texts.append(spelled_out) -%}
    {%- endfor -%}
    cast(
        conv(
            regexp_replace(
                md5(concat_ws('|', {{ texts | join(", ") }})),
                '^.{16}(..)(..)(..)(..)(..)(..)(..)(..)$',
                '$8$7$6$5$4$3$2$1'
            ),
            16,
            10
        ) as decimal(20, 0)
    )
{%- endmacro %}
