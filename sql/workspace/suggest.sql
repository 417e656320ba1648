-- Sources that are recognised: the tables of known shops by their own rules, any others by names, types and keys; and
-- what looks wrong about a mapping.

CREATE TABLE segmentation.workspace_platform (
  platform text NOT NULL,
  place smallint NOT NULL,
  kind text NOT NULL,
  relation text NOT NULL,
  mapping jsonb NOT NULL,
  reason text NOT NULL,
  PRIMARY KEY (platform, place)
);
COMMENT ON TABLE segmentation.workspace_platform IS
  'Tables of known shops, and how they are read: for suggest_sources, and for add_source without a mapping.';
COMMENT ON COLUMN segmentation.workspace_platform.platform IS 'Whose tables.';
COMMENT ON COLUMN segmentation.workspace_platform.place IS
  'Order: of several of a kind the first that is there counts.';
COMMENT ON COLUMN segmentation.workspace_platform.kind IS 'Kind of source.';
COMMENT ON COLUMN segmentation.workspace_platform.relation IS
  'Name of the table, in small letters; before it there may be a prefix that ends in an underscore.';
COMMENT ON COLUMN segmentation.workspace_platform.mapping IS
  'The mapping, by names in any spelling. A field is a column, or SQL with columns in braces, {orders.total} of a '
  'joined relation; :number, :day, :boolean where the column may be text. One that ends in ? may be missing.';
COMMENT ON COLUMN segmentation.workspace_platform.reason IS 'Which rows count, and which amount.';

