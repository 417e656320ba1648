//! The generator against what it promises: determinism, the distributions it
//! names, and a truth that agrees with the rows.

use std::collections::HashSet;
use std::hash::{DefaultHasher, Hash, Hasher};

use super::*;
use crate::base::day::{self, Day};
use crate::{ErrorKind, Result};

const STARTS: Day = 8_401; // 2023-01-01
const ENDS: Day = 9_496; // 2025-12-31

fn shop(options: Options) -> Shop {
    Shop::new(1, STARTS, ENDS, options).unwrap()
}

fn mean(values: impl IntoIterator<Item = f64>) -> f64 {
    let (sum, n) = values.into_iter().fold((0.0, 0), |(sum, n), v| (sum + v, n + 1));
    sum / f64::from(n)
}

#[test]
fn days_of_the_tests() {
    assert_eq!(day::parse("2023-01-01"), Some(STARTS));
    assert_eq!(day::parse("2025-12-31"), Some(ENDS));
}

/// Everything of one customer, as text.
fn everything(shop: &Shop, id: i32) -> String {
    let customer = shop.customer(id);
    let orders = shop.orders(&customer);
    format!(
        "{customer:?}{:?}{orders:?}{:?}{:?}{:?}{:?}{:?}{:?}",
        shop.attributes(&customer),
        shop.repeats(&customer),
        shop.lines(&customer, &orders),
        shop.consents(&customer),
        shop.contacts(&customer, &orders),
        shop.interactions(&customer, &orders),
        shop.subscription(&customer),
    )
}

#[test]
fn a_customer_depends_on_seed_and_number_only() {
    let (one, again) = (shop(Options::default()), shop(Options::default()));
    let forward: Vec<String> = (1..=200).map(|id| everything(&one, id)).collect();
    let mut backward: Vec<String> = (1..=200).rev().map(|id| everything(&again, id)).collect();
    backward.reverse();
    assert_eq!(forward, backward);
    assert_eq!(forward.iter().collect::<HashSet<_>>().len(), 200);
    let other = Shop::new(2, STARTS, ENDS, Options::default()).unwrap();
    assert_ne!(forward[0], everything(&other, 1));
}

/// A change here means that every stored simulation changes: say so in the changelog.
#[test]
fn the_output_is_pinned() {
    let shop = shop(Options::default());
    // Integers only: their text does not depend on how floats are printed.
    let mut digest = 0_i64;
    for id in 1..=500 {
        let customer = shop.customer(id);
        let orders = shop.orders(&customer);
        for order in &orders {
            digest = digest.wrapping_mul(31).wrapping_add(order.cents ^ order.ordered_at);
        }
        for line in shop.lines(&customer, &orders) {
            digest = digest.wrapping_mul(31).wrapping_add(line.cents ^ i64::from(line.product_id));
        }
        for contact in shop.contacts(&customer, &orders) {
            digest =
                digest.wrapping_mul(31).wrapping_add(contact.sent_at ^ contact.responded_at.unwrap_or(1));
        }
    }
    assert_eq!(digest, PINNED);
}
const PINNED: i64 = 7_915_136_344_796_421_266;

#[test]
fn about_ten_orders_and_two_lines() {
    let shop = shop(Options::default());
    let n = 5_000;
    let (mut orders, mut lines, mut contacts, mut refunds, mut zero) = (0, 0, 0, 0, 0);
    let (mut longest, mut consents, mut interactions, mut responses) = (0, 0, 0, 0);
    for id in 1..=n {
        let customer = shop.customer(id);
        let made = shop.orders(&customer);
        longest = longest.max(made.len());
        orders += made.len();
        lines += shop.lines(&customer, &made).len();
        let sent = shop.contacts(&customer, &made);
        contacts += sent.len();
        responses += sent.iter().filter(|c| c.response.is_some()).count();
        consents += shop.consents(&customer).len();
        interactions += shop.interactions(&customer, &made).len();
        refunds += made.iter().filter(|o| o.cents < 0).count();
        zero += made.iter().filter(|o| o.cents == 0).count();
    }
    let per_customer = |count: usize| count as f64 / f64::from(n);
    println!(
        "per customer: orders {} lines {} contacts {} responses {} consents {} interactions {} refunds {} zero {} longest {longest}",
        per_customer(orders),
        per_customer(lines),
        per_customer(contacts),
        per_customer(responses),
        per_customer(consents),
        per_customer(interactions),
        per_customer(refunds),
        per_customer(zero)
    );
    assert!((9.0..11.0).contains(&per_customer(orders)));
    assert!((1.7..2.4).contains(&(lines as f64 / orders as f64)));
    assert!((6.0..14.0).contains(&per_customer(contacts)));
    assert!((0.05..0.2).contains(&(responses as f64 / contacts as f64)));
    assert!((0.02..0.04).contains(&(refunds as f64 / orders as f64)));
    assert!(zero > 0);
}

