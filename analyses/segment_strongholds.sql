-- Where is a segment at home? The bin of each feature in which it has most of its customers, and
-- how
-- many times as many as all customers have there.
with
    feature_distributions as (select * from {{ ref("feature_distributions") }}),

    ranked as (
        select
            *,
            row_number() over (
                partition by feature, group_key order by customers desc, bin_number
            ) as place
        from feature_distributions
        where breakdown = 'segment'
    )

select
    segment_profiles.segment_key,
    segment_profiles.segment_name,
    ranked.feature,
    ranked.bin_lower,
    ranked.bin_upper,
    ranked.customers,
    round(100 * ranked.share, 1) as percent_of_segment,
    round(100 * everybody.share, 1) as percent_of_all,
    round(ranked.share / everybody.share, 1) as lift
from ranked
inner join
    feature_distributions as everybody
    on ranked.feature = everybody.feature
    and ranked.bin_number = everybody.bin_number
    and everybody.breakdown = 'all'
inner join
    {{ ref("segment_profiles") }} as segment_profiles
    on ranked.group_key = segment_profiles.segment_key
where ranked.place = 1
order by segment_profiles.segment_key, ranked.feature
