{#- The table is written aside and takes its name when it is complete: the query may read the table
    that it replaces, and one that fails leaves it as it was. -#}
{% materialization table, adapter='sparksession', supported_languages=['sql', 'python'] %}
    {%- set target_relation = this.incorporate(type='table') -%}
    {%- set old_relation = load_cached_relation(this) -%}
    {%- set grant_config = config.get('grants') -%}
    {%- set query = compiled_code -%}

    {{ run_hooks(pre_hooks) }}

    {%- if model['language'] == 'python' -%}
        {%- call statement('main', language='python') -%}
            {{ compiled_code }}
        {%- endcall -%}
        {%- do sparksession__write_table(target_relation, old_relation, 'select * from ' ~ adapter.python_result(this), 'write') -%}
    {%- else -%}
        {%- do sparksession__write_table(target_relation, old_relation, compiled_code, 'main') -%}
    {%- endif -%}

    {%- do apply_grants(target_relation, grant_config, should_revoke(old_relation, full_refresh_mode=True)) -%}
    {%- do persist_docs(target_relation, model) -%}
    {%- do persist_constraints(target_relation, model) -%}

    {{ run_hooks(post_hooks) }}

    {{ return({'relations': [target_relation]}) }}
{% endmaterialization %}


{% macro sparksession__write_table(target_relation, old_relation, query, name) %}
    {%- set aside = target_relation.incorporate(path={'identifier': target_relation.identifier ~ '__dbt_tmp'}) -%}
    {%- do adapter.drop_relation(aside) -%}
    {%- call statement(name) -%}
        {{ create_table_as(False, aside, query) }}
    {%- endcall -%}
    {%- if old_relation is not none -%}
        {%- do adapter.drop_relation(old_relation) -%}
    {%- endif -%}
    {%- do adapter.rename_relation(aside, target_relation) -%}
{% endmacro %}
