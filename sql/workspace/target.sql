-- Targets: the probability that a customer does something within a horizon, whatever it is: buys a category, answers a
-- channel, complains, ends a subscription. A target is a small definition; a training makes a model of it from
-- snapshots of the facts on days of the past, and what followed within the horizon. Probabilities are computed from
-- facts and models when they are read, as scores are: so a refresh and refresh_changed cannot differ.

-- What a definition says, resolved for a workspace, is a plan:
--   kind      purchases, responses, interactions, contracts
--   of        of purchases: history, items, categories; names, with a control character between them
--   not       that it does not happen
--   channel, interaction, plan   of the other kinds; NULL: any
--   weights   options of engagement_score that count this kind of interaction
--   among     all, buyers, prospects
--   attributes   that the owner says do not change, or whose changes are known: name to kind, as the facts have it

-- A customer on a day

CREATE FUNCTION segmentation_internal.target_purchases(
  plan jsonb, history segmentation.purchase_history, items segmentation.item_history,
  categories segmentation.item_history
) RETURNS segmentation.purchase_history
  LANGUAGE sql IMMUTABLE PARALLEL SAFE
  RETURN CASE plan ->> 'of'
    WHEN 'items' THEN segmentation.item_purchases(items, string_to_array(plan ->> 'names', E'\x1f'))
    WHEN 'categories' THEN segmentation.item_purchases(categories, string_to_array(plan ->> 'names', E'\x1f'))
    ELSE history END;
COMMENT ON FUNCTION segmentation_internal.target_purchases(
  jsonb, segmentation.purchase_history, segmentation.item_history, segmentation.item_history) IS
  'Part of workspace_target: the purchases that a target is about.';

-- The last change up to the day says what it was, or else the first one after it, or else it has always been as it is.
-- Changes are texts: kind (number, boolean, string) says what they are of.
CREATE FUNCTION segmentation_internal.target_attribute(attributes jsonb, changes jsonb, name text, kind text, day date)
RETURNS jsonb
  LANGUAGE sql IMMUTABLE PARALLEL SAFE
  RETURN (
    SELECT CASE kind
      WHEN 'number' THEN CASE WHEN v.value ~ '^-?[0-9]{1,30}(\.[0-9]{1,30})?$' THEN to_jsonb(v.value::numeric) END
      WHEN 'boolean' THEN CASE WHEN lower(v.value) IN ('true', 't') THEN 'true'::jsonb
        WHEN lower(v.value) IN ('false', 'f') THEN 'false' END
      ELSE to_jsonb(left(v.value, 200)) END
    FROM (
      SELECT CASE WHEN changes IS NULL THEN attributes ->> name ELSE coalesce(
        (SELECT c.change ->> 'new' FROM jsonb_array_elements(changes) WITH ORDINALITY AS c (change, place)
         WHERE c.change ->> 'attribute' = name AND c.change ->> 'changed_on' <= day::text
         ORDER BY c.place DESC LIMIT 1),
        (SELECT c.change ->> 'old' FROM jsonb_array_elements(changes) WITH ORDINALITY AS c (change, place)
         WHERE c.change ->> 'attribute' = name AND c.change ->> 'changed_on' > day::text
         ORDER BY c.place LIMIT 1),
        attributes ->> name) END AS value) AS v);
COMMENT ON FUNCTION segmentation_internal.target_attribute(jsonb, jsonb, text, text, date) IS
  'Part of workspace_target: an attribute as it was on a day, by its changes; NULL if it is not of its kind.';

CREATE FUNCTION segmentation_internal.target_attributes(
  plan jsonb, company jsonb, attributes jsonb, changes jsonb, day date
) RETURNS jsonb
  LANGUAGE sql STABLE PARALLEL SAFE
  RETURN CASE WHEN plan -> 'attributes' IS NULL OR attributes IS NULL AND company IS NULL THEN '{}'
    ELSE (
      SELECT coalesce(jsonb_object_agg('attribute ' || a.name, segmentation_internal.target_attribute(
        coalesce(company, '{}') || coalesce(attributes, '{}'), changes, a.name, a.kind, day)), '{}')
      FROM jsonb_each_text(plan -> 'attributes') AS a (name, kind)) END;
COMMENT ON FUNCTION segmentation_internal.target_attributes(jsonb, jsonb, jsonb, jsonb, date) IS
  'Part of workspace_target: the attributes that a target looks at, as they were on a day.';

-- A subscription's end that was not known on the day says nothing here: of those that ran then, only how long they had.
CREATE FUNCTION segmentation_internal.target_contracts(plan jsonb, subscriptions jsonb, day date) RETURNS jsonb
  LANGUAGE sql STABLE PARALLEL SAFE
  RETURN CASE WHEN subscriptions IS NULL THEN '{}' ELSE (
    SELECT jsonb_build_object(
      'contracts', count(*) FILTER (WHERE c.runs),
      'ln_contract_days', ln(1 + (day - min(c.started_on) FILTER (WHERE c.runs))::double precision),
      'contracts_ended', count(*) FILTER (WHERE NOT c.runs),
      'contract_plan', min(c.plan COLLATE "C") FILTER (WHERE c.runs))
    FROM segmentation_internal.workspace_contracts(subscriptions, day) AS c
    WHERE target_contracts.plan ->> 'plan' IS NULL OR c.plan = target_contracts.plan ->> 'plan') END;
COMMENT ON FUNCTION segmentation_internal.target_contracts(jsonb, jsonb, date) IS
  'Part of workspace_target: subscriptions on a day as features.';

-- What is known on a day, and nothing that came later. An answer is dated by its message: those to messages of the last
-- week are left out, as some of them were yet to come.
CREATE FUNCTION segmentation_internal.target_features(
  plan jsonb, history segmentation.purchase_history, own segmentation.purchase_history,
  items segmentation.item_history, contacts segmentation.contact_history,
  interactions segmentation.interaction_history, consents segmentation.consent_history,
  subscriptions jsonb, company jsonb, attributes jsonb, attribute_changes jsonb, day date
) RETURNS jsonb
  LANGUAGE sql STABLE PARALLEL SAFE
  RETURN jsonb_build_object(
      'buyer', coalesce(segmentation.purchase_days(history, day) > 0, false),
      'ln_recency', ln(1 + segmentation.recency(history, day)::double precision),
      'ln_tenure', ln(1 + segmentation.tenure(history, day)::double precision),
      'ln_purchase_days', ln(1 + coalesce(segmentation.purchase_days(history, day), 0)::double precision),
      'ln_purchases_90', ln(1 + coalesce(
        segmentation.frequency(history, day) - segmentation.frequency(history, day - 90), 0)::double precision),
      'ln_turnover', ln(1 + greatest(coalesce(segmentation.monetary(history, day), 0), 0)::double precision),
      'recency_share', segmentation.recency(history, day)::double precision / (1 + segmentation.tenure(history, day)),
      'ln_contacts_90', ln(1 + coalesce(segmentation.contacts(contacts, day, 90), 0)::double precision),
      'ln_response_days', ln(1 + (day - segmentation.last_response(contacts, day - 7))::double precision),
      'ln_interactions', ln(1 + coalesce(
        segmentation.engagement_score(interactions, day, '{"half_life_days": 60}'), 0)),
      'consents', coalesce(cardinality(segmentation.consents_on(consents, day)), 0),
      'age', CASE WHEN jsonb_typeof(attributes -> 'birth_year') = 'number'
        THEN extract(year FROM day)::integer - (attributes ->> 'birth_year')::numeric END)
    || CASE WHEN plan ->> 'of' IN ('items', 'categories') THEN jsonb_build_object(
      'own_buyer', coalesce(segmentation.purchase_days(own, day) > 0, false),
      'ln_own_recency', ln(1 + segmentation.recency(own, day)::double precision),
      'ln_own_purchase_days', ln(1 + coalesce(segmentation.purchase_days(own, day), 0)::double precision),
      'ln_own_purchases_90', ln(1 + coalesce(
        segmentation.frequency(own, day) - segmentation.frequency(own, day - 90), 0)::double precision),
      'ln_assortment', ln(1 + coalesce(segmentation.item_count(items, day), 0)::double precision)) ELSE '{}' END
    || CASE WHEN plan ? 'weights' THEN jsonb_build_object('ln_own_interactions', ln(1 + coalesce(
      segmentation.engagement_score(interactions, day, plan -> 'weights'), 0))) ELSE '{}' END
    || segmentation_internal.target_contracts(plan, subscriptions, day)
    || segmentation_internal.target_attributes(plan, company, attributes, attribute_changes, day);
