{%- set features = [] -%}
{%- for feature in profile_features() if feature in var("segmentation_features") -%}
    {%- do features.append(feature) -%}
{%- endfor -%}
with
    ml_customer_segments as (select * from {{ ref("ml_customer_segments") }}),

    int_segment_model as (select * from {{ ref("int_segment_model") }}),

    segment_profiles as (select * from {{ ref("segment_profiles") }}),

    explained as (
        select
            customer_id,
            {%- for feature in features %} {{ feature }}, {%- endfor %}
            segment_key,
            runner_up_segment_key
        from ml_customer_segments
        order by assignment_margin nulls last, customer_id
        limit {{ var("explained_customers") }}
    ),

    -- Customers with the same values have the same reasons, so each vector is explained once.
    vectors as (
        select
            {%- for feature in features %} {{ feature }}, {%- endfor %}
            segment_key,
            runner_up_segment_key,
            row_number() over (order by {{ features | join(", ") }}) as vector_number
        from explained
        group by {{ features | join(", ") }}, segment_key, runner_up_segment_key
    ),

    feature_values as (
        {{ unpivot_features("vectors", ["vector_number", "segment_key"], features) }}
    ),

    -- Every segment as seen from every vector, feature by feature.
    seen as (
        select
            feature_values.vector_number,
            feature_values.segment_key as own_segment_key,
            feature_values.feature,
            cast(feature_values.value as double) as value,
            int_segment_model.segment_key,
            int_segment_model.segment_number,
            int_segment_model.mean,
            int_segment_model.scale,
            int_segment_model.centroid,
            int_segment_model.centroid_scaled,
            (feature_values.value - int_segment_model.mean)
            / int_segment_model.scale as value_scaled
        from feature_values
        inner join int_segment_model on feature_values.feature = int_segment_model.feature
    ),

    centroids as (
        select
            segment_key,
            {%- for feature in features %}
                max(case when feature = '{{ feature }}' then mean end) as {{ feature }}_mean,
                max(case when feature = '{{ feature }}' then scale end) as {{ feature }}_scale,
                max(
                    case when feature = '{{ feature }}' then centroid_scaled end
                ) as {{ feature }}_centroid{{ "," if not loop.last }}
            {%- endfor %}
        from int_segment_model
        group by segment_key
    ),

    -- Added up in one expression, as the order of an aggregate would show in the last digit.
    squared_distances as (
        select
            vectors.vector_number,
            centroids.segment_key,
            {%- for feature in features %}
                {%- set difference -%}
                    (
                        (vectors.{{ feature }} - centroids.{{ feature }}_mean)
                        / centroids.{{ feature }}_scale
                        - centroids.{{ feature }}_centroid
                    )
                {%- endset %}
                {{ difference }} * {{ difference }}
                {% if not loop.last %} +{% endif %}
            {%- endfor %} as squared_distance
        from vectors
        cross join centroids
    ),

    distances as (
        select seen.*, squared_distances.squared_distance
        from seen
        inner join
            squared_distances
            on seen.vector_number = squared_distances.vector_number
            and seen.segment_key = squared_distances.segment_key
    ),

    compared as (
        select
            *,
            max(case when segment_key = own_segment_key then squared_distance end) over (
                partition by vector_number, feature
            ) as own_squared_distance,
            max(case when segment_key = own_segment_key then centroid_scaled end) over (
                partition by vector_number, feature
            ) as own_centroid_scaled,
            max(case when segment_key = own_segment_key then centroid end) over (
                partition by vector_number, feature
            ) as own_centroid
        from distances
    ),

    -- Along one feature alone, where the border to each other segment lies, and the first whole
    -- step
    -- beyond it.
    borders as (
        select
            *,
            case
                when segment_key <> own_segment_key and centroid_scaled <> own_centroid_scaled
                then
                    (squared_distance - own_squared_distance)
                    / (2 * (centroid_scaled - own_centroid_scaled))
                    * scale
            end as border_distance,
            {%- for bound in ["step", "smallest", "largest"] %}
                case
                    feature
                    {%- for feature in features %}
                        when '{{ feature }}'
                        then cast({{ feature_range(feature)[bound] }} as double)
                    {%- endfor %}
                end as {{ bound }}{{ "," if not loop.last }}
            {%- endfor %}
        from compared
    ),

    changes as (
        select
            *,
            sign(border_distance) * (floor(abs(border_distance) / step + 1e-9) + 1) * step as change
        from borders
    ),

    -- The nearest border upwards and downwards; of two at the same distance, upwards.
    nearest_changes as (
        select
            vector_number,
            feature,
            value,
            value_scaled,
            scale,
            own_segment_key,
            own_centroid,
            own_centroid_scaled,
            own_squared_distance,
            min(
                case when change > 0 and value + change <= largest then change end
            ) as smallest_rise,
            max(
                case when change < 0 and value + change >= smallest then change end
            ) as smallest_fall
        from changes
        group by
            vector_number,
            feature,
            value,
            value_scaled,
            scale,
            own_segment_key,
            own_centroid,
            own_centroid_scaled,
            own_squared_distance
    ),

    rounded as (
        select
            *,
            case
                when smallest_rise <= - smallest_fall or smallest_fall is null
                then smallest_rise
                else smallest_fall
            end as smallest_change
        from nearest_changes
    ),

    -- Where the customer would be after the change.
    rescored as (
        select
            rounded.vector_number,
            rounded.feature,
            compared.segment_key as changed_segment_key,
            row_number() over (
                partition by rounded.vector_number, rounded.feature
                order by
                    compared.squared_distance
                    - (compared.value_scaled - compared.centroid_scaled)
                    * (compared.value_scaled - compared.centroid_scaled)
                    + (
                        compared.value_scaled
                        + rounded.smallest_change / rounded.scale
                        - compared.centroid_scaled
                    )
                    * (
                        compared.value_scaled
                        + rounded.smallest_change / rounded.scale
                        - compared.centroid_scaled
                    ),
                    compared.segment_number
            ) as nearness
        from rounded
        inner join
            compared
            on rounded.vector_number = compared.vector_number
            and rounded.feature = compared.feature
        where rounded.smallest_change is not null
    ),

    runners_up as (
        select
            compared.vector_number,
            compared.feature,
            compared.segment_key as runner_up_segment_key,
            compared.centroid as runner_up_centroid,
            (compared.value_scaled - compared.centroid_scaled)
            * (compared.value_scaled - compared.centroid_scaled) as squared_difference,
            compared.squared_distance
        from compared
        inner join
            vectors
            on compared.vector_number = vectors.vector_number
            and compared.segment_key = vectors.runner_up_segment_key
    ),

    joined as (
        select
            rounded.vector_number,
            rounded.feature,
            rounded.own_segment_key as segment_key,
            runners_up.runner_up_segment_key,
            rounded.value,
            rounded.own_centroid as centroid,
            runners_up.runner_up_centroid,
            runners_up.squared_difference
            - (rounded.value_scaled - rounded.own_centroid_scaled)
            * (rounded.value_scaled - rounded.own_centroid_scaled) as contribution,
            runners_up.squared_distance
            - rounded.own_squared_distance as squared_distance_difference,
            rounded.smallest_change,
            rescored.changed_segment_key,
            own_profile.segment_name,
            runner_up_profile.segment_name as runner_up_segment_name,
            changed_profile.segment_name as changed_segment_name
        from rounded
        left join
            runners_up
            on rounded.vector_number = runners_up.vector_number
            and rounded.feature = runners_up.feature
        left join
            rescored
            on rounded.vector_number = rescored.vector_number
            and rounded.feature = rescored.feature
            and rescored.nearness = 1
        left join
            segment_profiles as own_profile on rounded.own_segment_key = own_profile.segment_key
        left join
            segment_profiles as runner_up_profile
            on runners_up.runner_up_segment_key = runner_up_profile.segment_key
        left join
            segment_profiles as changed_profile
            on rescored.changed_segment_key = changed_profile.segment_key
    ),

    described as (
        select
            vector_number,
            feature,
            segment_key,
            runner_up_segment_key,
            value,
            centroid,
            runner_up_centroid,
            contribution,
            squared_distance_difference,
            smallest_change,
            changed_segment_key,
            concat(
                upper(substr({{ feature_label("feature") }}, 1, 1)),
                substr({{ feature_label("feature") }}, 2),
                ' ',
                {{ figure("value") }},
                {{ feature_unit("feature") }},
                case
                    when contribution is null
                    then ' is the only one to compare with.'
                    when contribution >= 0
                    then concat(' speaks for "', segment_name, '" (about ')
                    else concat(' speaks for "', runner_up_segment_name, '" (about ')
                end,
                case
                    when contribution >= 0
                    then
                        concat(
                            {{ figure("centroid") }},
                            ') and against "',
                            runner_up_segment_name,
                            '" (',
                            {{ figure("runner_up_centroid") }},
                            ').'
                        )
                    when contribution < 0
                    then
                        concat(
                            {{ figure("runner_up_centroid") }},
                            ') and against "',
                            segment_name,
                            '" (',
                            {{ figure("centroid") }},
                            ').'
                        )
                    else ''
                end,
                case
                    when smallest_change is not null and changed_segment_key is not null
                    then
                        concat(
                            ' At ',
                            {{ figure("value + smallest_change") }},
                            {{ feature_unit("feature") }},
                            ' the customer would be in "',
                            changed_segment_name,
                            '".'
                        )
                    else ''
                end
            ) as description
        from joined
    ),

    final as (
        select
            explained.customer_id,
            described.feature,
            described.segment_key,
            described.runner_up_segment_key,
            described.value,
            described.centroid,
            described.runner_up_centroid,
            described.contribution,
            described.squared_distance_difference,
            described.smallest_change,
            described.changed_segment_key,
            described.description
        from explained
        inner join vectors on {{ same_features("explained", "vectors", features) }}
        inner join described on vectors.vector_number = described.vector_number
    )

select *
from final
order by customer_id, feature
