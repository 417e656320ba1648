-- Tables of shops as their public documentation has them, with a few rows: found, accepted, and read to the right turnover.
SET search_path = segmentation, public;
SET datestyle = ISO;
SET timezone = 'UTC';
SET client_min_messages = warning;
\set SHOW_CONTEXT never

CREATE SCHEMA prestashop;
SET search_path = prestashop, segmentation;
CREATE TABLE ps_customer (id_customer integer PRIMARY KEY, id_default_group integer, email text, firstname text, lastname text, birthday date, newsletter smallint, active smallint, deleted smallint, date_add timestamp);
CREATE TABLE ps_orders (id_order integer PRIMARY KEY, reference text, id_customer integer, id_currency integer, current_state integer, conversion_rate numeric(13,6), total_paid numeric(20,6), total_paid_tax_incl numeric(20,6), total_paid_tax_excl numeric(20,6), valid smallint, date_add timestamp, date_upd timestamp);
CREATE TABLE ps_order_detail (id_order_detail integer PRIMARY KEY, id_order integer, product_id integer, product_name text, product_quantity integer, unit_price_tax_incl numeric(20,6), total_price_tax_incl numeric(20,6), total_price_tax_excl numeric(20,6));
CREATE TABLE ps_product (id_product integer PRIMARY KEY, id_category_default integer, price numeric(20,6), reference text, active smallint);
INSERT INTO ps_customer SELECT c, 3, 'c' || c, 'A', 'B', '1980-01-01', 1, 1, (c = 3)::integer, '2024-01-01' FROM generate_series(1, 3) AS c;
INSERT INTO ps_product VALUES (1, 5, 10, 'a', 1), (2, 5, 20, 'b', 1);
INSERT INTO ps_orders VALUES (1, 'AAA', 1, 1, 2, 1, 24, 24, 20, 1, '2024-03-01 10:00', '2024-03-01'), (2, 'BBB', 2, 2, 2, 1.25, 60, 60, 50, 1, '2024-03-02 10:00', '2024-03-02'), (3, 'CCC', 2, 1, 6, 1, 99, 99, 80, 0, '2024-03-03 10:00', '2024-03-03');
INSERT INTO ps_order_detail VALUES (1, 1, 1, 'a', 2, 12, 24, 20), (2, 2, 2, 'b', 2, 30, 60, 50), (3, 3, 2, 'b', 1, 99, 99, 80);

CREATE SCHEMA woo;
SET search_path = woo, segmentation;
CREATE TABLE wp_posts ("ID" bigint PRIMARY KEY, post_type text, post_status text, post_date timestamp);
CREATE TABLE wp_postmeta (meta_id bigint PRIMARY KEY, post_id bigint, meta_key text, meta_value text);
CREATE TABLE wp_wc_order_stats (order_id bigint PRIMARY KEY, parent_id bigint, date_created timestamp, date_created_gmt timestamp, num_items_sold integer, total_sales double precision, tax_total double precision, shipping_total double precision, net_total double precision, returning_customer smallint, status text, customer_id bigint);
CREATE TABLE wp_wc_order_product_lookup (order_item_id bigint PRIMARY KEY, order_id bigint, product_id bigint, variation_id bigint, customer_id bigint, date_created timestamp, product_qty integer, product_net_revenue double precision, product_gross_revenue double precision, coupon_amount double precision);
CREATE TABLE wp_wc_customer_lookup (customer_id bigint PRIMARY KEY, user_id bigint, username text, email text, date_last_active timestamp, date_registered timestamp, country text, postcode text, city text);
INSERT INTO wp_wc_customer_lookup SELECT c, NULLIF(c, 2), 'u' || c, 'c' || c || '@x.fr', '2024-05-01', '2024-01-01', 'FR', '75001', 'Paris' FROM generate_series(1, 2) AS c;
INSERT INTO wp_wc_order_stats VALUES (11, 0, '2024-03-01', '2024-03-01', 1, 50, 0, 5, 45, 0, 'wc-completed', 1), (12, 0, '2024-03-05', '2024-03-05', 1, 30, 0, 0, 30, 0, 'wc-processing', 2), (13, 0, '2024-03-06', '2024-03-06', 1, 70, 0, 0, 70, 0, 'wc-cancelled', 1), (14, 11, '2024-03-09', '2024-03-09', -1, -10, 0, 0, -10, 0, 'wc-completed', 1);
INSERT INTO wp_wc_order_product_lookup VALUES (1, 11, 7, 0, 1, '2024-03-01', 1, 45, 45, 0), (2, 12, 8, 0, 2, '2024-03-05', 1, 30, 30, 0), (3, 13, 8, 0, 1, '2024-03-06', 1, 70, 70, 0);

