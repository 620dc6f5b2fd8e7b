with
    ml_algorithm_assignments as (select * from {{ ref("ml_algorithm_assignments") }}),

    int_compared_customers as (select * from {{ ref("int_compared_customers") }}),

    final as (
        select
            ml_algorithm_assignments.algorithm,
            ml_algorithm_assignments.customer_id,
            ml_algorithm_assignments.cluster,
            int_compared_customers.segment_key
        from ml_algorithm_assignments
        inner join
            int_compared_customers
            on ml_algorithm_assignments.customer_id = int_compared_customers.customer_id
    )

select *
from final
order by algorithm, customer_id
