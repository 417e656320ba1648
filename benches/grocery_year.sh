# The year of Complete Journey, week by week: what 2,469 households really bought comes in with capture, and after each
# week refresh_changed must have come to what a full refresh comes to. Run: benches/run grocery_year

grocery() { run_psql -Atq -v ON_ERROR_STOP=1 -d grocery -c 'SET client_min_messages = warning' "$@"; }
if ! [ -x "$ROOT/.venv/bin/python" ] && ! (peers); then
  skip 'the year of Complete Journey' 'Python could not be set up'
else
  if [ "$(run_psql -Atq -d postgres -c "SELECT count(*) FROM pg_database WHERE datname = 'grocery'")" = 0 ]; then
    tools/load-grocery >/dev/null
  fi
  grocery -c 'DROP EXTENSION IF EXISTS segmentation CASCADE' -c 'CREATE EXTENSION segmentation' -c 'ALTER DATABASE grocery SET search_path = public, segmentation'
  say "Complete Journey from May to December, week by week, twice: what changed, and everything"
  grocery -f - <<'SQL' >"$work/year"
DROP SCHEMA IF EXISTS year CASCADE; DROP SCHEMA IF EXISTS live CASCADE; DROP SCHEMA IF EXISTS anew CASCADE;
CREATE SCHEMA year;
SET search_path = segmentation, public;
CREATE TABLE year.all_lines AS SELECT household_id, basket_id, bought_on, product_id, quantity, amount FROM public.purchase_lines;
CREATE INDEX ON year.all_lines (bought_on);
CREATE TABLE year.lines AS SELECT * FROM year.all_lines WITH NO DATA;
CREATE INDEX ON year.lines (household_id);
CREATE TABLE year.letters AS
  SELECT ch.household_id, 'mail' AS channel, c.start_date AS sent_on, NULL::text AS response, NULL::date AS responded_on
  FROM public.campaign_households AS ch JOIN public.campaigns AS c USING (campaign_id) WHERE false;
CREATE INDEX ON year.letters (household_id);
CREATE VIEW year.product_types AS SELECT product_id, product_type AS category FROM public.products;
CREATE VIEW year.all_letters AS
  SELECT ch.household_id, 'mail' AS channel, c.start_date AS sent_on, CASE WHEN r.redeemed_on IS NOT NULL THEN 'purchase' END AS response, r.redeemed_on AS responded_on
  FROM public.campaign_households AS ch JOIN public.campaigns AS c USING (campaign_id)
  LEFT JOIN (SELECT household_id, campaign_id, min(redemption_date) AS redeemed_on FROM public.coupon_redemptions GROUP BY 1, 2) AS r USING (household_id, campaign_id);
-- What is known on a day: a letter that was sent, its answer once it came.
CREATE PROCEDURE year.happens(before date, day date) LANGUAGE sql AS $$
  INSERT INTO year.lines SELECT * FROM year.all_lines WHERE bought_on > before AND bought_on <= day;
  INSERT INTO year.letters SELECT l.household_id, l.channel, l.sent_on, NULL, NULL FROM year.all_letters AS l WHERE l.sent_on > before AND l.sent_on <= day;
  UPDATE year.letters AS l SET response = a.response, responded_on = a.responded_on FROM year.all_letters AS a
    WHERE a.household_id = l.household_id AND a.sent_on = l.sent_on AND a.responded_on > before AND a.responded_on <= day;
$$;
CALL year.happens('2016-01-01', '2017-04-30');
SELECT create_workspace(w, 'integer', 'America/New_York') FROM unnest('{live,anew}'::text[]) AS w \g /dev/null
SELECT configure_workspace(w, '{"product_level": "category", "currency": "USD", "minimum_history": "90 days", "channel_assumes_consent": true, "retrain_after": "2 years"}') FROM unnest('{live,anew}'::text[]) AS w \g /dev/null
SELECT add_source(w, 'purchase_lines', 'year.lines', '{"customer": "household_id", "order": "basket_id", "purchased_on": "bought_on"}'), add_source(w, 'products', 'year.product_types'),
  add_source(w, 'customers', 'public.demographics', '{"customer": "household_id"}'), add_source(w, 'contacts', 'year.letters', '{"customer": "household_id"}') FROM unnest('{live,anew}'::text[]) AS w \g /dev/null
CALL refresh('live', '2017-04-30');
CALL refresh('anew', '2017-04-30');
SELECT start_capture('live', kind, relation) FROM live.source WHERE mapping ? 'customer' \g /dev/null
CALL refresh_changed('live', '2017-04-30');
CREATE TABLE year.step (day date, changed double precision, "full" double precision, moved bigint, facts bigint, codes bigint);
DO $$
DECLARE
  day date := '2017-04-30';
  began timestamptz;
  changed double precision;
  whole double precision;
  codes text := 'customer, rfm, pmg, churn, loyalty, future_value, product_appetence, channel_appetence, profile, life_moment, segments';
  differ bigint[];
BEGIN
  FOR week IN 1 .. 35 LOOP
    CALL year.happens(day, day + 7);
    day := day + 7;
    COMMIT;
    began := clock_timestamp();
    CALL segmentation.refresh_changed('live', day);
    changed := extract(epoch FROM clock_timestamp() - began);
    began := clock_timestamp();
    CALL segmentation.refresh('anew', day, false);
    whole := extract(epoch FROM clock_timestamp() - began);
    EXECUTE format('SELECT ARRAY[
      (SELECT count(*) FROM ((TABLE live.customer_facts EXCEPT ALL TABLE anew.customer_facts) UNION ALL (TABLE anew.customer_facts EXCEPT ALL TABLE live.customer_facts)) AS d),
      (SELECT count(*) FROM ((SELECT %1$s FROM live.customer_segments EXCEPT ALL SELECT %1$s FROM anew.customer_segments) UNION ALL (SELECT %1$s FROM anew.customer_segments EXCEPT ALL SELECT %1$s FROM live.customer_segments)) AS d)]', codes) INTO differ;
    INSERT INTO year.step VALUES (day, changed, whole, (SELECT l.rows FROM anew.refresh_log AS l WHERE l.phase = 'publish' ORDER BY l.refresh DESC LIMIT 1), differ[1], differ[2]);
    COMMIT;
  END LOOP;
END
$$;
SELECT sum(changed), sum("full"), sum(changed) / sum("full"),
  format('the year of Complete Journey: %s weeks up to %s, %s codes moved; different from a full refresh: %s facts, %s codes; histories with a gap or an overlap: %s', count(*), max(day), sum(moved), sum(facts), sum(codes),
    (SELECT count(*) FROM (SELECT h.valid_from, lag(h.valid_to) OVER w AS before, lag(h.customer) OVER w AS c FROM live.membership_history AS h WINDOW w AS (PARTITION BY h.customer, h.axis ORDER BY h.valid_from)) AS h WHERE h.c IS NOT NULL AND h.before IS DISTINCT FROM h.valid_from))
FROM year.step;
SELECT drop_workspace('live'), drop_workspace('anew') \g /dev/null
DROP SCHEMA year CASCADE;
SQL
  IFS='|' read -r a b r said <"$work/year"
  printf '| `refresh_changed`, 35 weeks of Complete Journey | as many full refreshes | %.3f | %.3f | **%.3f** | - | - |\n' "$a" "$b" "$r" | tee -a "$work/table"
  note "$said"
  [[ $said == *'0 facts, 0 codes'*': 0' ]] || die "the incremental result is not the full one"
fi
