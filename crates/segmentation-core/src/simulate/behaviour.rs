//! The hidden truth of one customer: who it is, how it buys, what happens in its life.

use super::calendar::{new_year, year_month};
use super::catalog::{CATEGORY_COUNT, CHANNELS, STYLES, at};
use super::profiles::{PROFILES, Profile};
use super::random::{Aspect, Random};
use super::shop::Shop;
use crate::base::day::Day;

/// A lifetime is cut at a hundred years: the gamma mixture has no mean for s below 1.
const LIFETIME_LIMIT: f64 = 36_525.0;

/// How a customer buys.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Purchasing {
    /// Purchases a week while alive, on average over the seasons and without life moments.
    pub rate: f64,
    /// Erlang shape of the gaps: 1 is Poisson, higher is more regular.
    pub regularity: u32,
    /// When the customer becomes one, in days from 2000-01-01; the first order is then.
    pub begins: f64,
    /// When the customer stops for good, in days from 2000-01-01; may lie after the period.
    pub ends: f64,
    /// Mean amount of an order, in currency units.
    pub mean_spend: f64,
}

/// What happens in a customer's life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum MomentKind {
    /// Away on holiday.
    Holiday,
    /// The four weeks before a holiday.
    HolidayAhead,
    /// Moves house; the three months after.
    Moving,
    /// A child is born; from three months before to a year after.
    Birth,
    /// Marries; two months before and after.
    Marriage,
    /// Stops working; the half year after.
    Retirement,
    /// The company moves; the three months after.
    CompanyMove,
    /// Loses interest: buys at a fraction of the former rate from here on.
    WaningInterest,
    /// Pauses: buys nothing.
    Dormant,
    /// Comes back after a pause; the two months after.
    Reactivated,
}

impl MomentKind {
    /// Its code, snake_case.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Holiday => "holiday",
            Self::HolidayAhead => "holiday_ahead",
            Self::Moving => "moving",
            Self::Birth => "birth",
            Self::Marriage => "marriage",
            Self::Retirement => "retirement",
            Self::CompanyMove => "company_move",
            Self::WaningInterest => "waning_interest",
            Self::Dormant => "dormant",
            Self::Reactivated => "reactivated",
        }
    }

    /// Factor on the purchase rate while it lasts.
    fn rate(self) -> f64 {
        match self {
            Self::Holiday => 0.2,
            Self::HolidayAhead => 1.3,
            Self::Moving => 1.8,
            Self::Birth => 1.3,
            Self::Marriage => 1.4,
            Self::Retirement | Self::CompanyMove => 1.2,
            Self::WaningInterest => 0.25,
            Self::Dormant => 0.0,
            Self::Reactivated => 2.0,
        }
    }
}

/// A life moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Moment {
    /// What it is.
    pub kind: MomentKind,
    /// Its first day.
    pub begins: Day,
    /// Its last day; `None` if it lasts beyond the period.
    pub ends: Option<Day>,
    /// The day the event itself falls on: the move, the birth.
    pub happens: Day,
    /// The day the shop writes it down among the customer's attributes, if it ever does.
    pub recorded: Option<Day>,
}

impl Moment {
    /// Whether the day lies in it.
    #[must_use]
    pub fn covers(&self, day: Day) -> bool {
        self.begins <= day && self.ends.is_none_or(|ends| day <= ends)
    }
}

/// The hidden truth of a customer.
#[derive(Debug, Clone, PartialEq)]
pub struct Customer {
    /// From 1.
    pub id: i32,
    /// Position in [`PROFILES`].
    pub profile: usize,
    /// Day of registration; a buyer's first order is on this day.
    pub registered: Day,
    /// How it buys; `None` for a prospect, who never does.
    pub purchasing: Option<Purchasing>,
    /// Share of order lines by category, in the order of [`super::CATEGORIES`], without life moments. Sums to 1.
    pub tastes: [f64; CATEGORY_COUNT],
    /// The style it prefers among products, 0 to 4.
    pub style: u8,
    /// Mean response rate to a contact by channel, in the order of [`CHANNELS`].
    pub response_rates: [f64; 5],
    /// The hour of the day it shops and answers around, 0 to 23.
    pub preferred_hour: u8,
    /// Whether it answers rather at the weekend.
    pub prefers_weekend: bool,
    /// Share of orders placed on the web or in the app.
    pub digital: f64,
    /// 0 to 1: how deep the discounts it waits for are.
    pub price_sensitivity: f64,
    /// Monthly probability of ending a subscription.
    pub subscription_hazard: f64,
    /// Birth date (persons), in days from 2000-01-01.
    pub born: Day,
    /// 1 woman, 2 man (persons).
    pub sex: u8,
    /// First digit of the INSEE PCS code at registration (persons).
    pub occupation: u8,
    /// What happens in its life, in the order of time.
    pub moments: Vec<Moment>,
}