CREATE SCHEMA hpos;
SET search_path = hpos, segmentation;
CREATE TABLE wp_wc_orders (id bigint PRIMARY KEY, status text, currency text, type text, tax_amount numeric(26,8), total_amount numeric(26,8), customer_id bigint, billing_email text, date_created_gmt timestamp, date_updated_gmt timestamp, parent_order_id bigint, payment_method text);
INSERT INTO wp_wc_orders VALUES (1, 'wc-completed', 'EUR', 'shop_order', 0, 80, 5, 'a@x.fr', '2024-03-01', NULL, 0, 'card'), (2, 'wc-completed', 'EUR', 'shop_order_refund', 0, -20, 0, NULL, '2024-03-10', NULL, 1, NULL), (3, 'wc-pending', 'EUR', 'shop_order', 0, 40, 5, 'a@x.fr', '2024-03-02', NULL, 0, 'card'), (4, 'wc-processing', 'EUR', 'shop_order', 0, 15, 6, 'b@x.fr', '2024-03-03', NULL, 0, 'card'), (5, 'wc-completed', 'EUR', 'shop_order', 0, 9, 0, 'guest@x.fr', '2024-03-03', NULL, 0, 'card');

CREATE SCHEMA magento;
SET search_path = magento, segmentation;
CREATE TABLE customer_entity (entity_id integer PRIMARY KEY, website_id smallint, email text, group_id integer, created_at timestamp, dob date, gender smallint);
CREATE TABLE sales_order (entity_id integer PRIMARY KEY, state text, status text, store_id smallint, customer_id integer, base_grand_total numeric(20,4), base_total_refunded numeric(20,4), grand_total numeric(20,4), base_currency_code text, customer_is_guest smallint, increment_id text, created_at timestamp);
CREATE TABLE sales_order_item (item_id integer PRIMARY KEY, order_id integer, parent_item_id integer, product_id integer, sku text, name text, product_type text, qty_ordered numeric(12,4), base_row_total numeric(20,4), base_row_total_incl_tax numeric(20,4), base_discount_amount numeric(20,4), created_at timestamp);
CREATE TABLE catalog_product_entity (entity_id integer PRIMARY KEY, attribute_set_id smallint, type_id text, sku text, created_at timestamp);
INSERT INTO customer_entity VALUES (1, 1, 'a', 1, '2024-01-01', '1990-02-02', 2), (2, 1, 'b', 1, '2024-01-01', NULL, 1);
INSERT INTO catalog_product_entity VALUES (3, 4, 'simple', 'sku3', '2024-01-01'), (4, 4, 'configurable', 'sku4', '2024-01-01');
INSERT INTO sales_order VALUES (1, 'complete', 'complete', 1, 1, 110, NULL, 110, 'EUR', 0, '0001', '2024-02-01'), (2, 'closed', 'closed', 1, 2, 60, 60, 60, 'EUR', 0, '0002', '2024-02-02'), (3, 'canceled', 'canceled', 1, 1, 500, NULL, 500, 'EUR', 0, '0003', '2024-02-03'), (4, 'processing', 'processing', 1, 2, 44, 4, 44, 'EUR', 0, '0004', '2024-02-04'), (5, 'complete', 'complete', 1, NULL, 12, NULL, 12, 'EUR', 1, '0005', '2024-02-04');
INSERT INTO sales_order_item VALUES (1, 1, NULL, 4, 'sku4', 'x', 'configurable', 1, 100, 120, 10, '2024-02-01'), (2, 1, 1, 3, 'sku3', 'x', 'simple', 1, 0, 0, 0, '2024-02-01'), (3, 4, NULL, 3, 'sku3', 'x', 'simple', 2, 40, 44, 0, '2024-02-04');

