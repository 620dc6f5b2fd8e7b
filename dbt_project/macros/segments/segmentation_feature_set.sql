{#- The name of the segmentation features, in their canonical order as in `feature_set`. -#}
{% macro segmentation_feature_set() -%}
    {%- set chosen = [] -%}
    {%- for feature in profile_features() if feature in var("segmentation_features") -%}
        {%- do chosen.append(feature) -%}
    {%- endfor -%}
    {{ return(chosen | join(", ")) }}
{%- endmacro %}
