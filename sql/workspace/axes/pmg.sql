-- The axis pmg: petits, moyens, gros clients, by the turnover of rolling months.

INSERT INTO segmentation.workspace_axis (axis, place, about, readiness, code, changes_on, numbers)
VALUES (
  'pmg', 20, 'G, M, P or I: petits, moyens, gros clients (small, medium, large customers), inactifs.',
  $$seen.purchases$$,
  $$coalesce(segmentation.pmg_bucket(s.turnover, p.pmg_cuts), 'I')::text$$,
  $$segmentation.pmg_next_change(f.history, p.as_of, p.pmg_cuts, p.pmg_months)$$,
  $$jsonb_build_object('turnover', round(s.turnover, 2),
    'moyens_from', round((p.pmg_cuts).moyens_from, 2), 'gros_from', round((p.pmg_cuts).gros_from, 2))$$);

INSERT INTO segmentation.workspace_model (place, axis, name, type, fit) VALUES
  (20, 'pmg', 'pmg_cuts', 'segmentation.pmg_cuts', $$segmentation.pmg_cuts(
    segmentation.turnover(f.history, (p.as_of - pg_catalog.make_interval(months => p.pmg_months))::date, p.as_of),
    p.pmg_options)$$);

INSERT INTO segmentation.workspace_parameter (axis, name, type, expression) VALUES
  ('pmg', 'pmg_cuts', 'segmentation.pmg_cuts', $$g.pmg_cuts$$),
  ('pmg', 'pmg_months', 'integer', $$(g.settings ->> 'pmg_months')::integer$$),
  ('pmg', 'pmg_options', 'jsonb', $$jsonb_strip_nulls(jsonb_build_object('mode', g.settings -> 'pmg_mode',
    'gros', g.settings -> 'pmg_gros', 'moyens', g.settings -> 'pmg_moyens'))$$);

INSERT INTO segmentation.workspace_score (place, axis, name, expression, about) VALUES
  (20, 'pmg', 'turnover',
    $$segmentation.turnover(f.history, (p.as_of - pg_catalog.make_interval(months => p.pmg_months))::date, p.as_of)$$,
    'Turnover of the period that PMG looks at (12 rolling months).');

INSERT INTO segmentation.workspace_sentence (topic, language, sentence) VALUES
  ('pmg', 'en', 'Turnover of {turnover} {currency} over {pmg_months} rolling months; '
    'medium customers begin at {moyens_from}, large ones at {gros_from}.'),
  ('pmg', 'fr', 'Chiffre d''affaires de {turnover} {currency} sur {pmg_months} mois glissants ; '
    'les moyens clients commencent à {moyens_from}, les gros à {gros_from}.'),
  ('pmg.I', 'en', 'No turnover over {pmg_months} rolling months.'),
  ('pmg.I', 'fr', 'Aucun chiffre d''affaires sur {pmg_months} mois glissants.');