CREATE SCHEMA shopify;
SET search_path = shopify, segmentation;
-- As COPY takes the export: all of it text, but for what was given a type.
CREATE TABLE orders_export ("Name" text, "Email" text, "Financial Status" text, "Paid at" text, "Currency" text, "Subtotal" text, "Shipping" text, "Taxes" text, "Total" text, "Created at" text, "Lineitem quantity" text, "Lineitem name" text, "Lineitem price" text, "Lineitem sku" text, "Cancelled at" text, "Refunded Amount" text, "Id" text);
ALTER TABLE orders_export RENAME TO orders;
CREATE TABLE customers ("Customer ID" text PRIMARY KEY, "First Name" text, "Email" text, "Total Spent" text, "Total Orders" text, "Tags" text);
INSERT INTO customers VALUES ('1', 'A', 'a@x.fr', '90', '1', ''), ('2', 'B', 'b@x.fr', '25', '1', ''), ('3', 'C', '', '0', '0', '');
ALTER TABLE customers ADD UNIQUE ("Email");
INSERT INTO orders VALUES ('#1001', 'a@x.fr', 'paid', '2024-03-01', 'EUR', '90.00', '0', '0', '90.00', '2024-03-01 10:00:00 +0100', '2', 'Mug', '20.00', 'MUG', '', '0.00', '1'), ('#1001', 'a@x.fr', '', '', '', '', '', '', '', '2024-03-01 10:00:00 +0100', '1', 'Lamp', '50.00', '', '', '', ''),
  ('#1002', 'b@x.fr', 'partially_refunded', '2024-03-02', 'EUR', '30.00', '0', '0', '30.00', '2024-03-02 10:00:00 +0100', '1', 'Mug', '30.00', 'MUG', '', '5.00', '2'), ('#1003', 'b@x.fr', 'voided', '', 'EUR', '70.00', '0', '0', '70.00', '2024-03-03 10:00:00 +0100', '1', 'Lamp', '70.00', '', '2024-03-03 11:00:00 +0100', '0.00', '3');

CREATE SCHEMA odoo;
SET search_path = odoo, segmentation;
CREATE TABLE res_partner (id integer PRIMARY KEY, name text, email text, is_company boolean, parent_id integer, commercial_partner_id integer, country_id integer, zip text, city text, active boolean, create_date timestamp);
CREATE TABLE sale_order (id integer PRIMARY KEY, name text, partner_id integer REFERENCES res_partner, date_order timestamp, state text, amount_untaxed numeric, amount_total numeric, currency_id integer, company_id integer);
CREATE TABLE sale_order_line (id integer PRIMARY KEY, order_id integer REFERENCES sale_order, order_partner_id integer, product_id integer, product_uom_qty numeric, price_unit numeric, price_subtotal numeric, price_total numeric, state text);
INSERT INTO res_partner VALUES (1, 'A', 'a', true, NULL, 1, 75, '75001', 'Paris', true, '2024-01-01'), (2, 'B', 'b', false, 1, 1, 75, '75001', 'Paris', true, '2024-01-01'), (3, 'C', 'c', false, NULL, 3, 75, '75001', 'Paris', false, '2024-01-01');
INSERT INTO sale_order VALUES (1, 'S1', 1, '2024-03-01 09:00', 'sale', 100, 120, 1, 1), (2, 'S2', 2, '2024-03-02 09:00', 'draft', 1000, 1200, 1, 1), (3, 'S3', 2, '2024-03-03 09:00', 'done', 50, 60, 1, 1), (4, 'S4', 3, '2024-03-03 09:00', 'cancel', 50, 60, 1, 1);
INSERT INTO sale_order_line VALUES (1, 1, 1, 7, 2, 50, 100, 120, 'sale'), (2, 2, 2, 8, 1, 1000, 1000, 1200, 'draft'), (3, 3, 2, 8, 1, 50, 50, 60, 'done');

