-- How do women and men differ? Cohen's d is the difference in pooled standard deviations; 0.2 is
-- small, 0.8 is large.
with
    feature_summaries as (select * from {{ ref("feature_summaries") }} where breakdown = 'gender'),

    women as (select * from feature_summaries where group_key = 'Female'),

    men as (select * from feature_summaries where group_key = 'Male')

select
    women.feature,
    women.customers as women,
    men.customers as men,
    round(women.mean, 2) as mean_of_women,
    round(men.mean, 2) as mean_of_men,
    women.median as median_of_women,
    men.median as median_of_men,
    round(
        (women.mean - men.mean) / nullif(
            sqrt(
                (
                    (women.customers - 1) * women.stddev * women.stddev
                    + (men.customers - 1) * men.stddev * men.stddev
                )
                / (women.customers + men.customers - 2)
            ),
            0
        ),
        2
    ) as cohens_d
from women
inner join men on women.feature = men.feature
order by women.feature
