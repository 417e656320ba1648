-- Verdicts: each is one immutable function, at and beside its limits.
SET search_path = segmentation_internal, segmentation, public;

-- Of a population stability index.
SELECT psi, psi_verdict(psi) FROM unnest('{0,0.0999,0.1,0.25,0.2501,10,NaN,NULL}'::float8[]) AS psi;

-- Of silence: days that are allowed.
SELECT setting, gaps, longest, silence_allowed(setting, gaps, longest) AS allowed
FROM (VALUES ('off', 100, 3), ('auto', NULL, NULL), ('auto', 4, 90), ('auto', 5, 3), ('auto', 5, 4), ('auto', 400, 90),
  ('10 days', NULL, NULL), ('10 days', 400, 90), ('36 hours', 400, 90)) AS v (setting, gaps, longest);

-- Of a response: a sign of the person, or not.
SELECT retention_is_sign(r), array_agg(r ORDER BY r COLLATE "C") AS responses
FROM unnest('{click,CLICK,reply,visit,purchase,open,Opened,bounce,bounced,delivered,sent,none,"",NULL}'::text[]) AS r GROUP BY 1 ORDER BY 1;

-- Of a criterion: each limit from both sides.
SELECT v.what, criterion_verdict(v.kind, m.measures, v.tried) AS verdict,
  criterion_reason(criterion_verdict(v.kind, m.measures, v.tried), m.measures, 'en') AS reason,
  criterion_reason(criterion_verdict(v.kind, m.measures, v.tried), m.measures, 'fr') AS reason_fr
FROM (VALUES
  ('usable', 'number', 1, '{}'::jsonb),
  ('explains the value', 'number', 1, '{"value_explained": 0.0123}'),
  ('no rows', 'number', 1, '{"rows": 0, "fill": null}'),
  ('half filled', 'number', 1, '{"fill": 0.5, "missing": 500}'),
  ('less than half', 'number', 1, '{"fill": 0.499, "missing": 501}'),
  ('one value', 'number', 1, '{"distinct": 1}'),
  ('one value, some missing', 'number', 1, '{"distinct": 1, "missing": 1, "fill": 0.999}'),
  ('100 values', 'category', 1, '{"distinct": 100, "rows": 150}'),
  ('501 of 1000 values', 'category', 1, '{"distinct": 501}'),
  ('500 of 1000 values', 'category', 1, '{"distinct": 500}'),
  ('501 of 1000 numbers', 'number', 1, '{"distinct": 501}'),
  ('at the limit of chance', 'number', 10, '{"p_value": 0.001}'),
  ('beyond it', 'number', 11, '{"p_value": 0.001}'),
  ('no p', 'number', 1, '{"p_value": null}'),
  ('weak', 'number', 1, '{"cramers_v_corrected": 0.0499}'),
  ('by eta', 'number', 1, '{"cramers_v_corrected": null, "eta_squared": 0.01}'),
  ('by neither', 'number', 1, '{"cramers_v_corrected": null}'),
  ('brings nothing', 'number', 1, '{"value_explained": 0.00099}'),
  ('brings little', 'number', 1, '{"value_explained": 0.001}')) AS v (what, kind, tried, given)
CROSS JOIN LATERAL (
  SELECT '{"rows": 1000, "fill": 1, "missing": 0, "distinct": 5, "p_value": 0.00001, "cramers_v_corrected": 0.25}'::jsonb || v.given AS measures) AS m;
SELECT criterion_verdict('number', NULL, 1) AS no_measures;
-- They are what their names say to the planner, too.
SELECT proname, provolatile, proparallel FROM pg_proc
WHERE pronamespace = 'segmentation_internal'::regnamespace
  AND proname IN ('psi_verdict', 'silence_allowed', 'retention_is_sign', 'criterion_verdict', 'criterion_reason', 'criterion_relevance') ORDER BY 1;
