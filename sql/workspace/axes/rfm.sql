-- The axis rfm: segment by recency, frequency and monetary value.

CREATE FUNCTION segmentation_internal.workspace_rfm_map(settings jsonb) RETURNS jsonb
  LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  segments jsonb;
BEGIN
  SELECT jsonb_agg(jsonb_build_object('segment', m.segment, 'r', m.r, 'f', m.f, 'm', m.m) ORDER BY m.r, m.f, m.m)
    INTO segments
  FROM segmentation.rfm_map AS m
  WHERE m.map = settings ->> 'rfm_map' AND m.bins = (settings ->> 'rfm_bins')::integer;
  IF segments IS NULL THEN
    RAISE invalid_parameter_value USING
      MESSAGE = format('there is no RFM map "%s" for %s bins', settings ->> 'rfm_map', settings ->> 'rfm_bins'),
      HINT = 'Change the settings rfm_map and rfm_bins, or add rows to segmentation.rfm_map.';
  END IF;
  RETURN jsonb_build_object('bins', settings -> 'rfm_bins', 'first_match', false, 'segments', segments);
END
$$;
COMMENT ON FUNCTION segmentation_internal.workspace_rfm_map(jsonb) IS
  'Part of refresh: the map of the settings rfm_map and rfm_bins, as it is frozen; an error if there is none.';

CREATE FUNCTION segmentation_internal.workspace_train_rfm(ws text, number integer, as_of date, settings jsonb)
RETURNS void
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  EXECUTE format('UPDATE %s.parameter_set AS g SET rfm_map = $2 WHERE g.parameter_set = $1', ws)
    USING number, segmentation_internal.workspace_rfm_map(settings);
  -- How many have the commonest score: where all are alike, scores tell nothing.
  EXECUTE segmentation_internal.fill(ws, $q$
    UPDATE @ws@.parameter_set AS g
    SET rfm_shares = (
      SELECT jsonb_object_agg(m.score, m.customers) || jsonb_build_object('customers', max(m.whole))
      FROM (
        SELECT v.score, max(v.customers) AS customers, sum(v.customers) AS whole
        FROM (
          SELECT s.score, s.value, count(*) AS customers
          FROM (
            SELECT segmentation.rfm_score(f.history, $1, g.rfm_cuts) AS rfm FROM @ws@.stage_facts AS f OFFSET 0) AS f
          CROSS JOIN LATERAL (VALUES ('R', (f.rfm).r), ('F', (f.rfm).f), ('M', (f.rfm).m)) AS s (score, value)
          WHERE s.value IS NOT NULL
          GROUP BY s.score, s.value) AS v
        GROUP BY v.score) AS m)
    WHERE g.parameter_set = $2 AND g.rfm_cuts IS NOT NULL$q$)
    USING as_of, number;
END
$$;
COMMENT ON FUNCTION segmentation_internal.workspace_train_rfm(text, integer, date, jsonb) IS
  'Part of refresh: trains the axis rfm.';

-- Who sent something back and never bought: the purchase is older than the log.
CREATE FUNCTION segmentation_internal.workspace_refunds_only(history segmentation.purchase_history, as_of date)
RETURNS boolean
  LANGUAGE sql IMMUTABLE PARALLEL SAFE
  RETURN segmentation.purchase_days(history, as_of) = 0 AND segmentation.monetary(history, as_of) < 0;
COMMENT ON FUNCTION segmentation_internal.workspace_refunds_only(segmentation.purchase_history, date) IS
  'Part of explain: whether only refunds are known of a customer.';

INSERT INTO segmentation.workspace_axis
  (axis, place, about, readiness, train, scored_from, code, changes_on, numbers, topic)
