//! SQL face of [`segmentation_core::simulate`]: one set-returning function a
//! table. `simulate_shop`, in `sql/simulate.sql`, puts them together.
//!
//! Dates are read and written as days from 2000-01-01 and instants as
//! microseconds, which is what `date` and `timestamptz` are.

// The columns of a table are its row type.
#![allow(clippy::type_complexity)]

use pgrx::prelude::*;
use segmentation_core::base::day::Day;
use segmentation_core::base::money::{Money, SCALE};
use segmentation_core::simulate::{CATEGORIES, CHANNELS, CUSTOMER_LIMIT, Customer, Options, Shop};

use crate::pg::jsonb::{JsonbArg, JsonbOut};
use crate::pg::{Numeric, OrRaise, interrupt};

/// Cents as `numeric` with two decimals.
fn money(cents: i64) -> Numeric {
    Numeric::of_money(Money(cents.saturating_mul(SCALE / 100)))
}

/// Category ids are positions from 1.
fn category_id(position: usize) -> i16 {
    position as i16 + 1
}

fn read(options: JsonbArg) -> Options {
    options.value("options of the simulation").and_then(|options| Options::from_json(&options)).or_raise()
}

fn shop(seed: i64, starts: Day, ends: Day, options: JsonbArg) -> Shop {
    Shop::new(seed, starts, ends, read(options)).or_raise()
}

/// The rows of customers `first` to `last`, each made by `rows`.
fn of_customers<R>(
    shop: Shop,
    first: i32,
    last: i32,
    rows: impl Fn(&Shop, &Customer) -> Vec<R> + 'static,
) -> impl Iterator<Item = R> {
    Shop::check_customers(first, last).or_raise();
    (first..=last).flat_map(move |id| {
        interrupt();
        rows(&shop, &shop.customer(id))
    })
}

#[pg_extern(sql = false)]
fn simulate_options(options: JsonbArg<'_>) -> JsonbOut {
    JsonbOut(serde_json::to_value(read(options)).unwrap_or_default())
}

#[pg_extern(sql = false)]
fn simulate_customer_limit() -> i32 {
    CUSTOMER_LIMIT
}

#[pg_extern(sql = false)]
fn simulate_categories() -> TableIterator<'static, (name!(category_id, i16), name!(category, &'static str))> {
    TableIterator::new(CATEGORIES.iter().enumerate().map(|(n, category)| (category_id(n), category.code)))
}

