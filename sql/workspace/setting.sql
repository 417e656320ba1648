-- What a workspace can be told: the kinds of sources with their fields, and the settings with their defaults.

CREATE TABLE segmentation.workspace_field (
  kind text NOT NULL,
  field text NOT NULL,
  place smallint NOT NULL,
  type text NOT NULL CHECK (type IN ('key', 'day', 'instant', 'number', 'text', 'boolean')),
  required boolean NOT NULL,
  columns text[] NOT NULL,
  about text NOT NULL,
  PRIMARY KEY (kind, field)
);
COMMENT ON TABLE segmentation.workspace_field IS
  'Fields of each kind of source of a workspace, for the mapping of add_source.';
COMMENT ON COLUMN segmentation.workspace_field.kind IS
  'Kind of source: purchases, purchase_lines, products, customers, attribute_history, companies, people, sites, '
  'contacts, interactions, consents, subscriptions.';
COMMENT ON COLUMN segmentation.workspace_field.field IS 'Name of the field: a key of the mapping.';
COMMENT ON COLUMN segmentation.workspace_field.place IS 'Order in which fields are listed.';
COMMENT ON COLUMN segmentation.workspace_field.type IS
  'key (the customer, of the workspace''s key type), day (date, timestamp or timestamptz), instant (likewise), number, '
  'text (any type), boolean.';
COMMENT ON COLUMN segmentation.workspace_field.required IS 'Whether a source of this kind must have it.';
COMMENT ON COLUMN segmentation.workspace_field.columns IS 'Column names that are found without a mapping, best first.';
COMMENT ON COLUMN segmentation.workspace_field.about IS 'What it means.';

