-- Contracts: how long they last.

CREATE TYPE segmentation.contracts;
CREATE FUNCTION segmentation_internal.contracts_in(cstring) RETURNS segmentation.contracts
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'contracts_in_wrapper';
CREATE FUNCTION segmentation_internal.contracts_out(segmentation.contracts) RETURNS cstring
  LANGUAGE internal IMMUTABLE STRICT PARALLEL SAFE AS 'byteaout';
CREATE FUNCTION segmentation_internal.contracts_recv(internal) RETURNS segmentation.contracts
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'contracts_recv_wrapper';
CREATE FUNCTION segmentation_internal.contracts_send(segmentation.contracts) RETURNS bytea
  LANGUAGE internal IMMUTABLE STRICT PARALLEL SAFE AS 'byteasend';
CREATE TYPE segmentation.contracts (
  INPUT = segmentation_internal.contracts_in,
  OUTPUT = segmentation_internal.contracts_out,
  RECEIVE = segmentation_internal.contracts_recv,
  SEND = segmentation_internal.contracts_send,
  INTERNALLENGTH = VARIABLE, ALIGNMENT = int4, STORAGE = extended
);
COMMENT ON TYPE segmentation.contracts IS
  'Contracts grouped by features and length, with how many ended: what fit_retention_model needs of them. Can be '
  'stored, merged and fitted later.';
COMMENT ON FUNCTION segmentation_internal.contracts_in(cstring) IS 'I/O';
COMMENT ON FUNCTION segmentation_internal.contracts_out(segmentation.contracts) IS 'I/O';
COMMENT ON FUNCTION segmentation_internal.contracts_recv(internal) IS 'I/O';
COMMENT ON FUNCTION segmentation_internal.contracts_send(segmentation.contracts) IS 'I/O';

CREATE FUNCTION segmentation_internal.contracts_add(segmentation.contracts, date, date, date)
  RETURNS segmentation.contracts
  LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'contracts_add_wrapper';
CREATE FUNCTION segmentation_internal.contracts_add(segmentation.contracts, date, date, date, jsonb)
  RETURNS segmentation.contracts
  LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'contracts_add_features_wrapper';
CREATE FUNCTION segmentation_internal.contracts_add(segmentation.contracts, date, date, date, jsonb, jsonb)
  RETURNS segmentation.contracts
  LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'contracts_add_options_wrapper';
CREATE FUNCTION segmentation_internal.contracts_merge(segmentation.contracts, segmentation.contracts)
  RETURNS segmentation.contracts
  LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'contracts_merge_wrapper';
COMMENT ON FUNCTION segmentation_internal.contracts_add(segmentation.contracts, date, date, date) IS
  'transition of contracts and fit_retention_model';
COMMENT ON FUNCTION segmentation_internal.contracts_add(segmentation.contracts, date, date, date, jsonb) IS
  'transition of contracts and fit_retention_model';
COMMENT ON FUNCTION segmentation_internal.contracts_add(segmentation.contracts, date, date, date, jsonb, jsonb) IS
  'transition of contracts and fit_retention_model';
COMMENT ON FUNCTION segmentation_internal.contracts_merge(segmentation.contracts, segmentation.contracts) IS
  'combine function of contracts and fit_retention_model';

CREATE AGGREGATE segmentation.contracts(started date, ended date, as_of date) (
  SFUNC = segmentation_internal.contracts_add,
  STYPE = segmentation.contracts,
  COMBINEFUNC = segmentation_internal.contracts_merge,
  PARALLEL = SAFE
);
COMMENT ON AGGREGATE segmentation.contracts(date, date, date) IS
  'The contracts as a mergeable value, for fit_retention_model(contracts).';
CREATE AGGREGATE segmentation.contracts(started date, ended date, as_of date, features jsonb) (
  SFUNC = segmentation_internal.contracts_add,
  STYPE = segmentation.contracts,
  COMBINEFUNC = segmentation_internal.contracts_merge,
  PARALLEL = SAFE
);
COMMENT ON AGGREGATE segmentation.contracts(date, date, date, jsonb) IS
  'The contracts as a mergeable value, for fit_retention_model(contracts), with features.';