impl Customer {
    /// Its hidden profile.
    #[must_use]
    pub fn profile(&self) -> &'static Profile {
        &PROFILES[self.profile]
    }

    /// Whether it is a company.
    #[must_use]
    pub fn company(&self) -> bool {
        self.profile().company
    }

    /// The channel it answers most.
    #[must_use]
    pub fn preferred_channel(&self) -> &'static str {
        let rates = &self.response_rates;
        let best = (1..rates.len()).fold(0, |best, i| if rates[i] > rates[best] { i } else { best });
        CHANNELS[best]
    }

    /// Weights of the categories on a day: the tastes, moved by what happens in life.
    pub(super) fn tastes_on(&self, day: Day) -> [f64; CATEGORY_COUNT] {
        let mut tastes = self.tastes;
        for moment in self.moments.iter().filter(|m| m.covers(day)) {
            // The floor lets somebody buy for a first child who never bought for one.
            let mut raise = |category: usize, factor: f64, floor: f64| {
                tastes[category] = tastes[category].max(floor) * factor;
            };
            match moment.kind {
                MomentKind::HolidayAhead => raise(at::TRAVEL, 8.0, 0.04),
                MomentKind::Moving => {
                    raise(at::HOME, 6.0, 0.05);
                    raise(at::GARDEN, 2.0, 0.02);
                }
                MomentKind::Birth => raise(at::BABY, 8.0, 0.05),
                MomentKind::Marriage => {
                    raise(at::FASHION, 3.0, 0.05);
                    raise(at::HOME, 3.0, 0.05);
                }
                MomentKind::Retirement => {
                    raise(at::GARDEN, 3.0, 0.04);
                    raise(at::CULTURE, 2.0, 0.04);
                }
                MomentKind::CompanyMove => {
                    raise(at::OFFICE, 2.0, 0.10);
                    raise(at::HOME, 4.0, 0.05);
                }
                _ => {}
            }
        }
        tastes
    }

    /// Factor on the purchase rate at a day.
    fn factor(&self, day: Day) -> f64 {
        self.moments.iter().filter(|m| m.covers(day)).map(|m| m.kind.rate()).product()
    }

    /// The purchase rate over time: (first day, factor), in the order of time, from the registration on.
    pub(super) fn rate_steps(&self) -> Vec<(Day, f64)> {
        let mut days = vec![self.registered];
        for moment in &self.moments {
            days.push(moment.begins);
            days.extend(moment.ends.map(|ends| ends + 1));
        }
        days.retain(|day| *day >= self.registered);
        days.sort_unstable();
        days.dedup();
        days.into_iter().map(|day| (day, self.factor(day))).collect()
    }
}

