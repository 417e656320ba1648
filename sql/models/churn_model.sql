-- Churn from features: what is known of a customer, and who left.

CREATE TYPE segmentation.churn_rows;
CREATE FUNCTION segmentation_internal.churn_rows_in(cstring) RETURNS segmentation.churn_rows
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'churn_rows_in_wrapper';
CREATE FUNCTION segmentation_internal.churn_rows_out(segmentation.churn_rows) RETURNS cstring
  LANGUAGE internal IMMUTABLE STRICT PARALLEL SAFE AS 'byteaout';
CREATE FUNCTION segmentation_internal.churn_rows_recv(internal) RETURNS segmentation.churn_rows
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'churn_rows_recv_wrapper';
CREATE FUNCTION segmentation_internal.churn_rows_send(segmentation.churn_rows) RETURNS bytea
  LANGUAGE internal IMMUTABLE STRICT PARALLEL SAFE AS 'byteasend';
CREATE TYPE segmentation.churn_rows (
  INPUT = segmentation_internal.churn_rows_in,
  OUTPUT = segmentation_internal.churn_rows_out,
  RECEIVE = segmentation_internal.churn_rows_recv,
  SEND = segmentation_internal.churn_rows_send,
  INTERNALLENGTH = VARIABLE, ALIGNMENT = int4, STORAGE = extended
);
COMMENT ON TYPE segmentation.churn_rows IS
  'Customers grouped by features, with how many churned: what fit_churn_model needs of them. Can be stored, merged '
  'and fitted later.';
COMMENT ON FUNCTION segmentation_internal.churn_rows_in(cstring) IS 'I/O';
COMMENT ON FUNCTION segmentation_internal.churn_rows_out(segmentation.churn_rows) IS 'I/O';
COMMENT ON FUNCTION segmentation_internal.churn_rows_recv(internal) IS 'I/O';
COMMENT ON FUNCTION segmentation_internal.churn_rows_send(segmentation.churn_rows) IS 'I/O';

CREATE FUNCTION segmentation_internal.churn_rows_add(segmentation.churn_rows, boolean, jsonb)
  RETURNS segmentation.churn_rows
  LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'churn_rows_add_wrapper';
CREATE FUNCTION segmentation_internal.churn_rows_add(segmentation.churn_rows, boolean, jsonb, double precision)
  RETURNS segmentation.churn_rows
  LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'churn_rows_add_weight_wrapper';
CREATE FUNCTION segmentation_internal.churn_rows_add(segmentation.churn_rows, boolean, jsonb, jsonb)
  RETURNS segmentation.churn_rows
  LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'churn_rows_add_options_wrapper';
CREATE FUNCTION segmentation_internal.churn_rows_add(segmentation.churn_rows, boolean, jsonb, text)
  RETURNS segmentation.churn_rows
  LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'churn_rows_add_written_options_wrapper';
COMMENT ON FUNCTION segmentation_internal.churn_rows_add(segmentation.churn_rows, boolean, jsonb, text) IS
  'transition of churn_rows and fit_churn_model';
CREATE FUNCTION segmentation_internal.churn_rows_add(segmentation.churn_rows, boolean, jsonb, double precision, jsonb)
  RETURNS segmentation.churn_rows
  LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'churn_rows_add_weight_options_wrapper';
CREATE FUNCTION segmentation_internal.churn_rows_merge(segmentation.churn_rows, segmentation.churn_rows)
  RETURNS segmentation.churn_rows
  LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'churn_rows_merge_wrapper';
COMMENT ON FUNCTION segmentation_internal.churn_rows_add(segmentation.churn_rows, boolean, jsonb) IS
  'transition of churn_rows and fit_churn_model';
COMMENT ON FUNCTION segmentation_internal.churn_rows_add(segmentation.churn_rows, boolean, jsonb, double precision) IS
  'transition of churn_rows and fit_churn_model';
COMMENT ON FUNCTION segmentation_internal.churn_rows_add(segmentation.churn_rows, boolean, jsonb, jsonb) IS
  'transition of churn_rows and fit_churn_model';
COMMENT ON FUNCTION segmentation_internal.churn_rows_add(
  segmentation.churn_rows, boolean, jsonb, double precision, jsonb
) IS 'transition of churn_rows and fit_churn_model';
COMMENT ON FUNCTION segmentation_internal.churn_rows_merge(segmentation.churn_rows, segmentation.churn_rows) IS
  'combine function of churn_rows and fit_churn_model';