CREATE AGGREGATE segmentation.contracts(started date, ended date, as_of date, features jsonb, options jsonb) (
  SFUNC = segmentation_internal.contracts_add,
  STYPE = segmentation.contracts,
  COMBINEFUNC = segmentation_internal.contracts_merge,
  PARALLEL = SAFE
);
COMMENT ON AGGREGATE segmentation.contracts(date, date, date, jsonb, jsonb) IS
  'The contracts as a mergeable value, for fit_retention_model(contracts), with features and options.';
CREATE AGGREGATE segmentation.merge(part segmentation.contracts) (
  SFUNC = segmentation_internal.contracts_merge,
  STYPE = segmentation.contracts,
  COMBINEFUNC = segmentation_internal.contracts_merge,
  PARALLEL = SAFE
);
COMMENT ON AGGREGATE segmentation.merge(segmentation.contracts) IS
  'The contracts of many parts, which must have the same as_of and options.';

CREATE FUNCTION segmentation.fit_retention_model(part segmentation.contracts) RETURNS jsonb
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 100000 AS 'MODULE_PATHNAME', 'fit_retention_model_wrapper';
COMMENT ON FUNCTION segmentation.fit_retention_model(segmentation.contracts) IS
  'The model of contracts gathered by contracts; see the aggregate fit_retention_model.';
CREATE AGGREGATE segmentation.fit_retention_model(started date, ended date, as_of date) (
  SFUNC = segmentation_internal.contracts_add,
  STYPE = segmentation.contracts,
  FINALFUNC = segmentation.fit_retention_model,
  COMBINEFUNC = segmentation_internal.contracts_merge,
  PARALLEL = SAFE
);
COMMENT ON AGGREGATE segmentation.fit_retention_model(date, date, date) IS
  'How long contracts last, from their first and last day: a jsonb value. A contract that ended after as_of, or has '
  'no end, still runs. One model a group by GROUP BY.';
CREATE AGGREGATE segmentation.fit_retention_model(started date, ended date, as_of date, features jsonb) (
  SFUNC = segmentation_internal.contracts_add,
  STYPE = segmentation.contracts,
  FINALFUNC = segmentation.fit_retention_model,
  COMBINEFUNC = segmentation_internal.contracts_merge,
  PARALLEL = SAFE
);
COMMENT ON AGGREGATE segmentation.fit_retention_model(date, date, date, jsonb) IS
  'How long contracts last, from their first and last day, with features: a jsonb value. A contract that ended after '
  'as_of, or has no end, still runs. One model a group by GROUP BY.';
CREATE AGGREGATE segmentation.fit_retention_model(started date, ended date, as_of date, features jsonb, options jsonb) (
  SFUNC = segmentation_internal.contracts_add,
  STYPE = segmentation.contracts,
  FINALFUNC = segmentation.fit_retention_model,
  COMBINEFUNC = segmentation_internal.contracts_merge,
  PARALLEL = SAFE
);
COMMENT ON AGGREGATE segmentation.fit_retention_model(date, date, date, jsonb, jsonb) IS
  'How long contracts last, from their first and last day, with features and options: a jsonb value. A contract that '
  'ended after as_of, or has no end, still runs. One model a group by GROUP BY. options: family (kaplan_meier, '
  'shifted_beta_geometric, hazard), unit (default 1 month), observed_from, ridge, standardize, min_level_rows, '
  'max_levels, base_levels, confidence, sample. Features name the group of a curve, or explain the hazard.';

-- Scores. NULL by a model that lacked data, and beyond the longest contract seen (kaplan_meier).

CREATE FUNCTION segmentation.survival_probability(model jsonb, tenure interval, features jsonb DEFAULT '{}')
  RETURNS double precision
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 100 AS 'MODULE_PATHNAME', 'survival_probability_wrapper';
COMMENT ON FUNCTION segmentation.survival_probability(jsonb, interval, jsonb) IS
  'Share of contracts that last longer than a tenure, under a model of fit_retention_model.';