CREATE SCHEMA dolibarr;
SET search_path = dolibarr, segmentation;
CREATE TABLE llx_societe (rowid integer PRIMARY KEY, nom text, code_client text, client smallint, fournisseur smallint, email text, zip text, town text, siren text);
CREATE TABLE llx_facture (rowid integer PRIMARY KEY, ref text, type smallint, fk_soc integer, datef date, paye smallint, total_ht numeric(24,8), total_ttc numeric(24,8), fk_statut smallint);
CREATE TABLE llx_facturedet (rowid integer PRIMARY KEY, fk_facture integer, fk_product integer, qty double precision, subprice numeric, total_ht numeric(24,8), total_ttc numeric(24,8));
CREATE TABLE llx_product (rowid integer PRIMARY KEY, ref text, label text, price numeric, tosell smallint);
INSERT INTO llx_societe VALUES (1, 'A', 'CU1', 1, 0, 'a', '75001', 'Paris', '732829320'), (2, 'B', NULL, 0, 1, 'b', '75001', 'Paris', NULL), (3, 'C', 'CU3', 3, 0, 'c', '69001', 'Lyon', NULL);
INSERT INTO llx_product VALUES (1, 'P1', 'one', 100, 1);
INSERT INTO llx_facture VALUES (1, 'FA1', 0, 1, '2024-03-01', 1, 1000, 1200, 2), (2, 'AV1', 2, 1, '2024-03-08', 1, -100, -120, 2), (3, 'FA2', 0, 3, '2024-03-09', 0, 400, 480, 1), (4, 'FA3', 0, 3, '2024-03-10', 0, 9000, 9000, 0), (5, 'FA4', 0, 3, '2024-03-10', 0, 700, 700, 3);
INSERT INTO llx_facturedet VALUES (1, 1, 1, 10, 100, 1000, 1200), (2, 2, 1, 1, -100, -100, -120), (3, 3, 1, 4, 100, 400, 480), (4, 4, 1, 90, 100, 9000, 9000);

CREATE SCHEMA sylius;
SET search_path = sylius, segmentation;
CREATE TABLE sylius_customer (id integer PRIMARY KEY, email text, first_name text, birthday timestamp, gender text, created_at timestamp, subscribed_to_newsletter boolean);
CREATE TABLE sylius_order (id integer PRIMARY KEY, number text, customer_id integer, state text, checkout_state text, payment_state text, checkout_completed_at timestamp, items_total integer, total integer, currency_code text, created_at timestamp);
CREATE TABLE sylius_order_item (id integer PRIMARY KEY, order_id integer, variant_id integer, quantity integer, unit_price integer, units_total integer, total integer, product_name text);
INSERT INTO sylius_customer VALUES (1, 'a', 'A', '1985-05-05', 'f', '2024-01-01', true), (2, 'b', 'B', NULL, 'm', '2024-01-01', false);
INSERT INTO sylius_order VALUES (1, '0001', 1, 'fulfilled', 'completed', 'paid', '2024-03-01', 1999, 2499, 'EUR', '2024-03-01'), (2, NULL, 1, 'cart', 'addressed', 'cart', NULL, 5000, 5000, 'EUR', '2024-03-02'), (3, '0002', 2, 'new', 'completed', 'awaiting_payment', '2024-03-03', 1000, 1000, 'EUR', '2024-03-03'), (4, '0003', 2, 'cancelled', 'completed', 'cancelled', '2024-03-04', 700, 700, 'EUR', '2024-03-04');
INSERT INTO sylius_order_item VALUES (1, 1, 11, 1, 1999, 1999, 1999, 'Mug'), (2, 2, 11, 1, 5000, 5000, 5000, 'Lamp'), (3, 3, 12, 2, 500, 1000, 1000, 'Pen');