CREATE AGGREGATE segmentation.churn_rows(churned boolean, features jsonb) (
  SFUNC = segmentation_internal.churn_rows_add,
  STYPE = segmentation.churn_rows,
  COMBINEFUNC = segmentation_internal.churn_rows_merge,
  PARALLEL = SAFE
);
COMMENT ON AGGREGATE segmentation.churn_rows(boolean, jsonb) IS
  'The customers as a mergeable value, for fit_churn_model(churn_rows), without weights or options.';
CREATE AGGREGATE segmentation.churn_rows(churned boolean, features jsonb, weight double precision) (
  SFUNC = segmentation_internal.churn_rows_add,
  STYPE = segmentation.churn_rows,
  COMBINEFUNC = segmentation_internal.churn_rows_merge,
  PARALLEL = SAFE
);
COMMENT ON AGGREGATE segmentation.churn_rows(boolean, jsonb, double precision) IS
  'The customers as a mergeable value, for fit_churn_model(churn_rows), with weights.';
CREATE AGGREGATE segmentation.churn_rows(churned boolean, features jsonb, options jsonb) (
  SFUNC = segmentation_internal.churn_rows_add,
  STYPE = segmentation.churn_rows,
  COMBINEFUNC = segmentation_internal.churn_rows_merge,
  PARALLEL = SAFE
);
CREATE AGGREGATE segmentation.churn_rows(churned boolean, features jsonb, options text) (
  SFUNC = segmentation_internal.churn_rows_add,
  STYPE = segmentation.churn_rows,
  COMBINEFUNC = segmentation_internal.churn_rows_merge,
  PARALLEL = SAFE
);
COMMENT ON AGGREGATE segmentation.churn_rows(boolean, jsonb, text) IS
  'The customers as a mergeable value, for fit_churn_model(churn_rows), with options that are written as text.';
COMMENT ON AGGREGATE segmentation.churn_rows(boolean, jsonb, jsonb) IS
  'The customers as a mergeable value, for fit_churn_model(churn_rows), with options.';
CREATE AGGREGATE segmentation.churn_rows(churned boolean, features jsonb, weight double precision, options jsonb) (
  SFUNC = segmentation_internal.churn_rows_add,
  STYPE = segmentation.churn_rows,
  COMBINEFUNC = segmentation_internal.churn_rows_merge,
  PARALLEL = SAFE
);
COMMENT ON AGGREGATE segmentation.churn_rows(boolean, jsonb, double precision, jsonb) IS
  'The customers as a mergeable value, for fit_churn_model(churn_rows), with weights and options.';
CREATE AGGREGATE segmentation.merge(rows segmentation.churn_rows) (
  SFUNC = segmentation_internal.churn_rows_merge,
  STYPE = segmentation.churn_rows,
  COMBINEFUNC = segmentation_internal.churn_rows_merge,
  PARALLEL = SAFE
);
COMMENT ON AGGREGATE segmentation.merge(segmentation.churn_rows) IS
  'The customers of many parts, which must have the same options.';

CREATE FUNCTION segmentation.fit_churn_model(rows segmentation.churn_rows) RETURNS jsonb
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 100000 AS 'MODULE_PATHNAME', 'fit_churn_model_wrapper';
COMMENT ON FUNCTION segmentation.fit_churn_model(segmentation.churn_rows) IS
  'The model of customers gathered by churn_rows; see the aggregate fit_churn_model.';
CREATE AGGREGATE segmentation.fit_churn_model(churned boolean, features jsonb) (
  SFUNC = segmentation_internal.churn_rows_add,
  STYPE = segmentation.churn_rows,
  FINALFUNC = segmentation.fit_churn_model,
  COMBINEFUNC = segmentation_internal.churn_rows_merge,
  PARALLEL = SAFE
);
COMMENT ON AGGREGATE segmentation.fit_churn_model(boolean, jsonb) IS
  'Logistic regression of churn on named features, without weights or options: a jsonb value with coefficients, '
  'standard errors, odds ratios, deviance, AUC and warnings. One model a group by GROUP BY.';