/// The pure world has the moments of the Pareto/NBD and Gamma-Gamma models.
#[test]
fn pure_world() {
    let options = Options { pure: true, prospects: 0.0, acquisition_days: Some(1), ..Options::default() };
    let (r, alpha, s, beta) = (options.r, options.alpha, options.s, options.beta);
    let (p, q, gamma) = (options.p, options.q, options.gamma);
    let shop = shop(options);
    let n = 20_000;
    let customers: Vec<Customer> = (1..=n).map(|id| shop.customer(id)).collect();
    let purchasing: Vec<Purchasing> = customers.iter().filter_map(|c| c.purchasing).collect();
    assert_eq!(purchasing.len(), n as usize);
    // Gamma rates: mean and variance.
    let rate = mean(purchasing.iter().map(|p| p.rate));
    let square = mean(purchasing.iter().map(|p| p.rate * p.rate));
    assert!((rate / (r / alpha) - 1.0).abs() < 0.03, "{rate}");
    assert!(((square - rate * rate) / (r / alpha / alpha) - 1.0).abs() < 0.08);
    // Lomax lifetimes: the share alive after a year.
    let alive = mean(purchasing.iter().map(|p| f64::from(u8::from(p.ends - p.begins > 364.0))));
    let expected = libm::pow(beta / (beta + 52.0), s);
    assert!((alive - expected).abs() < 0.012, "{alive} {expected}");
    // Repeat purchases: E X(T) = (r beta / (alpha (s - 1))) (1 - (beta / (beta + T))^(s - 1)).
    let orders: Vec<Vec<Order>> = customers.iter().map(|c| shop.orders(c)).collect();
    let weeks = f64::from(ENDS + 1 - STARTS) / 7.0 - 0.5 / 7.0;
    let repeats = mean(orders.iter().map(|o| o.len() as f64 - 1.0));
    let expected = r * beta / (alpha * (s - 1.0)) * (1.0 - libm::pow(beta / (beta + weeks), s - 1.0));
    assert!((repeats / expected - 1.0).abs() < 0.03, "{repeats} {expected}");
    // Amounts: mean, and the within-customer coefficient of variation 1 / sqrt(p).
    let amounts: Vec<f64> = orders.iter().map(|o| mean(o.iter().map(|o| o.cents as f64 / 100.0))).collect();
    let expected = p * gamma / (q - 1.0);
    assert!((mean(amounts) / expected - 1.0).abs() < 0.03);
    let scaled = orders
        .iter()
        .zip(&purchasing)
        .flat_map(|(o, p)| o.iter().map(|o| o.cents as f64 / 100.0 / p.mean_spend).collect::<Vec<_>>());
    let variance = mean(scaled.map(|z| (z - 1.0) * (z - 1.0)));
    assert!((variance * p - 1.0).abs() < 0.05, "{variance}");
    // Rates, lifetimes and spend are independent.
    let spend = mean(purchasing.iter().map(|p| p.mean_spend));
    let product = mean(purchasing.iter().map(|p| p.rate * p.mean_spend));
    assert!((product / (rate * spend) - 1.0).abs() < 0.05);
    assert!(orders.iter().flatten().all(|o| o.cents > 0 && o.refund_of.is_none()));
}

/// Erlang-k gaps: their coefficient of variation is 1 / sqrt(k).
#[test]
fn regular_gaps() {
    for k in [1, 4] {
        let options = Options {
            pure: true,
            prospects: 0.0,
            regularity: Some(k),
            r: 50.0,
            alpha: 50.0,
            s: 100.0,
            beta: 1e5,
            acquisition_days: Some(30),
            ..Options::default()
        };
        let shop = shop(options);
        let mut gaps = Vec::new();
        for id in 1..=500 {
            let customer = shop.customer(id);
            let rate = customer.purchasing.unwrap().rate;
            let orders = shop.orders(&customer);
            gaps.extend(orders.windows(2).map(|o| f64::from(o[1].ordered_on - o[0].ordered_on) / 7.0 * rate));
        }
        let average = mean(gaps.iter().copied());
        let variance = mean(gaps.iter().map(|g| (g - average) * (g - average)));
        assert!((average - 1.0).abs() < 0.03, "{average}");
        assert!((variance * f64::from(k) - 1.0).abs() < 0.1, "{k} {variance}");
    }
}