CREATE SCHEMA saleor;
SET search_path = saleor, segmentation;
CREATE TABLE account_user (id integer PRIMARY KEY, email text, is_staff boolean, is_active boolean, date_joined timestamptz);
CREATE TABLE order_order (id uuid PRIMARY KEY, number text, user_id integer, user_email text, created_at timestamptz, status text, total_net_amount numeric(20,3), total_gross_amount numeric(20,3), currency text);
CREATE TABLE order_orderline (id uuid PRIMARY KEY, order_id uuid REFERENCES order_order, variant_id integer, product_name text, product_sku text, quantity integer, unit_price_gross_amount numeric(20,3), total_price_gross_amount numeric(20,3));
INSERT INTO account_user VALUES (1, 'a', false, true, '2024-01-01'), (2, 'b', false, true, '2024-01-01'), (3, 'boss', true, true, '2024-01-01');
INSERT INTO order_order SELECT md5(o::text)::uuid, o, CASE o WHEN 5 THEN NULL ELSE 1 + o % 2 END, 'x', '2024-03-01'::timestamptz + o * interval '1 day', (ARRAY['fulfilled', 'unfulfilled', 'draft', 'canceled', 'fulfilled'])[o], 10 * o, 12 * o, 'EUR' FROM generate_series(1, 5) AS o;
INSERT INTO order_orderline SELECT md5('l' || o)::uuid, md5(o::text)::uuid, 20 + o, 'x', 'S' || o, 2, 6 * o, 12 * o FROM generate_series(1, 5) AS o;

CREATE SCHEMA stripe;
SET search_path = stripe, segmentation;
CREATE TABLE customers (id text PRIMARY KEY, email text, created timestamp, currency text, delinquent boolean, invoice_prefix text);
CREATE TABLE charges (id text PRIMARY KEY, amount bigint, amount_refunded bigint, created timestamp, currency text, customer_id text, paid boolean, refunded boolean, status text, invoice_id text);
CREATE TABLE subscriptions (id text PRIMARY KEY, customer_id text, created timestamp, start_date timestamp, ended_at timestamp, canceled_at timestamp, cancel_at_period_end boolean, price_id text, status text);
INSERT INTO customers VALUES ('cus_1', 'a', '2024-01-01', 'eur', false, 'A'), ('cus_2', 'b', '2024-01-01', 'eur', false, 'B');
INSERT INTO charges VALUES ('ch_1', 2000, 0, '2024-03-01', 'eur', 'cus_1', true, false, 'succeeded', NULL), ('ch_2', 5000, 1500, '2024-03-02', 'eur', 'cus_2', true, false, 'succeeded', NULL), ('ch_3', 9900, 0, '2024-03-03', 'eur', 'cus_2', false, false, 'failed', NULL), ('ch_4', 700, 0, '2024-03-03', 'eur', NULL, true, false, 'succeeded', NULL);
INSERT INTO subscriptions VALUES ('sub_1', 'cus_1', '2024-01-01', '2024-01-01', NULL, NULL, false, 'price_1', 'active'), ('sub_2', 'cus_2', '2024-01-01', '2024-01-01', '2024-03-01', '2024-02-20', true, 'price_1', 'canceled');

CREATE SCHEMA stripe_dashboard;
SET search_path = stripe_dashboard, segmentation;
CREATE TABLE payments (id text PRIMARY KEY, "Created date (UTC)" text, "Amount" text, "Amount Refunded" text, "Currency" text, "Description" text, "Status" text, "Customer ID" text, "Customer Email" text);
INSERT INTO payments VALUES ('ch_1', '2024-03-01 10:00:00', '20.00', '0.00', 'eur', '', 'Paid', 'cus_1', 'a'), ('ch_2', '2024-03-02 10:00:00', '50.00', '15.00', 'eur', '', 'Paid', 'cus_2', 'b'), ('ch_3', '2024-03-02 10:00:00', '99.00', '0.00', 'eur', '', 'Failed', 'cus_2', 'b');

