{%- set shares = {"p10": 0.10, "p25": 0.25, "median": 0.50, "p75": 0.75, "p90": 0.90} -%}
with
    int_feature_values as (select * from {{ ref("int_feature_values") }}),

    counted as {{ computed_once() }} (
        {{ by_breakdown("int_feature_values", ["feature", "value"]) }}
    ),

    -- Values that share their whole part, a few hundred cells for each group: it is enough to sort
    -- the values of those cells in which a percentile lies.
    cells as (
        select
            feature,
            breakdown,
            group_key,
            floor(value) as cell,
            cast(sum(customers) as bigint) as customers,
            sum(cast(customers * value as decimal(38, 12))) as total,
            min(value) as minimum,
            max(value) as maximum,
            count(*) as distinct_values
        from counted
        group by feature, breakdown, group_key, floor(value)
    ),

    placed_cells as (
        select
            feature,
            breakdown,
            group_key,
            cell,
            customers,
            cast(
                sum(customers) over (partition by feature, breakdown, group_key order by cell)
                - customers as bigint
            ) as customers_before
        from cells
    ),

    centres as (
        select
            feature,
            breakdown,
            group_key,
            cast(sum(customers) as bigint) as customers,
            cast(sum(total) as double) / sum(customers) as mean,
            min(minimum) as minimum,
            max(maximum) as maximum,
            cast(sum(distinct_values) as bigint) as distinct_values
        from cells
        group by feature, breakdown, group_key
    ),

    -- Ranks count from 0. A percentile lies between two of them, or on one.
    positions as (
        {%- for name, share in shares.items() %}
            select
                feature,
                breakdown,
                group_key,
                '{{ name }}' as percentile,
                (customers - 1) * {{ share }} as position
            from centres
            {%- if not loop.last %}
                union all
            {%- endif %}
        {%- endfor %}
    ),

    ranks as (
        select
            feature,
            breakdown,
            group_key,
            percentile,
            cast(floor(position) as bigint) as rank_below,
            cast(ceil(position) as bigint) as rank_above,
            cast(position - floor(position) as double) as way_above
        from positions
    ),

    cells_in_question as (
        select distinct
            placed_cells.feature,
            placed_cells.breakdown,
            placed_cells.group_key,
            placed_cells.cell,
            placed_cells.customers_before
        from placed_cells
        inner join
            ranks
            on placed_cells.feature = ranks.feature
            and placed_cells.breakdown = ranks.breakdown
            and placed_cells.group_key = ranks.group_key
            and placed_cells.customers_before <= ranks.rank_above
            and placed_cells.customers_before + placed_cells.customers > ranks.rank_below
    ),

    placed_values as (
        select
            counted.feature,
            counted.breakdown,
            counted.group_key,
            counted.value,
            counted.customers,
            cells_in_question.customers_before + sum(counted.customers) over (
                partition by
                    counted.feature, counted.breakdown, counted.group_key, cells_in_question.cell
                order by counted.value
            ) as customers_up_to
        from counted
        inner join
            cells_in_question
            on counted.feature = cells_in_question.feature
            and counted.breakdown = cells_in_question.breakdown
            and counted.group_key = cells_in_question.group_key
            and floor(counted.value) = cells_in_question.cell
    ),

    -- At most two values for each percentile are left.
    percentiles as (
        select
            ranks.feature,
            ranks.breakdown,
            ranks.group_key,
            ranks.percentile,
            min(placed_values.value)
            + (max(placed_values.value) - min(placed_values.value)) * max(ranks.way_above) as value
        from ranks
        inner join
            placed_values
            on ranks.feature = placed_values.feature
            and ranks.breakdown = placed_values.breakdown
            and ranks.group_key = placed_values.group_key
            and placed_values.customers_up_to - placed_values.customers <= ranks.rank_above
            and placed_values.customers_up_to > ranks.rank_below
        group by ranks.feature, ranks.breakdown, ranks.group_key, ranks.percentile
    ),

    deviations as (
        select
            counted.feature,
            counted.breakdown,
            counted.group_key,
            counted.customers,
            counted.value - centres.mean as deviation
        from counted
        inner join
            centres
            on counted.feature = centres.feature
            and counted.breakdown = centres.breakdown
            and counted.group_key = centres.group_key
    ),

    moments as (
        select
            feature,
            breakdown,
            group_key,
            {{ exact_sum("customers * deviation * deviation") }} as squares,
            {{ exact_sum("customers * deviation * deviation * deviation") }} as cubes
        from deviations
        group by feature, breakdown, group_key
    ),

    pivoted as (
        select
            feature,
            breakdown,
            group_key,
            {%- for name in shares %}
                max(
                    case when percentile = '{{ name }}' then value end
                ) as {{ name }}{{ "," if not loop.last }}
            {%- endfor %}
        from percentiles
        group by feature, breakdown, group_key
    ),

    -- Skewness in the adjusted form of Fisher and Pearson (Joanes and Gill 1998), as in pandas.
    final as (
        select
            centres.feature,
            centres.breakdown,
            centres.group_key,
            centres.customers,
            centres.mean,
            case
                when centres.customers > 1 then sqrt(moments.squares / (centres.customers - 1))
            end as stddev,
            centres.minimum,
            pivoted.p10,
            pivoted.p25,
            pivoted.median,
            pivoted.p75,
            pivoted.p90,
            centres.maximum,
            case
                when centres.customers > 2 and centres.distinct_values > 1
                then
                    sqrt(cast(centres.customers as double) * (centres.customers - 1))
                    / (centres.customers - 2)
                    * (moments.cubes / centres.customers)
                    / (
                        moments.squares
                        / centres.customers
                        * sqrt(moments.squares / centres.customers)
                    )
            end as skewness,
            centres.distinct_values
        from centres
        inner join
            moments
            on centres.feature = moments.feature
            and centres.breakdown = moments.breakdown
            and centres.group_key = moments.group_key
        inner join
            pivoted
            on centres.feature = pivoted.feature
            and centres.breakdown = pivoted.breakdown
            and centres.group_key = pivoted.group_key
    )

select *
from final
order by feature, breakdown, group_key
