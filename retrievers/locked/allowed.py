"""The functions that SQL written by a model may call, engine by engine. Everything else is refused.

Left out on purpose: what makes long text of short (repeat, lpad, printf, format), what makes rows
of nothing (range, generate_series, unnest), what tells of the machine (getenv, current_setting,
version, random), what reads or writes files, and what takes programs (lambdas, json paths).
"""

from __future__ import annotations

_COMMON = """
abs avg ceil ceiling coalesce count dense_rank exp first_value floor group_concat ifnull instr
lag last_value lead length ln log log10 log2 lower ltrim max min mod nth_value ntile nullif
percent_rank pow power rank replace round row_number rtrim sign sqrt substr substring sum trim
upper cume_dist concat
"""
SQLITE = frozenset(f"{_COMMON} date datetime iif julianday strftime time total typeof".split())
DUCKDB = frozenset(
    f"""{_COMMON} any_value approx_count_distinct approx_quantile arg_max arg_min avg bool_and
    bool_or cast char_length concat_ws contains corr count_if countif covar_pop covar_samp
    current_date date date_add date_diff date_part date_sub date_trunc datediff datepart datetrunc
    day dayname dayofmonth dayofweek dayofyear ends_with extract first greatest hour if ilike
    isinf isnan isodow kurtosis last last_day least left len listagg logical_and logical_or mad
    max_by median min_by minute mode month monthname prefix product quantile quantile_cont
    quantile_disc quarter regexp_extract regexp_full_match regexp_like regexp_matches
    regexp_replace reverse right second skewness starts_with stddev stddev_pop stddev_samp
    str_split_part strftime string_agg strip_accents strpos strptime suffix to_days to_months
    to_years translate trunc try_cast try_strptime unicode var_pop var_samp variance week weekday
    weekofyear year split_part make_date percentile_cont percentile_disc""".split()
)
# Not regexp_*: a pattern of Postgres may take longer than a query may.
POSTGRES = frozenset(
    f"""{_COMMON} age any_value bool_and bool_or btrim cast char_length concat_ws corr covar_pop
    covar_samp current_date date_part date_trunc every extract greatest initcap isfinite least left
    make_date mode percentile_cont percentile_disc position regr_slope regr_intercept regr_r2
    reverse right split_part starts_with stddev stddev_pop stddev_samp string_agg strpos substring
    to_char to_date to_number to_timestamp translate trunc var_pop var_samp variance
    width_bucket date""".split()
)
FUNCTIONS = {"sqlite": SQLITE, "duckdb": DUCKDB, "postgres": POSTGRES}

# Words that may stand before a parenthesis without being a call.
BEFORE_PARENTHESIS = frozenset(
    """cast select from where and or not in exists as on by having case when then else over filter
    using all any some distinct join union except intersect is like ilike between limit offset with
    group order partition materialized within cube rollup sets glob escape
    decimal numeric varchar char qualify inner left outer cross window interval exclude""".split()
)
TYPES = frozenset(
    """bigint boolean char date datetime decimal double float int integer numeric real smallint
    text time timestamp timestampntz timestamptz tinyint varchar uint ubigint hugeint int128
    usmallint utinyint udecimal interval""".split()
)
# Names of catalogues: not to be read, and not to be worn by a CTE that is then stepped out of.
HIDDEN = ("sqlite_", "duckdb_", "pragma_", "pg_", "information_schema", "dbstat", "fts")