INSERT INTO segmentation.workspace_platform (platform, place, kind, relation, mapping, reason) VALUES
  ('PrestaShop', 1, 'purchases', 'orders', $${"customer": "id_customer", "purchased_on": "date_add",
    "amount": {"sql": "{total_paid_tax_incl} / {conversion_rate}"}, "where": "{valid}::integer = 1"}$$,
    'orders that count as paid (valid), with tax, in the shop''s currency'),
  ('PrestaShop', 2, 'purchase_lines', 'order_detail', $${"customer": "orders.id_customer",
    "purchased_on": "orders.date_add", "order": "id_order", "product": "product_id", "quantity": "product_quantity",
    "amount": {"sql": "{total_price_tax_incl} / {orders.conversion_rate}"}, "where": "{orders.valid}::integer = 1",
    "join": [{"as": "orders", "relation": "orders", "on": {"id_order": "id_order"}}]}$$,
    'lines of orders that count as paid; customer and day are those of the order'),
  ('PrestaShop', 3, 'customers', 'customer', $${"customer": "id_customer", "birth_date?": "birthday",
    "where": "{deleted}::integer = 0", "has": ["id_default_group"]}$$, 'accounts that are not deleted'),
  ('PrestaShop', 4, 'products', 'product', $${"product": "id_product", "category?": "id_category_default",
    "price?": "price", "has": ["id_category_default"]}$$, 'the catalogue'),

  ('WooCommerce', 1, 'purchases', 'wc_order_stats', $${"customer": "customer_id", "purchased_on": "date_created",
    "amount": "total_sales", "where": "{status} IN ('wc-completed', 'wc-processing', 'wc-refunded')"}$$,
    'orders that are paid, and refunds as rows of their own; guests are customers by their address'),
  ('WooCommerce', 2, 'purchase_lines', 'wc_order_product_lookup', $${"customer": "customer_id",
    "purchased_on": "date_created", "order": "order_id", "product": "product_id", "quantity": "product_qty",
    "amount": "product_gross_revenue", "where": "{stats.status} IN ('wc-completed', 'wc-processing', 'wc-refunded')",
    "join": [{"as": "stats", "relation": "wc_order_stats", "on": {"order_id": "order_id"}}]}$$,
    'lines of orders that are paid'),
  ('WooCommerce', 3, 'customers', 'wc_customer_lookup', $${"customer": "customer_id", "has": ["date_last_active"]}$$,
    'customers, guests too'),
  ('WooCommerce (HPOS)', 1, 'purchases', 'wc_orders', $${"purchased_on": "date_created_gmt", "amount": "total_amount",
    "customer": {"sql": "NULLIF(coalesce({parent.customer_id}, {customer_id}), 0)"},
    "where": "{type} LIKE 'shop_order%' AND {status} IN ('wc-completed', 'wc-processing', 'wc-refunded')",
    "join": [{"as": "parent", "relation": "wc_orders", "on": {"parent_order_id": "id"}}]}$$,
    'orders that are paid, and refunds, which belong to the customer of the order; guests (0) are nobody'),

  ('Magento', 1, 'purchases', 'sales_order', $${"customer": "customer_id", "purchased_on": "created_at",
    "amount": {"sql": "{base_grand_total} - coalesce({base_total_refunded}, 0)"},
    "where": "{state} IN ('processing', 'complete', 'closed')"}$$,
    'orders that are neither pending nor cancelled, in the base currency, less what was refunded'),
  ('Magento', 2, 'purchase_lines', 'sales_order_item', $${"customer": "orders.customer_id",
    "purchased_on": "orders.created_at", "order": "order_id", "product": "product_id", "quantity": "qty_ordered",
    "amount": {"sql": "{base_row_total_incl_tax|base_row_total} - coalesce({base_discount_amount}, 0)"},
    "where": "{parent_item_id} IS NULL AND {orders.state} IN ('processing', 'complete', 'closed')",
    "join": [{"as": "orders", "relation": "sales_order", "on": {"order_id": "entity_id"}}]}$$,
    'lines of these orders; the parts of a configurable product are left out, its own line counts'),
  ('Magento', 3, 'customers', 'customer_entity', $${"customer": "entity_id", "birth_date?": "dob",
    "has": ["website_id"]}$$, 'accounts'),
  ('Magento', 4, 'products', 'catalog_product_entity', $${"product": "entity_id", "name?": "sku",
    "has": ["attribute_set_id"]}$$, 'the catalogue'),

  ('Shopify', 1, 'purchases', 'orders', $${"customer": "Email", "purchased_on": "Created at:day",
    "amount": {"sql": "{Total:number} - coalesce({Refunded Amount:number}, 0)"},
    "where": "{Financial Status} ~ '^(partially_)?(paid|refunded)$' AND coalesce({Cancelled at}::text, '') = ''",
    "has": ["Lineitem quantity"]}$$,
    'the first line of each order has its total and its status; cancelled orders are left out, refunds taken off'),
  ('Shopify', 2, 'purchase_lines', 'orders', $${"customer": "Email", "purchased_on": "Created at:day", "order": "Name",
    "product": {"sql": "coalesce(NULLIF({Lineitem sku}, ''), {Lineitem name})"},
    "quantity": "Lineitem quantity:number",
    "amount": {"sql": "{Lineitem quantity:number} * {Lineitem price:number}"}}$$,
    'every line, by sku, else by name; prices are before discounts on the order'),
  ('Shopify', 3, 'customers', 'customers', $${"customer": "Email", "has": ["Total Spent", "Total Orders"],
    "where": "coalesce({Email}, '') <> ''"}$$, 'customers with an address'),

  ('Odoo', 1, 'purchases', 'sale_order', $${"customer": "partner_id", "purchased_on": "date_order",
    "amount": "amount_total", "where": "{state} IN ('sale', 'done')"}$$, 'confirmed orders; quotations are left out'),
  ('Odoo', 2, 'purchase_lines', 'sale_order_line', $${"customer": "orders.partner_id",
    "purchased_on": "orders.date_order", "order": "order_id", "product": "product_id",
    "quantity": "product_uom_qty", "amount": "price_total",
    "where": "{orders.state} IN ('sale', 'done')",
    "join": [{"as": "orders", "relation": "sale_order", "on": {"order_id": "id"}}]}$$, 'lines of confirmed orders'),
  ('Odoo', 3, 'customers', 'res_partner', $${"customer": "id", "where": "{active}", "has": ["commercial_partner_id"]}$$,
    'contacts and companies that are active'),

  ('Dolibarr', 1, 'purchases', 'facture', $${"customer": "fk_soc", "purchased_on": "datef",
    "amount": "total_ht", "where": "{fk_statut} IN (1, 2) AND {type} IN (0, 1, 2)"}$$,
    'invoices that are validated or paid, without tax; credit notes (type 2) are negative'),
  ('Dolibarr', 2, 'purchase_lines', 'facturedet', $${"customer": "bill.fk_soc", "purchased_on": "bill.datef",
    "order": "fk_facture", "product": "fk_product", "quantity": "qty", "amount": "total_ht",
    "where": "{bill.fk_statut} IN (1, 2) AND {bill.type} IN (0, 1, 2)",
    "join": [{"as": "bill", "relation": "facture", "on": {"fk_facture": "rowid"}}]}$$, 'lines of these invoices'),
  ('Dolibarr', 3, 'companies', 'societe', $${"customer": "rowid", "where": "{client} IN (1, 3)",
    "has": ["code_client"]}$$,
    'third parties that are customers'),
  ('Dolibarr', 4, 'products', 'product', $${"product": "rowid", "name?": "label", "price?": "price",
    "has": ["tosell"]}$$,
    'products and services'),

  ('Sylius', 1, 'purchases', 'sylius_order', $${"customer": "customer_id", "purchased_on": "checkout_completed_at",
    "amount": {"sql": "{total} / 100.0"}, "where": "{state} IN ('new', 'fulfilled')"}$$,
    'orders whose checkout is done and that are not cancelled; cents become units'),
  ('Sylius', 2, 'purchase_lines', 'sylius_order_item', $${"customer": "orders.customer_id",
    "purchased_on": "orders.checkout_completed_at", "order": "order_id", "product": "variant_id",
    "quantity": "quantity", "amount": {"sql": "{total} / 100.0"}, "where": "{orders.state} IN ('new', 'fulfilled')",
    "join": [{"as": "orders", "relation": "sylius_order", "on": {"order_id": "id"}}]}$$,
    'lines of these orders, by variant'),
  ('Sylius', 3, 'customers', 'sylius_customer', $${"customer": "id", "birth_date?": "birthday"}$$, 'customers'),

  ('Saleor', 1, 'purchases', 'order_order', $${"customer": "user_id", "purchased_on": "created_at|created",
    "amount": "total_gross_amount", "where": "{status} NOT IN ('draft', 'unconfirmed', 'canceled', 'expired')"}$$,
    'orders that are confirmed and not cancelled, with tax; guests are nobody'),
  ('Saleor', 2, 'purchase_lines', 'order_orderline', $${"customer": "orders.user_id",
    "purchased_on": "orders.created_at|orders.created", "order": "order_id", "product": "variant_id",
    "quantity": "quantity", "amount": {"sql": "{unit_price_gross_amount} * {quantity}"},
    "where": "{orders.status} NOT IN ('draft', 'unconfirmed', 'canceled', 'expired')",
    "join": [{"as": "orders", "relation": "order_order", "on": {"order_id": "id|token"}}]}$$, 'lines of these orders'),
  ('Saleor', 3, 'customers', 'account_user', $${"customer": "id", "where": "NOT {is_staff}", "has": ["date_joined"]}$$,
    'accounts that are not of the staff'),

  ('Stripe', 1, 'purchases', 'charges', $${"customer": "customer_id|customer", "purchased_on": "created:day",
    "amount": {"sql": "({amount} - coalesce({amount_refunded}, 0)) / 100.0"}, "where": "{status} = 'succeeded'"}$$,
    'charges that succeeded, less what was refunded; cents become units'),
  ('Stripe', 2, 'purchases', 'payments', $${"customer": "Customer ID",
    "purchased_on": "Created date (UTC):day|Created (UTC):day",
    "amount": {"sql": "{Amount:number} - coalesce({Amount Refunded:number}, 0)"},
    "where": "lower({Status}) IN ('paid', 'succeeded', 'refunded')"}$$,
    'payments that were paid, as the dashboard exports them, less what was refunded'),
  ('Stripe', 3, 'customers', 'customers', $${"customer": "id",
    "has": ["invoice_prefix|invoice_settings_default_payment_method_id|delinquent"]}$$,
    'customers'),
  ('Stripe', 4, 'subscriptions', 'subscriptions', $${"customer": "customer_id|customer",
    "started_on": "start_date:day|start:day|created:day",
    "ended_on?": "ended_at:day", "plan?": "plan_id|price_id", "has": ["cancel_at_period_end"]}$$, 'subscriptions'),

  ('Salesforce', 1, 'purchases', 'order', $${"customer": "AccountId", "purchased_on": "EffectiveDate:day",
    "amount": "TotalAmount:number", "where": "{Status} <> 'Draft'"}$$, 'orders that are no drafts'),
  ('Salesforce', 2, 'purchases', 'opportunity', $${"customer": "AccountId", "purchased_on": "CloseDate:day",
    "amount": "Amount:number", "where": "{IsWon:boolean}"}$$, 'opportunities that were won'),
  ('Salesforce', 3, 'purchase_lines', 'orderitem', $${"customer": "orders.AccountId",
    "purchased_on": "orders.EffectiveDate:day", "order": "OrderId", "product": "Product2Id",
    "quantity": "Quantity:number",
    "amount": {"sql": "{UnitPrice:number} * {Quantity:number}"}, "where": "{orders.Status} <> 'Draft'",
    "join": [{"as": "orders", "relation": "order", "on": {"OrderId": "Id"}}]}$$, 'lines of these orders'),
  ('Salesforce', 4, 'purchase_lines', 'opportunitylineitem', $${"customer": "opportunity.AccountId",
    "purchased_on": "opportunity.CloseDate:day", "order": "OpportunityId", "product": "Product2Id",
    "quantity": "Quantity:number", "amount": "TotalPrice:number", "where": "{opportunity.IsWon:boolean}",
    "join": [{"as": "opportunity", "relation": "opportunity", "on": {"OpportunityId": "Id"}}]}$$,
    'lines of these opportunities'),
  ('Salesforce', 5, 'companies', 'account', $${"customer": "Id",
    "has": ["BillingCountry|BillingPostalCode|Industry"]}$$,
    'accounts');