#[test]
fn rows_agree_with_each_other_and_with_the_truth() {
    let shop = shop(Options::default());
    let mut sirens = HashSet::new();
    for id in 1..=4_000 {
        let customer = shop.customer(id);
        let orders = shop.orders(&customer);
        assert_eq!(orders.is_empty(), customer.purchasing.is_none());
        if let (Some(first), Some(purchasing)) = (orders.first(), customer.purchasing) {
            assert_eq!(first.ordered_on, customer.registered);
            assert!(purchasing.rate > 0.0 || orders.len() == 1);
            for order in orders.iter().filter(|o| o.refund_of.is_none()) {
                assert!(f64::from(order.ordered_on) <= purchasing.ends, "{id} bought after its end");
                let dormant = |m: &&Moment| m.kind == MomentKind::Dormant && m.covers(order.ordered_on);
                assert_eq!(customer.moments.iter().find(dormant), None);
            }
        }
        let lines = shop.lines(&customer, &orders);
        for (n, order) in orders.iter().enumerate() {
            assert_eq!(order.id, i64::from(id) * ID_SPAN + n as i64 + 1);
            assert!((customer.registered..=ENDS).contains(&order.ordered_on));
            assert!(n == 0 || orders[n - 1].ordered_at <= order.ordered_at);
            let own: Vec<&Line> = lines.iter().filter(|l| l.order_id == order.id).collect();
            assert!(!own.is_empty());
            assert_eq!(own.iter().map(|l| l.cents).sum::<i64>(), order.cents, "{id} {order:?} {own:?}");
            assert!(own.iter().enumerate().all(|(n, l)| l.number as usize == n + 1));
            match order.refund_of {
                Some(of) => {
                    let refunded = orders.iter().find(|o| o.id == of).unwrap();
                    assert!(order.cents < 0 && -order.cents <= refunded.cents && of < order.id);
                    assert!(own.iter().all(|l| l.quantity < 0 && l.cents <= 0));
                }
                None => assert!(own.iter().all(|l| l.quantity > 0 && l.cents >= 0)),
            }
        }
        assert!(lines.iter().all(|l| (1..=980).contains(&l.product_id)));

        let consents = shop.consents(&customer);
        let contacts = shop.contacts(&customer, &orders);
        for contact in &contacts {
            let campaign = shop.campaigns()[contact.campaign_id as usize - 1];
            let consent = consents
                .iter()
                .filter(|c| c.channel == contact.channel && c.changed_on <= campaign.sent_on)
                .max_by_key(|c| c.changed_on);
            assert!(consent.is_some_and(|c| c.granted), "{id} was written to without consent");
            assert_eq!(contact.response.is_some(), contact.responded_at.is_some());
            assert!(contact.responded_at.is_none_or(|at| at > contact.sent_at));
        }
        assert!((customer.tastes.iter().sum::<f64>() - 1.0).abs() < 1e-9);
        for interaction in shop.interactions(&customer, &orders) {
            assert!(interaction.occurred_at >= shop.calendar.instant(customer.registered, 0));
        }
        if let Some(subscription) = shop.subscription(&customer) {
            assert!(
                subscription.ended_on.is_none_or(|ended| ended > subscription.started_on && ended <= ENDS)
            );
        }
        let (attributes, changes) = shop.attributes(&customer);
        for change in &changes {
            assert_ne!(change.old_value, change.new_value);
            assert!((customer.registered..=ENDS).contains(&change.changed_on));
        }
        if let Some(change) = changes.iter().rfind(|c| c.attribute == "postcode") {
            assert_eq!(change.new_value, attributes.postcode);
        }
        assert_eq!(attributes.company.is_some(), customer.company());
        if let Some(company) = attributes.company {
            assert!(luhn(&company.siren), "{}", company.siren);
            assert!(sirens.insert(company.siren));
        }
        for moment in &customer.moments {
            assert!(moment.begins <= ENDS && moment.ends.is_none_or(|e| e >= moment.begins && e <= ENDS));
        }
    }
    assert!(luhn("732829320"));
    assert!(sirens.len() > 200);
}

