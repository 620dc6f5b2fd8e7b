{%- set features = profile_features() -%}
{%- set measures = {"pearson": "", "spearman": "_rank"} -%}
with
    int_feature_points as (select * from {{ ref("int_feature_points") }}),

    {% for feature in features %}
        {{ feature }}_counts as (
            select {{ feature }}, sum(customers) as customers
            from int_feature_points
            group by {{ feature }}
        ),

        -- Customers with equal values share the mean of their places.
        {{ feature }}_ranks as (
            select
                {{ feature }},
                cast(sum(customers) over (order by {{ feature }}) as double)
                - (customers - 1) / 2.0 as {{ feature }}_rank
            from {{ feature }}_counts
        ),
    {% endfor %}

    ranked as (
        select
            {% for feature in features %}
                int_feature_points.{{ feature }}, {{ feature }}_ranks.{{ feature }}_rank,
            {% endfor %}
            int_feature_points.customers
        from int_feature_points
        {% for feature in features %}
            inner join
                {{ feature }}_ranks
                on int_feature_points.{{ feature }} = {{ feature }}_ranks.{{ feature }}
        {% endfor %}
    ),

    means as (
        select
            {% for feature in features %}
                {% for suffix in measures.values() %}
                    {{ exact_sum("customers * " ~ feature ~ suffix) }}
                    / sum(customers) as {{ feature }}{{ suffix }}_mean,
                {% endfor %}
            {% endfor %}
            cast(sum(customers) as bigint) as all_customers
        from ranked
    ),

    deviations as (
        select
            {% for feature in features %}
                {% for suffix in measures.values() %}
                    ranked.{{ feature }}{{ suffix }}
                    - means.{{ feature }}{{ suffix }}_mean as {{ feature }}{{ suffix }},
                {% endfor %}
            {% endfor %}
            ranked.customers
        from ranked
        cross join means
    ),

    {#- Each pair once: the products are the same in both orders. #}
    products as (
        select
            {% for feature in features %}
                {% for other in features[loop.index0 :] %}
                    {% for measure, suffix in measures.items() %}
                        {{ exact_sum("customers * " ~ feature ~ suffix ~ " * " ~ other ~ suffix) }}
                        as {{ feature }}_{{ other }}_{{ measure }},
                    {% endfor %}
                {% endfor %}
            {% endfor %}
            cast(sum(customers) as bigint) as customers
        from deviations
        having count(*) > 0
    ),

    pairs as (
        {% for feature in features %}
            {% for other in features %}
                select '{{ feature }}' as feature, '{{ other }}' as other_feature
                {% if not loop.last %}
                    union all
                {% endif %}
            {% endfor %}
            {% if not loop.last %}
                union all
            {% endif %}
        {% endfor %}
    ),

    final as (
        select
            pairs.feature,
            pairs.other_feature,
            {% for measure in measures %}
                case
                    {% for feature in features %}
                        {% set index = loop.index0 %}
                        {% for other in features %}
                            {% set pair = (
                                feature ~ "_" ~ other
                                if index <= loop.index0
                                else other ~ "_" ~ feature
                            ) %}
                            when
                                pairs.feature = '{{ feature }}'
                                and pairs.other_feature = '{{ other }}'
                            then
                                {{
                                    correlation(
                                        pair ~ "_" ~ measure,
                                        feature ~ "_" ~ feature ~ "_" ~ measure,
                                        other ~ "_" ~ other ~ "_" ~ measure,
                                    )
                                }}
                        {% endfor %}
                    {% endfor %}
                end as {{ measure }},
            {% endfor %}
            products.customers
        from products
        cross join pairs
    )

select *
from final
order by feature, other_feature
