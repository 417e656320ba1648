-- Permanent update: whatever changes, the incremental result is the full one.
SET search_path = segmentation, public;
SET datestyle = ISO;
SET client_min_messages = warning;
SELECT count(*) > 0 AS simulated FROM simulate_shop('shop', 300, options => '{"lines": false, "contacts": false}') AS s;
-- What the shop has so far; the rest comes week by week.
CREATE TABLE public.live_orders (LIKE shop.orders INCLUDING ALL) PARTITION BY RANGE (ordered_on);