#[pg_extern(sql = false)]
fn simulate_products(
    seed: i64,
    starts: Day,
    ends: Day,
    options: JsonbArg<'_>,
) -> TableIterator<
    'static,
    (
        name!(product_id, i32),
        name!(category_id, i16),
        name!(product, String),
        name!(kind, &'static str),
        name!(price, Numeric),
        name!(margin, f64),
        name!(stock, i32),
        name!(style, i16),
        name!(popularity, f64),
        name!(lasts_days, Option<i32>),
    ),
> {
    let shop = shop(seed, starts, ends, options);
    let rows: Vec<_> = shop
        .products()
        .iter()
        .map(|product| {
            (
                product.id,
                category_id(product.category),
                format!("{} {:03}", CATEGORIES[product.category].code, product.number),
                if product.consumable { "consumable" } else { "durable" },
                money(product.cents),
                product.margin,
                product.stock,
                i16::from(product.style),
                product.popularity,
                product.consumable.then_some(product.lasts),
            )
        })
        .collect();
    TableIterator::new(rows)
}

#[pg_extern(sql = false)]
fn simulate_campaigns(
    seed: i64,
    starts: Day,
    ends: Day,
    options: JsonbArg<'_>,
) -> TableIterator<
    'static,
    (name!(campaign_id, i32), name!(channel, &'static str), name!(sent_on, Day), name!(category_id, i16)),
> {
    let shop = shop(seed, starts, ends, options);
    let rows: Vec<_> = shop
        .campaigns()
        .iter()
        .map(|c| (c.id, CHANNELS[c.channel], c.sent_on, category_id(c.category)))
        .collect();
    TableIterator::new(rows)
}

#[pg_extern(sql = false)]
fn simulate_customers(
    seed: i64,
    first: i32,
    last: i32,
    starts: Day,
    ends: Day,
    options: JsonbArg<'_>,
) -> TableIterator<
    'static,
    (
        name!(customer_id, i32),
        name!(registered_on, Day),
        name!(is_company, bool),
        name!(first_name, &'static str),
        name!(last_name, &'static str),
        name!(email, String),
        name!(phone, String),
        name!(city, &'static str),
        name!(postcode, String),
        name!(acquisition_channel, &'static str),
        name!(birth_date, Option<Day>),
        name!(sex, Option<&'static str>),
        name!(marital_status, Option<&'static str>),
        name!(household_size, Option<i16>),
        name!(income_band, Option<i16>),
        name!(occupation_code, Option<String>),
        name!(company_name, Option<String>),
        name!(siren, Option<String>),
        name!(naf_code, Option<&'static str>),
        name!(headcount_band, Option<&'static str>),
    ),
> {
    let shop = shop(seed, starts, ends, options);
    TableIterator::new(of_customers(shop, first, last, |shop, customer| {
        let (known, _) = shop.attributes(customer);
        let (name, siren, naf, headcount) = match known.company {
            Some(company) => {
                (Some(company.name), Some(company.siren), Some(company.naf), Some(company.headcount))
            }
            None => (None, None, None, None),
        };
        vec![(
            customer.id,
            customer.registered,
            customer.company(),
            known.first_name,
            known.last_name,
            known.email,
            known.phone,
            known.city,
            known.postcode,
            known.acquisition_channel,
            known.born,
            known.sex,
            known.marital_status,
            known.household_size,
            known.income_band,
            known.occupation,
            name,
            siren,
            naf,
            headcount,
        )]
    }))
}

#[pg_extern(sql = false)]
fn simulate_attribute_history(
    seed: i64,
    first: i32,
    last: i32,
    starts: Day,
    ends: Day,
    options: JsonbArg<'_>,
) -> TableIterator<
    'static,
    (
        name!(customer_id, i32),
        name!(attribute, &'static str),
        name!(changed_on, Day),
        name!(old_value, String),
        name!(new_value, String),
    ),
> {
    let shop = shop(seed, starts, ends, options);
    TableIterator::new(of_customers(shop, first, last, |shop, customer| {
        let (_, changes) = shop.attributes(customer);
        changes
            .into_iter()
            .map(|c| (customer.id, c.attribute, c.changed_on, c.old_value, c.new_value))
            .collect()
    }))
}

#[pg_extern(sql = false)]
fn simulate_orders(
    seed: i64,
    first: i32,
    last: i32,
    starts: Day,
    ends: Day,
    options: JsonbArg<'_>,
) -> TableIterator<
    'static,
    (
        name!(order_id, i64),
        name!(customer_id, i32),
        name!(ordered_on, Day),
        name!(ordered_at, i64),
        name!(amount, Numeric),
        name!(channel, &'static str),
        name!(refund_of, Option<i64>),
    ),
> {
    let shop = shop(seed, starts, ends, options);
    TableIterator::new(of_customers(shop, first, last, |shop, customer| {
        let row = |o: segmentation_core::simulate::Order| {
            (o.id, customer.id, o.ordered_on, o.ordered_at, money(o.cents), o.channel, o.refund_of)
        };
        shop.orders(customer).into_iter().map(row).collect()
    }))
}

#[pg_extern(sql = false)]
fn simulate_order_lines(
    seed: i64,
    first: i32,
    last: i32,
    starts: Day,
    ends: Day,
    options: JsonbArg<'_>,
) -> TableIterator<
    'static,
    (
        name!(order_id, i64),
        name!(line, i16),
        name!(customer_id, i32),
        name!(ordered_on, Day),
        name!(product_id, i32),
        name!(quantity, i32),
        name!(amount, Numeric),
    ),
> {
    let shop = shop(seed, starts, ends, options);
    TableIterator::new(of_customers(shop, first, last, |shop, customer| {
        let orders = shop.orders(customer);
        let lines = shop.lines(customer, &orders);
        // Both are in the order of their order's id.
        let mut rows = Vec::with_capacity(lines.len());
        let mut lines = lines.into_iter().peekable();
        for order in orders {
            while let Some(line) = lines.next_if(|line| line.order_id == order.id) {
                let amount = money(line.cents);
                let (product, quantity) = (line.product_id, line.quantity);
                rows.push((order.id, line.number, customer.id, order.ordered_on, product, quantity, amount));
            }
        }
        rows
    }))
}

#[pg_extern(sql = false)]
fn simulate_consents(
    seed: i64,
    first: i32,
    last: i32,
    starts: Day,
    ends: Day,
    options: JsonbArg<'_>,
) -> TableIterator<
    'static,
    (name!(customer_id, i32), name!(channel, &'static str), name!(granted, bool), name!(changed_on, Day)),
> {
    let shop = shop(seed, starts, ends, options);
    TableIterator::new(of_customers(shop, first, last, |shop, customer| {
        let row =
            |c: segmentation_core::simulate::ConsentChange| (customer.id, c.channel, c.granted, c.changed_on);
        shop.consents(customer).into_iter().map(row).collect()
    }))
}

#[pg_extern(sql = false)]
fn simulate_contacts(
    seed: i64,
    first: i32,
    last: i32,
    starts: Day,
    ends: Day,
    options: JsonbArg<'_>,
) -> TableIterator<
    'static,
    (
        name!(contact_id, i64),
        name!(customer_id, i32),
        name!(campaign_id, i32),
        name!(channel, &'static str),
        name!(sent_at, i64),
        name!(opened, Option<bool>),
        name!(response, Option<&'static str>),
        name!(responded_at, Option<i64>),
    ),
> {
    let shop = shop(seed, starts, ends, options);
    TableIterator::new(of_customers(shop, first, last, |shop, customer| {
        let orders = shop.orders(customer);
        shop.contacts(customer, &orders)
            .into_iter()
            .map(|c| {
                (c.id, customer.id, c.campaign_id, c.channel, c.sent_at, c.opened, c.response, c.responded_at)
            })
            .collect()
    }))
}

#[pg_extern(sql = false)]
fn simulate_interactions(
    seed: i64,
    first: i32,
    last: i32,
    starts: Day,
    ends: Day,
    options: JsonbArg<'_>,
) -> TableIterator<
    'static,
    (
        name!(interaction_id, i64),
        name!(customer_id, i32),
        name!(kind, &'static str),
        name!(occurred_at, i64),
        name!(category_id, Option<i16>),
    ),
> {
    let shop = shop(seed, starts, ends, options);
    TableIterator::new(of_customers(shop, first, last, |shop, customer| {
        let orders = shop.orders(customer);
        shop.interactions(customer, &orders)
            .into_iter()
            .map(|i| (i.id, customer.id, i.kind, i.occurred_at, i.category.map(category_id)))
            .collect()
    }))
}

#[pg_extern(sql = false)]
fn simulate_subscriptions(
    seed: i64,
    first: i32,
    last: i32,
    starts: Day,
    ends: Day,
    options: JsonbArg<'_>,
) -> TableIterator<
    'static,
    (
        name!(customer_id, i32),
        name!(plan, &'static str),
        name!(price, Numeric),
        name!(started_on, Day),
        name!(ended_on, Option<Day>),
    ),
> {
    let shop = shop(seed, starts, ends, options);
    TableIterator::new(of_customers(shop, first, last, |shop, customer| {
        let row = |s: segmentation_core::simulate::Subscription| {
            (customer.id, s.plan, money(s.cents), s.started_on, s.ended_on)
        };
        shop.subscription(customer).into_iter().map(row).collect()
    }))
}

#[pg_extern(sql = false)]
fn simulate_truth_customers(
    seed: i64,
    first: i32,
    last: i32,
    starts: Day,
    ends: Day,
    options: JsonbArg<'_>,
) -> TableIterator<
    'static,
    (
        name!(customer_id, i32),
        name!(profile, &'static str),
        name!(is_buyer, bool),
        name!(purchase_rate, Option<f64>),
        name!(regularity, Option<i16>),
        name!(lifetime_ends, Option<Day>),
        name!(mean_spend, Option<f64>),
        name!(tastes, Vec<f32>),
        name!(style, i16),
        name!(response_rates, Vec<f32>),
        name!(preferred_channel, &'static str),
        name!(preferred_hour, i16),
        name!(prefers_weekend, bool),
        name!(digital_share, f64),
        name!(price_sensitivity, f64),
        name!(subscription_hazard, f64),
    ),
> {
    let shop = shop(seed, starts, ends, options);
    let single = |values: &[f64]| values.iter().map(|v| *v as f32).collect::<Vec<f32>>();
    TableIterator::new(of_customers(shop, first, last, move |_, customer| {
        let purchasing = customer.purchasing;
        vec![(
            customer.id,
            customer.profile().code,
            purchasing.is_some(),
            purchasing.map(|p| p.rate),
            purchasing.map(|p| p.regularity as i16),
            purchasing.map(|p| p.ends as Day),
            purchasing.map(|p| p.mean_spend),
            single(&customer.tastes),
            i16::from(customer.style),
            single(&customer.response_rates),
            customer.preferred_channel(),
            i16::from(customer.preferred_hour),
            customer.prefers_weekend,
            customer.digital,
            customer.price_sensitivity,
            customer.subscription_hazard,
        )]
    }))
}

#[pg_extern(sql = false)]
fn simulate_truth_moments(
    seed: i64,
    first: i32,
    last: i32,
    starts: Day,
    ends: Day,
    options: JsonbArg<'_>,
) -> TableIterator<
    'static,
    (
        name!(customer_id, i32),
        name!(moment, &'static str),
        name!(begins, Day),
        name!(ends, Option<Day>),
        name!(happens_on, Day),
        name!(recorded_on, Option<Day>),
    ),
> {
    let shop = shop(seed, starts, ends, options);
    TableIterator::new(of_customers(shop, first, last, |_, customer| {
        let row = |m: &segmentation_core::simulate::Moment| {
            (customer.id, m.kind.code(), m.begins, m.ends, m.happens, m.recorded)
        };
        customer.moments.iter().map(row).collect()
    }))
}

#[pg_extern(sql = false)]
fn simulate_truth_repeats(
    seed: i64,
    first: i32,
    last: i32,
    starts: Day,
    ends: Day,
    options: JsonbArg<'_>,
) -> TableIterator<'static, (name!(customer_id, i32), name!(product_id, i32), name!(gap_days, i32))> {
    let shop = shop(seed, starts, ends, options);
    TableIterator::new(of_customers(shop, first, last, |shop, customer| {
        shop.repeats(customer).into_iter().map(|r| (customer.id, r.product_id, r.gap)).collect()
    }))
}