fn luhn(number: &str) -> bool {
    let sum: u32 = number
        .bytes()
        .rev()
        .enumerate()
        .map(|(n, b)| {
            let digit = u32::from(b - b'0') * if n % 2 == 1 { 2 } else { 1 };
            digit / 10 + digit % 10
        })
        .sum();
    number.len() == 9 && sum.is_multiple_of(10)
}

/// What is bought, answered and looked at follows the hidden tastes, channels and hours.
#[test]
fn tastes_and_channels_show() {
    let shop = shop(Options::default());
    let (mut lines_total, mut expected, mut seen) = (0.0, [0.0; CATEGORY_COUNT], [0.0; CATEGORY_COUNT]);
    let (mut answers, mut hoped, mut best, mut others) = (0.0, 0.0, (0.0, 0.0), (0.0, 0.0));
    for id in 1..=20_000 {
        let customer = shop.customer(id);
        let orders = shop.orders(&customer);
        let repeats: HashSet<i32> = shop.repeats(&customer).iter().map(|r| r.product_id).collect();
        for line in shop.lines(&customer, &orders) {
            let order = orders[(line.order_id % ID_SPAN) as usize - 1];
            if repeats.contains(&line.product_id) || order.cents < 0 {
                continue;
            }
            let tastes = customer.tastes_on(order.ordered_on);
            let sum: f64 = tastes.iter().sum();
            for (e, t) in expected.iter_mut().zip(tastes) {
                *e += t / sum;
            }
            seen[shop.products()[line.product_id as usize - 1].category] += 1.0;
            lines_total += 1.0;
        }
        let stopped = customer.purchasing.map_or(i64::MAX, |p| p.ends as i64 * 86_400_000_000);
        for contact in shop.contacts(&customer, &orders) {
            let channel = CHANNELS.iter().position(|c| *c == contact.channel).unwrap();
            let answered = f64::from(u8::from(contact.response.is_some()));
            let day = (contact.sent_at / 86_400_000_000) as Day;
            let quiet = [MomentKind::Holiday, MomentKind::WaningInterest];
            if contact.sent_at > stopped
                || customer.moments.iter().any(|m| quiet.contains(&m.kind) && m.covers(day))
                || day > ENDS - 10
            {
                continue;
            }
            answers += answered;
            hoped += customer.response_rates[channel];
            let side = if contact.channel == customer.preferred_channel() { &mut best } else { &mut others };
            *side = (side.0 + answered, side.1 + 1.0);
        }
    }
    for (category, (e, s)) in expected.iter().zip(seen).enumerate() {
        assert!((e - s).abs() < 5.0 * e.sqrt() + 0.002 * lines_total, "{category}: {e} {s}");
    }
    assert!((answers / hoped - 1.0).abs() < 0.08, "{answers} {hoped}");
    assert!(best.0 / best.1 > 3.0 * others.0 / others.1, "{best:?} {others:?}");
}

#[test]
fn every_moment_and_profile_occurs() {
    let shop = shop(Options::default());
    let customers: Vec<Customer> = (1..=5_000).map(|id| shop.customer(id)).collect();
    let kinds: HashSet<&str> =
        customers.iter().flat_map(|c| c.moments.iter().map(|m| m.kind.code())).collect();
    assert_eq!(kinds.len(), 10, "{kinds:?}");
    let profiles: HashSet<usize> = customers.iter().map(|c| c.profile).collect();
    assert_eq!(profiles.len(), PROFILES.len());
    for (profile, name) in [(0, "young_urban"), (2, "comfortable_senior")] {
        let years = mean(
            customers.iter().filter(|c| c.profile == profile).map(|c| f64::from(STARTS - c.born) / 365.25),
        );
        assert!((years - PROFILES[profile].age.0).abs() < 1.0, "{name} {years}");
    }
    // Waning shows: fewer orders after than before, a day.
    let (mut before, mut after) = ((0.0, 0.0), (0.0, 0.0));
    for customer in &customers {
        let Some(waning) = customer.moments.iter().find(|m| m.kind == MomentKind::WaningInterest) else {
            continue;
        };
        for order in shop.orders(customer).iter().skip(1).filter(|o| o.cents >= 0) {
            if order.ordered_on < waning.begins { before.0 += 1.0 } else { after.0 += 1.0 }
        }
        before.1 += f64::from(waning.begins - customer.registered);
        after.1 += f64::from(waning.ends.unwrap_or(ENDS) - waning.begins);
    }
    let ratio = (after.0 / after.1) / (before.0 / before.1);
    assert!((0.15..0.4).contains(&ratio), "{ratio}");
}

