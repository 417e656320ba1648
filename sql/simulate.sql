-- simulate_shop: a seeded generator of a plausible retailer, with its hidden truth.

-- One set-returning function a table. A row depends on the arguments and its customer only, so any
-- range of customers can be made, in any order, by any worker.

CREATE FUNCTION segmentation.simulate_options(options jsonb) RETURNS jsonb
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'simulate_options_wrapper';
COMMENT ON FUNCTION segmentation.simulate_options(jsonb) IS
  'The options of simulate_shop, checked, with the defaults of those left out.';

CREATE FUNCTION segmentation_internal.simulate_customer_limit() RETURNS integer
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'simulate_customer_limit_wrapper';
COMMENT ON FUNCTION segmentation_internal.simulate_customer_limit() IS 'The most customers that simulate_shop makes.';

CREATE FUNCTION segmentation_internal.simulate_categories() RETURNS TABLE (category_id smallint, category text)
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE ROWS 14 AS 'MODULE_PATHNAME', 'simulate_categories_wrapper';
COMMENT ON FUNCTION segmentation_internal.simulate_categories() IS 'Product categories of a simulated shop.';

CREATE FUNCTION segmentation_internal.simulate_products(seed bigint, starts date, ends date, options jsonb)
RETURNS TABLE (
  product_id integer, category_id smallint, product text, kind text, price numeric,
  margin double precision, stock integer, style smallint, popularity double precision, lasts_days integer
)
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE ROWS 1000 AS 'MODULE_PATHNAME', 'simulate_products_wrapper';
COMMENT ON FUNCTION segmentation_internal.simulate_products(bigint, date, date, jsonb) IS
  'Products of a simulated shop, with their hidden style, popularity and duration.';

CREATE FUNCTION segmentation_internal.simulate_campaigns(seed bigint, starts date, ends date, options jsonb)
RETURNS TABLE (
  campaign_id integer, channel text, sent_on date, category_id smallint
)
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE ROWS 150 AS 'MODULE_PATHNAME', 'simulate_campaigns_wrapper';
COMMENT ON FUNCTION segmentation_internal.simulate_campaigns(bigint, date, date, jsonb) IS
  'Campaigns of a simulated shop: one a week.';

CREATE FUNCTION segmentation.simulate_customers(
  seed bigint, first integer, last integer, starts date, ends date, options jsonb
) RETURNS TABLE (
  customer_id integer, registered_on date, is_company boolean, first_name text, last_name text,
  email text, phone text, city text, postcode text, acquisition_channel text, birth_date date, sex text,
  marital_status text, household_size smallint, income_band smallint, occupation_code text,
  company_name text, siren text, naf_code text, headcount_band text
)
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE ROWS 1000 AS 'MODULE_PATHNAME', 'simulate_customers_wrapper';
COMMENT ON FUNCTION segmentation.simulate_customers(bigint, integer, integer, date, date, jsonb) IS
  'Simulated customers, numbers first to last, as the shop knows them at the end.';

CREATE FUNCTION segmentation_internal.simulate_attribute_history(
  seed bigint, first integer, last integer, starts date, ends date, options jsonb
) RETURNS TABLE (
  customer_id integer, attribute text, changed_on date, old_value text, new_value text
)
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE ROWS 100 AS 'MODULE_PATHNAME', 'simulate_attribute_history_wrapper';
COMMENT ON FUNCTION segmentation_internal.simulate_attribute_history(bigint, integer, integer, date, date, jsonb) IS
  'Changes of attributes of simulated customers.';

CREATE FUNCTION segmentation.simulate_orders(
  seed bigint, first integer, last integer, starts date, ends date, options jsonb
) RETURNS TABLE (
  order_id bigint, customer_id integer, ordered_on date, ordered_at timestamptz, amount numeric,
  channel text, refund_of bigint
)
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE ROWS 10000 AS 'MODULE_PATHNAME', 'simulate_orders_wrapper';
COMMENT ON FUNCTION segmentation.simulate_orders(bigint, integer, integer, date, date, jsonb) IS
  'Orders and refunds of simulated customers.';

