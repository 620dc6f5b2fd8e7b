-- Fails if the model card and the customers disagree on the WCSS, or the panel on that of a model
-- that this build fitted.
with
    customers as (
        select
            count(*) as customers,
            coalesce(sum(distance_to_centroid * distance_to_centroid), 0) as wcss
        from {{ ref("customer_segments") }}
    ),

    selected as (select wcss from {{ ref("k_selection") }} where is_selected)

select
    customers.wcss as wcss_of_customers,
    segmentation_quality.wcss as wcss_of_model_card,
    selected.wcss as wcss_of_panel
from customers
left join {{ ref("segmentation_quality") }} as segmentation_quality on true
left join selected on true
where
    customers.customers > 0
    and coalesce(
        abs(segmentation_quality.wcss - customers.wcss) > 1e-9 * (1 + customers.wcss)
        or (
            segmentation_quality.model_id = {{ build_id() }}
            and abs(selected.wcss - customers.wcss) > 1e-9 * (1 + customers.wcss)
        ),
        true
    )