INSERT INTO segmentation.workspace_field (kind, field, place, type, required, columns, about) VALUES
  ('purchases', 'customer', 1, 'key', true, '{customer_id,customer,client_id,id_client,id_customer,customer_no}',
    'Who bought.'),
  ('purchases', 'purchased_on', 2, 'day', true,
    '{purchased_on,ordered_on,order_date,purchased_at,ordered_at,purchase_date,date_commande,invoice_date}',
    'The day, or the instant, of the order.'),
  ('purchases', 'amount', 3, 'number', true, '{amount,total,turnover,revenue,montant,total_amount,order_total}',
    'What the order brought; negative is a refund. One row is one order.'),
  ('purchases', 'order', 4, 'text', false, '{order_id,order,order_number,order_no,id_commande}',
    'The number of the order: rows with one number are one order, refunds taken off.'),
  ('purchases', 'refund_of', 5, 'text', false, '{refund_of,refunded_order_id,refunded_order,original_order_id}',
    'Of a refund with a number of its own: the number of the order that it belongs to.'),
  ('purchases', 'currency', 6, 'text', false, '{currency,currency_code,devise}',
    'The currency of the amount, as EUR: converted by the rates in currency_rate. None: that of the workspace.'),
  ('purchase_lines', 'customer', 1, 'key', true, '{customer_id,customer,client_id,id_client,id_customer,customer_no}',
    'Who bought.'),
  ('purchase_lines', 'purchased_on', 2, 'day', true,
    '{purchased_on,ordered_on,order_date,purchased_at,ordered_at,purchase_date,date_commande,invoice_date}',
    'The day, or the instant, of the order.'),
  ('purchase_lines', 'order', 3, 'text', true, '{order_id,order,basket_id,id_commande,order_no,invoice_id,invoice_no}',
    'The order that a line belongs to: lines are netted by it where no purchases are given.'),
  ('purchase_lines', 'product', 4, 'text', true, '{product_id,product,item_id,sku,id_produit,stock_code}',
    'What was bought.'),
  ('purchase_lines', 'amount', 5, 'number', true, '{amount,total,turnover,revenue,sales_value,montant,line_total}',
    'What the line brought; negative is a return.'),
  ('purchase_lines', 'quantity', 6, 'number', false, '{quantity,qty,quantite}', 'Pieces.'),
  ('purchase_lines', 'refund_of', 7, 'text', false, '{refund_of,refunded_order_id,refunded_order,original_order_id}',
    'Of a return with a number of its own: the number of the order that it belongs to.'),
  ('purchase_lines', 'currency', 8, 'text', false, '{currency,currency_code,devise}',
    'The currency of the amount, as EUR: converted by the rates in currency_rate. None: that of the workspace.'),
  ('products', 'product', 1, 'text', true, '{product_id,product,item_id,sku,id_produit,stock_code}',
    'The product, as in purchase_lines. One row a product.'),
  ('products', 'category', 2, 'text', false, '{category,category_id,product_category,categorie,category_name}',
    'Its category.'),
  ('products', 'name', 3, 'text', false, '{name,product_name,label,product,libelle,description}',
    'What to call it, in customer_products, explain and bi_top_products.'),
  ('products', 'margin', 4, 'number', false, '{margin,marge}',
    'Gross margin, a share of the price: for product_rank_by and product_margin_floor.'),
  ('products', 'price', 5, 'number', false, '{price,prix}',
    'List price. With margin it makes what one purchase brings.'),
  ('products', 'stock', 6, 'number', false, '{stock,units_in_stock}',
    'Pieces in stock: what is at 0 or below is not offered.'),
  ('customers', 'customer', 1, 'key', true, '{customer_id,customer,client_id,id_client,id_customer,customer_no}',
    'The customer. One row a customer; all other columns are attributes.'),
  ('customers', 'birth_date', 2, 'day', false, '{birth_date,date_of_birth,date_naissance}',
    'Birthday, for the anniversary; its year becomes the attribute birth_year.'),
  ('attribute_history', 'customer', 1, 'key', true,
    '{customer_id,customer,client_id,id_client,id_customer,customer_no}',
    'Whose attribute changed.'),
  ('attribute_history', 'attribute', 2, 'text', true, '{attribute,attribut}', 'Which attribute.'),
  ('attribute_history', 'changed_on', 3, 'day', true, '{changed_on,changed_at}', 'When it was written down.'),
  ('attribute_history', 'old_value', 4, 'text', false, '{old_value}', 'Before.'),
  ('attribute_history', 'new_value', 5, 'text', true, '{new_value}', 'After.'),
  ('companies', 'customer', 1, 'key', true,
    '{customer_id,customer,client_id,id_client,id_customer,customer_no,company_id,id_company,id_societe,siren}',
    'The customer that is a company. One row a customer; all other columns are attributes, under "company".'),
  ('people', 'customer', 1, 'key', true, '{company_id,id_company,id_societe,account_id,customer_id,customer,siren}',
    'The company that the person is of.'),
  ('people', 'person', 2, 'text', true, '{person_id,contact_id,person,id_contact,id_personne}', 'The person.'),
  ('people', 'name', 3, 'text', false, '{name,full_name,nom}', 'Name.'),
  ('people', 'email', 4, 'text', false, '{email,e_mail,email_address,courriel,mail}', 'Address of e-mail.'),
  ('people', 'phone', 5, 'text', false, '{phone,telephone,mobile}', 'Telephone.'),
  ('people', 'title', 6, 'text', false, '{title,job_title,fonction,poste,position}',
    'Title of the job: rank, function and part in a purchase are read from it.'),
  ('people', 'relation', 7, 'text', false, '{relation,role}', 'What the person is to you, as you say it.'),
  ('sites', 'customer', 1, 'key', true, '{company_id,id_company,id_societe,account_id,customer_id,customer,siren}',
    'The company that the site is of.'),
  ('sites', 'site', 2, 'text', true, '{site_id,site,siret,id_site,id_etablissement}', 'The site.'),
  ('sites', 'name', 3, 'text', false, '{name,site_name,nom,enseigne}', 'Name.'),
  ('sites', 'latitude', 4, 'number', false, '{latitude,lat}', 'Latitude, for the distance.'),
  ('sites', 'longitude', 5, 'number', false, '{longitude,lon,lng}', 'Longitude.'),
  ('contacts', 'customer', 1, 'key', true, '{customer_id,customer,client_id,id_client,id_customer,customer_no}',
    'Who was contacted.'),
  ('contacts', 'channel', 2, 'text', true, '{channel,canal}', 'By which channel.'),
  ('contacts', 'sent_at', 3, 'instant', true, '{sent_at,sent_on,contacted_at}', 'When.'),
  ('contacts', 'response', 4, 'text', false, '{response,reponse}',
    'click, reply, visit or purchase; null for none. An open is not a response.'),
  ('contacts', 'responded_at', 5, 'instant', false, '{responded_at}', 'When the response came.'),
  ('contacts', 'person', 6, 'text', false, '{}', 'In a workspace of companies: which person, of a source of people.'),
  ('interactions', 'customer', 1, 'key', true, '{customer_id,customer,client_id,id_client,id_customer,customer_no}',
    'Who.'),
  ('interactions', 'kind', 2, 'text', true, '{kind,type}', 'Visit, support call, and so on.'),
  ('interactions', 'occurred_at', 3, 'instant', true, '{occurred_at,occurred_on,created_at}', 'When.'),
  ('interactions', 'person', 4, 'text', false, '{}',
    'In a workspace of companies: which person, of a source of people.'),
  ('consents', 'customer', 1, 'key', true, '{customer_id,customer,client_id,id_client,id_customer,customer_no}',
    'Who.'),
  ('consents', 'channel', 2, 'text', true, '{channel,canal}', 'For which channel.'),
  ('consents', 'granted', 3, 'boolean', true, '{granted,consent,opt_in}',
    'Given, as opposed to withdrawn. Null is no consent.'),
  ('consents', 'changed_on', 4, 'day', true, '{changed_on,changed_at}',
    'From when on. The last one up to a day holds on that day; of several on one day, a refusal holds.'),
  ('subscriptions', 'customer', 1, 'key', true, '{customer_id,customer,client_id,id_client,id_customer,customer_no}',
    'Who subscribed.'),
  ('subscriptions', 'started_on', 2, 'day', true, '{started_on,started_at,start_date}', 'First day.'),
  ('subscriptions', 'ended_on', 3, 'day', false, '{ended_on,ended_at,end_date}',
    'The day on which it ends or ended, null if none is set. One in the future is a notice given.'),
  ('subscriptions', 'plan', 4, 'text', false, '{plan,offer,formule}',
    'Which one: the probability that it ends is by plan, where there are from 2 to 50.'),
  ('subscriptions', 'price', 5, 'number', false, '{price,prix}', 'Price of a month.');

