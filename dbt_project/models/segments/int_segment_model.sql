with
    ml_segment_models as (select * from {{ ref("ml_segment_models") }}),

    promoted as (
        select *
        from ml_segment_models
        where is_promoted and feature_set = '{{ segmentation_feature_set() }}'
    ),

    newest as (select max(fitted_at) as fitted_at from promoted),

    final as (
        select promoted.*
        from promoted
        inner join newest on promoted.fitted_at = newest.fitted_at
        where promoted.segment_number is not null
    )

select *
from final
order by segment_number, feature
