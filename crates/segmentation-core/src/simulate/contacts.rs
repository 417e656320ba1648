//! What passes between shop and customer: consents, contacts, responses,
//! interactions, subscriptions.

use super::behaviour::{Customer, MomentKind};
use super::calendar::weekday;
use super::catalog::{CATEGORY_COUNT, CHANNELS, Campaign};
use super::orders::Order;
use super::random::{Aspect, Random};
use super::shop::{ID_SPAN, Shop};
use crate::base::day::Day;

const SECOND: i64 = 1_000_000;
const HOUR: i64 = 3_600 * SECOND;

/// A consent given or withdrawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ConsentChange {
    /// The channel.
    pub channel: &'static str,
    /// Given, as opposed to withdrawn or never given.
    pub granted: bool,
    /// The day of the change; it holds from this day on.
    pub changed_on: Day,
}

/// A message of a campaign, and what came of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Contact {
    /// Customer x [`ID_SPAN`] + n, with n from 1 in the order of time.
    pub id: i64,
    /// The campaign.
    pub campaign_id: i32,
    /// The channel.
    pub channel: &'static str,
    /// Microseconds from 2000-01-01 00:00 UTC.
    pub sent_at: i64,
    /// An open was seen: noise, since mail programs open by themselves; `None` where there are no opens.
    pub opened: Option<bool>,
    /// click, reply, visit or purchase.
    pub response: Option<&'static str>,
    /// Microseconds from 2000-01-01 00:00 UTC.
    pub responded_at: Option<i64>,
}

/// A visit or a call, not asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Interaction {
    /// Customer x [`ID_SPAN`] + n, with n from 1 in the order of time.
    pub id: i64,
    /// web_visit, store_visit or support.
    pub kind: &'static str,
    /// Microseconds from 2000-01-01 00:00 UTC.
    pub occurred_at: i64,
    /// What was looked at: a position in [`super::CATEGORIES`].
    pub category: Option<usize>,
}

/// A subscription.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Subscription {
    /// club, club_plus or pro.
    pub plan: &'static str,
    /// Price a month, in cents.
    pub cents: i64,
    /// Its first day.
    pub started_on: Day,
    /// Its last day; `None` while it runs.
    pub ended_on: Option<Day>,
}

impl Shop {
    /// The consents of a customer, by channel and then in the order of time.
    #[must_use]
    pub fn consents(&self, customer: &Customer) -> Vec<ConsentChange> {
        let mut random = Random::new(self.seed, customer.id as u32, Aspect::Consents);
        let preferred = customer.preferred_channel();
        let mut changes = Vec::with_capacity(6);
        for (channel, given) in CHANNELS.into_iter().zip([0.75, 0.50, 0.60, 0.30, 0.40]) {
            let mut granted = random.chance(if channel == preferred { 0.92 } else { given });
            let mut day = customer.registered;
            changes.push(ConsentChange { channel, granted, changed_on: day });
            // One in nine a year withdraws; one in ten a year comes round.
            for _ in 0..3 {
                let years = random.exponential() * if granted { 9.0 } else { 10.0 };
                day = day.saturating_add((years * 365.25) as i32 + 1);
                if day > self.ends {
                    break;
                }
                granted = !granted;
                changes.push(ConsentChange { channel, granted, changed_on: day });
            }
        }
        changes
    }