CREATE FUNCTION segmentation.simulate_order_lines(
  seed bigint, first integer, last integer, starts date, ends date, options jsonb
) RETURNS TABLE (
  order_id bigint, line smallint, customer_id integer, ordered_on date, product_id integer,
  quantity integer, amount numeric
)
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE ROWS 20000 AS 'MODULE_PATHNAME', 'simulate_order_lines_wrapper';
COMMENT ON FUNCTION segmentation.simulate_order_lines(bigint, integer, integer, date, date, jsonb) IS
  'Order lines of simulated customers.';

CREATE FUNCTION segmentation_internal.simulate_consents(
  seed bigint, first integer, last integer, starts date, ends date, options jsonb
) RETURNS TABLE (
  customer_id integer, channel text, granted boolean, changed_on date
)
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE ROWS 6000 AS 'MODULE_PATHNAME', 'simulate_consents_wrapper';
COMMENT ON FUNCTION segmentation_internal.simulate_consents(bigint, integer, integer, date, date, jsonb) IS
  'Consents of simulated customers, given and withdrawn.';

CREATE FUNCTION segmentation.simulate_contacts(
  seed bigint, first integer, last integer, starts date, ends date, options jsonb
) RETURNS TABLE (
  contact_id bigint, customer_id integer, campaign_id integer, channel text, sent_at timestamptz,
  opened boolean, response text, responded_at timestamptz
)
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE ROWS 10000 AS 'MODULE_PATHNAME', 'simulate_contacts_wrapper';
COMMENT ON FUNCTION segmentation.simulate_contacts(bigint, integer, integer, date, date, jsonb) IS
  'Messages of campaigns to simulated customers, and the responses.';

CREATE FUNCTION segmentation_internal.simulate_interactions(
  seed bigint, first integer, last integer, starts date, ends date, options jsonb
) RETURNS TABLE (
  interaction_id bigint, customer_id integer, kind text, occurred_at timestamptz,
  category_id smallint
)
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE ROWS 5000 AS 'MODULE_PATHNAME', 'simulate_interactions_wrapper';
COMMENT ON FUNCTION segmentation_internal.simulate_interactions(bigint, integer, integer, date, date, jsonb) IS
  'Visits and support calls of simulated customers.';

CREATE FUNCTION segmentation_internal.simulate_subscriptions(
  seed bigint, first integer, last integer, starts date, ends date, options jsonb
) RETURNS TABLE (
  customer_id integer, plan text, price numeric, started_on date, ended_on date
)
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE ROWS 200 AS 'MODULE_PATHNAME', 'simulate_subscriptions_wrapper';
COMMENT ON FUNCTION segmentation_internal.simulate_subscriptions(bigint, integer, integer, date, date, jsonb) IS
  'Subscriptions of simulated customers.';

CREATE FUNCTION segmentation_internal.simulate_truth_customers(
  seed bigint, first integer, last integer, starts date, ends date, options jsonb
) RETURNS TABLE (
  customer_id integer, profile text, is_buyer boolean, purchase_rate double precision,
  regularity smallint, lifetime_ends date, mean_spend double precision, tastes real[], style smallint,
  response_rates real[], preferred_channel text, preferred_hour smallint, prefers_weekend boolean,
  digital_share double precision, price_sensitivity double precision, subscription_hazard double precision
)
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE ROWS 1000 AS 'MODULE_PATHNAME', 'simulate_truth_customers_wrapper';
COMMENT ON FUNCTION segmentation_internal.simulate_truth_customers(bigint, integer, integer, date, date, jsonb) IS
  'The hidden truth of simulated customers.';

CREATE FUNCTION segmentation_internal.simulate_truth_moments(
  seed bigint, first integer, last integer, starts date, ends date, options jsonb
) RETURNS TABLE (
  customer_id integer, moment text, begins date, ends date, happens_on date, recorded_on date
)
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE ROWS 3000 AS 'MODULE_PATHNAME', 'simulate_truth_moments_wrapper';
COMMENT ON FUNCTION segmentation_internal.simulate_truth_moments(bigint, integer, integer, date, date, jsonb) IS
  'The hidden life moments of simulated customers.';