CREATE AGGREGATE segmentation.fit_churn_model(churned boolean, features jsonb, weight double precision) (
  SFUNC = segmentation_internal.churn_rows_add,
  STYPE = segmentation.churn_rows,
  FINALFUNC = segmentation.fit_churn_model,
  COMBINEFUNC = segmentation_internal.churn_rows_merge,
  PARALLEL = SAFE
);
COMMENT ON AGGREGATE segmentation.fit_churn_model(boolean, jsonb, double precision) IS
  'Logistic regression of churn on named features, with weights: a jsonb value with coefficients, standard errors, '
  'odds ratios, deviance, AUC and warnings. One model a group by GROUP BY.';
CREATE AGGREGATE segmentation.fit_churn_model(churned boolean, features jsonb, options jsonb) (
  SFUNC = segmentation_internal.churn_rows_add,
  STYPE = segmentation.churn_rows,
  FINALFUNC = segmentation.fit_churn_model,
  COMBINEFUNC = segmentation_internal.churn_rows_merge,
  PARALLEL = SAFE
);
CREATE AGGREGATE segmentation.fit_churn_model(churned boolean, features jsonb, options text) (
  SFUNC = segmentation_internal.churn_rows_add,
  STYPE = segmentation.churn_rows,
  FINALFUNC = segmentation.fit_churn_model,
  COMBINEFUNC = segmentation_internal.churn_rows_merge,
  PARALLEL = SAFE
);
COMMENT ON AGGREGATE segmentation.fit_churn_model(boolean, jsonb, text) IS
  'Logistic regression of churn on named features, with options that are written as text.';
COMMENT ON AGGREGATE segmentation.fit_churn_model(boolean, jsonb, jsonb) IS
  'Logistic regression of churn on named features, with options: a jsonb value with coefficients, standard errors, '
  'odds ratios, deviance, AUC and warnings. One model a group by GROUP BY. options: features, offset, ridge, '
  'standardize, missing (indicator, skip), min_level_rows, max_levels, base_levels, confidence, base_rate, sample.';
CREATE AGGREGATE segmentation.fit_churn_model(churned boolean, features jsonb, weight double precision, options jsonb) (
  SFUNC = segmentation_internal.churn_rows_add,
  STYPE = segmentation.churn_rows,
  FINALFUNC = segmentation.fit_churn_model,
  COMBINEFUNC = segmentation_internal.churn_rows_merge,
  PARALLEL = SAFE
);
COMMENT ON AGGREGATE segmentation.fit_churn_model(boolean, jsonb, double precision, jsonb) IS
  'Logistic regression of churn on named features, with weights and options: a jsonb value with coefficients, '
  'standard errors, odds ratios, deviance, AUC and warnings. One model a group by GROUP BY. options: features, '
  'offset, ridge, standardize, missing (indicator, skip), min_level_rows, max_levels, base_levels, confidence, '
  'base_rate, sample.';

-- Scores. NULL by a model that lacked data.

CREATE FUNCTION segmentation.churn_probability(model jsonb, features jsonb) RETURNS double precision
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 100 AS 'MODULE_PATHNAME', 'churn_probability_features_wrapper';
COMMENT ON FUNCTION segmentation.churn_probability(jsonb, jsonb) IS
  'Probability of churn under a model of fit_churn_model. Features that the model does not know are ignored; missing '
  'values and categories never seen count as the model says.';
CREATE FUNCTION segmentation.churn_explain(model jsonb, features jsonb, language text DEFAULT 'en')
  RETURNS TABLE (feature text, value text, contribution double precision, odds_ratio double precision, words text)
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 1000 ROWS 10 AS 'MODULE_PATHNAME', 'churn_explain_wrapper';
COMMENT ON FUNCTION segmentation.churn_explain(jsonb, jsonb, text) IS
  'What each feature contributes to the log-odds of churn against the average customer, the strongest first, with the '
  'odds ratio that this makes and a sentence (language en or fr).';
CREATE FUNCTION segmentation.churn_coefficients(model jsonb)
  RETURNS TABLE (
    feature text, level text, role text, estimate double precision, standard_error double precision, z double precision,
    p double precision, odds_ratio double precision, lower double precision, upper double precision
  )
  LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE ROWS 20
BEGIN ATOMIC
  SELECT c.*
  FROM jsonb_to_recordset(CASE WHEN jsonb_typeof(model -> 'coefficients') = 'array' THEN model -> 'coefficients' END)
    AS c (
      feature text, level text, role text, estimate double precision, standard_error double precision,
      z double precision, p double precision, odds_ratio double precision, lower double precision,
      upper double precision
    );
END;
COMMENT ON FUNCTION segmentation.churn_coefficients(jsonb) IS
  'The coefficients of a churn or retention model as rows, with z, p, odds ratios and their confidence intervals. '
  'NULLs where a feature follows from others.';