CREATE SCHEMA salesforce;
SET search_path = salesforce, segmentation;
CREATE TABLE "Account" ("Id" text PRIMARY KEY, "Name" text, "Industry" text, "NumberOfEmployees" integer, "BillingPostalCode" text, "BillingCountry" text);
CREATE TABLE "Opportunity" ("Id" text PRIMARY KEY, "AccountId" text, "Name" text, "StageName" text, "Amount" numeric, "CloseDate" date, "IsClosed" boolean, "IsWon" boolean);
CREATE TABLE "OpportunityLineItem" ("Id" text PRIMARY KEY, "OpportunityId" text, "Product2Id" text, "Quantity" numeric, "UnitPrice" numeric, "TotalPrice" numeric);
INSERT INTO "Account" VALUES ('001A', 'A', 'Retail', 10, '75001', 'France'), ('001B', 'B', 'Energy', 20, '69001', 'France');
INSERT INTO "Opportunity" VALUES ('006A', '001A', 'x', 'Closed Won', 1000, '2024-03-01', true, true), ('006B', '001A', 'x', 'Closed Lost', 5000, '2024-03-02', true, false), ('006C', '001B', 'x', 'Closed Won', 250.5, '2024-03-03', true, true), ('006D', '001B', 'x', 'Prospecting', 99, '2024-05-03', false, false);
INSERT INTO "OpportunityLineItem" VALUES ('00kA', '006A', '01tA', 10, 100, 1000), ('00kB', '006B', '01tA', 50, 100, 5000), ('00kC', '006C', '01tB', 1, 250.5, 250.5);

SET search_path = segmentation, public;
-- What is found, with its reasons.
\x on
SELECT s.* FROM unnest('{prestashop,shopify,salesforce}'::text[]) AS p, suggest_sources(p) AS s;
\x off
SELECT p, s.kind, s.relation, s.key_type, s.reason FROM unnest('{prestashop,woo,hpos,magento,shopify,odoo,dolibarr,sylius,saleor,stripe,stripe_dashboard,salesforce}'::text[]) WITH ORDINALITY AS p (p, place), suggest_sources(p) WITH ORDINALITY AS s ORDER BY place, s.ordinality;

-- Each call is accepted, as it is written; the facts have the right turnover, by customer.
CREATE TABLE public.platform_right (schema text, purchases text, lines text);
INSERT INTO platform_right VALUES
  ('prestashop', '1:24.00 2:48.00', '72.00'),  -- 60 / 1.25; order 3 is not valid
  ('woo', '1:40.00 2:30.00', '75.00'),  -- 50 - 10; 13 is cancelled
  ('hpos', '5:60.00 6:15.00', NULL),  -- 80 - 20; pending and guest are not
  ('magento', '1:110.00 2:40.00', '154.00'),  -- 44 - 4; one refunded whole, one cancelled; lines 120 - 10 + 44
  ('shopify', 'a@x.fr:90.00 b@x.fr:25.00', '190.00'),  -- 30 - 5; voided; lines 2 x 20 + 50 + 30 + 70
  ('odoo', '1:120.00 2:60.00', '180.00'),
  ('dolibarr', '1:900.00 3:400.00', '1300.00'),  -- 1000 - 100; draft and abandoned are not
  ('sylius', '1:24.99 2:10.00', '29.99'),
  ('saleor', '1:24.00 2:12.00', '36.00'),
  ('stripe', 'cus_1:20.00 cus_2:35.00', NULL),
  ('stripe_dashboard', 'cus_1:20.00 cus_2:35.00', NULL),
  ('salesforce', '001A:1000.00 001B:250.50', '1250.50');