CREATE FUNCTION segmentation_internal.simulate_truth_repeats(
  seed bigint, first integer, last integer, starts date, ends date, options jsonb
) RETURNS TABLE (
  customer_id integer, product_id integer, gap_days integer
)
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE ROWS 1500 AS 'MODULE_PATHNAME', 'simulate_truth_repeats_wrapper';
COMMENT ON FUNCTION segmentation_internal.simulate_truth_repeats(bigint, integer, integer, date, date, jsonb) IS
  'The consumables that simulated customers buy again and again, and how often.';

CREATE FUNCTION segmentation.simulate_shop(
  schema text,
  customers integer,
  seed bigint DEFAULT 1,
  starts date DEFAULT '2023-01-01',
  ends date DEFAULT '2025-12-31',
  options jsonb DEFAULT '{}'
) RETURNS TABLE (relation text, rows bigint)
  LANGUAGE plpgsql VOLATILE
  SET search_path = pg_catalog, pg_temp
AS $simulate_shop$
DECLARE
  settings jsonb;
  unlogged text;
  -- The customers, a thousand a call: their rows fit in work_mem, and a call's preparation does not count.
  per_call CONSTANT integer := 1000;
  source text;
  step record;
  made text[] := '{}';
  taken text;
BEGIN
  IF schema IS NULL OR customers IS NULL OR seed IS NULL OR starts IS NULL OR ends IS NULL OR options IS NULL THEN
    RAISE null_value_not_allowed USING
      MESSAGE = 'arguments of simulate_shop must not be null',
      HINT = 'Leave an argument out to have its default.';
  END IF;
  IF customers NOT BETWEEN 1 AND segmentation_internal.simulate_customer_limit() THEN
    RAISE invalid_parameter_value USING
      MESSAGE = 'number of customers out of range',
      DETAIL = format('%s customers were asked for; from 1 to %s are possible.',
                      customers, segmentation_internal.simulate_customer_limit());
  END IF;
  IF schema = '' OR octet_length(schema) > 63 THEN
    RAISE invalid_schema_name USING
      MESSAGE = format('invalid schema name %I', schema),
      DETAIL = 'A schema name has from 1 to 63 bytes.';
  END IF;
  settings := segmentation.simulate_options(options);
  unlogged := CASE WHEN (settings ->> 'unlogged')::boolean THEN 'UNLOGGED ' ELSE '' END;
  -- Refuses an impossible period before anything is made.
  PERFORM FROM segmentation_internal.simulate_campaigns(seed, starts, ends, settings);

  IF EXISTS (SELECT FROM pg_namespace AS n WHERE n.nspname = schema) THEN
    SELECT string_agg(quote_ident(c.relname), ', ' ORDER BY c.relname) INTO taken
    FROM pg_class AS c
    JOIN pg_namespace AS n ON n.oid = c.relnamespace
    WHERE n.nspname = schema
      AND c.relname = ANY (ARRAY[
        'categories', 'products', 'customers', 'attribute_history', 'orders', 'order_lines', 'consents',
        'campaigns', 'contacts', 'interactions', 'subscriptions', 'truth_customers', 'truth_moments',
        'truth_repeats', 'truth_products', 'truth_tastes', 'truth_channels']);
    IF taken IS NOT NULL THEN
      RAISE duplicate_table USING
        MESSAGE = format('schema %I already holds relations of a shop', schema),
        DETAIL = format('It has %s.', taken),
        HINT = 'Give another schema, or drop that one first.';
    END IF;
  ELSE
    EXECUTE format('CREATE SCHEMA %I', schema);
    EXECUTE format('COMMENT ON SCHEMA %I IS %L', schema,
      format('A simulated shop: %s customers, seed %s, %s to %s.', customers, seed,
             to_char(starts, 'YYYY-MM-DD'), to_char(ends, 'YYYY-MM-DD')));
  END IF;

  -- name: table; makes: its columns; maker: the function, of the shop or of ranges of customers; sorted:
  -- the order of time; keys: its primary key; required: further columns without nulls.
  FOR step IN
    SELECT * FROM (VALUES
      (1, 'categories', 'category_id, category', 'segmentation_internal.simulate_categories', 'none', NULL,
       'category_id', '{category}'::text[], NULL,
       'Product categories.'),
      (2, 'products',
        'product_id, category_id, product, kind, price::numeric(10,2) AS price, margin::numeric(4,3) AS margin, stock',
       'segmentation_internal.simulate_products', 'shop', NULL,
       'product_id', '{category_id,product,kind,price,margin,stock}', NULL,
       'Products on sale.'),
      (3, 'campaigns', 'campaign_id, channel, sent_on, category_id', 'segmentation_internal.simulate_campaigns', 'shop',
        NULL,
       'campaign_id', '{channel,sent_on,category_id}', 'contacts',
       'Marketing campaigns: one message, by one channel, on one day.'),
      (4, 'customers', '*', 'segmentation.simulate_customers', 'customers', NULL,
       'customer_id', '{registered_on,is_company,first_name,last_name,email,phone,city,postcode,acquisition_channel}',
         NULL,
       'Persons and companies, as the shop knows them at the end of the period.'),
      (5, 'attribute_history', '*', 'segmentation_internal.simulate_attribute_history', 'customers', NULL,
       'customer_id, attribute, changed_on', '{old_value,new_value}', 'attribute_history',
       'Changes of attributes that the shop wrote down.'),
      (6, 'orders',
        'order_id, customer_id, ordered_on, ordered_at, amount::numeric(12,2) AS amount, channel, refund_of',
       'segmentation.simulate_orders', 'customers', 'ordered_at, order_id',
       'order_id', '{customer_id,ordered_on,ordered_at,amount,channel}', NULL,
       'Orders; refunds are orders with a negative amount.'),
      (7, 'order_lines',
        'order_id, line, customer_id, ordered_on, product_id, quantity, amount::numeric(12,2) AS amount',
       'segmentation.simulate_order_lines', 'customers', 'ordered_on, order_id, line',
       'order_id, line', '{customer_id,ordered_on,product_id,quantity,amount}', 'lines',
       'Lines of orders; they add up to the amount of their order.'),
      (8, 'consents', '*', 'segmentation_internal.simulate_consents', 'customers', NULL,
       'customer_id, channel, changed_on', '{granted}', 'consents',
       'Consents given and withdrawn; the last one up to a day holds on that day.'),
      (9, 'contacts', '*', 'segmentation.simulate_contacts', 'customers', 'sent_at, contact_id',
       'contact_id', '{customer_id,campaign_id,channel,sent_at}', 'contacts',
       'Messages sent, and the responses to them.'),
      (10, 'interactions', '*', 'segmentation_internal.simulate_interactions', 'customers',
        'occurred_at, interaction_id',
       'interaction_id', '{customer_id,kind,occurred_at}', 'interactions',
       'Visits and calls of customers.'),
      (11, 'subscriptions', 'customer_id, plan, price::numeric(10,2) AS price, started_on, ended_on',
       'segmentation_internal.simulate_subscriptions', 'customers', NULL,
       'customer_id', '{plan,price,started_on}', 'subscriptions',
       'Subscriptions.'),
      (12, 'truth_customers', '*', 'segmentation_internal.simulate_truth_customers', 'customers', NULL,
       'customer_id',
         '{profile,is_buyer,tastes,style,response_rates,preferred_channel,preferred_hour,prefers_weekend,'
         'digital_share,price_sensitivity,subscription_hazard}', NULL,
       'Hidden truth: who each customer is and how it buys.'),
      (13, 'truth_moments', '*', 'segmentation_internal.simulate_truth_moments', 'customers', NULL,
       'customer_id, moment, begins', '{happens_on}', NULL,
       'Hidden truth: what happens in each customer''s life, and when.'),
      (14, 'truth_repeats', '*', 'segmentation_internal.simulate_truth_repeats', 'customers', NULL,
       'customer_id, product_id', '{gap_days}', 'lines',
       'Hidden truth: the consumables that each customer buys again and again.'),
      (15, 'truth_products', 'product_id, style, popularity, lasts_days', 'segmentation_internal.simulate_products',
        'shop', NULL,
       'product_id', '{style,popularity}', NULL,
       'Hidden truth: what makes a product liked, and how long it lasts.')
    ) AS s (place, name, makes, maker, scope, sorted, keys, required, setting, about)
    WHERE s.setting IS NULL OR (settings ->> s.setting)::boolean
    ORDER BY s.place
  LOOP
    source := CASE step.scope
      WHEN 'none' THEN format('FROM %s() AS made', step.maker)
      WHEN 'shop' THEN
        format('FROM %s(%L, %L, %L, %L) AS made', step.maker, seed, starts, ends, settings)
      ELSE
        format('FROM pg_catalog.generate_series(1, %s, %s) AS batch (first) CROSS JOIN LATERAL '
               '%s(%L, batch.first, LEAST(batch.first + %s, %s), %L, %L, %L) AS made',
               customers, per_call, step.maker, seed, per_call - 1, customers, starts, ends, settings)
      END;
    EXECUTE format('CREATE %sTABLE %I.%I AS SELECT %s %s %s',
      unlogged, schema, step.name,
      CASE step.makes WHEN '*' THEN 'made.*' ELSE step.makes END,
      source,
      CASE WHEN step.sorted IS NOT NULL AND (settings ->> 'chronological')::boolean
        THEN 'ORDER BY ' || step.sorted ELSE '' END);
    GET DIAGNOSTICS rows = ROW_COUNT;
    EXECUTE format('ALTER TABLE %I.%I ADD PRIMARY KEY (%s), %s', schema, step.name, step.keys,
      (SELECT string_agg(format('ALTER COLUMN %I SET NOT NULL', r.name), ', ') FROM unnest(step.required) AS r (name)));
    EXECUTE format('COMMENT ON TABLE %I.%I IS %L', schema, step.name, step.about);
    EXECUTE format('ANALYZE %I.%I', schema, step.name);
    relation := step.name;
    made := made || step.name;
    RAISE NOTICE '%', format('%I.%I: %s rows', schema, step.name, rows);
    RETURN NEXT;
  END LOOP;

  EXECUTE format($view$
    CREATE VIEW %1$I.truth_tastes AS
    SELECT t.customer_id, t.category_id::smallint AS category_id, c.category, t.share
    FROM (SELECT customer_id, u.share, u.category_id
          FROM %1$I.truth_customers
          CROSS JOIN LATERAL pg_catalog.unnest(tastes) WITH ORDINALITY AS u (share, category_id)) AS t
    JOIN %1$I.categories AS c ON c.category_id = t.category_id
    $view$, schema);
  EXECUTE format($view$
    CREATE VIEW %1$I.truth_channels AS
    SELECT t.customer_id, u.channel, u.response_rate
    FROM %1$I.truth_customers AS t
    CROSS JOIN LATERAL ROWS FROM (
      pg_catalog.unnest(ARRAY['email', 'sms', 'mail', 'phone', 'push']),
      pg_catalog.unnest(t.response_rates)) AS u (channel, response_rate)
    $view$, schema);
  EXECUTE format('COMMENT ON VIEW %I.truth_tastes IS %L', schema,
    'Hidden truth: the share of each category among what a customer chooses, one row each.');
  EXECUTE format('COMMENT ON VIEW %I.truth_channels IS %L', schema,
    'Hidden truth: the mean response rate of a customer by channel, one row each.');

  FOR step IN
    SELECT s.name, s.col, s.about FROM (VALUES
      ('categories', 'category_id', 'From 1.'),
      ('categories', 'category', 'Code.'),
      ('products', 'product_id', 'From 1.'),
      ('products', 'category_id', 'Its category.'),
      ('products', 'product', 'Name.'),
      ('products', 'kind', 'consumable (used up and bought again) or durable.'),
      ('products', 'price', 'List price, in the currency unit.'),
      ('products', 'margin', 'Gross margin, a share of the price.'),
      ('products', 'stock', 'Pieces in stock at the end of the period.'),
      ('campaigns', 'campaign_id', 'From 1, in the order of time.'),
      ('campaigns', 'channel', 'email, sms, mail, phone or push.'),
      ('campaigns', 'sent_on', 'The day, in Europe/Paris.'),
      ('campaigns', 'category_id', 'The category it is about.'),
      ('customers', 'customer_id', 'From 1.'),
      ('customers', 'registered_on', 'Day of registration; a buyer''s first order is on this day.'),
      ('customers', 'is_company', 'A company, as opposed to a person.'),
      ('customers', 'first_name', 'First name of the person or of the company''s contact.'),
      ('customers', 'last_name', 'Last name of the same.'),
      ('customers', 'email', 'Address under a reserved domain: nobody gets it. Unique.'),
      ('customers', 'phone', 'Mobile number of a block kept for fiction. Not unique.'),
      ('customers', 'city', 'City.'),
      ('customers', 'postcode', 'Postcode, five digits.'),
      ('customers', 'acquisition_channel', 'search, social, store, referral, marketplace or sales.'),
      ('customers', 'birth_date', 'Birth date (persons).'),
      ('customers', 'sex', 'F or M (persons).'),
      ('customers', 'marital_status', 'single or married (persons).'),
      ('customers', 'household_size', 'Persons in the household (persons).'),
      ('customers', 'income_band', 'From 1, the lowest, to 5 (persons).'),
      ('customers', 'occupation_code', 'First digit of the INSEE PCS (CSP) code; 7 is retired (persons).'),
      ('customers', 'company_name', 'Name (companies).'),
      ('customers', 'siren', 'Nine digits that pass Luhn''s check; invented (companies). Unique.'),
      ('customers', 'naf_code', 'Activity, NAF rev. 2 (companies).'),
      ('customers', 'headcount_band', 'Headcount band, Sirene code (companies).'),
      ('attribute_history', 'customer_id', 'The customer.'),
      ('attribute_history', 'attribute', 'Column of customers.'),
      ('attribute_history', 'changed_on', 'The day it was written down, up to two weeks after it happened.'),
      ('attribute_history', 'old_value', 'As text.'),
      ('attribute_history', 'new_value', 'As text.'),
      ('orders', 'order_id', 'customer_id x 10000 + n, with n in the order of time.'),
      ('orders', 'customer_id', 'The customer.'),
      ('orders', 'ordered_on', 'The day, in Europe/Paris.'),
      ('orders', 'ordered_at', 'The instant.'),
      ('orders', 'amount', 'In the currency unit; negative for a refund; 0 for a free order.'),
      ('orders', 'channel', 'web, app, store or phone.'),
      ('orders', 'refund_of', 'The order that a refund pays back, in whole or in part.'),
      ('order_lines', 'order_id', 'The order.'),
      ('order_lines', 'line', 'From 1 within the order.'),
      ('order_lines', 'customer_id', 'The order''s customer.'),
      ('order_lines', 'ordered_on', 'The order''s day.'),
      ('order_lines', 'product_id', 'The product.'),
      ('order_lines', 'quantity', 'Pieces; negative in a refund.'),
      ('order_lines', 'amount', 'After discount, in the currency unit; negative in a refund.'),
      ('consents', 'customer_id', 'The customer.'),
      ('consents', 'channel', 'email, sms, mail, phone or push.'),
      ('consents', 'granted', 'Given, as opposed to withdrawn or never given.'),
      ('consents', 'changed_on', 'From this day on.'),
      ('contacts', 'contact_id', 'customer_id x 10000 + n, with n in the order of time.'),
      ('contacts', 'customer_id', 'The customer.'),
      ('contacts', 'campaign_id', 'The campaign.'),
      ('contacts', 'channel', 'The campaign''s channel.'),
      ('contacts', 'sent_at', 'The instant.'),
      ('contacts', 'opened',
        'An open was seen. Noise: mail programs open by themselves. Null where there are no opens.'),
      ('contacts', 'response', 'click, reply, visit or purchase; null for none.'),
      ('contacts', 'responded_at', 'The instant of the response.'),
      ('interactions', 'interaction_id', 'customer_id x 10000 + n, with n in the order of time.'),
      ('interactions', 'customer_id', 'The customer.'),
      ('interactions', 'kind', 'web_visit, store_visit or support.'),
      ('interactions', 'occurred_at', 'The instant.'),
      ('interactions', 'category_id', 'The category looked at (web visits).'),
      ('subscriptions', 'customer_id', 'The customer.'),
      ('subscriptions', 'plan', 'club, club_plus or pro.'),
      ('subscriptions', 'price', 'A month, in the currency unit.'),
      ('subscriptions', 'started_on', 'First day.'),
      ('subscriptions', 'ended_on', 'Last day; null while it runs.'),
      ('truth_customers', 'customer_id', 'The customer.'),
      ('truth_customers', 'profile', 'Hidden cluster.'),
      ('truth_customers', 'is_buyer', 'False for a prospect, who never buys.'),
      ('truth_customers', 'purchase_rate', 'Purchases a week while alive, over the seasons and without life moments.'),
      ('truth_customers', 'regularity', 'Erlang shape of the gaps; 1 is Poisson.'),
      ('truth_customers', 'lifetime_ends', 'The day the customer stops for good; may lie after the period.'),
      ('truth_customers', 'mean_spend', 'Mean amount of an order, in the currency unit.'),
      ('truth_customers', 'tastes',
        'Shares of the categories among what is chosen, by category_id; truth_tastes has them as rows.'),
      ('truth_customers', 'style', 'Products of this style are preferred.'),
      ('truth_customers', 'response_rates',
        'Mean response rates by email, sms, mail, phone and push; truth_channels has them as rows.'),
      ('truth_customers', 'preferred_channel', 'The channel with the highest response rate.'),
      ('truth_customers', 'preferred_hour', 'The hour, in Europe/Paris, around which the customer buys and answers.'),
      ('truth_customers', 'prefers_weekend', 'Answers rather at the weekend.'),
      ('truth_customers', 'digital_share', 'Probability that an order is placed on the web or in the app.'),
      ('truth_customers', 'price_sensitivity', 'From 0 to 1: discounts go up to 5 + 40 x this %.'),
      ('truth_customers', 'subscription_hazard', 'Monthly probability of ending a subscription.'),
      ('truth_moments', 'customer_id', 'The customer.'),
      ('truth_moments', 'moment',
        'holiday, holiday_ahead, moving, birth, marriage, retirement, company_move, waning_interest, dormant or '
        'reactivated.'),
      ('truth_moments', 'begins', 'First day on which it shows.'),
      ('truth_moments', 'ends', 'Last day; null if that lies after the period.'),
      ('truth_moments', 'happens_on', 'The day of the event itself.'),
      ('truth_moments', 'recorded_on', 'The day the shop wrote it into attribute_history, if it ever did.'),
      ('truth_repeats', 'customer_id', 'The customer.'),
      ('truth_repeats', 'product_id', 'The consumable.'),
      ('truth_repeats', 'gap_days', 'Days until the customer has used it up; bought at the next order after that.'),
      ('truth_products', 'product_id', 'The product.'),
      ('truth_products', 'style', 'Its style, 0 to 4.'),
      ('truth_products', 'popularity', 'From 0 to 1.'),
      ('truth_products', 'lasts_days', 'Days until a typical customer has used it up (consumables).')
    ) AS s (name, col, about)
    WHERE s.name = ANY (made)
  LOOP
    EXECUTE format('COMMENT ON COLUMN %I.%I.%I IS %L', schema, step.name, step.col, step.about);
  END LOOP;
END
$simulate_shop$;
COMMENT ON FUNCTION segmentation.simulate_shop(text, integer, bigint, date, date, jsonb) IS
  'Makes a schema with a simulated shop: customers, products, orders, lines, contacts and more, and the hidden truth '
  'behind them in tables truth_*. The same arguments make the same rows.';
