{#- One query for all columns of a model: a test each would cost more than the build itself. -#}
{% test never_null(model, columns) %}

    select * from {{ model }} where {{ columns | join(" is null or ") }} is null

{% endtest %}