CREATE TABLE segmentation.workspace_setting (
  name text PRIMARY KEY,
  place smallint NOT NULL,
  type text NOT NULL CHECK (type IN ('boolean', 'integer', 'number', 'interval', 'text', 'object', 'array')),
  default_value jsonb NOT NULL,
  least double precision,
  greatest double precision,
  choices text[],
  about text NOT NULL
);
COMMENT ON TABLE segmentation.workspace_setting IS
  'Settings of a workspace with their defaults, for workspace_settings.';
COMMENT ON COLUMN segmentation.workspace_setting.name IS 'Name of the setting.';
COMMENT ON COLUMN segmentation.workspace_setting.place IS 'Order in which settings are listed.';
COMMENT ON COLUMN segmentation.workspace_setting.type IS
  'Type of the value; an interval is a jsonb string. null is "not set" where the default is null.';
COMMENT ON COLUMN segmentation.workspace_setting.default_value IS 'What holds if nothing is set.';
COMMENT ON COLUMN segmentation.workspace_setting.least IS 'Least number, or least days of an interval.';
COMMENT ON COLUMN segmentation.workspace_setting.greatest IS 'Greatest number, or most days of an interval.';
COMMENT ON COLUMN segmentation.workspace_setting.choices IS 'The texts that are possible, alone or in an array.';
COMMENT ON COLUMN segmentation.workspace_setting.about IS 'What it does.';