impl Shop {
    /// The hidden truth of one customer. Nothing but the seed and the number goes in.
    #[must_use]
    pub fn customer(&self, id: i32) -> Customer {
        let number = id as u32;
        let options = &self.options;
        let mut person = Random::new(self.seed, number, Aspect::Person);
        let company = person.chance(options.companies);
        let shares = PROFILES.map(|p| if p.company == company { p.share } else { 0.0 });
        let profile = person.weighted(&shares);
        let spec = &PROFILES[profile];

        let period = self.ends - self.starts + 1;
        let acquisition = options.acquisition_days.unwrap_or(period / 2).clamp(1, period);
        let arrival = f64::from(self.starts) + person.uniform() * f64::from(acquisition);
        let registered = arrival as Day;
        let buyer = !person.chance(options.prospects);

        let age = person.normal(spec.age.0, spec.age.1).clamp(18.2, 92.0);
        let born = self.starts - (age * 365.25) as i32;
        let sex = if person.chance(0.54) { 1 } else { 2 };
        let occupations: Vec<f64> = spec.occupations.iter().map(|o| o.1).collect();
        let occupation = spec.occupations.get(person.weighted(&occupations)).map_or(0, |o| o.0);
        // Nobody works past 66, and a younger senior may still.
        let occupation = if !company && age > 66.0 { 7 } else { occupation };

        let hour = person.normal(spec.hour, 1.6).clamp(6.0, 23.0);
        let mut customer = Customer {
            id,
            profile,
            registered,
            purchasing: None,
            tastes: [0.0; CATEGORY_COUNT],
            style: person.below(STYLES) as u8,
            response_rates: [0.0; 5],
            preferred_hour: hour as u8,
            prefers_weekend: person.chance(spec.weekend),
            digital: person.beta(spec.digital, 6.0),
            price_sensitivity: person.beta(spec.sensitivity, 12.0),
            subscription_hazard: person.beta(0.08, 12.0).max(0.002),
            born,
            sex,
            occupation,
            moments: Vec::new(),
        };
        customer.purchasing = buyer.then(|| self.purchasing(&customer, arrival));
        self.tastes(&mut customer);
        self.response_rates(&mut customer);
        self.moments(&mut customer);
        customer
    }

    fn purchasing(&self, customer: &Customer, arrival: f64) -> Purchasing {
        let options = &self.options;
        let spec = customer.profile();
        let (rate_factor, spend_factor) = if options.pure { (1.0, 1.0) } else { (spec.rate, spec.spend) };
        let mut random = Random::new(self.seed, customer.id as u32, Aspect::Purchasing);
        let rate = random.gamma(options.r, options.alpha) * rate_factor;
        let dropout = random.gamma(options.s, options.beta);
        let lifetime = (7.0 * random.exponential() / dropout).min(LIFETIME_LIMIT);
        let regularity = match options.regularity {
            Some(k) => k,
            None if options.pure => 1,
            None => 1 + random.weighted(&[0.5, 0.3, 0.2]) as u32,
        };
        // Amounts are gamma(p, nu) with nu gamma(q, gamma): their mean is p / nu.
        let nu = random.gamma(options.q, options.gamma);
        let mean_spend = (options.p / nu * spend_factor).clamp(0.01, 1e7);
        Purchasing { rate, regularity, begins: arrival, ends: arrival + lifetime, mean_spend }
    }

    /// A Dirichlet around the profile's tastes.
    fn tastes(&self, customer: &mut Customer) {
        let mut random = Random::new(self.seed, customer.id as u32, Aspect::Tastes);
        let means = &customer.profile().tastes;
        let scale = 9.0 / means.iter().sum::<f64>();
        let mut total = 0.0;
        for (taste, mean) in customer.tastes.iter_mut().zip(means) {
            *taste = if *mean > 0.0 { random.gamma(mean * scale, 1.0) } else { 0.0 };
            total += *taste;
        }
        for taste in &mut customer.tastes {
            *taste /= total;
        }
    }

    /// One channel is answered well, the others a little.
    fn response_rates(&self, customer: &mut Customer) {
        let mut random = Random::new(self.seed, customer.id as u32, Aspect::Channels);
        let preferred = random.weighted(&customer.profile().channels);
        for (channel, rate) in customer.response_rates.iter_mut().enumerate() {
            *rate = if channel == preferred { random.beta(0.28, 12.0) } else { random.beta(0.05, 12.0) };
        }
    }