/// The local day of every order is the day it says, on both sides of the clock change.
#[test]
fn the_clock_of_paris() {
    let shop = shop(Options::default());
    let at =
        |day: &str, hour: u32| shop.calendar.instant(day::parse(day).unwrap(), hour * 3600) / 3_600_000_000;
    let utc = |day: &str, hour: i64| i64::from(day::parse(day).unwrap()) * 24 + hour;
    assert_eq!(at("2024-01-15", 12), utc("2024-01-15", 11));
    assert_eq!(at("2024-07-15", 12), utc("2024-07-15", 10));
    assert_eq!(at("2024-07-15", 0), utc("2024-07-14", 22));
    assert_eq!(at("2024-03-31", 1), utc("2024-03-31", 0));
    assert_eq!(at("2024-03-31", 3), utc("2024-03-31", 1));
    assert_eq!(at("2024-10-27", 1), utc("2024-10-26", 23));
    assert_eq!(at("2024-10-27", 3), utc("2024-10-27", 2));
}

#[test]
fn refusals() {
    let refused = |result: Result<Shop>| match result {
        Err(error) => {
            assert!(error.kind == ErrorKind::InvalidParameter && error.detail.is_some(), "{error:?}")
        }
        Ok(_) => panic!("accepted"),
    };
    refused(Shop::new(1, ENDS, STARTS, Options::default()));
    refused(Shop::new(1, STARTS, STARTS + 10, Options::default()));
    refused(Shop::new(1, 0, 30_000, Options::default()));
    refused(Shop::new(1, -1, ENDS, Options::default()));
    refused(Shop::new(1, i32::MIN, i32::MAX, Options::default()));
    for json in [
        r#"{"lines": 1}"#,
        r#"{"line": true}"#,
        r#"{"r": 0}"#,
        r#"{"q": 1}"#,
        r#"{"products": -1}"#,
        r#"{"prospects": 1.5}"#,
        r#"{"regularity": 0}"#,
        r#"{"products": 1e9}"#,
        "[]",
        "null",
        "3",
    ] {
        assert!(Options::from_json(&serde_json::from_str(json).unwrap()).is_err(), "{json}");
    }
    assert_eq!(Options::from_json(&serde_json::json!({})).unwrap(), Options::default());
    assert!(Shop::check_customers(0, 5).is_err() && Shop::check_customers(1, CUSTOMER_LIMIT + 1).is_err());
    assert!(Shop::check_customers(1, CUSTOMER_LIMIT).is_ok());
}

/// The corners of the options make no panic and no endless loop.
#[test]
fn extremes() {
    let hash = |text: String| {
        let mut hasher = DefaultHasher::new();
        text.hash(&mut hasher);
        hasher.finish()
    };
    for options in [
        Options { r: 100.0, alpha: 0.01, s: 0.01, beta: 1e5, ..Options::default() },
        Options { r: 0.01, alpha: 1e5, s: 100.0, beta: 0.01, ..Options::default() },
        Options { p: 0.1, q: 1.05, gamma: 1e5, companies: 1.0, ..Options::default() },
        Options { p: 100.0, q: 100.0, gamma: 0.01, prospects: 1.0, refunds: 1.0, ..Options::default() },
        Options { products: 14, refunds: 1.0, regularity: Some(10), ..Options::default() },
    ] {
        let shop = shop(options);
        assert_ne!((1..=30).map(|id| hash(everything(&shop, id))).fold(0, |a, b| a ^ b), 0);
    }
    for (starts, ends) in [(0, 29), (0, 7_304), (36_495, 36_524)] {
        let shop = Shop::new(i64::MIN, starts, ends, Options::default()).unwrap();
        assert_ne!((1..=30).map(|id| hash(everything(&shop, id))).fold(0, |a, b| a ^ b), 0);
    }
    let shop = shop(Options::default());
    assert!(!everything(&shop, CUSTOMER_LIMIT).is_empty());
}
