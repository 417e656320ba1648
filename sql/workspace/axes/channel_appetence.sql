-- The axis channel_appetence: the channel that is answered best among those with consent, and the list of channels.

-- Consents as they count: those of the source, or for everybody where the settings say so and there is no source.
CREATE FUNCTION segmentation_internal.workspace_consents_sql(ws text, number integer) RETURNS text
  LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  assumed segmentation.consent_history;
BEGIN
  EXECUTE segmentation_internal.fill(ws, $q$
    SELECT segmentation_internal.workspace_assumed_consents(g.settings, g.sources, g.channel_model)
    FROM @ws@.parameter_set AS g WHERE g.parameter_set = $1$q$) INTO assumed USING number;
  RETURN CASE WHEN assumed IS NULL THEN 'f.consents'
    ELSE format('%L::segmentation.consent_history', assumed) END;
END
$$;
COMMENT ON FUNCTION segmentation_internal.workspace_consents_sql(text, integer) IS
  'Part of refresh: the consents of a customer, as SQL over f.';

CREATE FUNCTION segmentation_internal.workspace_channel_options(settings jsonb) RETURNS jsonb
  LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp
  RETURN jsonb_build_object('by', 'lower', 'margin', settings -> 'channel_margin',
      'cost', '{"*": 0}'::jsonb || coalesce((
        SELECT jsonb_object_agg(segmentation_internal.workspace_channel(c.key), c.value ORDER BY c.key)
        FROM jsonb_each(settings -> 'channel_costs') AS c), '{}'))
    || coalesce((
      SELECT jsonb_build_object('pressure', jsonb_agg(
        c.value || jsonb_build_object('channel', segmentation_internal.workspace_channel(c.key)) ORDER BY c.key))
      FROM jsonb_each(settings -> 'channel_caps') AS c HAVING count(*) > 0), '{}');
COMMENT ON FUNCTION segmentation_internal.workspace_channel_options(jsonb) IS
  'Part of refresh: the options of rank_channels from the settings.';

CREATE FUNCTION segmentation_internal.workspace_train_channels(ws text, number integer, as_of date, settings jsonb)
RETURNS void
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF NOT segmentation_internal.workspace_ready(ws, number, 'channel_appetence') THEN
    RETURN;
  END IF;
  EXECUTE segmentation_internal.fill(ws, $q$
    CREATE UNLOGGED TABLE @ws@.stage_fits AS
    SELECT segmentation.fit_channel_model(f.contacts, (segmentation_internal.profile_assign(
        p.profile_model, f.company, f.attributes)).code, p.as_of) AS channels,
      segmentation.fit_send_time(f.hours) AS hours
    FROM @(constants)@ AS p CROSS JOIN @ws@.stage_facts AS f WHERE f.contacts IS NOT NULL;
    UPDATE @ws@.parameter_set AS g
    SET (channel_model, send_time_profile) = (SELECT v.channels, v.hours FROM @ws@.stage_fits AS v)
    WHERE g.parameter_set = @(number)@;
    DROP TABLE @ws@.stage_fits$q$,
    jsonb_build_object('number', number, 'constants', segmentation_internal.workspace_constants(ws, number, as_of)));
END
$$;
COMMENT ON FUNCTION segmentation_internal.workspace_train_channels(text, integer, date, jsonb) IS
  'Part of refresh: trains the axis channel_appetence.';

-- The channels of each staged customer, and the day on which the best one would change: two queries.
CREATE FUNCTION segmentation_internal.workspace_channels_sql(
  ws text, stage text, number integer, as_of date, OUT channels text, OUT channel_changes text)
  LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  parameters record;
  places jsonb;
BEGIN
  EXECUTE format('SELECT g.channel_model, g.send_time_profile, g.settings FROM %s.parameter_set AS g WHERE '
    'g.parameter_set = $1', ws)
    INTO parameters USING number;
  places := jsonb_build_object('as_of', as_of, 'model', parameters.channel_model::text,
    'consents', segmentation_internal.workspace_consents_sql(ws, number),
    'options', segmentation_internal.workspace_channel_options(parameters.settings)::text);
  channels := segmentation_internal.workspace_staged(ws, stage, $q$
    SELECT f.customer, r.channel, r.eligible, r.reason, r.rank::smallint AS place, r.mean, r.lower, r.value,
      round(r.sent)::bigint AS n, (f.best).day AS best_day, (f.best).hour AS best_hour
    FROM (
      SELECT f.customer, segmentation_internal.channel_ranking(
          @'model'@::jsonb, s.profile, f.contacts, @(consents)@, @'as_of'@, @'options'@::jsonb) AS ranking,
        segmentation.send_time(@'send_time'@::jsonb, f.hours) AS best
      FROM @ws@.@facts@ AS f JOIN @ws@.@scores@ AS s ON s.customer = f.customer
      WHERE f.contacts IS NOT NULL OR f.consents IS NOT NULL OFFSET '0') AS f
    CROSS JOIN LATERAL unnest(f.ranking) AS r$q$,
    places || jsonb_build_object('send_time', parameters.send_time_profile::text));
  channel_changes := segmentation_internal.workspace_staged(ws, stage, $q$
    SELECT f.customer, segmentation.channel_next_change(
      @'model'@::jsonb, s.profile, f.contacts, @(consents)@, @'as_of'@, @'options'@::jsonb) AS next_change
    FROM @ws@.@facts@ AS f JOIN @ws@.@scores@ AS s ON s.customer = f.customer
    WHERE f.contacts IS NOT NULL OR f.consents IS NOT NULL$q$, places);