-- Training rows: what was known on a day, and what came after it.

CREATE FUNCTION segmentation.history_features(history segmentation.purchase_history, as_of date) RETURNS jsonb
  LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
  RETURN jsonb_build_object(
    'ln_recency', ln(1 + segmentation.recency(history, as_of)::double precision),
    'ln_tenure', ln(1 + segmentation.tenure(history, as_of)::double precision),
    'ln_purchase_days', ln(1 + segmentation.purchase_days(history, as_of)::double precision),
    'ln_turnover', ln(1 + greatest(segmentation.monetary(history, as_of), 0)::double precision),
    'recency_share',
    segmentation.recency(history, as_of)::double precision / (1 + segmentation.tenure(history, as_of)));
COMMENT ON FUNCTION segmentation.history_features(segmentation.purchase_history, date) IS
  'What a history says on a day, and nothing that came later: ln(1 + x) of recency and tenure in days, purchase days '
  'and turnover; the recency as a share of the tenure.';
CREATE FUNCTION segmentation.churned_within(
  history segmentation.purchase_history, as_of date, horizon interval, observed_to date
) RETURNS boolean
  LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
  RETURN CASE WHEN (as_of + horizon)::date <= observed_to
    THEN segmentation.frequency(history, (as_of + horizon)::date) = segmentation.frequency(history, as_of) END;
COMMENT ON FUNCTION segmentation.churned_within(segmentation.purchase_history, date, interval, date) IS
  'Whether no purchase follows as_of within the horizon. NULL if the horizon ends after observed_to, the last day of '
  'the log: the outcome is not known yet.';
CREATE FUNCTION segmentation.churn_snapshots(
  history segmentation.purchase_history, first_as_of date, every interval, horizon interval, observed_to date
) RETURNS TABLE (as_of date, churned boolean, features jsonb)
  LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE ROWS 10
BEGIN ATOMIC
  SELECT s.day::date, segmentation.churned_within(history, s.day::date, horizon, observed_to),
    segmentation.history_features(history, s.day::date)
  FROM generate_series(first_as_of::timestamp, observed_to - horizon, every) AS s (day)
  WHERE segmentation.purchase_days(history, s.day::date) > 0;
END;
COMMENT ON FUNCTION segmentation.churn_snapshots(segmentation.purchase_history, date, interval, interval, date) IS
  'Training rows of one customer without leaks: on each snapshot day from first_as_of, what was known up to that day, '
  'and whether no purchase followed within the horizon. The last horizon ends at observed_to or before; days before '
  'the first purchase have no row.';

CREATE FUNCTION segmentation.contract_snapshots(
  started date, ended date, observed_to date, every interval DEFAULT '1 month'
) RETURNS TABLE (period integer, as_of date, ended boolean, exposure double precision)
  LANGUAGE sql IMMUTABLE PARALLEL SAFE ROWS 24
BEGIN ATOMIC
  SELECT p.n, d.begins, COALESCE(contract_snapshots.ended <= LEAST(d.ends, observed_to), false),
    CASE WHEN d.ends <= observed_to THEN 1 ELSE GREATEST(observed_to - d.begins, 0.5) / (d.ends - d.begins) END
  FROM generate_series(1, CASE WHEN every >= interval '1 day'
         THEN ceil((LEAST(contract_snapshots.ended, observed_to) - contract_snapshots.started + 1)
                   / (extract(epoch FROM every) / 86400 * 0.9))::integer + 1 END) AS p (n)
  CROSS JOIN LATERAL (
    SELECT (contract_snapshots.started + (p.n - 1) * every)::date AS begins,
      (contract_snapshots.started + p.n * every)::date AS ends) AS d
  WHERE CASE WHEN contract_snapshots.ended <= observed_to
    THEN d.begins < contract_snapshots.ended OR p.n = 1 AND contract_snapshots.ended = contract_snapshots.started
    ELSE d.begins < observed_to END;
END;
COMMENT ON FUNCTION segmentation.contract_snapshots(date, date, date, interval) IS
  'Training rows of one contract for a hazard whose features change: one for each period, with the day on which it '
  'begins, and whether the contract ended within it. Features have to be those of that day. exposure is the part of '
  'the period that has passed by observed_to: 1, but for the last one of contracts that run or ended in it. NULL for '
  'ended: it still runs.';
