{{ config(materialized="table") }}
select
    order_id,
    {% if var("moved") %}
        case when order_id = 1 then 'north' else 'south' end as place,
        timestamp'2026-02-01' as seen_at,
        'new' as note
    {% else %}
        'south' as place,
        timestamp'2026-01-01' as seen_at
    {% endif %}
from {{ ref("raw_orders") }}
{% if var("moved") %} where order_id < 3 {% endif %}