END
$$;
COMMENT ON FUNCTION segmentation_internal.workspace_channels_sql(text, text, integer, date) IS
  'Part of refresh: the channels of the staged customers, as SQL.';

CREATE FUNCTION segmentation_internal.workspace_stage_channels(ws text, stage text, number integer, as_of date)
RETURNS void
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  known boolean;
  queries record;
BEGIN
  EXECUTE format('SELECT g.channel_model IS NOT NULL FROM %s.parameter_set AS g WHERE g.parameter_set = $1', ws)
    INTO known USING number;
  IF known THEN
    SELECT * INTO queries FROM segmentation_internal.workspace_channels_sql(ws, stage, number, as_of);
    PERFORM segmentation_internal.workspace_stage(ws, stage, 'channels', queries.channels);
    PERFORM segmentation_internal.workspace_stage(ws, stage, 'channel_changes', queries.channel_changes);
  ELSE
    EXECUTE segmentation_internal.workspace_staged(ws, stage, $q$
      CREATE UNLOGGED TABLE @ws@.@channels@ AS SELECT * FROM @ws@.customer_channels WITH NO DATA;
      CREATE UNLOGGED TABLE @ws@.@channel_changes@ AS
      SELECT f.customer, NULL::date AS next_change FROM @ws@.@facts@ AS f WITH NO DATA$q$);
  END IF;
  EXECUTE segmentation_internal.workspace_staged(ws, stage, 'ANALYZE @ws@.@channels@, @ws@.@channel_changes@');
END
$$;
COMMENT ON FUNCTION segmentation_internal.workspace_stage_channels(text, text, integer, date) IS
  'Part of refresh: the channels of the staged customers.';

INSERT INTO segmentation.workspace_axis
  (axis, place, about, label_domain, readiness, train, stage, staged, joins, code, look_again, numbers)
VALUES (
  'channel_appetence', 70, 'The channel that is answered best among those with consent.', 'channel',
  -- readiness
  $$CASE
    WHEN NOT 'contacts' = ANY (seen.kinds) THEN jsonb_build_object('code', 'no_source', 'need', 'contacts')
    WHEN seen.contacts = 0 THEN jsonb_build_object('code', 'no_contacts', 'have', 0, 'need', 1) END$$,
  'segmentation_internal.workspace_train_channels',
  'segmentation_internal.workspace_stage_channels',
  '{channel_changes}',
  -- joins
  $$LEFT JOIN @ws@.@channels@ AS best_channel ON best_channel.customer = s.customer AND best_channel.place = 1
    LEFT JOIN @ws@.@channel_changes@ AS channel_change ON channel_change.customer = s.customer$$,
  $$coalesce(best_channel.channel, 'none')$$,
  $$channel_change.next_change$$,
  -- numbers
  $$(SELECT to_jsonb(o) - 'customer' || jsonb_build_object(
      'lower_percent', segmentation_internal.workspace_rounded(100 * o.lower, 1),
      'mean_percent', segmentation_internal.workspace_rounded(100 * o.mean, 1))
    FROM ONLY @ws@.customer_channels AS o WHERE o.customer = f.customer AND o.place = 1)$$);

INSERT INTO segmentation.workspace_model (place, axis, name, type) VALUES
  (120, 'channel_appetence', 'channel_model', 'jsonb'),
  (130, 'channel_appetence', 'send_time_profile', 'jsonb');

INSERT INTO segmentation.workspace_list (place, axis, name, staged, columns, about, comments) VALUES (
  20, 'channel_appetence', 'customer_channels', 'channels',
  $$customer @(key)@ NOT NULL,
    channel text NOT NULL,
    eligible boolean NOT NULL,
    reason text,
    place smallint,
    mean double precision,
    lower double precision,
    value double precision,
    n bigint,
    best_day smallint,
    best_hour smallint,
    PRIMARY KEY (customer, channel)$$,
  'Channels of each customer, ranked.',
  '{"eligible": "Whether it may be used now: consent, and no contact pressure.", "reason": "Why not.",
    "place": "1 is the best; null if not eligible.", "mean": "Expected response rate.", "lower": "Lower bound of it.",
    "value": "Expected value of one contact, less its cost.", "n": "Contacts it rests on.",
    "best_day": "Best day of the week: 1 is Monday.", "best_hour": "Best hour, 0 to 23."}');

INSERT INTO segmentation.workspace_sentence (topic, language, sentence) VALUES
  ('channel_appetence', 'en', 'Answers {channel} at a rate of at least {lower_percent} % '
    '(mean {mean_percent} %, {n} contacts); it has consent.'),
  ('channel_appetence', 'fr', 'Répond par {channel} à un taux d''au moins {lower_percent} % '
    '(moyenne {mean_percent} %, {n} contacts) ; le consentement est donné.'),
  ('channel_appetence.none', 'en', 'No channel may be used now, or none was ever answered.'),
  ('channel_appetence.none', 'fr', 'Aucun canal n''est utilisable maintenant, ou aucun n''a jamais reçu de réponse.'),
  ('data.no_contacts', 'en', 'No contact is recorded.'),
  ('data.no_contacts', 'fr', 'Aucun contact n''est enregistré.');
