with
    ml_algorithm_scores as (select * from {{ ref("ml_algorithm_scores") }}),

    ml_algorithm_assignments as (select * from {{ ref("ml_algorithm_assignments") }}),

    int_customer_groups as (select * from {{ ref("int_customer_groups") }}),

    population as (select cast(sum(customers) as bigint) as customers from int_customer_groups),

    fits as (
        select
            algorithm,
            min(library) as library,
            min(parameters) as parameters,
            min(seconds) as seconds
        from ml_algorithm_assignments
        group by algorithm
    ),

    -- The segments that serve are there whether or not they can be fitted anew.
    scored as (
        select
            ml_algorithm_scores.*,
            fits.library,
            fits.parameters,
            fits.seconds,
            ml_algorithm_scores.customers < population.customers as is_sampled,
            fits.seconds is not null or ml_algorithm_scores.algorithm = 'k_means' as has_result,
            ml_algorithm_scores.noise_customers
            / cast(ml_algorithm_scores.customers as double) as noise_share,
            ml_algorithm_scores.algorithm in ('dbscan', 'hdbscan') as chooses_number
        from ml_algorithm_scores
        inner join fits on ml_algorithm_scores.algorithm = fits.algorithm
        cross join population
    ),

    -- The bounds of agreement are those of Steinley (2004).
    worded as (
        select
            *,
            case
                when adjusted_rand_index >= 0.9
                then 'almost the same as the segments'
                when adjusted_rand_index >= 0.8
                then 'much like the segments'
                when adjusted_rand_index >= 0.65
                then 'broadly like the segments'
                else 'unlike the segments'
            end as agreement,
            case
                when noise_customers > 0
                then
                    '; '
                    || noise_customers
                    || case when noise_customers = 1 then ' customer (' else ' customers (' end
                    || {{ figure("100 * noise_share") }}
                    || case
                        when noise_customers = 1 then ' %) is left out' else ' %) are left out'
                    end
                else ''
            end as left_out
        from scored
    ),

    final as (
        select
            algorithm,
            library,
            parameters,
            customers,
            is_sampled,
            case when has_result then clusters end as clusters,
            case when has_result then noise_customers end as noise_customers,
            case when has_result then noise_share end as noise_share,
            silhouette,
            davies_bouldin,
            calinski_harabasz,
            adjusted_rand_index,
            seconds,
            case
                when algorithm = 'k_means'
                then 'These are the segments; the other algorithms are measured against them.'
                when not has_result
                then 'Not run: the customers have fewer distinct values than there are segments.'
                when clusters = 0
                then 'Finds no group at all.'
                when chooses_number and clusters = 1
                then 'Finds one group by itself and no gap that divides it' || left_out || '.'
                when chooses_number
                then 'Finds ' || clusters || ' groups by itself, ' || agreement || left_out || '.'
                when clusters = 1
                then 'Finds one group.'
                else 'Finds ' || clusters || ' groups as it was told to, ' || agreement || '.'
            end as note
        from worded
    )

select *
from final
order by algorithm <> 'k_means', algorithm