COMMENT ON FUNCTION segmentation_internal.target_features(
  jsonb, segmentation.purchase_history, segmentation.purchase_history, segmentation.item_history,
  segmentation.contact_history, segmentation.interaction_history, segmentation.consent_history,
  jsonb, jsonb, jsonb, jsonb, date) IS
  'Part of workspace_target: what is known of a customer on a day, as features.';

-- Whether the customer was known on a day at all: by something with a date. A row of the source of customers has none.
-- Subscriptions are in the order of their beginning.
CREATE FUNCTION segmentation_internal.target_known(
  history segmentation.purchase_history, contacts segmentation.contact_history,
  interactions segmentation.interaction_history, consents segmentation.consent_history, subscriptions jsonb, day date
) RETURNS boolean
  LANGUAGE sql STABLE PARALLEL SAFE
  RETURN coalesce(segmentation.purchase_days(history, day), 0) > 0
    OR coalesce(segmentation.contacts(contacts, day), 0) > 0
    OR coalesce(segmentation.engagement_score(interactions, day), 0) > 0
    OR coalesce((subscriptions #>> '{0,started_on}')::date <= day, false)
    OR coalesce(cardinality(segmentation.consents_on(consents, day)), 0) > 0;
COMMENT ON FUNCTION segmentation_internal.target_known(
  segmentation.purchase_history, segmentation.contact_history, segmentation.interaction_history,
  segmentation.consent_history, jsonb, date) IS
  'Part of workspace_target: whether anything with a date is known of a customer up to a day.';

CREATE FUNCTION segmentation_internal.target_runs(plan jsonb, subscriptions jsonb, day date) RETURNS boolean
  LANGUAGE sql STABLE PARALLEL SAFE
  RETURN EXISTS (
    SELECT FROM segmentation_internal.workspace_contracts(subscriptions, day) AS c
    WHERE c.runs AND (target_runs.plan ->> 'plan' IS NULL OR c.plan = target_runs.plan ->> 'plan'));
COMMENT ON FUNCTION segmentation_internal.target_runs(jsonb, jsonb, date) IS
  'Part of workspace_target: whether a subscription that the target is about runs on a day.';

CREATE FUNCTION segmentation_internal.target_among(
  plan jsonb, history segmentation.purchase_history, contacts segmentation.contact_history,
  interactions segmentation.interaction_history, consents segmentation.consent_history, subscriptions jsonb, day date
) RETURNS boolean
  LANGUAGE sql STABLE PARALLEL SAFE
  RETURN CASE plan ->> 'among'
      WHEN 'buyers' THEN coalesce(segmentation.purchase_days(history, day), 0) > 0
      WHEN 'prospects' THEN coalesce(segmentation.purchase_days(history, day), 0) = 0 ELSE true END
    AND CASE WHEN plan ->> 'kind' = 'contracts' THEN segmentation_internal.target_runs(plan, subscriptions, day)
      ELSE segmentation_internal.target_known(history, contacts, interactions, consents, subscriptions, day) END;
COMMENT ON FUNCTION segmentation_internal.target_among(
  jsonb, segmentation.purchase_history, segmentation.contact_history, segmentation.interaction_history,
  segmentation.consent_history, jsonb, date) IS
  'Part of workspace_target: whether a target is about this customer on a day.';

-- NULL: cannot be said, as of an answer where no message was sent.
CREATE FUNCTION segmentation_internal.target_happened(
  plan jsonb, own segmentation.purchase_history, contacts segmentation.contact_history,
  interactions segmentation.interaction_history, subscriptions jsonb, day date, until date
) RETURNS boolean
  LANGUAGE sql IMMUTABLE PARALLEL SAFE
  RETURN CASE plan ->> 'kind'
    WHEN 'purchases' THEN
      coalesce(segmentation.frequency(own, until) > segmentation.frequency(own, day), false) <> (plan ? 'not')
    WHEN 'responses' THEN CASE WHEN segmentation.contacts(contacts, until, until - day, plan ->> 'channel') > 0
      THEN EXISTS (
        SELECT FROM segmentation.contact_counts(
          contacts, until, jsonb_build_object('window_days', until - day)) AS c
        WHERE c.responses > 0 AND (plan ->> 'channel' IS NULL OR c.channel = plan ->> 'channel')) END
    WHEN 'interactions' THEN EXISTS (
      SELECT FROM jsonb_array_elements(interactions::jsonb) AS e
      WHERE (e ->> 'occurred_on')::date > day AND (e ->> 'occurred_on')::date <= until
        AND (plan ->> 'interaction' IS NULL OR e ->> 'kind' = plan ->> 'interaction'))
    WHEN 'contracts' THEN EXISTS (
      SELECT FROM segmentation_internal.workspace_contracts(subscriptions, day) AS c
      WHERE c.runs AND c.ended_on <= until
        AND (target_happened.plan ->> 'plan' IS NULL OR c.plan = target_happened.plan ->> 'plan')) END;
COMMENT ON FUNCTION segmentation_internal.target_happened(
  jsonb, segmentation.purchase_history, segmentation.contact_history, segmentation.interaction_history, jsonb, date,
  date) IS
  'Part of workspace_target: whether it happened after a day, up to another.';

-- A calibration that leaves probabilities as they are.
CREATE FUNCTION segmentation_internal.target_uncalibrated() RETURNS jsonb
  LANGUAGE sql IMMUTABLE PARALLEL SAFE
  RETURN '{"n": 0, "kind": "calibration", "slope": 1, "method": "logistic", "skipped": 0, "version": 1,
    "base_rate": 0.5, "intercept": 0}'::jsonb;
COMMENT ON FUNCTION segmentation_internal.target_uncalibrated() IS
  'Part of workspace_target: what stands for a calibration where there was nothing to calibrate by.';

-- The calibrated probability under a trained target; NULL where it is not about the customer. own is what
-- target_purchases gives. PostgreSQL puts these functions into the query, if they are said to be no more than stable:
-- jsonb_build_object is.
CREATE FUNCTION segmentation_internal.target_probability(
  plan jsonb, model jsonb, calibration jsonb, own segmentation.purchase_history,
  history segmentation.purchase_history, items segmentation.item_history,
  contacts segmentation.contact_history, interactions segmentation.interaction_history,
  consents segmentation.consent_history, subscriptions jsonb, company jsonb, attributes jsonb, attribute_changes jsonb,
  day date
) RETURNS double precision
  LANGUAGE sql STABLE PARALLEL SAFE
  RETURN CASE WHEN segmentation_internal.target_among(
      plan, history, contacts, interactions, consents, subscriptions, day)
    THEN segmentation.calibrated(calibration, segmentation.churn_probability(model,
      segmentation_internal.target_features(plan, history, own, items, contacts, interactions, consents, subscriptions,
        company, attributes, attribute_changes, day))) END;
COMMENT ON FUNCTION segmentation_internal.target_probability(
  jsonb, jsonb, jsonb, segmentation.purchase_history, segmentation.purchase_history, segmentation.item_history,
  segmentation.contact_history, segmentation.interaction_history, segmentation.consent_history,
  jsonb, jsonb, jsonb, jsonb, date) IS
  'Part of workspace_target: the probability of a trained target for a customer on a day; NULL if it is not about '
  'them.';

-- The probabilities of targets (rows of name, plan, model, calibration) for facts f on a day, as SQL: a column
-- probability of o, for each row of t and f.
CREATE FUNCTION segmentation_internal.target_probability_sql(day text) RETURNS text
  LANGUAGE sql IMMUTABLE PARALLEL SAFE
  RETURN 'CROSS JOIN LATERAL (SELECT segmentation_internal.target_purchases(t.plan, f.history, f.items, f.categories) '
    'AS own OFFSET 0) AS w CROSS JOIN LATERAL (SELECT segmentation_internal.target_probability(t.plan, t.model, '
    't.calibration, w.own, f.history, f.items, f.contacts, f.interactions, f.consents, f.subscriptions, f.company, '
    'f.attributes, f.attribute_changes, ' || day || ') AS probability OFFSET 0) AS o';
COMMENT ON FUNCTION segmentation_internal.target_probability_sql(text) IS
  'Part of workspace_target: joins that give the probability of a target t for facts f, as SQL.';

-- What is registered

-- The tables of targets, those that are not there, and the view.
CREATE FUNCTION segmentation_internal.workspace_make_targets(ws text) RETURNS void
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF to_regclass(ws || '.target') IS NULL THEN
    EXECUTE segmentation_internal.fill(ws, $q$
      CREATE TABLE @ws@.target (
        target text PRIMARY KEY CHECK (target ~ '^[a-z][a-z0-9_]{0,50}$'),
        definition jsonb NOT NULL,
        horizon interval NOT NULL,
        about text,
        registered_at timestamptz NOT NULL DEFAULT now()
      );
      COMMENT ON TABLE @ws@.target IS
        'Targets: what the probability is wanted of; see segmentation.workspace_target.';
      COMMENT ON COLUMN @ws@.target.definition IS 'What has to happen.';
      COMMENT ON COLUMN @ws@.target.horizon IS 'Within which time.'$q$);
  END IF;
  IF to_regclass(ws || '.customer_targets') IS NULL THEN
    EXECUTE segmentation_internal.fill(ws, $q$
      CREATE VIEW @ws@.customer_targets AS @(query)@;
      COMMENT ON VIEW @ws@.customer_targets IS
        'The probability of each target at the published day, computed from facts and models when it is read.';
      COMMENT ON COLUMN @ws@.customer_targets.target IS 'Name of the target.';
      COMMENT ON COLUMN @ws@.customer_targets.probability IS 'That it happens within its horizon.';
      COMMENT ON COLUMN @ws@.customer_targets.as_of IS 'The day from which the horizon counts.'$q$,
      jsonb_build_object('query', segmentation_internal.workspace_targets_query(ws)));
  END IF;
END
$$;
COMMENT ON FUNCTION segmentation_internal.workspace_make_targets(text) IS
  'Part of create_workspace: the table target, and the view customer_targets.';

-- Those that a parameter set has trained, and that are registered as they were then.
CREATE FUNCTION segmentation_internal.workspace_targets_of(ws text, number text) RETURNS text
  LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp
  RETURN segmentation_internal.fill(ws, $q$(
    SELECT coalesce(pg_catalog.jsonb_object_agg(t.target, g.targets OPERATOR(pg_catalog.->) t.target), '{}')
    FROM ONLY @ws@.parameter_set AS g
    JOIN ONLY @ws@.target AS t
      ON g.targets OPERATOR(pg_catalog.->) t.target OPERATOR(pg_catalog.->) 'definition'
          OPERATOR(pg_catalog.=) t.definition
        AND (g.targets OPERATOR(pg_catalog.->) t.target OPERATOR(pg_catalog.->>) 'horizon')::interval
          OPERATOR(pg_catalog.=) t.horizon
        AND g.targets OPERATOR(pg_catalog.->) t.target OPERATOR(pg_catalog.->) 'readiness'
          OPERATOR(pg_catalog.=) 'null'
    WHERE g.parameter_set OPERATOR(pg_catalog.=) @(number)@)$q$,
    jsonb_build_object('number', number));
COMMENT ON FUNCTION segmentation_internal.workspace_targets_of(text, text) IS
  'Part of refresh: the targets of a parameter set that may be scored, as SQL.';

-- The same as rows.
CREATE FUNCTION segmentation_internal.target_rows_sql(targets text) RETURNS text
  LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp
  RETURN format('(SELECT j.name, j.target OPERATOR(pg_catalog.->) ''plan'' AS plan, '
    'j.target OPERATOR(pg_catalog.->) ''model'' AS model, '
    'j.target OPERATOR(pg_catalog.->) ''calibration'' AS calibration, j.target '
    'FROM pg_catalog.jsonb_each(%s) AS j (name, target))', targets);
COMMENT ON FUNCTION segmentation_internal.target_rows_sql(text) IS
  'Part of workspace_target: trained targets as rows, as SQL.';

CREATE FUNCTION segmentation_internal.workspace_targets_query(ws text) RETURNS text
  LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
  RETURN segmentation_internal.fill(ws, $q$
    WITH t AS MATERIALIZED (
      SELECT n.as_of, r.name, r.plan, r.model, r.calibration
      FROM ONLY @ws@.workspace AS n CROSS JOIN LATERAL @(targets)@ AS r)
    SELECT f.customer, t.name AS target, o.probability, t.as_of
    FROM t CROSS JOIN ONLY @ws@.customer_facts AS f
    @(probability)@
    WHERE o.probability IS NOT NULL$q$,
    jsonb_build_object('probability', segmentation_internal.target_probability_sql('t.as_of'),
      'targets', segmentation_internal.target_rows_sql(
        segmentation_internal.workspace_targets_of(ws, 'n.parameter_set'))));
COMMENT ON FUNCTION segmentation_internal.workspace_targets_query(text) IS
  'Part of create_workspace: the query of the view customer_targets, as SQL.';

-- The expression that a definition sees targets by, over facts f: nothing if it names none of them.
CREATE FUNCTION segmentation_internal.workspace_target_row_sql(ws text, number integer, definitions text, as_of text)
RETURNS text
  LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  targets text;
BEGIN
  EXECUTE format($q$
    SELECT string_agg(format('(%%L, %%L::jsonb, %%L::jsonb, %%L::jsonb)', t.name, t.plan, t.model, t.calibration), ', ')
    FROM %s AS t WHERE strpos($2, '"' || t.name || '_probability"') > 0$q$,
    segmentation_internal.target_rows_sql(segmentation_internal.workspace_targets_of(ws, '$1')))
    INTO targets USING number, definitions;
  RETURN CASE WHEN targets IS NULL THEN '''{}''::jsonb'
    ELSE segmentation_internal.fill(NULL, $q$(
      SELECT jsonb_object_agg(t.name || '_probability', o.probability)
      FROM (VALUES @(targets)@) AS t (name, plan, model, calibration)
      @(probability)@)$q$, jsonb_build_object('targets', targets,
        'probability', segmentation_internal.target_probability_sql(as_of))) END;
END
$$;
COMMENT ON FUNCTION segmentation_internal.workspace_target_row_sql(text, integer, text, text) IS
  'Part of refresh: what definitions see of targets, <target>_probability, as SQL.';

-- A definition

-- One place of a definition: the fields of an object, or true for "any".
CREATE FUNCTION segmentation_internal.target_fields_fault(path text, given jsonb, known text[]) RETURNS text
  LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  unknown text;
BEGIN
  IF given = 'true' THEN
    RETURN NULL;
  END IF;
  IF jsonb_typeof(given) <> 'object' THEN
    RETURN format('%s must be true or an object of %s', path, array_to_string(known, ', '));
  END IF;
  SELECT k.key INTO unknown FROM jsonb_object_keys(given) AS k (key) WHERE k.key <> ALL (known) ORDER BY 1 LIMIT 1;
  IF unknown IS NOT NULL THEN
    RETURN concat(format('%s has no field "%s"', path, unknown),
      ', do you mean "' || segmentation_internal.nearest_name(unknown, known) || '"?');
  END IF;
  SELECT k.key INTO unknown FROM jsonb_each(given) AS k (key, value)
  WHERE NOT CASE jsonb_typeof(k.value)
    WHEN 'string' THEN k.value <> '""'
    WHEN 'array' THEN k.key IN ('category', 'product') AND jsonb_array_length(k.value) BETWEEN 1 AND 1000
      AND NOT jsonb_path_exists(k.value, '$[*] ? (@.type() != "string" || @ == "")')
    ELSE false END
  ORDER BY 1 LIMIT 1;
  RETURN CASE
    WHEN unknown IN ('category', 'product') THEN format('%s.%s must be a text, or a list of texts', path, unknown)
    WHEN unknown IS NOT NULL THEN format('%s.%s must be a text', path, unknown) END;
END
$$;
COMMENT ON FUNCTION segmentation_internal.target_fields_fault(text, jsonb, text[]) IS
  'Part of workspace_target: what is wrong with a part of a definition; NULL if nothing is.';

CREATE FUNCTION segmentation_internal.target_form_fault(definition jsonb) RETURNS text
  LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  events constant text[] := '{buys,buys_nothing,responds,interaction,subscription_ends}';
  known constant text[] := events || '{among,attributes}'::text[];
  unknown text;
  given text[];
BEGIN
  IF jsonb_typeof(definition) <> 'object' THEN
    RETURN 'it must be an object';
  END IF;
  SELECT k.key INTO unknown FROM jsonb_object_keys(definition) AS k (key) WHERE k.key <> ALL (known) ORDER BY 1 LIMIT 1;
  IF unknown IS NOT NULL THEN
    RETURN concat(format('it has no field "%s"', unknown),
      ', do you mean "' || segmentation_internal.nearest_name(unknown, known) || '"?');
  END IF;
  given := ARRAY(SELECT k.key FROM jsonb_object_keys(definition) AS k (key) WHERE k.key = ANY (events) ORDER BY 1);
  IF cardinality(given) <> 1 THEN
    RETURN CASE WHEN given = '{}' THEN 'nothing in it happens: it needs one of ' || array_to_string(events, ', ')
      ELSE format('it can have one of %s only', array_to_string(given, ', ')) END;
  END IF;
  IF definition ? 'among' AND NOT coalesce(definition ->> 'among' IN ('all', 'buyers', 'prospects'), false) THEN
    RETURN 'among must be all, buyers or prospects';
  END IF;
  IF definition ? 'attributes' AND (jsonb_typeof(definition -> 'attributes') <> 'array'
    OR jsonb_path_exists(definition, '$.attributes[*] ? (@.type() != "string")'))
  THEN
    RETURN 'attributes must be a list of texts';
  END IF;
  IF definition -> 'buys' ? 'category' AND definition -> 'buys' ? 'product' THEN
    RETURN 'buys can have a category or a product, not both';
  END IF;
  RETURN segmentation_internal.target_fields_fault(given[1], definition -> given[1], CASE given[1]
    WHEN 'buys' THEN '{category,product}' WHEN 'buys_nothing' THEN '{category,product}'
    WHEN 'responds' THEN '{channel}' WHEN 'interaction' THEN '{kind}' ELSE '{plan}' END::text[]);
END
$$;
COMMENT ON FUNCTION segmentation_internal.target_form_fault(jsonb) IS
  'Part of workspace_target: what is wrong with the form of a definition; NULL if nothing is.';

-- The names in a definition that the sources do not have, with the nearest that they have.
CREATE FUNCTION segmentation_internal.workspace_target_name_fault(ws text, kind text, field text, names jsonb)
RETURNS text
  LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  rows constant text := segmentation_internal.workspace_rows_sql(ws, kind);
  -- Channels are written in one way, in facts and in plans.
  written constant text := CASE kind WHEN 'contacts' THEN 'segmentation_internal.workspace_channel(@(name)@)'
    ELSE '@(name)@' END;
  places jsonb;
  unknown text;
  known text[];
BEGIN
  IF rows IS NULL THEN
    RETURN format('the workspace has no source of %s: SELECT segmentation.add_source(%L, %L, ...)', kind,
      (parse_ident(ws))[1], kind);
  END IF;
  places := jsonb_build_object('rows', rows,
    'there', segmentation_internal.fill(NULL, written, jsonb_build_object('name', format('r.%I', field))),
    'given', segmentation_internal.fill(NULL, written, '{"name": "g.name"}'));
  EXECUTE segmentation_internal.fill(NULL, $q$
    SELECT g.name FROM jsonb_array_elements_text($1) AS g (name)
    WHERE NOT EXISTS (SELECT FROM @(rows)@ AS r WHERE @(there)@ = @(given)@) LIMIT 1$q$, places)
    INTO unknown USING names;
  IF unknown IS NULL THEN
    RETURN NULL;
  END IF;
  EXECUTE segmentation_internal.fill(NULL, $q$
    SELECT array_agg(n.name)
    FROM (
      SELECT @(there)@ AS name FROM @(rows)@ AS r WHERE @(there)@ <> '' GROUP BY 1 ORDER BY 1 LIMIT 2000) AS n$q$,
    places - 'given') INTO known;
  RETURN concat(format('no %s of %s is "%s"', field, kind, unknown),
    coalesce(', do you mean "' || segmentation_internal.nearest_name(unknown, known) || '"?',
      ': they are ' || array_to_string(known[1:10], ', ') || CASE WHEN cardinality(known) > 10 THEN ', ...' ELSE ''
        END));
END
$$;
COMMENT ON FUNCTION segmentation_internal.workspace_target_name_fault(text, text, text, jsonb) IS
  'Part of workspace_target: a name that a source does not have, in words; NULL if it has all.';

CREATE FUNCTION segmentation_internal.target_names(given jsonb) RETURNS jsonb
  LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp
  RETURN CASE jsonb_typeof(given) WHEN 'array' THEN given WHEN 'string' THEN jsonb_build_array(given) ELSE '[]' END;
COMMENT ON FUNCTION segmentation_internal.target_names(jsonb) IS
  'Part of workspace_target: a text or a list of texts as a list.';

-- An attribute that no source of customers or companies has, with the nearest one.
CREATE FUNCTION segmentation_internal.workspace_target_attribute_fault(ws text, names jsonb) RETURNS text
  LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  known text[];
  unknown text;
BEGIN
  EXECUTE segmentation_internal.fill(ws, $q$
    SELECT array_agg(DISTINCT a.attname::text)
    FROM @ws@.source AS s
    JOIN pg_attribute AS a ON a.attrelid = s.relation AND a.attnum > 0 AND NOT a.attisdropped
    WHERE s.kind IN ('customers', 'companies')$q$) INTO known;
  SELECT n.name INTO unknown FROM jsonb_array_elements_text(names) AS n (name)
  WHERE n.name <> ALL (coalesce(known, '{}') || '{birth_year,birth_date}'::text[]) LIMIT 1;
  RETURN 'no source of customers or companies has the attribute "' || unknown || '"'
    || coalesce(', do you mean "' || segmentation_internal.nearest_name(unknown, known) || '"?', '');
END
$$;
COMMENT ON FUNCTION segmentation_internal.workspace_target_attribute_fault(text, jsonb) IS
  'Part of workspace_target: an attribute that no source has, in words; NULL if all are there.';

-- What a definition comes to in a workspace, by the level of its items.
CREATE FUNCTION segmentation_internal.target_plan(definition jsonb, level text) RETURNS jsonb
  LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp
  RETURN (
    SELECT jsonb_strip_nulls(jsonb_build_object('among', definition -> 'among')) || CASE
      WHEN definition ?| '{buys,buys_nothing}' THEN jsonb_strip_nulls(jsonb_build_object(
        'kind', 'purchases',
        'of', CASE
          WHEN e.event ? 'category' THEN CASE level WHEN 'category' THEN 'items' ELSE 'categories' END
          WHEN e.event ? 'product' THEN 'items' ELSE 'history' END,
        'names', (
          SELECT string_agg(n.name, E'\x1f' ORDER BY n.name COLLATE "C")
          FROM jsonb_array_elements_text(segmentation_internal.target_names(
            coalesce(e.event -> 'category', e.event -> 'product'))) AS n (name)),
        'not', CASE WHEN definition ? 'buys_nothing' THEN true END))
      WHEN definition ? 'responds' THEN jsonb_strip_nulls(jsonb_build_object(
        'kind', 'responses', 'channel', segmentation_internal.workspace_channel(e.event ->> 'channel')))
      WHEN definition ? 'interaction' THEN jsonb_strip_nulls(jsonb_build_object(
        'kind', 'interactions', 'interaction', e.event -> 'kind', 'weights', CASE WHEN e.event ? 'kind'
          THEN jsonb_build_object('half_life_days', 90, 'weights', jsonb_build_object('*', 0, e.event ->> 'kind', 1))
          END))
      ELSE jsonb_strip_nulls(jsonb_build_object('kind', 'contracts', 'plan', e.event -> 'plan')) END
    FROM (
      SELECT coalesce(definition -> 'buys', definition -> 'buys_nothing', definition -> 'responds',
        definition -> 'interaction', definition -> 'subscription_ends') AS event) AS e);
COMMENT ON FUNCTION segmentation_internal.target_plan(jsonb, text) IS
  'Part of workspace_target: a definition as what is computed.';

CREATE FUNCTION segmentation_internal.workspace_target_fault(ws text, definition jsonb) RETURNS text
  LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  form constant text := segmentation_internal.target_form_fault(definition);
  level constant text := segmentation_internal.workspace_settings_now(ws) ->> 'product_level';
  attribute text;
  event jsonb;
BEGIN
  IF form IS NOT NULL THEN
    RETURN form;
  END IF;
  attribute := segmentation_internal.workspace_target_attribute_fault(ws, definition -> 'attributes');
  IF attribute IS NOT NULL THEN
    RETURN attribute;
  END IF;
  event := coalesce(definition -> 'buys', definition -> 'buys_nothing');
  IF event ? 'product' AND level = 'category' THEN
    RETURN 'by the setting product_level the workspace knows categories, and no products';
  END IF;
  RETURN CASE
    WHEN event ? 'category' OR event ? 'product' THEN coalesce(
      segmentation_internal.workspace_target_name_fault(ws, 'purchase_lines', 'product', '[]'),
      CASE WHEN event ? 'category' THEN segmentation_internal.workspace_target_name_fault(
          ws, 'products', 'category', segmentation_internal.target_names(event -> 'category'))
        ELSE segmentation_internal.workspace_target_name_fault(
          ws, 'purchase_lines', 'product', segmentation_internal.target_names(event -> 'product')) END)
    WHEN event IS NOT NULL THEN CASE
      WHEN segmentation_internal.workspace_rows_sql(ws, 'purchases') IS NULL
        AND segmentation_internal.workspace_rows_sql(ws, 'purchase_lines') IS NULL
      THEN 'the workspace has no source of purchases' END
    WHEN definition ? 'responds' THEN segmentation_internal.workspace_target_name_fault(ws, 'contacts', 'channel',
      segmentation_internal.target_names(definition #> '{responds,channel}'))
    WHEN definition ? 'interaction' THEN segmentation_internal.workspace_target_name_fault(ws, 'interactions', 'kind',
      segmentation_internal.target_names(definition #> '{interaction,kind}'))
    ELSE segmentation_internal.workspace_target_name_fault(ws, 'subscriptions', 'plan',
      segmentation_internal.target_names(definition #> '{subscription_ends,plan}')) END;
END
$$;
COMMENT ON FUNCTION segmentation_internal.workspace_target_fault(text, jsonb) IS
  'Part of workspace_target: what is wrong with a definition in a workspace; NULL if nothing is.';

CREATE FUNCTION segmentation.workspace_target(
  workspace text, target text, definition jsonb, horizon interval DEFAULT '90 days', about text DEFAULT NULL
) RETURNS void
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  ws constant text := segmentation_internal.workspace_owned(workspace);
  fault text;
BEGIN
  IF target IS NULL OR definition IS NULL OR horizon IS NULL THEN
    RAISE null_value_not_allowed USING MESSAGE = 'target, definition and horizon must not be null';
  END IF;
  IF target !~ '^[a-z][a-z0-9_]{0,50}$' THEN
    RAISE invalid_name USING
      MESSAGE = format('invalid name of a target: %s', quote_literal(target)),
      HINT = 'Use lower-case letters, digits and underscores, a letter first; at most 51.';
  END IF;
  IF EXISTS (SELECT FROM segmentation.workspace_score AS s WHERE s.name = target || '_probability') THEN
    RAISE reserved_name USING
      MESSAGE = format('"%s_probability" is a score already', target),
      HINT = 'Choose another name for the target.';
  END IF;
  IF coalesce(segmentation_internal.workspace_days(horizon)::interval, '0')
      NOT BETWEEN interval '1 day' AND interval '3660 days'
  THEN
    RAISE invalid_parameter_value USING
      MESSAGE = format('horizon %s is not of whole days', horizon),
      DETAIL = 'It is from 1 to 3660 days.',
      HINT = 'As interval ''90 days''.';
  END IF;
  fault := segmentation_internal.workspace_target_fault(ws, definition);
  IF fault IS NOT NULL THEN
    RAISE invalid_parameter_value USING
      MESSAGE = format('invalid definition of target %s', target),
      DETAIL = fault,
      HINT = 'As {"buys": {"category": "toys"}}, {"responds": {"channel": "email"}}, {"interaction": {"kind": '
        '"complaint"}}, {"subscription_ends": true}; see docs/target.md.';
  END IF;
  EXECUTE format($q$
    INSERT INTO %s.target AS t (target, definition, horizon, about)
    VALUES ($1, $2, $3, $4)
    ON CONFLICT (target) DO UPDATE
    SET definition = excluded.definition, horizon = excluded.horizon, about = excluded.about, registered_at = now()$q$,
    ws)
    USING target, definition, horizon, about;
END
$$;
COMMENT ON FUNCTION segmentation.workspace_target(text, text, jsonb, interval, text) IS
  'Registers what the probability is wanted of, or changes it: {"buys": {"category" or "product": name or names}}, '
  '{"buys_nothing": true}, {"responds": {"channel": name}}, {"interaction": {"kind": name}}, {"subscription_ends": '
  '{"plan": name}}; true instead of an object: any. among: all, buyers, prospects; attributes: those to look at. The '
  'next refresh trains it; then customer_targets has its probabilities, and definitions see <target>_probability.';

CREATE FUNCTION segmentation.drop_workspace_target(workspace text, target text) RETURNS void
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  ws constant text := segmentation_internal.workspace_owned(workspace);
  gone text;
BEGIN
  EXECUTE format('DELETE FROM %s.target AS t WHERE t.target = $1 RETURNING t.target', ws) INTO gone USING target;
  IF gone IS NULL THEN
    RAISE undefined_object USING
      MESSAGE = format('workspace %I has no target %s', workspace, coalesce(target, 'null'));
  END IF;
END
$$;
COMMENT ON FUNCTION segmentation.drop_workspace_target(text, text) IS
  'Takes a target out of a workspace: its probabilities are gone at once, and NULL to definitions.';

-- Training

-- Days of the past whose horizon has ended, the latest first, a horizon apart and 28 days at least: so what followed
-- each was known on the next. At most four, with as much log before the earliest as a horizon.
CREATE FUNCTION segmentation_internal.target_days(as_of date, horizon integer, first date) RETURNS date[]
  LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp
  RETURN ARRAY(
    SELECT as_of - horizon - n.place * greatest(horizon, 28)
    FROM generate_series(0, 3) AS n (place)
    WHERE as_of - horizon - n.place * greatest(horizon, 28) >= first + horizon
    ORDER BY n.place);
COMMENT ON FUNCTION segmentation_internal.target_days(date, integer, date) IS
  'Part of workspace_target: the days whose snapshots train a target, the latest first.';

-- The attributes of a definition with their kind, which is that of most customers: those that no customer has are left
-- out.
CREATE FUNCTION segmentation_internal.workspace_target_attributes(ws text, names jsonb) RETURNS jsonb
  LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  kinds jsonb;
BEGIN
  EXECUTE segmentation_internal.fill(ws, $q$
    SELECT jsonb_object_agg(k.name, k.kind)
    FROM (
      SELECT n.name, mode() WITHIN GROUP (ORDER BY jsonb_typeof(v.value)) AS kind
      FROM @ws@.stage_target_facts AS f
      CROSS JOIN jsonb_array_elements_text($1) AS n (name)
      CROSS JOIN LATERAL (SELECT coalesce(f.attributes -> n.name, f.company -> n.name) AS value) AS v
      WHERE jsonb_typeof(v.value) IN ('number', 'boolean', 'string')
      GROUP BY n.name) AS k$q$) INTO kinds USING names;
  RETURN kinds;
END
$$;
COMMENT ON FUNCTION segmentation_internal.workspace_target_attributes(text, jsonb) IS
  'Part of refresh: the attributes that a target looks at, with their kinds.';

-- Snapshots of a sample of customers: what was known on each day, and whether it happened.
CREATE FUNCTION segmentation_internal.workspace_target_rows(ws text, plan jsonb, horizon integer, days date[])
RETURNS void
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  EXECUTE segmentation_internal.fill(ws, $q$
    CREATE UNLOGGED TABLE @ws@.stage_target_rows AS
    SELECT d.place::integer AS place, h.happened, segmentation_internal.target_features(@'plan'@::jsonb, f.history,
      o.own, f.items, f.contacts, f.interactions, f.consents, f.subscriptions, f.company, f.attributes,
      f.attribute_changes, d.day) AS features
    FROM @ws@.stage_target_facts AS f
    CROSS JOIN LATERAL (
      SELECT segmentation_internal.target_purchases(@'plan'@::jsonb, f.history, f.items, f.categories) AS own
      OFFSET 0) AS o
    CROSS JOIN unnest(@'days'@::date[]) WITH ORDINALITY AS d (day, place)
    CROSS JOIN LATERAL (
      SELECT CASE WHEN segmentation_internal.target_among(
          @'plan'@::jsonb, f.history, f.contacts, f.interactions, f.consents, f.subscriptions, d.day)
        THEN segmentation_internal.target_happened(@'plan'@::jsonb, o.own, f.contacts, f.interactions,
          f.subscriptions, d.day, d.day + @(horizon)@) END AS happened
      OFFSET 0) AS h
    WHERE h.happened IS NOT NULL$q$,
    jsonb_build_object('plan', plan::text, 'days', days::text, 'horizon', horizon));
END
$$;
COMMENT ON FUNCTION segmentation_internal.workspace_target_rows(text, jsonb, integer, date[]) IS
  'Part of refresh: the training rows of a target, into a staged table.';

-- The model of all days. Its calibration is by what models of the days before each day said of that day, on the latest
-- three days; where fewer than 100 did it, or did not, there is nothing to calibrate by. How good both are is measured
-- on the latest day, by the model and the calibration of what was known before it.
CREATE FUNCTION segmentation_internal.workspace_fit_target(ws text) RETURNS jsonb
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  fitted record;
  calibrated record;
  tested jsonb;
BEGIN
  EXECUTE segmentation_internal.fill(ws, $q$
    SELECT segmentation.fit_churn_model(r.happened, r.features, o.options) AS final,
      segmentation.fit_churn_model(r.happened, r.features, o.options) FILTER (WHERE r.place > 1) AS before_1,
      segmentation.fit_churn_model(r.happened, r.features, o.options) FILTER (WHERE r.place > 2) AS before_2,
      segmentation.fit_churn_model(r.happened, r.features, o.options) FILTER (WHERE r.place > 3) AS before_3,
      count(*) FILTER (WHERE r.happened) AS yes, count(*) FILTER (WHERE NOT r.happened) AS no
    FROM @ws@.stage_target_rows AS r CROSS JOIN (SELECT '{"ridge": 1}'::jsonb AS options) AS o$q$)
    INTO fitted;
  EXECUTE segmentation_internal.fill(ws, $q$
    CREATE UNLOGGED TABLE @ws@.stage_target_predictions AS
    SELECT r.place, r.happened, segmentation.churn_probability(
      CASE r.place WHEN 1 THEN @'before_1'@::jsonb WHEN 2 THEN @'before_2'@::jsonb ELSE @'before_3'@::jsonb END,
      r.features) AS p
    FROM @ws@.stage_target_rows AS r WHERE r.place <= 3$q$,
    jsonb_build_object('before_1', fitted.before_1::text, 'before_2', fitted.before_2::text,
      'before_3', fitted.before_3::text));
  EXECUTE segmentation_internal.fill(ws, $q$
    SELECT
      CASE WHEN least(count(*) FILTER (WHERE r.happened), count(*) FILTER (WHERE NOT r.happened)) >= 100
        THEN segmentation.calibrate(r.p, r.happened, '{"method": "logistic"}') END AS now,
      CASE WHEN least(count(*) FILTER (WHERE r.happened AND r.place > 1),
        count(*) FILTER (WHERE NOT r.happened AND r.place > 1)) >= 100
        THEN segmentation.calibrate(r.p, r.happened, '{"method": "logistic"}') FILTER (WHERE r.place > 1) END AS before
    FROM @ws@.stage_target_predictions AS r WHERE r.p IS NOT NULL$q$)
    INTO calibrated;
  EXECUTE segmentation_internal.fill(ws, $q$
    SELECT segmentation.prediction_quality(segmentation.calibrated($1, r.p), r.happened)
    FROM @ws@.stage_target_predictions AS r WHERE r.place = 1$q$)
    INTO tested USING coalesce(calibrated.before, segmentation_internal.target_uncalibrated());
  EXECUTE format('DROP TABLE %s.stage_target_predictions', ws);
  RETURN jsonb_build_object('model', fitted.final,
    'calibration', coalesce(calibrated.now, segmentation_internal.target_uncalibrated()),
    'quality', tested #- '{calibration,bins}',
    'events', least(fitted.yes, fitted.no), 'rows', fitted.yes + fitted.no,
    'base_rate', tested -> 'base_rate');
END
$$;
COMMENT ON FUNCTION segmentation_internal.workspace_fit_target(text) IS
  'Part of refresh: the model of a target from its staged rows, calibrated and tested out of time.';

-- Why a trained target is thin (readiness) or weak.
CREATE FUNCTION segmentation_internal.target_gate(fitted jsonb, days integer, horizon integer, log_days integer)
RETURNS jsonb
  LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp
  RETURN (
    SELECT jsonb_build_object('readiness', coalesce(r.reason, 'null'), 'weak', CASE WHEN r.reason IS NULL
      THEN NULLIF(segmentation_internal.workspace_weak_probability(fitted -> 'quality', 1)
        || segmentation_internal.workspace_reasons(
          segmentation_internal.workspace_reason(
            segmentation_internal.workspace_warned(fitted -> 'model', 'leak_suspected'), 'leak_suspected'),
          segmentation_internal.workspace_reason(
            segmentation_internal.workspace_warned(fitted -> 'model', 'not_converged'), 'not_converged')), '[]') END)
    FROM (
      SELECT CASE
        WHEN days < 2 THEN jsonb_build_object('code', 'short_history', 'have', log_days,
          'need', format('%s days', 2 * horizon + greatest(horizon, 28)))
        WHEN coalesce((fitted ->> 'events')::integer, 0) < 30
          THEN jsonb_build_object('code', 'few_events', 'have', coalesce((fitted ->> 'events')::integer, 0), 'need', 30)
        WHEN fitted #>> '{quality,auc}' IS NULL
          THEN jsonb_build_object('code', 'one_outcome', 'have', format('%s days', horizon))
        END AS reason) AS r);
COMMENT ON FUNCTION segmentation_internal.target_gate(jsonb, integer, integer, integer) IS
  'Part of refresh: why a trained target is thin, or weak.';

-- All that are registered. Of many customers a sample, by hash of their keys: 50,000.
CREATE FUNCTION segmentation_internal.workspace_train_targets(ws text, number integer, as_of date, settings jsonb)
RETURNS void
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  target record;
  first date;
  days date[];
  horizon integer;
  plan jsonb;
  fitted jsonb;
BEGIN
  EXECUTE format('SELECT t.target FROM %s.target AS t LIMIT 1', ws) INTO target;
  IF target IS NULL THEN
    RETURN;
  END IF;
  EXECUTE segmentation_internal.fill(ws, $q$
    CREATE UNLOGGED TABLE @ws@.stage_target_facts AS
    SELECT f.* FROM @ws@.stage_facts AS f
    ORDER BY hashtextextended(f.customer::text, 0), f.customer LIMIT 50000;
    ANALYZE @ws@.stage_target_facts (customer)$q$);
  -- The first day of which anything is known.
  EXECUTE segmentation_internal.fill(ws, $q$
    SELECT least(min(segmentation.first_purchase(f.history)), min((f.subscriptions #>> '{0,started_on}')::date),
      min(d.day) FILTER (WHERE isfinite(d.day)))
    FROM @ws@.stage_target_facts AS f
    CROSS JOIN LATERAL (
      SELECT min((coalesce(e.value ->> 'sent_on', e.value ->> 'occurred_on'))::date) AS day
      FROM (
        SELECT c.value FROM jsonb_array_elements(f.contacts::jsonb) AS c (value)
        UNION ALL
        SELECT i.value FROM jsonb_array_elements(f.interactions::jsonb) AS i (value)) AS e) AS d$q$) INTO first;
  FOR target IN EXECUTE format('SELECT t.* FROM %s.target AS t ORDER BY t.target', ws) LOOP
    horizon := extract(day FROM target.horizon);
    plan := segmentation_internal.target_plan(target.definition, settings ->> 'product_level')
      || jsonb_strip_nulls(jsonb_build_object('attributes',
        segmentation_internal.workspace_target_attributes(ws, target.definition -> 'attributes')));
    days := segmentation_internal.target_days(as_of, horizon, first);
    fitted := '{}';
    IF cardinality(days) > 1 THEN
      PERFORM segmentation_internal.workspace_target_rows(ws, plan, horizon, days);
      fitted := segmentation_internal.workspace_fit_target(ws);
      EXECUTE format('DROP TABLE %s.stage_target_rows', ws);
    END IF;
    EXECUTE format('UPDATE %s.parameter_set AS g SET targets = g.targets || $2 WHERE g.parameter_set = $1', ws)
      USING number, jsonb_build_object(target.target, fitted || jsonb_build_object(
        'definition', target.definition, 'horizon', format('%s days', horizon), 'about', target.about, 'plan', plan,
        'days', days)
        || segmentation_internal.target_gate(fitted, cardinality(days), horizon, as_of - first));
  END LOOP;
  EXECUTE format('DROP TABLE %s.stage_target_facts', ws);
END
$$;
COMMENT ON FUNCTION segmentation_internal.workspace_train_targets(text, integer, date, jsonb) IS
  'Part of refresh: trains the targets of a workspace into a parameter set.';

-- A set in use that stays, though it lacks a target or has an earlier definition of one, takes those of the candidate.
CREATE FUNCTION segmentation_internal.workspace_lend_targets(ws text, candidate integer, used integer) RETURNS void
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  EXECUTE segmentation_internal.fill(ws, $q$
    UPDATE @ws@.parameter_set AS g
    SET targets = g.targets || (
      SELECT coalesce(jsonb_object_agg(t.key, t.value), '{}')
      FROM @ws@.parameter_set AS c CROSS JOIN LATERAL jsonb_each(c.targets) AS t
      WHERE c.parameter_set = $1 AND (g.targets -> t.key -> 'definition' = t.value -> 'definition'
        AND g.targets -> t.key -> 'horizon' = t.value -> 'horizon') IS NOT TRUE)
    WHERE g.parameter_set = $2$q$) USING candidate, used;
END
$$;
COMMENT ON FUNCTION segmentation_internal.workspace_lend_targets(text, integer, integer) IS
  'Part of refresh: targets that the parameter set in use lacks, from one that was rejected.';

CREATE FUNCTION segmentation_internal.workspace_targets_untrained(ws text) RETURNS boolean
  LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  untrained boolean;
BEGIN
  EXECUTE segmentation_internal.fill(ws, $q$
    SELECT EXISTS (
      SELECT FROM ONLY @ws@.target AS t
      WHERE NOT EXISTS (
        SELECT FROM ONLY @ws@.parameter_set AS g
        WHERE g.status = 'in_use' AND g.targets -> t.target -> 'definition' = t.definition
          AND (g.targets -> t.target ->> 'horizon')::interval = t.horizon))$q$) INTO untrained;
  RETURN untrained;
END
$$;
COMMENT ON FUNCTION segmentation_internal.workspace_targets_untrained(text) IS
  'Part of refresh: whether a target is registered that the parameter set in use does not have.';

-- In words

INSERT INTO segmentation.workspace_sentence (topic, language, sentence)
SELECT v.topic, t.language, t.sentence
FROM (VALUES
  ('data.few_events', 'In its snapshots there are {have} customers only who did it, or who did not; {need} are needed.',
    'Clients qui l''ont fait, ou ne l''ont pas fait, dans ses instantanés : {have} seulement ; il en faut {need}.'),
  ('weak.leak_suspected', 'a feature of its model probably knows the outcome',
    'une variable de son modèle connaît sans doute l''issue'),
  ('target', '{what} within {days} days with a probability of {percent} % ({base_percent} % of those whom it is '
    'about).{because}',
    '{what} d''ici {days} jours avec une probabilité de {percent} % ({base_percent} % de ceux que cela concerne).'
    '{because}'),
  ('target.because', ' Mainly: {drivers}.', ' Surtout : {drivers}.'),
  ('target.none', '{what}: not about this customer, or nothing with a date is known.',
    '{what} : ne concerne pas ce client, ou rien de daté n''est connu.'),
  ('target.buys', 'Buys{names}', 'Achètera{names}'),
  ('target.buys_nothing', 'Buys nothing{names}', 'N''achètera rien{names}'),
  ('target.responds', 'Answers{by}, if contacted,', 'Répondra{par}, si sollicité,'),
  ('target.interaction', 'Gets in touch{kind}', 'Se manifestera{kind}'),
  ('target.subscription_ends', 'Ends a subscription{names}', 'Mettra fin à un abonnement{names}'),
  ('driver', '{feature} {value} (average {average}): {effect}', '{feature} {value} (moyenne {average}) : {effect}'),
  ('driver.value', '{feature} {value}: {effect}', '{feature} {value} : {effect}'),
  ('driver.missing', '{feature} not known: {effect}', '{feature} non connu : {effect}'),
  ('driver.up', 'raises the odds {times} times', 'multiplie la cote par {times}'),
  ('driver.down', 'lowers the odds {times} times', 'divise la cote par {times}'),
  ('driver.none', 'makes hardly a difference', 'ne change presque rien'),
  ('feature.buyer', 'has bought', 'a déjà acheté'),
  ('feature.ln_recency', 'days since the last purchase', 'jours depuis le dernier achat'),
  ('feature.ln_tenure', 'days since the first purchase', 'jours depuis le premier achat'),
  ('feature.ln_purchase_days', 'days with a purchase', 'jours d''achat'),
  ('feature.ln_purchases_90', 'purchases in 90 days', 'achats en 90 jours'),
  ('feature.ln_turnover', 'turnover', 'chiffre d''affaires'),
  ('feature.recency_share', 'silence as a share of the time as a customer', 'silence en part du temps comme client'),
  ('feature.ln_contacts_90', 'contacts in 90 days', 'sollicitations en 90 jours'),
  ('feature.ln_response_days', 'days since the last answered message', 'jours depuis le dernier message répondu'),
  ('feature.ln_interactions', 'interactions lately', 'interactions récentes'),
  ('feature.consents', 'channels with consent', 'canaux avec consentement'),
  ('feature.age', 'age', 'âge'),
  ('feature.own_buyer', 'has bought it', 'l''a déjà acheté'),
  ('feature.ln_own_recency', 'days since it was last bought', 'jours depuis qu''il a été acheté'),
  ('feature.ln_own_purchase_days', 'days on which it was bought', 'jours où il a été acheté'),
  ('feature.ln_own_purchases_90', 'purchases of it in 90 days', 'ses achats en 90 jours'),
  ('feature.ln_assortment', 'different items bought', 'articles différents achetés'),
  ('feature.ln_own_interactions', 'interactions of this kind lately', 'interactions récentes de ce genre'),
  ('feature.contracts', 'subscriptions that run', 'abonnements en cours'),
  ('feature.ln_contract_days', 'days of the oldest subscription', 'jours du plus ancien abonnement'),
  ('feature.contracts_ended', 'subscriptions that ended', 'abonnements terminés'),
  ('feature.contract_plan', 'plan', 'formule')
) AS v (topic, en, fr)
CROSS JOIN LATERAL (VALUES ('en', v.en), ('fr', v.fr)) AS t (language, sentence);

-- What a target is, as the beginning of a sentence.
CREATE FUNCTION segmentation_internal.target_words(definition jsonb, about text, language text) RETURNS text
  LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
  RETURN coalesce(about, (
    SELECT segmentation_internal.workspace_say('target.' || e.key, jsonb_build_object(
      'names', coalesce(' ' || l.names, ''), 'by', coalesce(' by ' || l.names, ''),
      'par', coalesce(' par ' || l.names, ''), 'kind', coalesce(' (' || l.names || ')', '')), language)
    FROM jsonb_each(definition) AS e
    CROSS JOIN LATERAL (
      SELECT NULLIF(string_agg(CASE e.key WHEN 'responds' THEN segmentation_internal.workspace_channel(n.name)
        ELSE n.name END, ', '), '') AS names
      FROM jsonb_each(CASE jsonb_typeof(e.value) WHEN 'object' THEN e.value ELSE '{}' END) AS f
      CROSS JOIN LATERAL jsonb_array_elements_text(segmentation_internal.target_names(f.value)) AS n (name)) AS l
    WHERE e.key IN ('buys', 'buys_nothing', 'responds', 'interaction', 'subscription_ends')));
COMMENT ON FUNCTION segmentation_internal.target_words(jsonb, text, text) IS
  'Part of explain: what a target is, in words (en, fr).';

-- Logarithms are said as what they are of.
CREATE FUNCTION segmentation_internal.target_shown(feature text, value text, language text) RETURNS jsonb
  LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
  RETURN CASE
    WHEN value IN ('true', 'false') THEN to_jsonb(CASE language WHEN 'fr'
      THEN CASE value WHEN 'true' THEN 'oui' ELSE 'non' END ELSE CASE value WHEN 'true' THEN 'yes' ELSE 'no' END END)
    WHEN value !~ '^-?[0-9.]+(e[-+]?[0-9]+)?$' THEN to_jsonb(value)
    WHEN feature LIKE 'ln\_%' THEN to_jsonb(trim_scale(round((exp(value::double precision) - 1)::numeric, 1)))
    ELSE to_jsonb(trim_scale(round(value::numeric, 2))) END;
COMMENT ON FUNCTION segmentation_internal.target_shown(text, text, text) IS
  'Part of target_explain: a value of a feature as people read it.';

-- Features that say one thing together are one driver: coefficients of what goes together mean little one by one.
CREATE FUNCTION segmentation_internal.target_driver(feature text) RETURNS text
  LANGUAGE sql IMMUTABLE PARALLEL SAFE
  RETURN CASE
    WHEN feature IN ('buyer', 'recency_share') THEN 'ln_recency'
    WHEN feature = 'own_buyer' THEN 'ln_own_recency'
    WHEN feature IN ('contracts', 'contracts_ended', 'contract_plan') THEN 'ln_contract_days'
    ELSE feature END;
COMMENT ON FUNCTION segmentation_internal.target_driver(text) IS
  'Part of target_explain: the driver that a feature is part of.';

CREATE FUNCTION segmentation_internal.target_drivers(model jsonb, features jsonb, language text)
RETURNS TABLE (feature text, value text, contribution double precision, odds_ratio double precision, words text)
  LANGUAGE sql STABLE ROWS 3 SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
  SELECT d.driver, segmentation_internal.target_shown(d.driver, d.value, language) #>> '{}', d.contribution,
    exp(d.contribution),
    segmentation_internal.workspace_say(
      CASE WHEN d.value IS NULL THEN 'driver.missing' WHEN d.average IS NULL THEN 'driver.value' ELSE 'driver' END,
      jsonb_build_object(
        'feature', coalesce(
          (SELECT s.sentence FROM segmentation.workspace_sentence AS s
           WHERE s.topic = 'feature.' || d.driver
             AND s.language = CASE target_drivers.language WHEN 'fr' THEN 'fr' ELSE 'en' END),
          regexp_replace(d.driver, '^attribute ', '')),
        'value', segmentation_internal.target_shown(d.driver, d.value, language),
        'average', segmentation_internal.target_shown(d.driver, d.average, language),
        'effect', segmentation_internal.workspace_say(
          CASE WHEN abs(d.contribution) < 0.01 THEN 'driver.none' WHEN d.contribution > 0 THEN 'driver.up'
            ELSE 'driver.down' END,
          jsonb_build_object('times', round(exp(abs(d.contribution))::numeric, 2)), language)), language)
  FROM (
    SELECT g.driver, sum(g.contribution) AS contribution, features ->> g.driver AS value,
      max(substring(g.words FROM ' \(average (-?[0-9.]+)\): ')) FILTER (WHERE g.feature = g.driver) AS average
    FROM (
      SELECT segmentation_internal.target_driver(e.feature) AS driver, e.*
      FROM segmentation.churn_explain(model, features, 'en') AS e) AS g
    GROUP BY g.driver) AS d
  ORDER BY abs(d.contribution) DESC, d.driver COLLATE "C";
END;
COMMENT ON FUNCTION segmentation_internal.target_drivers(jsonb, jsonb, text) IS
  'Part of target_explain: what each driver contributes, in words.';

-- The targets of a customer, or the one named, with what drives them.
CREATE FUNCTION segmentation_internal.workspace_explain_targets(
  ws text, key text, customer text, named text, language text)
RETURNS TABLE (target text, label text, explanation text, numbers jsonb, features jsonb, model jsonb)
  LANGUAGE plpgsql STABLE ROWS 3 SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  found record;
  places jsonb;
  because text;
BEGIN
  FOR found IN EXECUTE segmentation_internal.fill(ws, $q$
    SELECT t.name, t.target, o.probability AS p, CASE WHEN o.probability IS NOT NULL
      THEN segmentation_internal.target_features(t.plan, f.history, w.own, f.items, f.contacts, f.interactions,
        f.consents, f.subscriptions, f.company, f.attributes, f.attribute_changes, n.as_of) END AS features
    FROM ONLY @ws@.workspace AS n
    CROSS JOIN LATERAL @(targets)@ AS t
    JOIN ONLY @ws@.customer_facts AS f ON f.customer = $1::@(key)@
    @(probability)@
    WHERE t.name = coalesce($2, t.name)
    ORDER BY t.name$q$, jsonb_build_object('key', key,
      'probability', segmentation_internal.target_probability_sql('n.as_of'),
      'targets', segmentation_internal.target_rows_sql(
        segmentation_internal.workspace_targets_of(ws, 'n.parameter_set'))))
    USING customer, named
  LOOP
    target := found.name;
    features := found.features;
    model := found.target -> 'model';
    label := segmentation_internal.target_words(
      found.target -> 'definition', found.target ->> 'about', language);
    places := jsonb_build_object('what', label, 'days', extract(day FROM (found.target ->> 'horizon')::interval),
      'percent', segmentation_internal.workspace_rounded(100 * found.p, 1),
      'base_percent', segmentation_internal.workspace_rounded(
        100 * (found.target ->> 'base_rate')::double precision, 1));
    SELECT segmentation_internal.workspace_say('target.because',
        jsonb_build_object('drivers', string_agg(d.words, CASE language WHEN 'fr' THEN ' ; ' ELSE '; ' END
          ORDER BY d.place)), language) INTO because
    FROM (
      SELECT d.words, d.place
      FROM segmentation_internal.target_drivers(model, features, language) WITH ORDINALITY AS d (
        feature, value, contribution, odds_ratio, words, place)
      WHERE abs(d.contribution) >= 0.1
      ORDER BY d.place LIMIT 3) AS d
    HAVING count(*) > 0;
    numbers := places - 'what' || jsonb_build_object('probability', found.p, 'horizon', found.target -> 'horizon',
      'definition', found.target -> 'definition', 'base_rate', found.target -> 'base_rate');
    explanation := CASE WHEN found.p IS NULL
      THEN segmentation_internal.workspace_say('target.none', places, language)
      ELSE segmentation_internal.workspace_say('target',
        places || jsonb_build_object('because', coalesce(because, '')), language) END;
    IF found.p IS NOT NULL AND found.target -> 'weak' <> 'null' THEN
      numbers := numbers || jsonb_build_object('weak', found.target -> 'weak');
      explanation := explanation || segmentation_internal.workspace_say('weak', jsonb_build_object(
        'reasons', segmentation_internal.workspace_weak_words('target', found.target -> 'weak', language)), language);
    END IF;
    RETURN NEXT;
  END LOOP;
END
$$;
COMMENT ON FUNCTION segmentation_internal.workspace_explain_targets(text, text, text, text, text) IS
  'Part of explain: the targets of a customer.';

CREATE FUNCTION segmentation.target_explain(workspace text, customer text, target text, language text DEFAULT NULL)
RETURNS TABLE (feature text, value text, contribution double precision, odds_ratio double precision, words text)
  LANGUAGE plpgsql STABLE ROWS 5 SET search_path = pg_catalog, pg_temp SET segmentation.guard = on SET jit = off AS $$
DECLARE
  ws constant text := segmentation_internal.workspace_readable(workspace,
    '{workspace,parameter_set,customer_facts,target}');
  explained record;
BEGIN
  SELECT * INTO explained
  FROM segmentation_internal.workspace_explain_targets(
    ws, segmentation_internal.workspace_key(ws), customer, coalesce(target, ''), language);
  IF explained.target IS NULL THEN
    RAISE no_data_found USING
      MESSAGE = format('workspace %I has no target %s for customer %s', workspace, coalesce(target, 'null'),
        coalesce(customer, 'null')),
      HINT = 'A target is there after the training that follows workspace_target, if its data suffice: see '
        'workspace_check.';
  END IF;
  RETURN QUERY SELECT * FROM segmentation_internal.target_drivers(explained.model, explained.features, language);
END
$$;
COMMENT ON FUNCTION segmentation.target_explain(text, text, text, text) IS
  'What drives the probability of a target for a customer: what each feature adds to the log-odds against the average '
  'customer, before calibration, the strongest first, and in words (en, fr).';
