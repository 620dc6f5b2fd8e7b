{#- Formats without `merge` are written anew with the rows that were closed and those that are new. -#}
{% materialization snapshot, adapter='sparksession' %}
    {%- if config.get('file_format') in ['delta', 'iceberg', 'hudi'] -%}
        {{ return(dbt_spark.materialization_snapshot_spark()) }}
    {%- endif -%}
    {%- set target_relation = this.incorporate(type='table') -%}
    {%- set old_relation = load_cached_relation(this) -%}
    {%- set grant_config = config.get('grants') -%}
    {%- if old_relation is not none and not old_relation.is_table -%}
        {%- do exceptions.relation_wrong_type(old_relation, 'table') -%}
    {%- endif -%}

    {{ run_hooks(pre_hooks) }}

    {%- set strategy = strategy_dispatch(config.get('strategy'))(
        model, 'snapshotted_data', 'source_data', model['config'], old_relation is not none
    ) -%}
    {%- if old_relation is none -%}
        {%- set query = build_snapshot_table(strategy, compiled_code) -%}
    {%- else -%}
        {%- set columns = config.get('snapshot_table_column_names') or get_snapshot_table_column_names() -%}
        {%- do adapter.assert_valid_snapshot_target_given_strategy(old_relation, columns, strategy) -%}
        {%- set changes = api.Relation.create(
            identifier=this.schema ~ '__' ~ this.identifier ~ '__dbt_changes', type='view'
        ) -%}
        {%- call statement('changes') -%}
            {{ create_table_as(True, changes, snapshot_staging_table(strategy, compiled_code, old_relation)) }}
        {%- endcall -%}
        {%- set query = snapshot_with_changes(old_relation, changes, strategy, columns) -%}
    {%- endif -%}

    {%- do write_table_aside(target_relation, old_relation, query, 'main') -%}
    {%- if old_relation is not none -%}
        {%- do adapter.drop_view_of_session(changes.identifier) -%}
    {%- endif -%}

    {%- do apply_grants(
        target_relation, grant_config, should_revoke(old_relation, full_refresh_mode=False)
    ) -%}
    {%- do persist_docs(target_relation, model) -%}

    {{ run_hooks(post_hooks) }}

    {{ return({'relations': [target_relation]}) }}
{% endmaterialization %}


{#- What `merge` would leave: rows of the snapshot, closed where they changed, and rows to insert. -#}
{% macro snapshot_with_changes(snapshot, changes, strategy, columns) %}
    {%- set bookkeeping = ['dbt_change_type', 'dbt_unique_key'] -%}
    {%- if strategy.unique_key | is_list -%}
        {%- for key in strategy.unique_key -%}
            {%- do bookkeeping.append('dbt_unique_key_' ~ loop.index) -%}
        {%- endfor -%}
    {%- endif -%}
    {%- set old = adapter.get_columns_in_relation(snapshot) -%}
    {%- set old_names = old | map(attribute='name') | list -%}
    {%- set new = adapter.get_columns_in_relation(changes) | rejectattr('name', 'in', bookkeeping) | list -%}
    {%- set new_names = new | map(attribute='name') | list -%}
    {%- set added = new | rejectattr('name', 'in', old_names) | list -%}
    {%- set valid_to = adapter.quote(columns.dbt_valid_to) -%}
    {%- set current = config.get('dbt_valid_to_current') -%}
    with changes as (
        select * from {{ changes }}
    ),

    closed as (
        select {{ columns.dbt_scd_id }} as scd_id, {{ valid_to }} as closed_at
        from changes
        where dbt_change_type in ('update', 'delete')
    )

    select
        {% for column in old -%}
            {% if column.name == columns.dbt_valid_to -%}
                case
                    when closed.scd_id is not null
                        and (kept.{{ valid_to }} is null{% if current %} or kept.{{ valid_to }} = {{ current }}{% endif %})
                    then closed.closed_at
                    else kept.{{ valid_to }}
                end as {{ valid_to }}
            {%- else -%}
                kept.{{ column.quoted }}
            {%- endif %}
            {{- ', ' if not loop.last or added }}
        {% endfor %}
        {% for column in added -%}
            cast(null as {{ column.data_type }}) as {{ column.quoted }}
            {{- ', ' if not loop.last }}
        {% endfor %}
    from {{ snapshot }} as kept
    left join closed on closed.scd_id = kept.{{ columns.dbt_scd_id }}
    union all
    select
        {% for column in old + added -%}
            {% if column.name in new_names -%}
                changes.{{ column.quoted }}
            {%- else -%}
                cast(null as {{ column.data_type }}) as {{ column.quoted }}
            {%- endif %}
            {{- ', ' if not loop.last }}
        {% endfor %}
    from changes
    left anti join {{ snapshot }} as kept on kept.{{ columns.dbt_scd_id }} = changes.{{ columns.dbt_scd_id }}
    where dbt_change_type = 'insert'
{% endmacro %}