    fn moments(&self, customer: &mut Customer) {
        let mut random = Random::new(self.seed, customer.id as u32, Aspect::Moments);
        let mut moments = Vec::new();
        let period = self.ends - self.starts + 1;
        let years = f64::from(period) / 365.25;
        // The probability that something with this yearly rate happens in the period, at most once.
        let happens = |yearly: f64, random: &mut Random| random.uniform() > libm::exp(-yearly * years);
        let somewhen = |random: &mut Random| self.starts + random.below(period as usize) as i32;
        let mut event = |kind, day: Day, before: i32, after: i32, random: &mut Random| {
            let recorded = random.chance(0.85).then(|| day + random.days(0, 14));
            moments.push(Moment {
                kind,
                begins: day - before,
                ends: Some(day + after),
                happens: day,
                recorded: recorded.filter(|on| *on >= customer.registered && *on <= self.ends),
            });
        };

        if customer.company() {
            if happens(0.05, &mut random) {
                event(MomentKind::CompanyMove, somewhen(&mut random), 0, 90, &mut random);
            }
        } else {
            if happens(0.08, &mut random) {
                event(MomentKind::Moving, somewhen(&mut random), 0, 90, &mut random);
            }
            let birth = somewhen(&mut random);
            let age = (birth - customer.born) / 365;
            if (22..=42).contains(&age) && happens(0.06, &mut random) {
                event(MomentKind::Birth, birth, 90, 365, &mut random);
            }
            let marriage = somewhen(&mut random);
            let age = (marriage - customer.born) / 365;
            if (22..=48).contains(&age) && happens(0.03, &mut random) {
                event(MomentKind::Marriage, marriage, 60, 60, &mut random);
            }
            let retirement = customer.born + (random.between(61.5, 66.0) * 365.25) as i32;
            if customer.occupation < 7 && retirement >= self.starts && retirement <= self.ends {
                event(MomentKind::Retirement, retirement, 0, 180, &mut random);
            }
            if random.chance(0.5) {
                self.holidays(&mut moments, &mut random);
            }
        }
        if !self.options.pure {
            self.waning_or_pause(customer, &mut moments, &mut random);
        }
        // What ended before the customer came left no trace.
        moments.retain(|m| m.begins <= self.ends && m.ends.is_none_or(|ends| ends >= customer.registered));
        for moment in &mut moments {
            moment.ends = moment.ends.filter(|ends| *ends <= self.ends);
        }
        moments.sort_by_key(|m| (m.begins, m.kind));
        customer.moments = moments;
    }

    /// The same weeks every year, give or take some days.
    fn holidays(&self, moments: &mut Vec<Moment>, random: &mut Random) {
        let (first, last) =
            [(182, 235), (39, 67), (97, 128), (354, 358)][random.weighted(&[0.6, 0.15, 0.15, 0.1])];
        let day_of_year = random.days(first, last);
        let length = 7 * random.days(1, 3);
        for year in year_month(self.starts).0 - 1..=year_month(self.ends).0 + 1 {
            let begins = new_year(year) + day_of_year + random.days(-3, 3);
            for (kind, from, until) in [
                (MomentKind::HolidayAhead, begins - 28, begins - 1),
                (MomentKind::Holiday, begins, begins + length - 1),
            ] {
                if until >= self.starts {
                    moments.push(Moment {
                        kind,
                        begins: from,
                        ends: Some(until),
                        happens: begins,
                        recorded: None,
                    });
                }
            }
        }
    }

    /// Some lose interest for good, some pause and come back. Both only while alive.
    fn waning_or_pause(&self, customer: &Customer, moments: &mut Vec<Moment>, random: &mut Random) {
        let Some(purchasing) = customer.purchasing else { return };
        let alive_until = (purchasing.ends as Day).min(self.ends);
        let fate = random.uniform();
        let earliest = customer.registered + 120;
        if fate < 0.12 {
            let latest = alive_until - 60;
            if latest > earliest {
                let begins = random.days(earliest, latest);
                let ends = (purchasing.ends as Day <= self.ends).then_some(purchasing.ends as Day);
                moments.push(Moment {
                    kind: MomentKind::WaningInterest,
                    begins,
                    ends,
                    happens: begins,
                    recorded: None,
                });
            }
        } else if fate < 0.20 {
            let length = random.days(200, 400);
            let latest = alive_until - length - 60;
            if latest > earliest {
                let begins = random.days(earliest, latest);
                let back = begins + length;
                for (kind, begins, ends) in
                    [(MomentKind::Dormant, begins, back - 1), (MomentKind::Reactivated, back, back + 60)]
                {
                    moments.push(Moment { kind, begins, ends: Some(ends), happens: begins, recorded: None });
                }
            }
        }
    }
}