    /// The contacts of a customer whose orders are `orders`, in the order of time.
    ///
    /// A contact is answered with the probability `response_rate(channel) x (0.75 + 3.5 taste of
    /// the campaign's category) x hour factor x day factor`, each factor 1 on average; a tenth of
    /// it after the customer has stopped buying, half of it while interest wanes, and never on
    /// holiday. It counts as a purchase if the customer orders within three days.
    #[must_use]
    pub fn contacts(&self, customer: &Customer, orders: &[Order]) -> Vec<Contact> {
        let mut random = Random::new(self.seed, customer.id as u32, Aspect::Contacts);
        let consents = self.consents(customer);
        let base = i64::from(customer.id) * ID_SPAN;
        let stopped = customer.purchasing.map_or(i32::MAX, |p| p.ends as Day);
        let hours = hour_factors(customer.preferred_hour);
        let mut contacts = Vec::new();
        for campaign in &self.campaigns {
            // Drawn for every campaign, so that consents do not move the ones after.
            let (target, hour, luck) = (random.uniform(), random.below(HOURS), random.uniform());
            let (seconds, delay) = (random.below(3600) as u32, random.exponential());
            let (open, kind) = (random.uniform(), random.uniform());
            let channel = CHANNELS[campaign.channel];
            let day = campaign.sent_on;
            let allowed = consents
                .iter()
                .rfind(|change| change.channel == channel && change.changed_on <= day)
                .is_some_and(|change| change.granted);
            // Each campaign goes to some of those who may be written to: more by e-mail, which costs nothing.
            let reach = if channel == "email" { 0.17 } else { 0.10 };
            if !allowed || day < customer.registered || target >= reach {
                continue;
            }
            let sent_at = self.calendar.instant(day, (FIRST_HOUR + hour) as u32 * 3600 + seconds);
            let answers = luck < response_rate(customer, campaign, hours[hour], stopped);
            let answer = answers.then(|| self.answer(channel, orders, sent_at, delay, kind)).flatten();
            let (response, responded_at) = answer.unzip();
            let opened = match channel {
                "email" => Some(response.is_some() || open < 0.45),
                "push" => Some(response.is_some() || open < 0.15),
                _ => None,
            };
            contacts.push(Contact {
                id: base + contacts.len() as i64 + 1,
                campaign_id: campaign.id,
                channel,
                sent_at,
                opened,
                response,
                responded_at,
            });
        }
        contacts
    }

    /// What somebody who answers does, and when; `None` if that would come after the end. `delay` is in units of the
    /// channel's mean, `kind` from 0 to 1.
    fn answer(
        &self,
        channel: &str,
        orders: &[Order],
        sent_at: i64,
        delay: f64,
        kind: f64,
    ) -> Option<(&'static str, i64)> {
        let mean = match channel {
            "mail" => 60 * HOUR,
            "phone" => HOUR / 10,
            _ => 3 * HOUR,
        };
        let at = sent_at + SECOND + (delay * mean as f64) as i64 / SECOND * SECOND;
        let purchase = orders
            .iter()
            .find(|o| o.cents >= 0 && o.ordered_at > sent_at && o.ordered_at < sent_at + 72 * HOUR);
        let answer = match (purchase, channel) {
            (Some(order), _) => ("purchase", order.ordered_at),
            (None, "email") => (if kind < 0.9 { "click" } else { "reply" }, at),
            (None, "sms") => (if kind < 0.6 { "click" } else { "reply" }, at),
            (None, "mail") => (if kind < 0.7 { "visit" } else { "reply" }, at),
            (None, "phone") => (if kind < 0.8 { "reply" } else { "visit" }, at),
            (None, _) => ("click", at),
        };
        // What would come after the end has not come yet.
        (answer.1 < self.calendar.instant(self.ends, 86_399)).then_some(answer)
    }

    /// The interactions of a customer whose orders are `orders`, in the order of time.
    #[must_use]
    pub fn interactions(&self, customer: &Customer, orders: &[Order]) -> Vec<Interaction> {
        let mut random = Random::new(self.seed, customer.id as u32, Aspect::Interactions);
        let purchases: Vec<&Order> = orders.iter().filter(|o| o.refund_of.is_none()).collect();
        let stopped = customer.purchasing.is_some_and(|p| p.ends as Day <= self.ends);
        let mut interactions = Vec::new();
        let mut add = |kind, day: Day, random: &mut Random| {
            let hour = random.normal(f64::from(customer.preferred_hour), 2.5).clamp(7.0, 23.9);
            let hour = if kind == "web_visit" { hour } else { hour.clamp(9.0, 19.9) };
            let second = (hour * 3600.0) as u32;
            // The taste of the day shows in what is looked at.
            let category = (kind == "web_visit").then(|| random.weighted(&customer.tastes_on(day)));
            if day >= customer.registered && day <= self.ends {
                interactions.push(Interaction {
                    id: 0,
                    kind,
                    occurred_at: self.calendar.instant(day, second),
                    category,
                });
            }
        };
        for (n, order) in purchases.iter().enumerate() {
            if random.chance(0.30) {
                let kind = if order.channel == "store" { "store_visit" } else { "web_visit" };
                add(kind, order.ordered_on - random.days(1, 4), &mut random);
            }
            // Trouble is frequent before one leaves for good.
            let last = stopped && n + 1 == purchases.len();
            if random.chance(if last { 0.22 } else { 0.04 }) {
                add("support", order.ordered_on + random.days(1, 10), &mut random);
            }
        }
        // Looking round, while a customer (a prospect: for half a year).
        let until = match customer.purchasing {
            Some(purchasing) => (purchasing.ends as Day).min(self.ends),
            None => (customer.registered + 180).min(self.ends),
        };
        let mean = f64::from(until - customer.registered) / 365.25 * 1.2;
        for _ in 0..random.poisson(mean) {
            let day = random.days(customer.registered, until);
            let away = customer
                .moments
                .iter()
                .any(|m| matches!(m.kind, MomentKind::Holiday | MomentKind::Dormant) && m.covers(day));
            if !away {
                let kind = if random.chance(customer.digital) { "web_visit" } else { "store_visit" };
                add(kind, day, &mut random);
            }
        }
        interactions.sort_by_key(|i| i.occurred_at);
        let base = i64::from(customer.id) * ID_SPAN;
        interactions.truncate(ID_SPAN as usize - 1);
        for (n, interaction) in interactions.iter_mut().enumerate() {
            interaction.id = base + n as i64 + 1;
        }
        interactions
    }

