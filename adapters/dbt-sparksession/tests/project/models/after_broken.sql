select * from {{ ref("broken") }}