CREATE FUNCTION public.read_turnover(ws text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
  said text;
BEGIN
  EXECUTE format('SELECT string_agg(f.customer || '':'' || segmentation.monetary(f.history, ''2024-12-31''), '' '' ORDER BY f.customer::text) FROM %I.customer_facts AS f WHERE segmentation.monetary(f.history, ''2024-12-31'') <> 0', ws) INTO said;
  RETURN said;
END
$$;
CREATE FUNCTION public.read_lines(ws text) RETURNS numeric LANGUAGE plpgsql AS $$
DECLARE
  said numeric;
BEGIN
  EXECUTE format('SELECT sum(r.turnover) FROM %I.source_reading AS r JOIN %I.source AS s USING (source) WHERE s.kind = ''purchase_lines'' AND r.reason = ''used''', ws, ws) INTO said;
  RETURN round(said, 2);
END
$$;
CREATE TABLE public.platform_read (schema text, accepted bigint, suggested bigint, purchases text, lines text);
DO $$
DECLARE
  p record;
  s record;
  n bigint;
  accepted bigint;
BEGIN
  FOR p IN SELECT schema FROM public.platform_right LOOP
    PERFORM segmentation.create_workspace('ws_' || p.schema), segmentation.configure_workspace('ws_' || p.schema, '{"source_silence": "off"}');
    n := 0;
    accepted := 0;
    FOR s IN SELECT * FROM segmentation.suggest_sources(p.schema, 'ws_' || p.schema) LOOP
      n := n + 1;
      BEGIN
        EXECUTE s.call;
        accepted := accepted + 1;
      EXCEPTION WHEN OTHERS THEN
        RAISE INFO '% %: %', p.schema, s.call, SQLERRM;
      END;
    END LOOP;
    COMMIT;
    CALL segmentation.refresh('ws_' || p.schema, '2024-12-31');
    INSERT INTO public.platform_read SELECT p.schema, accepted, n, public.read_turnover('ws_' || p.schema), public.read_lines('ws_' || p.schema)::text;
  END LOOP;
END
$$;
SELECT schema, r.accepted = r.suggested AS accepted, r.purchases, r.purchases IS NOT DISTINCT FROM w.purchases AS right_purchases, r.lines, r.lines::numeric IS NOT DISTINCT FROM w.lines::numeric AS right_lines
FROM platform_right AS w JOIN platform_read AS r USING (schema) ORDER BY schema;
SELECT workspace, key_type FROM workspaces() WHERE workspace LIKE 'ws%' ORDER BY 1;
-- Without a mapping the same rules hold, and it is said.
SELECT drop_workspace('ws_sylius'), create_workspace('ws_sylius');
SET client_min_messages = notice;
SELECT add_source('ws_sylius', 'purchases', 'sylius.sylius_order');
SET client_min_messages = warning;
-- What is given wins.
SELECT add_source('ws_sylius', 'purchases', 'sylius.sylius_order', '{"amount": "items_total / 100.0", "purchased_on": "created_at"}');
SELECT drop_workspace(workspace) FROM workspaces() WHERE workspace LIKE 'ws%';
DROP SCHEMA prestashop, woo, hpos, magento, shopify, odoo, dolibarr, sylius, saleor, stripe, stripe_dashboard, salesforce CASCADE;

-- Tables of nobody known: by names, types and keys.
CREATE SCHEMA anybody;
CREATE TABLE anybody.orders (order_id integer PRIMARY KEY, customer_id text, order_date date, freight numeric);
CREATE TABLE anybody.order_details (order_id integer REFERENCES anybody.orders, product_id integer, unit_price numeric, quantity integer, discount real);
CREATE TABLE anybody.customers (customer_id text PRIMARY KEY, company_name text, city text);
CREATE TABLE anybody.products (product_id integer PRIMARY KEY, product_name text, unit_price numeric, units_in_stock integer);
CREATE TABLE anybody.mailing (customer_id text, channel text, sent_at timestamptz, response text);
CREATE TABLE anybody.staff (id integer PRIMARY KEY, name text);
INSERT INTO anybody.orders SELECT o, 'c' || o % 7, date '2024-01-01' + o, 3 FROM generate_series(1, 40) AS o;
INSERT INTO anybody.order_details SELECT o, p, 10 + p, 2, CASE p WHEN 2 THEN 0.25 ELSE 0 END FROM generate_series(1, 40) AS o, generate_series(1, 2) AS p;
SELECT kind, relation, mapping, key_type, reason FROM suggest_sources('anybody');
SELECT call FROM suggest_sources('anybody', 'my "shop"') LIMIT 1;
SELECT suggest_sources('no such');
SELECT create_workspace('any');
SELECT count(add_source('any', kind, relation, mapping)) AS added FROM suggest_sources('anybody');
CALL refresh('any', '2024-02-12');
SELECT sum(monetary(history, '2024-02-12')) AS turnover, (SELECT sum(unit_price * quantity * (1 - discount)) FROM anybody.order_details) AS by_hand FROM "any".customer_facts;
-- A unit price as the amount, and the same orders twice: said with figures.
SELECT add_source('any', 'purchase_lines', 'anybody.order_details', '{"join": {"orders": "order_id"}, "amount": "unit_price"}') IS NOT NULL AS added;
CREATE TABLE anybody.all_orders AS SELECT order_id, customer_id, order_date, 10.0 AS amount FROM anybody.orders;
CREATE VIEW anybody.web_orders AS SELECT * FROM anybody.all_orders WHERE order_id % 4 > 0;
SELECT add_source('any', 'purchases', 'anybody.all_orders') IS NOT NULL AS added;
SELECT add_source('any', 'purchases', 'anybody.web_orders') IS NOT NULL AS added;
CREATE TABLE anybody.shop_orders AS SELECT order_id, customer_id, order_date, 11.0 AS amount FROM anybody.orders;
SELECT add_source('any', 'purchases', 'anybody.shop_orders') IS NOT NULL AS no_warning;

-- The key type of the first source; given, it stays.
CREATE TABLE anybody.keys (k_int integer, k_text varchar(10), k_uuid uuid, k_day date, day date, amount numeric);
INSERT INTO anybody.keys SELECT n, 'k' || n, md5(n::text)::uuid, '2024-01-01', '2024-01-01', 5 FROM generate_series(1, 3) AS n;
CREATE FUNCTION public.said_keyed() RETURNS text LANGUAGE sql AS $$
  SELECT string_agg(DISTINCT format_type(a.atttypid, NULL), ' ') || (SELECT ' ' || (value #>> '{}') FROM segmentation.workspace_settings('keyed') WHERE name = 'language')
    || (SELECT ' ' || key_type FROM segmentation.workspaces() WHERE workspace = 'keyed')
  FROM pg_attribute AS a JOIN pg_class AS c ON c.oid = a.attrelid WHERE c.relnamespace = to_regnamespace('keyed') AND a.attname = 'customer' AND c.relkind IN ('r', 'v', 'm')
$$;
SELECT create_workspace('keyed'), configure_workspace('keyed', '{"language": "fr"}'), register_segment('keyed', 'big', '{"kind": "rules", "segments": [{"segment": "yes", "when": {"field": "monetary", ">=": 3}}]}') IS NOT NULL AS registered;
SELECT add_source('keyed', 'purchases', 'anybody.keys', '{"customer": "k_uuid", "purchased_on": "day"}') IS NOT NULL AS added, said_keyed();
CALL refresh('keyed', '2024-02-01', despite_silence => true);
CALL refresh_views('keyed');
SELECT count(*) AS customers, count(*) FILTER (WHERE segments ->> 'big' = 'yes') AS big FROM keyed.customer_segments;
SELECT drop_workspace('keyed'), create_workspace('keyed');
SELECT add_source('keyed', 'purchases', 'anybody.keys', '{"customer": "k_text", "purchased_on": "day"}') IS NOT NULL AS added, said_keyed();
SELECT add_source('keyed', 'interactions', 'anybody.keys', '{"customer": "k_int", "kind": "''visit''", "occurred_at": "day"}') IS NOT NULL AS integers_are_texts_too, said_keyed();
SELECT drop_workspace('keyed'), create_workspace('keyed', 'bigint');
SELECT add_source('keyed', 'purchases', 'anybody.keys', '{"customer": "k_text", "purchased_on": "day"}');
SELECT drop_workspace('keyed'), create_workspace('keyed');
SELECT add_source('keyed', 'purchases', 'anybody.keys', '{"customer": "k_day", "purchased_on": "day"}');
SELECT add_source('keyed', 'purchases', 'anybody.keys', '{"customer": "k_int", "purchased_on": "day"}') IS NOT NULL AS added, said_keyed();
SELECT drop_workspace('keyed'), drop_workspace('any');
DROP SCHEMA anybody CASCADE;
