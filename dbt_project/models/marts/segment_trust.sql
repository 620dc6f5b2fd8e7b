with
    int_segment_model as (select * from {{ ref("int_segment_model") }}),

    int_segment_names as (select * from {{ ref("int_segment_names") }}),

    int_customer_groups as (select * from {{ ref("int_customer_groups") }}),

    ml_assignment_probabilities as (select * from {{ ref("ml_assignment_probabilities") }}),

    segments as (
        select
            segment_key,
            max(segment_jaccard) as jaccard_mean,
            max(segment_jaccard_low) as jaccard_low,
            max(segment_jaccard_high) as jaccard_high
        from int_segment_model
        group by segment_key
    ),

    members as (
        select
            int_customer_groups.segment_key,
            cast(sum(customers) as bigint) as customers,
            {{ exact_sum("customers * assignment_probability") }} / nullif(
                sum(case when assignment_probability is not null then customers else 0 end), 0
            ) as mean_assignment_probability,
            sum(
                case when assignment_probability < 0.9 then customers else 0 end
            ) as uncertain_customers
        from int_customer_groups
        left join
            ml_assignment_probabilities
            on {{ same_features("int_customer_groups", "ml_assignment_probabilities") }}
        group by int_customer_groups.segment_key
    ),

    final as (
        select
            segments.segment_key,
            int_segment_names.segment_name,
            coalesce(members.customers, 0) as customers,
            segments.jaccard_mean,
            segments.jaccard_low,
            segments.jaccard_high,
            case
                when segments.jaccard_mean >= 0.75
                then 'stable'
                when segments.jaccard_mean > 0.5
                then 'uncertain'
                else 'dissolved'
            end as verdict,
            members.mean_assignment_probability,
            cast(coalesce(members.uncertain_customers, 0) as bigint) as uncertain_customers
        from segments
        left join int_segment_names on segments.segment_key = int_segment_names.segment_key
        left join members on segments.segment_key = members.segment_key
    )

select *
from final
order by segment_key
