{{ config(materialized="table", contract={"enforced": true}) }}
select {% if var("broken") %} 'text' {% else %} cast(1 as bigint) {% endif %} as order_id