VALUES (
  'rfm', 10, 'Segment by recency, frequency and monetary value.',
  -- Without a map there is an error, before anything long is computed.
  $$CASE WHEN segmentation_internal.workspace_rfm_map(g.settings) IS NOT NULL THEN seen.purchases END$$,
  'segmentation_internal.workspace_train_rfm',
  $$segmentation.rfm_score(f.history, p.as_of, p.rfm_cuts) AS rfm_scored$$,
  $$coalesce(segmentation.rfm_segment(
    ROW(s.recency, s.frequency, s.monetary, s.r, s.f, s.m, p.rfm_bins, s.rfm_score)::segmentation.rfm, p.rfm_map),
      'prospect')$$,
  $$segmentation.rfm_next_change(f.history, p.as_of, p.rfm_cuts)$$,
  $$jsonb_build_object('recency', s.recency, 'frequency', s.frequency, 'monetary', round(s.monetary, 2),
    'r', s.r, 'f', s.f, 'm', s.m, 'refunds', CASE WHEN segmentation_internal.workspace_refunds_only(
      f.history, p.as_of) THEN -segmentation.monetary(f.history, p.as_of) END)$$,
  $$CASE WHEN c.rfm = 'prospect' AND segmentation_internal.workspace_refunds_only(f.history, p.as_of)
    THEN 'rfm.refunds_only' END$$);

INSERT INTO segmentation.workspace_model (place, axis, name, type, fit) VALUES
  (10, 'rfm', 'rfm_cuts', 'segmentation.rfm_cuts', $$segmentation.rfm_cuts(f.history, p.as_of, p.rfm_options)$$),
  (11, 'rfm', 'rfm_map', 'jsonb', NULL);
INSERT INTO segmentation.workspace_model (place, axis, name, type, about) VALUES
  (12, 'rfm', 'rfm_shares', 'jsonb', 'How many customers had the commonest score of R, F and M.');

INSERT INTO segmentation.workspace_parameter (axis, name, type, expression) VALUES
  ('rfm', 'rfm_cuts', 'segmentation.rfm_cuts', $$g.rfm_cuts$$),
  ('rfm', 'rfm_map', 'jsonb', $$g.rfm_map || '{}'$$),
  ('rfm', 'rfm_bins', 'smallint', $$(g.settings ->> 'rfm_bins')::smallint$$),
  ('rfm', 'rfm_options', 'jsonb',
    $$jsonb_build_object('bins', g.settings -> 'rfm_bins', 'rule', g.settings -> 'rfm_rule')$$);

INSERT INTO segmentation.workspace_score (place, axis, name, expression, about) VALUES
  (10, 'rfm', 'recency', $$(f.rfm_scored).recency::integer$$, 'Days since the last purchase.'),
  (11, 'rfm', 'frequency', $$(f.rfm_scored).frequency::bigint$$, 'Purchases.'),
  (12, 'rfm', 'monetary', $$(f.rfm_scored).monetary$$, 'Turnover, all time.'),
  (13, 'rfm', 'r', $$(f.rfm_scored).r$$, 'Recency score; the highest is best.'),
  (14, 'rfm', 'f', $$(f.rfm_scored).f$$, 'Frequency score.'),
  (15, 'rfm', 'm', $$(f.rfm_scored).m$$, 'Monetary score.'),
  (16, 'rfm', 'rfm_score', $$(f.rfm_scored).score$$, '100 r + 10 f + m.');

INSERT INTO segmentation.workspace_sentence (topic, language, sentence) VALUES
  ('rfm', 'en', 'Last purchase {recency} days ago (score {r} of {rfm_bins}), {frequency} purchases (score {f}), '
    'turnover {monetary} {currency} (score {m}).'),
  ('rfm', 'fr', 'Dernier achat il y a {recency} jours (note {r} sur {rfm_bins}), {frequency} achats (note {f}), '
    'chiffre d''affaires {monetary} {currency} (note {m}).'),
  ('rfm.prospect', 'en', 'Has not bought anything yet.'),
  ('rfm.prospect', 'fr', 'N''a encore rien acheté.'),
  ('rfm.refunds_only', 'en', 'Only refunds are known, {refunds} {currency}: what was sent back was bought before the '
    'log begins.'),
  ('rfm.refunds_only', 'fr', 'On ne connaît que des remboursements, {refunds} {currency} : l''achat est plus ancien '
    'que le journal.');