CREATE FUNCTION segmentation.churn_probability(
  model jsonb, tenure interval, horizon interval, features jsonb DEFAULT '{}'
) RETURNS double precision
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 100 AS 'MODULE_PATHNAME', 'churn_probability_contract_wrapper';
COMMENT ON FUNCTION segmentation.churn_probability(jsonb, interval, interval, jsonb) IS
  'Probability that a contract which has lasted for a tenure ends within the horizon, under a model of '
  'fit_retention_model.';
-- A call with literals: of a history, which begins with a brace, or of a contract's tenure.
CREATE FUNCTION segmentation.churn_probability(model jsonb, history text, as_of text, horizon text)
  RETURNS double precision
  LANGUAGE sql STABLE STRICT PARALLEL SAFE
  RETURN CASE WHEN history ~ '^\s*\{'
    THEN segmentation.churn_probability(model, history::segmentation.purchase_history, as_of::date, horizon::interval)
    ELSE segmentation.churn_probability(model, history::interval, as_of::interval, horizon::jsonb) END;
CREATE FUNCTION segmentation.churn_probability(model jsonb, history text, as_of text) RETURNS double precision
  LANGUAGE sql STABLE STRICT PARALLEL SAFE
  RETURN CASE WHEN history ~ '^\s*\{'
    THEN segmentation.churn_probability(model, history::segmentation.purchase_history, as_of::date)
    ELSE segmentation.churn_probability(model, history::interval, as_of::interval) END;
COMMENT ON FUNCTION segmentation.churn_probability(jsonb, text, text, text) IS
  'churn_probability of a history, a day and a horizon written as text; or, where the first is no history, of a '
  'tenure, a horizon and features.';
COMMENT ON FUNCTION segmentation.churn_probability(jsonb, text, text) IS
  'churn_probability of a churn stack for a history and a day written as text; or, where the first is no history, of a '
  'tenure and a horizon.';
CREATE FUNCTION segmentation.expected_lifetime(
  model jsonb, tenure interval, horizon interval, features jsonb DEFAULT '{}'
) RETURNS double precision
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 100 AS 'MODULE_PATHNAME', 'expected_lifetime_wrapper';
COMMENT ON FUNCTION segmentation.expected_lifetime(jsonb, interval, interval, jsonb) IS
  'Expected number of periods (in the unit of the model) that a contract still lasts, at most the horizon; the period '
  'that runs counts.';
CREATE FUNCTION segmentation.contract_value(
  model jsonb, tenure interval, horizon interval, margin double precision, discount_rate double precision DEFAULT 0.10,
  features jsonb DEFAULT '{}'
) RETURNS numeric
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 100 AS 'MODULE_PATHNAME', 'contract_value_wrapper';
COMMENT ON FUNCTION segmentation.contract_value(jsonb, interval, interval, double precision, double precision, jsonb) IS
  'Expected discounted margin of the renewals within the horizon, one at the end of each period; discount_rate is '
  'yearly.';
CREATE FUNCTION segmentation.subscription_value(
  model jsonb, tenure interval, price double precision, horizon interval,
  discount_rate double precision DEFAULT 0.10, margin double precision DEFAULT 1, features jsonb DEFAULT '{}'
) RETURNS numeric
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 100 AS 'MODULE_PATHNAME', 'subscription_value_wrapper';
COMMENT ON FUNCTION segmentation.subscription_value(
  jsonb, interval, double precision, interval, double precision, double precision, jsonb
) IS
  'Expected discounted margin of a subscription that has run for a tenure at a price a month, within the horizon: the '
  'price for as long as it is expected to run, discounted continuously at ln(1 + discount_rate) a year.';
CREATE FUNCTION segmentation.retention_curve(model jsonb, features jsonb DEFAULT '{}')
  RETURNS TABLE (
    period integer, at_risk bigint, ended bigint, survival double precision, lower double precision,
    upper double precision
  )
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 1000 ROWS 50 AS 'MODULE_PATHNAME', 'retention_curve_wrapper';
COMMENT ON FUNCTION segmentation.retention_curve(jsonb, jsonb) IS
  'The Kaplan-Meier curve of a group (or of all contracts, without features), by exact days: share that survives each '
  'period in which contracts ended, with its confidence band.';
