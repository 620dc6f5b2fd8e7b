{% materialization table, adapter='sparksession', supported_languages=['sql', 'python'] %}
    {%- set target_relation = this.incorporate(type='table') -%}
    {%- set old_relation = load_cached_relation(this) -%}
    {%- set grant_config = config.get('grants') -%}

    {{ run_hooks(pre_hooks) }}

    {%- if model['language'] == 'python' -%}
        {#- dbt submits Python from the materialization itself only. -#}
        {%- call statement('main', language='python') -%}
            {{ compiled_code }}
        {%- endcall -%}
        {%- do write_table_aside(
            target_relation, old_relation, 'select * from ' ~ adapter.python_result(this), 'write'
        ) -%}
        {%- do adapter.drop_view_of_session(adapter.python_result(this)) -%}
    {%- else -%}
        {%- do write_table_aside(target_relation, old_relation, compiled_code, 'main') -%}
    {%- endif -%}

    {%- do apply_grants(
        target_relation, grant_config, should_revoke(old_relation, full_refresh_mode=True)
    ) -%}
    {%- do persist_docs(target_relation, model) -%}
    {%- do persist_constraints(target_relation, model) -%}

    {{ run_hooks(post_hooks) }}

    {{ return({'relations': [target_relation]}) }}
{% endmaterialization %}
