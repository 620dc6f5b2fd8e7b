-- What is missing from the source, and what is missing together? Each pair once, after the
-- columns alone.
select
    column_name,
    other_column_name,
    raw_rows,
    missing_rows,
    round(100 * missing_share, 2) as missing_percent,
    round(missing_correlation, 3) as missing_correlation
from {{ ref("feature_missingness") }}
where column_name <= other_column_name
order by column_name <> other_column_name, missing_rows desc, column_name, other_column_name