-- Names in a template, as they are in a schema

-- A column of a relation by its name in any spelling.
CREATE FUNCTION segmentation_internal.workspace_spelt(relation regclass, name text) RETURNS name
  LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
  RETURN (
    SELECT a.attname FROM pg_attribute AS a
    WHERE a.attrelid = relation AND a.attnum > 0 AND NOT a.attisdropped
      AND segmentation_internal.plain_name(a.attname) = segmentation_internal.plain_name(name)
    ORDER BY a.attname <> name, a.attnum LIMIT 1);
COMMENT ON FUNCTION segmentation_internal.workspace_spelt(regclass, text) IS
  'Part of suggest_sources: a column by its name in any spelling; NULL if there is none.';

-- Columns that a template names, with alternatives and the type that a text has to become. base has "as" and "join" as
-- they are stored. sql is the column as SQL, plain is true where it can be named as it is.
CREATE FUNCTION segmentation_internal.workspace_template_column(
  given text, relation regclass, base jsonb, OUT sql text, OUT name text, OUT plain boolean
)
  LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  choice text;
  kind text;
  part record;
  col name;
  is_text boolean;
BEGIN
  FOREACH choice IN ARRAY string_to_array(given, '|') LOOP
    kind := (regexp_match(choice, ':(number|day|boolean)$'))[1];
    choice := regexp_replace(choice, ':(number|day|boolean)$', '');
    FOR part IN
      SELECT r.*, CASE WHEN r.place > 0 OR starts_with(choice, r.alias || '.')
        THEN substr(choice, length(r.alias) + 2) ELSE choice END AS column_name
      FROM segmentation_internal.workspace_relations(relation, base) AS r
      WHERE r.place = 0 OR starts_with(choice, r.alias || '.') ORDER BY r.place DESC
    LOOP
      col := segmentation_internal.workspace_spelt(part.joined, part.column_name);
      CONTINUE WHEN col IS NULL;
      is_text := segmentation_internal.workspace_base_type(
          segmentation_internal.workspace_column_type(part.joined, col))
        = ANY ('{text,varchar,bpchar}'::regtype[]);
      sql := CASE WHEN base ? 'join' THEN format('%I.%I', part.alias, col) ELSE quote_ident(col) END;
      name := CASE WHEN part.place = 0 THEN col ELSE format('%s.%s', part.alias, col) END;
      plain := NOT (is_text AND kind IS NOT NULL);
      IF NOT plain THEN
        sql := CASE kind
          WHEN 'number' THEN format('NULLIF(btrim(%s), '''')::numeric', sql)
          WHEN 'day' THEN format('to_date(NULLIF(left(%s, 10), ''''), ''YYYY-MM-DD'')', sql)
          ELSE format('NULLIF(btrim(%s), '''')::boolean', sql) END;
      END IF;
      RETURN;
    END LOOP;
  END LOOP;
END
$$;
COMMENT ON FUNCTION segmentation_internal.workspace_template_column(text, regclass, jsonb) IS
  'Part of suggest_sources: a column that a template names, as it is in a schema.';

-- SQL of a template with its columns put in; NULL if one is missing.
CREATE FUNCTION segmentation_internal.workspace_template_sql(template text, relation regclass, base jsonb) RETURNS text
  LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  place text;
  col record;
BEGIN
  FOR place IN SELECT DISTINCT m[1] FROM regexp_matches(template, '\{([^{}]+)\}', 'g') AS m LOOP
    SELECT * INTO col FROM segmentation_internal.workspace_template_column(place, relation, base);
    IF col.sql IS NULL THEN
      RETURN NULL;
    END IF;
    template := replace(template, '{' || place || '}', col.sql);
  END LOOP;
  RETURN template;
END
$$;
COMMENT ON FUNCTION segmentation_internal.workspace_template_sql(text, regclass, jsonb) IS
  'Part of suggest_sources: an SQL expression of a template over the columns of a schema.';

-- The mapping of a template for a relation; NULL if it is not such a table.
CREATE FUNCTION segmentation_internal.workspace_template_mapping(
  template segmentation.workspace_platform, relation regclass
) RETURNS jsonb
  LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  own record;
  prefix text;
  item jsonb;
  joined regclass;
  sides jsonb;
  base jsonb;
  whole jsonb := '{}';
  field record;
  col record;
  sql text;
BEGIN
  SELECT c.relname, n.oid AS schema INTO own
  FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace WHERE c.oid = relation;
  prefix := left(lower(own.relname), length(own.relname) - length(template.relation));
  IF lower(own.relname) <> prefix || template.relation OR NOT (prefix = '' OR right(prefix, 1) = '_') THEN
    RETURN NULL;
  END IF;
  base := jsonb_build_object('as', own.relname);
  FOR item IN SELECT * FROM jsonb_array_elements(template.mapping -> 'join') LOOP
    SELECT c.oid INTO joined FROM pg_class AS c
    WHERE c.relnamespace = own.schema AND lower(c.relname) = prefix || (item ->> 'relation')
      AND c.relkind IN ('r', 'v', 'm', 'f', 'p');
    SELECT jsonb_object_agg(segmentation_internal.workspace_spelt(relation, o.key), s.spelt) INTO sides
    FROM jsonb_each_text(item -> 'on') AS o
    CROSS JOIN LATERAL (
      SELECT segmentation_internal.workspace_spelt(joined, a.name) AS spelt
      FROM unnest(string_to_array(o.value, '|')) WITH ORDINALITY AS a (name, place)
      WHERE segmentation_internal.workspace_spelt(joined, a.name) IS NOT NULL ORDER BY a.place LIMIT 1) AS s
    WHERE segmentation_internal.workspace_spelt(relation, o.key) IS NOT NULL;
    IF sides IS NULL THEN
      RETURN NULL;
    END IF;
    base := jsonb_set(base, '{join}', coalesce(base -> 'join', '[]') || jsonb_build_object(
      'as', item -> 'as', 'on', sides, 'relation', (
        SELECT format('%I.%I', n.nspname, c.relname)
        FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace WHERE c.oid = joined)));
  END LOOP;
  FOR field IN
    SELECT rtrim(m.key, '?') AS name, m.key LIKE '%?' AS optional, m.value
    FROM jsonb_each(template.mapping - 'join') AS m
  LOOP
    IF field.name = 'has' THEN
      IF EXISTS (
        SELECT FROM jsonb_array_elements_text(field.value) AS h (name)
        CROSS JOIN LATERAL segmentation_internal.workspace_template_column(h.name, relation, base) AS c
        WHERE c.sql IS NULL)
      THEN
        RETURN NULL;
      END IF;
    ELSIF field.name = 'where' OR jsonb_typeof(field.value) = 'object' THEN
      sql := segmentation_internal.workspace_template_sql(
        coalesce(field.value ->> 'sql', field.value #>> '{}'), relation, base);
      IF sql IS NULL AND NOT field.optional THEN
        RETURN NULL;
      END IF;
      whole := whole || jsonb_strip_nulls(jsonb_build_object(field.name, sql));
    ELSE
      SELECT * INTO col FROM segmentation_internal.workspace_template_column(field.value #>> '{}', relation, base);
      IF col.sql IS NULL AND NOT field.optional THEN
        RETURN NULL;
      END IF;
      whole := whole || jsonb_strip_nulls(
        jsonb_build_object(field.name, CASE WHEN col.plain THEN col.name ELSE col.sql END));
    END IF;
  END LOOP;
  RETURN whole || CASE WHEN base ? 'join' THEN jsonb_build_object('join', base -> 'join') ELSE '{}' END;
END
$$;
COMMENT ON FUNCTION segmentation_internal.workspace_template_mapping(segmentation.workspace_platform, regclass) IS
  'Part of suggest_sources: how a table of a known shop is read, as a mapping for add_source; NULL if it is none.';

-- For add_source without a mapping.
CREATE FUNCTION segmentation_internal.workspace_known_mapping(kind text, relation regclass) RETURNS jsonb
  LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  known record;
BEGIN
  SELECT p.platform, p.reason, m.mapping INTO known
  FROM segmentation.workspace_platform AS p
  CROSS JOIN LATERAL segmentation_internal.workspace_template_mapping(
    p, workspace_known_mapping.relation) AS m (mapping)
  WHERE p.kind = workspace_known_mapping.kind AND m.mapping IS NOT NULL
  ORDER BY p.place, p.platform LIMIT 1;
  IF known.mapping IS NULL THEN
    RETURN '{}';
  END IF;
  RAISE NOTICE '% is read as a table of %: %', relation, known.platform, known.reason;
  RETURN known.mapping;
END
$$;
COMMENT ON FUNCTION segmentation_internal.workspace_known_mapping(text, regclass) IS
  'Part of add_source: the mapping of a table of a known shop; an empty one for others.';

-- Tables of nobody known

-- Columns by what they are called: of one relation, the best of some names.
CREATE FUNCTION segmentation_internal.workspace_called(relation regclass, names text[]) RETURNS name
  LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
  RETURN (
    SELECT a.attname
    FROM pg_attribute AS a
    JOIN unnest(names) WITH ORDINALITY AS n (name, place)
      ON segmentation_internal.plain_name(n.name) = segmentation_internal.plain_name(a.attname)
    WHERE a.attrelid = relation AND a.attnum > 0 AND NOT a.attisdropped
    ORDER BY n.place, a.attnum LIMIT 1);
COMMENT ON FUNCTION segmentation_internal.workspace_called(regclass, text[]) IS
  'Part of suggest_sources: the column of a relation that has the best of some names.';

-- What could be joined to a table, for its customer or its day: what a foreign key names, or a table with a unique
-- column of the same name.
CREATE FUNCTION segmentation_internal.workspace_joinable(relation regclass)
RETURNS TABLE (joined regclass, left_column name, right_column name)
  LANGUAGE sql STABLE ROWS 5 SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
  SELECT DISTINCT ON (v.joined, v.left_column) v.joined, v.left_column, v.right_column
  FROM (
    SELECT 1 AS place, c.confrelid::regclass AS joined, l.attname AS left_column, r.attname AS right_column
    FROM pg_constraint AS c
    JOIN pg_attribute AS l ON l.attrelid = c.conrelid AND l.attnum = c.conkey[1]
    JOIN pg_attribute AS r ON r.attrelid = c.confrelid AND r.attnum = c.confkey[1]
    WHERE c.contype = 'f' AND c.conrelid = relation AND cardinality(c.conkey) = 1
    UNION ALL
    SELECT 2, i.indrelid, l.attname, r.attname
    FROM pg_index AS i
    JOIN pg_class AS c ON c.oid = i.indrelid
    JOIN pg_attribute AS r ON r.attrelid = i.indrelid AND r.attnum = i.indkey[0]
    JOIN pg_attribute AS l ON l.attrelid = relation AND l.attname = r.attname AND l.attnum > 0 AND NOT l.attisdropped
    WHERE i.indisunique AND i.indnkeyatts = 1 AND i.indpred IS NULL AND i.indexprs IS NULL AND i.indrelid <> relation
      AND c.relnamespace = (SELECT o.relnamespace FROM pg_class AS o WHERE o.oid = relation)) AS v
  ORDER BY v.joined, v.left_column, v.place;
END;
COMMENT ON FUNCTION segmentation_internal.workspace_joinable(regclass) IS
  'Part of suggest_sources: relations that have one row for each row of a table, with the columns to join by.';

-- Lines of orders: a product, an order, and an amount or a quantity and a price. Customer and day are those of the
-- line, or of what it is joined with.
CREATE FUNCTION segmentation_internal.workspace_guess_lines(relation regclass, OUT mapping jsonb, OUT reason text)
  LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  field record;
  found name;
  joined record;
  partner regclass;
  price name;
  quantity name;
  discount name;
BEGIN
  SELECT f.columns INTO field FROM segmentation.workspace_field AS f
  WHERE f.kind = 'purchase_lines' AND f.field = 'quantity';
  quantity := segmentation_internal.workspace_called(relation, field.columns);
  price := segmentation_internal.workspace_called(relation,
    '{unit_price,price,item_price,sale_price,selling_price,price_unit,prix_unitaire,prix,pu}');
  discount := segmentation_internal.workspace_called(relation, '{discount,discount_rate,remise}');
  mapping := '{}';
  FOR field IN
    SELECT f.field AS name, f.columns FROM segmentation.workspace_field AS f
    WHERE f.kind = 'purchase_lines' AND f.required ORDER BY f.place
  LOOP
    found := segmentation_internal.workspace_called(relation, field.columns);
    CONTINUE WHEN found IS NOT NULL;
    IF field.name = 'amount' AND quantity IS NOT NULL AND price IS NOT NULL THEN
      mapping := mapping || jsonb_build_object('amount', format('%I * %I%s', price, quantity,
        CASE WHEN segmentation_internal.workspace_is_share(relation, discount)
          THEN format(' * (1 - %I)', discount) ELSE '' END));
      reason := concat_ws('; ', reason, 'the amount is quantity times price'
        || CASE WHEN segmentation_internal.workspace_is_share(relation, discount)
          THEN ', less the discount' ELSE '' END);
    ELSIF field.name IN ('customer', 'purchased_on') AND partner IS NULL THEN
      SELECT j.* INTO joined
      FROM segmentation_internal.workspace_joinable(relation) AS j
      WHERE segmentation_internal.workspace_called(j.joined, field.columns) IS NOT NULL
        AND EXISTS (
          SELECT FROM segmentation.workspace_field AS f
          WHERE f.kind = 'purchases' AND f.field = 'purchased_on'
            AND segmentation_internal.workspace_called(j.joined, f.columns) IS NOT NULL)
      ORDER BY j.joined::text LIMIT 1;
      partner := joined.joined;
      IF partner IS NULL THEN
        mapping := NULL;
        RETURN;
      END IF;
      mapping := mapping || jsonb_build_object('join', jsonb_build_object(partner::text,
        jsonb_build_object(joined.left_column, joined.right_column)));
      reason := concat_ws('; ', reason, format('customer and day come from %s', partner));
    ELSIF NOT field.name IN ('customer', 'purchased_on') THEN
      mapping := NULL;
      RETURN;
    END IF;
  END LOOP;
  reason := concat_ws('; ', 'one row a product of an order', reason);
END
$$;
COMMENT ON FUNCTION segmentation_internal.workspace_guess_lines(regclass) IS
  'Part of suggest_sources: how a table could be read as lines of orders; NULL if it could not.';

-- Whether a column of discounts is a share of the price, by its greatest value.
CREATE FUNCTION segmentation_internal.workspace_is_share(relation regclass, discount name) RETURNS boolean
  LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  share boolean;
BEGIN
  IF discount IS NULL OR NOT segmentation_internal.workspace_type_fits('number',
    segmentation_internal.workspace_base_type(
      segmentation_internal.workspace_column_type(relation, discount)), 'bigint')
  THEN
    RETURN false;
  END IF;
  EXECUTE format($q$
    SELECT min(v.d) >= 0 AND max(v.d) < 1 AND max(v.d) > 0
    FROM (SELECT r.%I AS d FROM %s AS r LIMIT 100000) AS v$q$, discount, relation) INTO share;
  RETURN coalesce(share, false);
END
$$;
COMMENT ON FUNCTION segmentation_internal.workspace_is_share(regclass, name) IS
  'Part of suggest_sources: whether discounts are shares of the price.';

-- What a table of nobody known could be: of each kind, a mapping and why.
CREATE FUNCTION segmentation_internal.workspace_guess(relation regclass)
RETURNS TABLE (kind text, mapping jsonb, reason text)
  LANGUAGE plpgsql STABLE ROWS 10 SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  relname text := (SELECT c.relname FROM pg_class AS c WHERE c.oid = relation);
  lines record;
  of_kind record;
  named name;
BEGIN
  SELECT * INTO lines FROM segmentation_internal.workspace_guess_lines(relation);
  IF lines.mapping IS NOT NULL THEN
    kind := 'purchase_lines';
    mapping := lines.mapping;
    reason := lines.reason;
    RETURN NEXT;
    RETURN;
  END IF;
  FOR of_kind IN
    SELECT k.kind, bool_and(segmentation_internal.workspace_called(relation, k.columns) IS NOT NULL) AS whole,
      string_agg(k.field, ', ' ORDER BY k.place) AS fields
    FROM segmentation.workspace_field AS k
    WHERE k.required AND NOT k.kind IN ('purchase_lines', 'companies', 'people', 'sites')
    GROUP BY k.kind ORDER BY k.kind
  LOOP
    CONTINUE WHEN NOT of_kind.whole;
    IF of_kind.kind IN ('customers', 'products') THEN
      -- Nearly everything has a customer or a product: here there has to be one row of each.
      SELECT segmentation_internal.workspace_called(relation, f.columns) INTO named
      FROM segmentation.workspace_field AS f WHERE f.kind = of_kind.kind AND f.required;
      CONTINUE WHEN NOT segmentation_internal.workspace_joins_once(relation, jsonb_build_object('', named));
      reason := format('one row a %s: %s is unique', rtrim(of_kind.kind, 's'), named);
    ELSE
      reason := format('it has %s by their usual names', of_kind.fields);
    END IF;
    kind := of_kind.kind;
    mapping := '{}';
    RETURN NEXT;
  END LOOP;
END
$$;
COMMENT ON FUNCTION segmentation_internal.workspace_guess(regclass) IS
  'Part of suggest_sources: what a table could be, by names, types and keys.';

CREATE FUNCTION segmentation.suggest_sources(schema text, workspace text DEFAULT 'crm')
RETURNS TABLE (kind text, relation regclass, mapping jsonb, key_type regtype, reason text, call text)
  LANGUAGE plpgsql STABLE ROWS 10 SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  home oid := (SELECT n.oid FROM pg_namespace AS n WHERE n.nspname = schema);
  found record;
  shop text;
  least text;
BEGIN
  IF home IS NULL THEN
    RAISE invalid_schema_name USING MESSAGE = format('schema %I does not exist', schema),
      HINT = 'Name the schema of the tables, as it is written in pg_namespace.';
  END IF;
  -- Of several shops with tables of these names the one that most fits.
  SELECT p.platform INTO shop
  FROM segmentation.workspace_platform AS p
  CROSS JOIN segmentation_internal.workspace_tables_of(home) AS t (oid)
  WHERE segmentation_internal.workspace_template_mapping(p, t.oid) IS NOT NULL
  GROUP BY p.platform ORDER BY count(*) DESC, p.platform COLLATE "C" LIMIT 1;
  FOR found IN
    SELECT DISTINCT ON (k.place, v.kind, v.relation::text) v.*
    FROM (
      SELECT p.kind, t.oid AS relation, m.mapping, format('%s: %s', p.platform, p.reason) AS reason, p.place
      FROM segmentation.workspace_platform AS p
      CROSS JOIN segmentation_internal.workspace_tables_of(home) AS t (oid)
      CROSS JOIN LATERAL segmentation_internal.workspace_template_mapping(p, t.oid) AS m (mapping)
      WHERE p.platform = shop AND m.mapping IS NOT NULL
      UNION ALL
      SELECT g.kind, t.oid, g.mapping, g.reason, 0
      FROM segmentation_internal.workspace_tables_of(home) AS t (oid)
      CROSS JOIN LATERAL segmentation_internal.workspace_guess(t.oid) AS g
      WHERE shop IS NULL) AS v
    JOIN (
      SELECT f.kind, min(f.ctid) AS at, row_number() OVER (ORDER BY min(f.ctid)) AS place
      FROM segmentation.workspace_field AS f GROUP BY f.kind) AS k ON k.kind = v.kind
    ORDER BY k.place, v.kind, v.relation::text, v.place
  LOOP
    BEGIN
      mapping := segmentation_internal.workspace_map_any_key(found.kind, found.relation, found.mapping);
      key_type := CASE WHEN mapping ? 'customer'
        THEN segmentation_internal.workspace_key_of(found.kind, found.relation, mapping) END;
      kind := found.kind;
      relation := found.relation;
      reason := found.reason;
      mapping := found.mapping;
      call := format('SELECT segmentation.add_source(%L, %L, %L%s);', workspace, kind, relation,
        CASE WHEN mapping = '{}' THEN '' ELSE format(', %L', mapping) END);
      RETURN NEXT;
    EXCEPTION WHEN invalid_parameter_value OR insufficient_privilege THEN
      NULL;  -- it looked like one, and is none
    END;
  END LOOP;
END
$$;
COMMENT ON FUNCTION segmentation.suggest_sources(text, text) IS
  'What of a schema could be a source of a workspace: kind, relation, mapping, the key type that it has, why, and the '
  'call of add_source. Tables of known shops are read by their rules (see workspace_platform), others by names and '
  'keys.';

-- Tables, and views of one's own: those of others are code of others. A superuser's own are those of superusers.
CREATE FUNCTION segmentation_internal.workspace_tables_of(schema oid) RETURNS SETOF regclass
  LANGUAGE sql STABLE ROWS 3 SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
  SELECT c.oid::regclass FROM pg_class AS c
  WHERE c.relnamespace = schema AND c.relkind IN ('r', 'v', 'm', 'f', 'p') AND NOT c.relispartition
    AND has_any_column_privilege(c.oid, 'SELECT')
    AND (c.relkind IN ('r', 'p') AND NOT c.relrowsecurity AND NOT c.relhasrules
      OR EXISTS (
        SELECT FROM pg_roles AS o CROSS JOIN pg_roles AS u
        WHERE o.oid = c.relowner AND u.rolname = current_user
          AND (o.rolsuper OR NOT u.rolsuper AND pg_has_role(o.oid, 'MEMBER'))))
  ORDER BY c.relname;
END;
COMMENT ON FUNCTION segmentation_internal.workspace_tables_of(oid) IS
  'Part of suggest_sources: the relations of a schema that the caller may read, without views and policies of others.';

-- What looks wrong

-- A unit price as the amount: of rows with a quantity.
CREATE FUNCTION segmentation_internal.workspace_price_warning(kind text, relation regclass, mapping jsonb) RETURNS text
  LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  price record;
  quantity text;
  found record;
BEGIN
  SELECT * INTO price
  FROM segmentation_internal.workspace_column_sql(mapping ->> 'amount', relation, mapping);
  quantity := coalesce(segmentation_internal.workspace_given_sql(mapping -> 'quantity', relation, mapping), (
    SELECT segmentation_internal.workspace_given_sql(to_jsonb(c.names[1]), relation, mapping)
    FROM segmentation.workspace_field AS f
    CROSS JOIN LATERAL segmentation_internal.workspace_usual_column(f, relation, mapping) AS c (names)
    WHERE f.kind = 'purchase_lines' AND f.field = 'quantity'));
  IF quantity IS NULL OR NOT kind IN ('purchases', 'purchase_lines')
     OR NOT coalesce(segmentation_internal.plain_name(price.column_name)
       ~ ('^(unit|item|line|lineitem|sale|selling|product)?(price|cost)(unit|each)?$'
         '|^prix(unitaire|vente)?(ht|ttc)?$|^pu(ht|ttc)?$'), false)
  THEN
    RETURN NULL;
  END IF;
  EXECUTE segmentation_internal.fill(NULL, $q$
    SELECT round(sum(v.p), 2) AS as_it_is, round(sum(v.p * v.q), 2) AS times
    FROM (SELECT @(price)@::numeric AS p, @(quantity)@::numeric AS q FROM @(whole)@ LIMIT 100000) AS v$q$,
    jsonb_build_object('price', price.sql, 'quantity', quantity,
      'whole', segmentation_internal.workspace_from(relation, mapping))) INTO found;
  RETURN CASE WHEN found.as_it_is <> found.times THEN format(
    'the amount is column "%s", which looks like a price of one piece: the turnover is %s, with the quantity it would '
    'be %s',
    price.column_name, found.as_it_is, found.times) END;
END
$$;
COMMENT ON FUNCTION segmentation_internal.workspace_price_warning(text, regclass, jsonb) IS
  'Part of add_source: that an amount looks like a price of one piece, with figures; NULL if it does not.';

-- The same orders twice: rows of the same customer, day and amount in another source of the kind.
CREATE FUNCTION segmentation_internal.workspace_twice_warning(
  ws text, kind text, relation regclass, mapping jsonb, zone text
) RETURNS text
  LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  key regtype := segmentation_internal.workspace_key(ws)::regtype;
  other record;
  found record;
BEGIN
  IF NOT kind IN ('purchases', 'purchase_lines') THEN
    RETURN NULL;
  END IF;
  FOR other IN EXECUTE format(
    'SELECT s.relation, s.mapping, s.time_zone FROM %s.source AS s WHERE s.kind = $1 AND s.relation <> $2', ws)
    USING kind, relation
  LOOP
    EXECUTE segmentation_internal.fill(NULL, $q$
      WITH lately AS MATERIALIZED (
        SELECT s.customer, s.purchased_on, s.amount::numeric AS amount FROM (SELECT @(new)@ FROM @(relation)@ AS s) AS s
        WHERE s.customer IS NOT NULL AND s.amount::numeric <> 0 LIMIT 5000)
      SELECT count(*) AS rows, count(o.customer) AS twice,
        sum(l.amount) FILTER (WHERE o.customer IS NOT NULL) AS turnover
      FROM lately AS l
      LEFT JOIN (
        SELECT DISTINCT s.customer, s.purchased_on, s.amount::numeric AS amount
        FROM (SELECT @(old)@ FROM @(other)@ AS s) AS s
        WHERE s.customer IN (SELECT l.customer FROM lately AS l)) AS o
        ON o.customer = l.customer AND o.purchased_on = l.purchased_on AND o.amount = l.amount$q$,
      jsonb_build_object(
        'new', segmentation_internal.workspace_source_columns(kind, relation, mapping, key, zone, true),
        'relation', segmentation_internal.workspace_read(kind, relation, mapping),
        'old', segmentation_internal.workspace_source_columns(
          kind, other.relation, other.mapping, key, other.time_zone, true),
        'other', segmentation_internal.workspace_read(kind, other.relation, other.mapping)))
      INTO found;
    IF found.rows >= 10 AND found.twice >= 0.5 * found.rows THEN
      RETURN format('%s and %s seem to hold the same orders: %s of %s rows have the same customer, day and amount in '
        'both, a turnover of %s that would count twice',
        relation, other.relation, found.twice, found.rows, found.turnover);
    END IF;
  END LOOP;
  RETURN NULL;
END
$$;
COMMENT ON FUNCTION segmentation_internal.workspace_twice_warning(text, text, regclass, jsonb, text) IS
  'Part of add_source: that two sources seem to hold the same orders, with figures; NULL if they do not.';

-- A warning never fails: what cannot be read is the refresh's to say.
CREATE FUNCTION segmentation_internal.workspace_warn_source(
  ws text, kind text, relation regclass, mapping jsonb, zone text
) RETURNS void
  LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  price text;
  twice text;
BEGIN
  price := segmentation_internal.workspace_price_warning(kind, relation, mapping);
  IF price IS NOT NULL THEN
    RAISE WARNING USING MESSAGE = format('source %s of %s: %s', relation, kind, price),
      HINT = 'Map the amount to an expression, as {"amount": "quantity * unit_price"}.';
  END IF;
  twice := segmentation_internal.workspace_twice_warning(ws, kind, relation, mapping, zone);
  IF twice IS NOT NULL THEN
    RAISE WARNING USING MESSAGE = twice,
      HINT = format('If they do: SELECT segmentation.remove_source(%L, %L, %L).', (parse_ident(ws))[1], kind, relation);
  END IF;
EXCEPTION WHEN data_exception OR insufficient_privilege THEN
  NULL;
END
$$;
COMMENT ON FUNCTION segmentation_internal.workspace_warn_source(text, text, regclass, jsonb, text) IS
  'Part of add_source: warnings about a mapping that looks wrong, with figures.';