    /// The subscription of a customer, if it has one.
    ///
    /// It ends with the customer's monthly hazard, or up to two months after the last purchase it
    /// would ever have made.
    #[must_use]
    pub fn subscription(&self, customer: &Customer) -> Option<Subscription> {
        let purchasing = customer.purchasing?;
        let mut random = Random::new(self.seed, customer.id as u32, Aspect::Subscription);
        if !random.chance(if customer.company() { 0.35 } else { 0.18 }) {
            return None;
        }
        let (plan, cents) = match (customer.company(), random.chance(0.3)) {
            (true, _) => ("pro", 2_900),
            (false, true) => ("club_plus", 990),
            (false, false) => ("club", 490),
        };
        let stopped = purchasing.ends as Day;
        let started_on = customer.registered + random.days(0, 200);
        if started_on > self.ends || started_on > stopped {
            return None;
        }
        // Geometric: whole months, at least one.
        let survived =
            libm::log(1.0 - random.uniform()) / libm::log(1.0 - customer.subscription_hazard.min(0.999));
        let months = survived.min(1_200.0) as i32 + 1;
        let by_hazard = started_on + (f64::from(months) * 30.4375) as i32;
        let ended_on = by_hazard.min(stopped.saturating_add(random.days(10, 60)));
        Some(Subscription { plan, cents, started_on, ended_on: (ended_on <= self.ends).then_some(ended_on) })
    }
}

/// Messages go out from eight to twenty-one o'clock.
const FIRST_HOUR: usize = 8;
const HOURS: usize = 13;

/// The chance that a campaign is answered, see [`Shop::contacts`]; `stopped` is the day on which the customer stops
/// buying.
fn response_rate(customer: &Customer, campaign: &Campaign, hour_factor: f64, stopped: Day) -> f64 {
    let day = campaign.sent_on;
    let day_factor = match (customer.prefers_weekend, weekday(day) >= 5) {
        (true, true) => 1.75,
        (true, false) => 0.70,
        (false, true) => 0.50,
        (false, false) => 1.20,
    };
    let in_moment = |kind| customer.moments.iter().any(|m| m.kind == kind && m.covers(day));
    let state = if day > stopped {
        0.1
    } else if in_moment(MomentKind::Holiday) {
        0.0
    } else if in_moment(MomentKind::WaningInterest) {
        0.5
    } else {
        1.0
    };
    customer.response_rates[campaign.channel]
        * (0.75 + 3.5 * customer.tastes[campaign.category % CATEGORY_COUNT])
        * hour_factor
        * day_factor
        * state
}

/// How well each hour is answered, around the preferred hour; 1 on average.
fn hour_factors(preferred: u8) -> [f64; HOURS] {
    let mut factors = [0.0; HOURS];
    for (position, factor) in factors.iter_mut().enumerate() {
        let distance = (FIRST_HOUR + position) as f64 - f64::from(preferred);
        *factor = 0.35 + libm::exp(-distance * distance / (2.0 * 2.0 * 2.0));
    }
    let mean = factors.iter().sum::<f64>() / HOURS as f64;
    factors.map(|factor| factor / mean)
}
