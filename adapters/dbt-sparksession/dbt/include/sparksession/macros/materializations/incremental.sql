{% materialization incremental, adapter='sparksession', supported_languages=['sql', 'python'] %}
    {%- set file_format = dbt_spark_validate_get_file_format(config.get('file_format') or 'parquet') -%}
    {%- set strategy = dbt_spark_validate_get_incremental_strategy(
        config.get('incremental_strategy') or 'append', file_format
    ) -%}
    {%- set on_schema_change = incremental_validate_on_schema_change(
        config.get('on_schema_change'), default='ignore'
    ) -%}
    {%- set predicates = config.get('predicates') or config.get('incremental_predicates') -%}
    {%- set grant_config = config.get('grants') -%}
    {%- set target_relation = this.incorporate(type='table') -%}
    {%- set old_relation = load_cached_relation(this) -%}
    {%- set is_python = model['language'] == 'python' -%}

    {%- if strategy in ['insert_overwrite', 'microbatch'] and config.get('partition_by') -%}
        {%- call statement() -%}
            set spark.sql.sources.partitionOverwriteMode = DYNAMIC
        {%- endcall -%}
    {%- endif -%}

    {{ run_hooks(pre_hooks) }}

    {%- if is_python -%}
        {%- call statement('main', language='python') -%}
            {{ compiled_code }}
        {%- endcall -%}
    {%- endif -%}
    {%- set query = 'select * from ' ~ adapter.python_result(this) if is_python else compiled_code -%}
    {%- set statement_name = 'write' if is_python else 'main' -%}

    {%- if old_relation is none or old_relation.is_view or should_full_refresh() -%}
        {%- do write_table_aside(target_relation, old_relation, query, statement_name) -%}
        {%- do persist_constraints(target_relation, model) -%}
    {%- else -%}
        {#- Views of the session have no schema, and all models share the session. -#}
        {%- set new_rows = api.Relation.create(
            identifier=this.schema ~ '__' ~ this.identifier ~ '__dbt_tmp', type='view'
        ) -%}
        {%- call statement('new_rows') -%}
            {{ create_table_as(True, new_rows, query) }}
        {%- endcall -%}
        {%- do process_schema_changes(on_schema_change, new_rows, old_relation) -%}
        {%- call statement(statement_name) -%}
            {{ dbt_spark_get_incremental_sql(
                strategy, new_rows, target_relation, old_relation, config.get('unique_key'), predicates
            ) }}
        {%- endcall -%}
        {%- do adapter.drop_view_of_session(new_rows.identifier) -%}
    {%- endif -%}
    {%- do adapter.drop_view_of_session(adapter.python_result(this)) -%}

    {%- do apply_grants(target_relation, grant_config, should_revoke(old_relation, should_full_refresh())) -%}
    {%- do persist_docs(target_relation, model) -%}

    {{ run_hooks(post_hooks) }}

    {{ return({'relations': [target_relation]}) }}
{% endmaterialization %}