INSERT INTO segmentation.workspace_setting (place, name, type, default_value, least, greatest, choices, about) VALUES
  (10, 'language', 'text', '"en"', NULL, NULL, NULL,
    'Language of labels in the views for BI: en, fr, or one of your own in the table label.'),
  (11, 'currency', 'text', '"EUR"', NULL, NULL, NULL,
    'Currency of all amounts, as shown; what is in another one is converted by the table currency_rate.'),
  (12, 'retrain_after', 'interval', '"30 days"', 1, 3660, NULL,
    'A refresh trains anew when the parameter set in use is older.'),
  (13, 'promote_tolerance', 'number', '0.02', 0, 1, NULL,
    'A new parameter set comes into use if its back-tested Brier score of churn is at most this share worse than that '
    'of the one in use.'),
  (14, 'keep_parameter_sets', 'integer', '12', 2, 1000, NULL, 'Parameter sets kept for a roll-back.'),
  (15, 'source_silence', 'text', '"auto"', NULL, NULL, NULL,
    'A refresh holds when the newest purchase is older than this: auto (twice the longest time without a purchase in '
    '13 months, a week at least), an interval, or off. It holds at once.'),
  (16, 'bad_rows', 'text', '"refuse"', NULL, NULL, '{refuse,skip}',
    'Rows of sources that are wrong (a number that is none, a day out of range, an unknown response): refuse stops the '
    'refresh and names one, skip leaves them out and counts them.'),
  (17, 'not_products', 'array', '[]', NULL, NULL, NULL,
    'Lines that are no products (postage, bank charges, adjustments), by what stands in their field product, with * '
    'for anything: ["POST", "gift_*"]. No product is made of them, nor a purchase of them alone; line_suggestions '
    'finds some.'),
  (18, 'not_products_count', 'boolean', 'true', NULL, NULL, NULL,
    'Whether what was charged by lines of not_products counts in turnover.'),
  (19, 'minor_units', 'boolean', 'false', NULL, NULL, NULL,
    'Whether amounts and prices of the sources are in minor units (cents): 1999 is 19.99, of yen 1999.'),
  (20, 'minimum_buyers', 'integer', '100', 1, 1e9, NULL,
    'With fewer customers who bought, the axes from purchases read insufficient_data.'),
  (21, 'minimum_repeaters', 'integer', '30', 1, 1e9, NULL,
    'With fewer customers who bought on two days or more, churn, loyalty and future_value read insufficient_data.'),
  (22, 'minimum_history', 'interval', '"180 days"', 1, 36600, NULL,
    'With a shorter log of purchases, churn, loyalty and future_value read insufficient_data.'),
  (23, 'train_customers', 'integer', 'null', 1000, 1e9, NULL,
    'About how many customers a training looks at, chosen by a hash of their keys, whoever reads them; null: all.'),
  (30, 'rfm_bins', 'integer', '5', 2, 10, NULL, 'Bins of RFM scores.'),
  (31, 'rfm_rule', 'text', '"quantile"', NULL, NULL, '{quantile,r_rfm}', 'Rule of RFM cut points.'),
  (32, 'rfm_map', 'text', '"classic_11"', NULL, NULL, NULL,
    'Map from RFM codes to segments: a map of rfm_map with as many bins.'),
  (40, 'pmg_mode', 'text', '"rank"', NULL, NULL, '{rank,cumulative}',
    'PMG limits by rank of customers, or by cumulative turnover.'),
  (41, 'pmg_gros', 'number', 'null', 0, 1, NULL,
    'Cumulative share that makes a customer G; null: .05 by rank, .80 by turnover.'),
  (42, 'pmg_moyens', 'number', 'null', 0, 1, NULL,
    'Cumulative share that makes a customer M; null: .20 by rank, .95 by turnover.'),
  (43, 'pmg_months', 'integer', '12', 1, 120, NULL, 'Months of turnover that PMG looks at, up to as_of.'),
  (50, 'purchase_family', 'text', '"auto"', NULL, NULL, '{auto,nbd,bg_nbd,mbg_nbd,pareto_nbd}',
    'Family of the purchase model.'),
  (49, 'churn_of', 'text', '"purchases"', NULL, NULL, '{purchases,subscriptions}',
    'What churn is about: that no purchase comes within the horizon, or that all subscriptions of the customer end '
    'within it. Of who has no subscription running, lost.'),
  (51, 'churn_horizon', 'interval', '"90 days"', 1, 3660, NULL,
    'churn looks at the probability of no purchase (or of the end of all subscriptions) within this time.'),
  (52, 'churn_medium', 'number', '0.33', 0, 1, NULL, 'medium from this probability on.'),
  (53, 'churn_high', 'number', '0.66', 0, 1, NULL, 'high from this probability on.'),
  (54, 'churn_lost_horizon', 'interval', '"365 days"', 1, 3660, NULL,
    'lost looks at the probability of no purchase within this time.'),
  (55, 'churn_lost', 'number', '0.95', 0, 1, NULL,
    'lost where, as verified on days of the past, at least this share stays away for churn_lost_horizon.'),
  (60, 'loyalty_weights', 'object', '{}', NULL, NULL, NULL,
    'Weights of the components of the loyalty index; see loyalty.'),
  (61, 'satisfaction', 'text', 'null', NULL, NULL, NULL,
    'Attribute of customers that holds a satisfaction from 0 to 10 (NPS question), for loyalty.'),
  (62, 'share_of_wallet', 'text', 'null', NULL, NULL, NULL,
    'Attribute that holds the share of wallet, from 0 to 1, for loyalty.'),
  (63, 'potential', 'text', 'null', NULL, NULL, NULL,
    'Attribute that holds what a customer could spend in 12 months: share of wallet is the turnover of 12 months over '
    'it. share_of_wallet wins.'),
  (70, 'value_horizon', 'interval', '"365 days"', 1, 3660, NULL, 'future_value is expected over this time.'),
  (71, 'value_discount_rate', 'number', '0.10', 0, 10, NULL, 'Yearly discount rate of future_value.'),
  (72, 'value_margin', 'number', '1', 0, 1, NULL, 'Share of turnover that future_value counts.'),
  (73, 'value_high', 'number', '0.80', 0, 1, NULL,
    'high: customers who together bring this share of all future value.'),
  (74, 'value_medium', 'number', '0.95', 0, 1, NULL, 'medium: customers up to this share.'),
  (80, 'product_level', 'text', '"product"', NULL, NULL, '{product,category}',
    'What product_appetence offers: products or categories.'),
  (81, 'product_horizon', 'interval', '"28 days"', 1, 366, NULL,
    'Probabilities of product_appetence are over this time.'),
  (89, 'product_next_basket', 'boolean', 'false', NULL, NULL, NULL,
    'Offers are ranked by, and probabilities are of, being in the next basket, learnt from those within '
    'product_horizon.'),
  (82, 'product_offers', 'integer', '5', 1, 100, NULL, 'Best offers kept for each customer, in customer_products.'),
  (79, 'product_repeat_unless_due', 'number', '0.1', 0, 1, NULL,
    'From this probability on, what was bought before is offered without being due within product_horizon; 0: always.'),
  (83, 'product_exclude', 'array', '[]', NULL, NULL, NULL, 'Products or categories that are never offered.'),
  (84, 'product_exclude_categories', 'array', '[]', NULL, NULL, NULL, 'Categories whose products are never offered.'),
  (85, 'product_owned_for_good', 'array', '[]', NULL, NULL, NULL,
    'Products or categories that nobody buys twice: not offered to who has them.'),
  (86, 'product_in_stock', 'boolean', 'true', NULL, NULL, NULL,
    'Whether what is out of stock is left out of the offers, where a source of products says so.'),
  (87, 'product_rank_by', 'text', '"score"', NULL, NULL, '{score,probability,value}',
    'What offers are ranked by; value is probability x margin x price, from a source of products.'),
  (88, 'product_margin_floor', 'number', 'null', 0, 1e9, NULL,
    'Offers whose margin (margin x price) is below this, or not known, are left out; null: none.'),
  (90, 'channel_margin', 'number', '20', 0, 1e9, NULL, 'What one response brings, for ranking channels by value.'),
  (91, 'channel_costs', 'object', '{}', NULL, NULL, NULL, 'Cost of one contact by channel, as {"mail": 0.8}.'),
  (92, 'channel_caps', 'object', '{}', NULL, NULL, NULL,
    'Contact pressure: at most n contacts in d days by channel, as {"sms": {"contacts": 2, "days": 30}}.'),
  (93, 'channel_assumes_consent', 'boolean', 'false', NULL, NULL, NULL,
    'Without a source of consents, nobody may be contacted; true says that everybody may.'),
  (100, 'profile_features', 'array', 'null', NULL, NULL, NULL,
    'Attributes of customers that make profiles; null: numbers, booleans and texts of at most 20 values that go '
    'together with another of them.'),
  (101, 'profile_k', 'array', '[3, 8]', NULL, NULL, NULL, 'Least and greatest number of profiles.'),
  (102, 'profile_segment', 'text', 'null', NULL, NULL, NULL,
    'A registered segment that is the profile axis instead of clusters.'),
  (109, 'moments', 'array', '["purchase_due", "first_purchase", "reactivated", "anniversary", "attributes"]',
    NULL, NULL, '{purchase_due,waning_interest,first_purchase,reactivated,anniversary,attributes}',
    'What life_moment looks for, beside moment_categories. waning_interest is off: of ten purchases in some years it '
    'finds next to nobody.'),
  (110, 'moment_ahead', 'interval', '"14 days"', 1, 366, NULL, 'How many days ahead an anniversary shows.'),
  (111, 'moment_false_discoveries', 'number', '0.10', 0, 1, NULL,
    'Accepted share of false alarms among waning_interest.'),
  (112, 'moment_options', 'object', '{}', NULL, NULL, NULL, 'Options of the life moment functions.'),
  (113, 'moment_categories', 'object', '{}', NULL, NULL, NULL,
    'Categories of products that mark a moment, as {"birth": ["baby"], "holiday_ahead": ["travel"]}: holiday_ahead by '
    'the same weeks of other years, any other by the first purchases.'),
  (114, 'moment_calendar', 'array', '[]', NULL, NULL, NULL,
    'School or public holidays for holiday_ahead, as [{"name": "summer", "begins": "2026-07-04", "ends": '
    '"2026-08-31"}], of several years.'),
  (120, 'notify', 'boolean', 'false', NULL, NULL, NULL,
    'Whether a publication sends NOTIFY segmentation with the workspace''s name.');

-- Days without any purchase after which a refresh holds, by the setting source_silence, or by the shop's own rhythm:
-- the longest of the gaps between days with a purchase. A pause of a week is none, in any shop; a rhythm is that of
-- five gaps at least; and a shop may pause for twice as long as it ever did.
CREATE FUNCTION segmentation_internal.silence_allowed(setting text, gaps bigint, longest integer) RETURNS integer
  LANGUAGE sql IMMUTABLE PARALLEL SAFE
  RETURN CASE
    WHEN setting = 'off' THEN NULL
    WHEN setting <> 'auto' THEN floor(extract(epoch FROM setting::interval) / 86400)::integer
    WHEN gaps IS NULL THEN 7
    WHEN gaps < 5 THEN NULL
    ELSE greatest(7, 2 * longest) END;
COMMENT ON FUNCTION segmentation_internal.silence_allowed(text, bigint, integer) IS
  'Part of refresh: days without a purchase that are allowed, given the gaps there were, or (NULL) the least of all; '
  'NULL if any number is.';
