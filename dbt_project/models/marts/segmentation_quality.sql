with
    int_customer_groups as (select * from {{ ref("int_customer_groups") }}),

    int_segment_model as (select * from {{ ref("int_segment_model") }}),

    optimality_certificates as (select * from {{ ref("optimality_certificates") }}),

    assignments as (
        select
            cast(sum(customers) as bigint) as customers,
            {{ exact_sum("customers * distance_to_centroid * distance_to_centroid") }} as wcss,
            md5(cast(sum(row_hashes) as {{ dbt.type_string() }})) as input_fingerprint
        from int_customer_groups
    ),

    -- The columns that describe the model are the same in each of its rows.
    model as (
        select
            model_id,
            fitted_at,
            feature_set,
            k,
            silhouette,
            silhouette_standard_error,
            davies_bouldin,
            calinski_harabasz,
            restarts,
            restarts_at_best,
            wcss as fitted_wcss,
            runner_up_wcss,
            runner_up_customers,
            scikit_learn_version,
            mall_segments_version,
            avg(segment_jaccard) over () as stability_jaccard,
            row_number() over (order by segment_number, feature) as row_number_in_model
        from int_segment_model
    ),

    -- A bound belongs to the customers, the features, k and the scaling, which shows in the WCSS.
    proven as (
        select
            assignments.input_fingerprint,
            max(optimality_certificates.wcss_lower_bound) as wcss_lower_bound
        from optimality_certificates
        inner join
            assignments
            on optimality_certificates.input_fingerprint = assignments.input_fingerprint
            and abs(optimality_certificates.wcss - assignments.wcss) <= 1e-9 * assignments.wcss
        inner join
            model
            on optimality_certificates.feature_set = model.feature_set
            and optimality_certificates.k = model.k
            and model.row_number_in_model = 1
        group by assignments.input_fingerprint
    ),

    final as (
        select
            {{ build_id() }} as build_id,
            {{ segmented_at() }} as segmented_at,
            model.model_id,
            model.fitted_at,
            model.feature_set,
            model.k,
            assignments.customers,
            assignments.wcss,
            model.silhouette,
            model.silhouette_standard_error,
            model.davies_bouldin,
            model.calinski_harabasz,
            model.stability_jaccard,
            model.restarts,
            model.restarts_at_best,
            cast(model.restarts_at_best as double) / model.restarts as restarts_at_best_share,
            -- Three agree, or all where there are fewer: AGREEING of src/mall_segments/search.py.
            case
                when model.restarts_at_best >= least(3, model.restarts)
                then
                    concat(
                        cast(model.restarts_at_best as {{ dbt.type_string() }}),
                        ' of ',
                        cast(model.restarts as {{ dbt.type_string() }}),
                        ' local searches end in this partition, and none in a better one.'
                    )
                else 'The search found better partitions until its end; raise search_effort.'
            end as search_verdict,
            model.runner_up_wcss / nullif(model.fitted_wcss, 0) - 1 as runner_up_wcss_gap,
            model.runner_up_customers,
            proven.wcss_lower_bound,
            assignments.wcss / nullif(proven.wcss_lower_bound, 0) - 1 as proven_wcss_gap,
            assignments.input_fingerprint,
            {{ engine_version() }} as engine_version,
            '{{ dbt_version }}' as dbt_version,
            model.scikit_learn_version,
            model.mall_segments_version
        from model
        cross join assignments
        left join proven on assignments.input_fingerprint = proven.input_fingerprint
        where model.row_number_in_model = 1
    )

select *
from final
