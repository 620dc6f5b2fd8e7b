{#- From the step in which incomes are told to a tenth of the largest that is accepted. -#}
{%- set widths = [0.1, 0.2, 0.25, 0.5, 1, 2, 2.5, 5, 10, 20, 25, 50, 100] -%}
{%- set usual_bins = 17 -%}
{#- Neighbouring widths differ by 2 at most, so that the best of them needs far fewer. -#}
{%- set most_bins = 32 -%}
with
    int_feature_values as (select * from {{ ref("int_feature_values") }}),

    ranges as (
        select
            feature,
            min(value) as minimum,
            max(value) as maximum,
            max(case when value = floor(value) then 0 else 1 end) as has_fractions
        from int_feature_values
        group by feature
    ),

    widths as (
        {%- for width in widths %}
            select cast({{ width }} as decimal(9, 2)) as width
            {% if not loop.last %}
                union all
            {% endif %}
        {%- endfor %}
    ),

    -- Bins of 2.5 hold two and three whole numbers in turn, a comb that is not in the data.
    candidates as (
        select
            ranges.feature,
            widths.width,
            {{ multiples_below("ranges.minimum", "widths.width") }} as first_multiple,
            {{ multiples_below("ranges.maximum", "widths.width") }} as last_multiple
        from ranges
        cross join widths
        where ranges.has_fractions = 1 or widths.width = floor(widths.width)
    ),

    ranked as (
        select
            feature,
            width,
            first_multiple,
            last_multiple - first_multiple + 1 as bins,
            row_number() over (
                partition by feature
                order by
                    abs(
                        ln((last_multiple - first_multiple + 1) / cast({{ usual_bins }} as double))
                    ),
                    width
            ) as width_rank
        from candidates
    ),

    chosen as (select feature, width, first_multiple, bins from ranked where width_rank = 1),

    numbers as ({{ dbt.generate_series(most_bins) }}),

    bins as (
        select
            chosen.feature,
            cast(numbers.generated_number as integer) as bin_number,
            cast(
                (chosen.first_multiple + cast(numbers.generated_number as integer) - 1)
                * chosen.width as double
            ) as bin_lower,
            cast(
                (chosen.first_multiple + cast(numbers.generated_number as integer))
                * chosen.width as double
            ) as bin_upper
        from chosen
        inner join numbers on chosen.bins >= numbers.generated_number
    ),

    numbered as (
        select
            int_feature_values.feature,
            {{ multiples_below("int_feature_values.value", "chosen.width") }}
            - chosen.first_multiple
            + 1 as bin_number,
            int_feature_values.segment_key,
            int_feature_values.gender,
            int_feature_values.customers
        from int_feature_values
        inner join chosen on int_feature_values.feature = chosen.feature
    ),

    -- A few rows for each bin, before they are told apart in three ways.
    binned as (
        select feature, bin_number, segment_key, gender, sum(customers) as customers
        from numbered
        group by feature, bin_number, segment_key, gender
    ),

    counted as ({{ by_breakdown("binned", ["feature", "bin_number"]) }}),

    breakdowns as (
        select feature, breakdown, group_key, sum(customers) as customers
        from counted
        group by feature, breakdown, group_key
    ),

    final as (
        select
            bins.feature,
            breakdowns.breakdown,
            breakdowns.group_key,
            bins.bin_number,
            bins.bin_lower,
            bins.bin_upper,
            coalesce(counted.customers, 0) as customers,
            coalesce(counted.customers, 0) / cast(breakdowns.customers as double) as share
        from bins
        inner join breakdowns on bins.feature = breakdowns.feature
        left join
            counted
            on bins.feature = counted.feature
            and bins.bin_number = counted.bin_number
            and breakdowns.breakdown = counted.breakdown
            and breakdowns.group_key = counted.group_key
    )

select *
from final
order by feature, breakdown, group_key, bin_number
