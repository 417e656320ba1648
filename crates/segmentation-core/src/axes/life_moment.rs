//! Life moments: what is happening in a customer's life or relation just now, from purchases, counts of
//! interactions, dates and changes of attributes.
//!
//! Each detector answers for one customer and one day, with a [`LifeMoment`] whose code is `none` when
//! nothing is on: the p value is there all the same, since false discovery is judged over all customers
//! tested ([`crate::math::false_discovery`]).

use std::borrow::Cow;

use serde_json::{Value, json};

use crate::base::day::{self, Day};
use crate::base::error::{Error, Result};
use crate::base::json::Object;
use crate::facts::gaps::{GapPrior, NextGap, PurchaseDaysOf, gaps_of};
use crate::math::special::incomplete_beta;

/// Days looked ahead where the next change has no formula; after them it says to look again.
const LOOK_AHEAD: Day = 90;

/// What is on, since when, until when, how sure, and why.
#[derive(Debug, Clone, PartialEq)]
pub struct LifeMoment {
    /// The code; `none` if nothing is on, `insufficient_data` if that cannot be said.
    pub moment: Cow<'static, str>,
    /// First day.
    pub begins: Option<Day>,
    /// Last day; `None` if open.
    pub ends: Option<Day>,
    /// 0 to 1: how probable it is that the moment is real.
    pub confidence: Option<f64>,
    /// Of the test behind it, if there is one, also when nothing is on.
    pub p_value: Option<f64>,
    /// The figures behind it.
    pub evidence: Value,
    /// The first day after `as_of` on which the code changes if nothing happens, or an earlier day to look again.
    pub next_change: Option<Day>,
}

impl LifeMoment {
    fn nothing(code: &'static str, evidence: Value, next_change: Option<Day>) -> Self {
        Self {
            moment: Cow::Borrowed(code),
            begins: None,
            ends: None,
            confidence: None,
            p_value: None,
            evidence,
            next_change,
        }
    }

    /// A moment of known days, seen at `as_of`: on, or `none`.
    fn between(
        code: impl Into<Cow<'static, str>>,
        (begins, ends): (Day, Day),
        as_of: Day,
        confidence: f64,
        evidence: Value,
    ) -> Self {
        let next_change = [begins, ends.saturating_add(1)].into_iter().find(|day| *day > as_of);
        if !(begins..=ends).contains(&as_of) {
            return Self::nothing("none", evidence, next_change);
        }
        Self {
            moment: code.into(),
            begins: Some(begins),
            ends: Some(ends),
            confidence: Some(confidence),
            p_value: None,
            evidence,
            next_change,
        }
    }
}

fn date(day: Day) -> String {
    day::format(day).unwrap_or_default()
}

/// A duration in whole days, at least 1, kept from running past the calendar.
fn whole_days(days: f64) -> Day {
    days.ceil().clamp(1.0, 4e6) as Day
}

/// Purchase days up to `as_of` of a history that may be missing.
fn bought(history: Option<&[u8]>, as_of: Day) -> Result<Option<PurchaseDaysOf>> {
    history.map(|h| PurchaseDaysOf::read(h, as_of)).transpose().map(Option::flatten)
}

fn share(object: &Object, key: &str, default: f64) -> Result<f64> {
    Ok(object.number(key, 0.0, 1.0)?.unwrap_or(default))
}

fn days_option(object: &Object, key: &str, least: u64, most: u64, default: Day) -> Result<Day> {
    Ok(object.whole(key, least, most)?.map_or(default, |n| n as Day))
}

fn prior_option(object: &Object) -> Result<GapPrior> {
    Ok(object.get("prior").map(GapPrior::from_json).transpose()?.flatten().unwrap_or_default())
}

// Purchase due and overdue

/// Options of [`purchase_due`].
#[derive(Debug, Clone, PartialEq)]
pub struct DueOptions {
    prior: GapPrior,
    from: f64,
    until: f64,
    lapsed: f64,
    horizon: Day,
    least_gaps: usize,
}

impl DueOptions {
    /// Reads options.
    ///
    /// # Errors
    /// Names the field that is wrong or unknown.
    pub fn from_json(value: &Value) -> Result<Self> {
        let known = &["prior", "from", "until", "lapsed", "horizon", "least_gaps"];
        let object = Object::new("options", "", value, known)?;
        let options = Self {
            prior: prior_option(&object)?,
            from: object.number("from", 0.001, 0.999)?.unwrap_or(0.25),
            until: object.number("until", 0.001, 0.999)?.unwrap_or(0.75),
            lapsed: object.number("lapsed", 0.001, 0.9999)?.unwrap_or(0.95),
            horizon: days_option(&object, "horizon", 1, 3650, 30)?,
            least_gaps: object.whole("least_gaps", 0, 64)?.unwrap_or(1) as usize,
        };
        if !(options.from < options.until && options.until < options.lapsed) {
            return Err(Error::invalid("from must be below until, and until below lapsed"));
        }
        Ok(options)
    }
}

/// Whether the next purchase is due (`purchase_due`) or late (`purchase_overdue`), by the customer's own
/// gaps drawn to the population's.
///
/// Due between two quantiles of the next gap, late from there to a third; beyond it the customer has
/// lapsed, which is churn's to say. `alive` is the probability that they still are a customer, by a
/// purchase model. Confidence: of due, that a purchase comes within the horizon; of overdue, that a usual
/// gap would have ended by now.
///
/// # Errors
/// Damaged bytes, a day out of range, an `alive` that is no probability.
pub fn purchase_due(
    history: Option<&[u8]>,
    as_of: Day,
    alive: f64,
    options: &DueOptions,
) -> Result<LifeMoment> {
    if !(0.0..=1.0).contains(&alive) {
        return Err(Error::invalid("alive must be from 0 to 1").detail(format!("It is {alive}.")));
    }
    let Some(days) = bought(history, as_of)? else {
        return Ok(LifeMoment::nothing("insufficient_data", json!({ "purchase_days": 0 }), None));
    };
    let (gaps, last) = (days.gaps(), days.last());
    if gaps.len() < options.least_gaps {
        let evidence = json!({ "purchase_days": days.days.len(), "gaps_needed": options.least_gaps });
        return Ok(LifeMoment::nothing("insufficient_data", evidence, None));
    }
    let next = options.prior.next_gap(&gaps);
    let on = |p: f64| last.saturating_add(whole_days(next.quantile(p))).min(day::LAST);
    let (due, overdue, lapsed) = (on(options.from), on(options.until), on(options.lapsed));
    let elapsed = f64::from(as_of - last);
    let median = next.median();
    let evidence = json!({
        "last_purchase": date(last), "gaps": gaps.len(), "typical_gap": tenth(median),
        "regularity": hundredth(next.shape), "elapsed": as_of - last,
        "overdue_ratio": hundredth(elapsed / median), "alive": hundredth(alive),
    });
    let late = next.survival(elapsed);
    let mut moment = if as_of < overdue {
        let soon = 1.0 - next.survival(elapsed + f64::from(options.horizon)) / late;
        LifeMoment::between("purchase_due", (due, overdue - 1), as_of, alive * soon, evidence)
    } else {
        let days = (overdue, lapsed.max(overdue + 1) - 1);
        LifeMoment::between("purchase_overdue", days, as_of, alive * (1.0 - late), evidence)
    };
    moment.p_value = Some(late);
    Ok(moment)
}

fn tenth(x: f64) -> f64 {
    (x * 10.0).round() / 10.0
}

fn hundredth(x: f64) -> f64 {
    (x * 100.0).round() / 100.0
}

// Waning interest

/// Two Poisson rates compared.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RateRatio {
    /// Recent rate over the earlier one; `None` without earlier events.
    pub ratio: Option<f64>,
    /// Exact interval: lower end.
    pub lower: f64,
    /// Upper end; infinite if not bounded.
    pub upper: f64,
    /// P(so few recent events or fewer), given all events, if the rate is the same. 1 without events.
    pub p_value: f64,
}

/// P(X <= x) for X binomial.
fn binomial_at_most(x: f64, n: f64, p: f64) -> f64 {
    if x >= n { 1.0 } else { incomplete_beta(n - x, x + 1.0, 1.0 - p).0 }
}

/// P(X >= x) for X binomial.
fn binomial_at_least(x: f64, n: f64, p: f64) -> f64 {
    if x <= 0.0 { 1.0 } else { incomplete_beta(x, n - x + 1.0, p).0 }
}

/// The exact test that a Poisson rate has not fallen, and the exact interval of the ratio.
///
/// Given all events, the recent ones are binomial with the recent window's share of the time (Przyborowski
/// and Wilenski 1940); the interval is Clopper and Pearson's (1934).
///
/// # Errors
/// Counts below 0 or not whole, windows not above 0, a level that is no share.
pub fn rate_ratio_test(
    recent: f64,
    recent_days: f64,
    before: f64,
    before_days: f64,
    level: f64,
) -> Result<RateRatio> {
    for (name, n) in [("recent", recent), ("before", before)] {
        if !(0.0..=1e9).contains(&n) || n.fract() != 0.0 {
            return Err(Error::invalid(format!("{name} must be a whole number from 0 to 1e9"))
                .detail(format!("It is {n}.")));
        }
    }
    for (name, days) in [("recent_days", recent_days), ("before_days", before_days)] {
        if !(days > 0.0 && days <= 1e9) {
            return Err(Error::invalid(format!("{name} must be above 0, at most 1e9"))
                .detail(format!("It is {days}.")));
        }
    }
    if !(level > 0.0 && level < 1.0) {
        return Err(Error::invalid("level must lie between 0 and 1").detail(format!("It is {level}.")));
    }
    let n = recent + before;
    let p_value = fewer(recent, recent_days, before, before_days);
    let tail = 0.5 * (1.0 - level);
    // A share of the events as a ratio of rates.
    let ratio = |p: f64| if p >= 1.0 { f64::INFINITY } else { p / (1.0 - p) * before_days / recent_days };
    let bound = |too_low: &dyn Fn(f64) -> bool| {
        let (mut low, mut high) = (0.0, 1.0);
        for _ in 0..60 {
            let middle = 0.5 * (low + high);
            if too_low(middle) { low = middle } else { high = middle }
        }
        0.5 * (low + high)
    };
    let lower = if recent > 0.0 { ratio(bound(&|p| binomial_at_least(recent, n, p) < tail)) } else { 0.0 };
    let upper =
        if before > 0.0 { ratio(bound(&|p| binomial_at_most(recent, n, p) > tail)) } else { f64::INFINITY };
    let observed = (before > 0.0).then(|| (recent / recent_days) / (before / before_days));
    Ok(RateRatio { ratio: observed, lower, upper, p_value })
}

fn fewer(recent: f64, recent_days: f64, before: f64, before_days: f64) -> f64 {
    binomial_at_most(recent, recent + before, recent_days / (recent_days + before_days))
}

/// Options of [`waning_interest`] and [`waning_counts`].
#[derive(Debug, Clone, PartialEq)]
pub struct WaningOptions {
    window: Day,
    ratio: f64,
    alpha: f64,
    least_days: Day,
    gone: Day,
    least_recent: Option<f64>,
}

impl WaningOptions {
    /// Reads options.
    ///
    /// # Errors
    /// Names the field that is wrong or unknown.
    pub fn from_json(value: &Value) -> Result<Self> {
        let known = &["window", "ratio", "alpha", "least_days", "gone", "least_recent"];
        let object = Object::new("options", "", value, known)?;
        Ok(Self {
            window: days_option(&object, "window", 7, 3650, 180)?,
            ratio: share(&object, "ratio", 0.5)?,
            alpha: share(&object, "alpha", 0.05)?,
            least_days: days_option(&object, "least_days", 1, 3650, 90)?,
            gone: days_option(&object, "gone", 1, 36_500, 365)?,
            least_recent: object.whole("least_recent", 0, 1_000_000)?.map(|n| n as f64),
        })
    }

    fn fell(&self, test: (f64, f64, f64, f64)) -> (f64, f64, bool) {
        let (recent, recent_days, before, before_days) = test;
        let ratio = (recent / recent_days) / (before / before_days);
        let p = fewer(recent, recent_days, before, before_days);
        (ratio, p, ratio <= self.ratio && p <= self.alpha)
    }
}

/// The counts of a test of one customer at one day; `None` before there is a past to compare with.
fn window_counts(days: &[Day], as_of: Day, options: &WaningOptions) -> Option<(f64, f64, f64, f64)> {
    let before_days = as_of - options.window - days[0];
    if before_days < options.least_days {
        return None;
    }
    // The first purchase opens the observation and is not counted.
    let from = days.partition_point(|day| *day <= as_of - options.window);
    let (recent, before) = ((days.len() - from) as f64, (from - 1) as f64);
    Some((recent, f64::from(options.window), before, f64::from(before_days)))
}

/// Whether a customer buys less often than they used to, while still a customer: the exact test of
/// the last window against their own past, for who bought in it (`least_recent`, 1) and within `gone` days.
///
/// # Errors
/// Damaged bytes, a day out of range.
pub fn waning_interest(history: Option<&[u8]>, as_of: Day, options: &WaningOptions) -> Result<LifeMoment> {
    let Some(days) = bought(history, as_of)? else {
        return Ok(LifeMoment::nothing("insufficient_data", json!({ "purchase_days": 0 }), None));
    };
    let (first, last, days) = (days.first(), days.last(), days.days);
    let Some(counts) = window_counts(&days, as_of, options) else {
        let from = first.saturating_add(options.window + options.least_days).min(day::LAST);
        let evidence = json!({ "purchase_days": days.len(), "enough_from": date(from) });
        let next = (from > as_of).then_some(from);
        return Ok(LifeMoment::nothing("insufficient_data", evidence, next));
    };
    if days.len() < 2 {
        return Ok(LifeMoment::nothing("insufficient_data", json!({ "purchase_days": 1 }), None));
    }
    let state = |day: Day| {
        let counts = window_counts(&days, day, options)?;
        let buying = day - last <= options.gone && counts.0 >= options.least_recent.unwrap_or(1.0);
        Some(buying && counts.2 > 0.0 && options.fell(counts).2)
    };
    let now = state(as_of);
    let next_change = if as_of - last > options.gone {
        None
    } else {
        let until = as_of.saturating_add(LOOK_AHEAD).min(day::LAST);
        (as_of + 1..until).find(|day| state(*day) != now).or(Some(until))
    };
    let (ratio, p, _) = options.fell(counts);
    let (recent, recent_days, before, before_days) = counts;
    let evidence = json!({
        "recent": recent as u64, "recent_days": recent_days, "before": before as u64, "before_days": before_days,
        "ratio": if before > 0.0 { json!(hundredth(ratio)) } else { Value::Null }, "last_purchase": date(last),
    });
    // Since the last purchase before the window, if that was one: it stands still while the window moves.
    let from = days.partition_point(|day| *day <= as_of - options.window);
    let mut moment = LifeMoment::nothing("none", evidence, next_change);
    moment.p_value = (before > 0.0).then_some(p);
    if now == Some(true) {
        moment.moment = Cow::Borrowed("waning_interest");
        moment.begins = Some(days[from - 1] + 1);
        moment.confidence = Some(1.0 - p);
    }
    Ok(moment)
}

/// The same from counts of anything: visits, clicks, answers, purchases together.
///
/// # Errors
/// As [`rate_ratio_test`]; a day out of range.
pub fn waning_counts(
    (recent, recent_days, before, before_days): (f64, f64, f64, f64),
    as_of: Day,
    options: &WaningOptions,
) -> Result<LifeMoment> {
    day::check(as_of)?;
    let test = rate_ratio_test(recent, recent_days, before, before_days, 0.95)?;
    let evidence = json!({
        "recent": recent as u64, "recent_days": recent_days, "before": before as u64, "before_days": before_days,
        "ratio": test.ratio.map(hundredth),
    });
    let look_again = as_of.checked_add(1).filter(|day| *day <= day::LAST);
    if before == 0.0 || before_days < f64::from(options.least_days) {
        return Ok(LifeMoment::nothing("insufficient_data", evidence, look_again));
    }
    let mut moment = LifeMoment::nothing("none", evidence, look_again);
    moment.p_value = Some(test.p_value);
    let active = recent >= options.least_recent.unwrap_or(0.0);
    if active && options.fell((recent, recent_days, before, before_days)).2 {
        moment.moment = Cow::Borrowed("waning_interest");
        moment.begins = Some(as_of.saturating_sub(whole_days(recent_days) - 1).max(day::FIRST));
        moment.confidence = Some(1.0 - test.p_value);
    }
    Ok(moment)
}

// Yearly recurrences

/// A holiday of a calendar.
#[derive(Debug, Clone, PartialEq)]
struct Holiday {
    name: String,
    begins: Day,
}

/// Options of [`yearly_recurrence`].
#[derive(Debug, Clone, PartialEq)]
pub struct YearlyOptions {
    half_width: Day,
    lead: Day,
    ahead: Day,
    least_years: usize,
    alpha: f64,
    calendar: Vec<Holiday>,
}

impl YearlyOptions {
    /// Reads options and a calendar: a list of `{"name": ..., "begins": ..., "ends": ...}`.
    ///
    /// # Errors
    /// Names the field that is wrong or unknown.
    pub fn from_json(value: &Value, calendar: Option<&Value>) -> Result<Self> {
        let known = &["half_width", "lead", "ahead", "least_years", "alpha"];
        let object = Object::new("options", "", value, known)?;
        let list = match calendar {
            None => &[][..],
            Some(value) => value
                .as_array()
                .filter(|list| list.len() <= 10_000)
                .ok_or_else(|| Error::invalid("calendar must be a list of at most 10000 holidays"))?,
        };
        let mut holidays = Vec::with_capacity(list.len());
        for (i, value) in list.iter().enumerate() {
            let holiday = Object::new("calendar", &format!("[{i}]"), value, &["name", "begins", "ends"])?;
            let begins = holiday.date("begins")?;
            holidays.push(Holiday {
                name: holiday.need_text("name")?.to_owned(),
                begins: begins.ok_or_else(|| holiday.wrong("begins", "a date written yyyy-mm-dd"))?,
            });
            holiday.date("ends")?;
        }
        Ok(Self {
            half_width: days_option(&object, "half_width", 1, 60, 14)?,
            lead: days_option(&object, "lead", 0, 60, 0)?,
            ahead: days_option(&object, "ahead", 1, 90, 28)?,
            least_years: object.whole("least_years", 1, 50)?.unwrap_or(2) as usize,
            alpha: share(&object, "alpha", 0.1)?,
            calendar: holidays,
        })
    }
}

/// A time of the year that comes round again.
struct Recurrence {
    begins: Day,
    ends: Day,
    years: usize,
    hits: usize,
    chance: f64,
    p: f64,
    confidence: f64,
    name: Option<String>,
}

/// Whether the time of the year has come at which a customer bought in earlier years: `moment`, usually
/// `holiday_ahead` with purchases in travel categories.
///
/// Without a calendar every purchase is an anchor: the years in which the customer bought within
/// `half_width` days of its anniversary are counted, and compared by a binomial test with what their own
/// rate would give; the anchor itself is not evidence. With one, the `ahead` days before each holiday of
/// the calendar are compared with those before holidays of the same name. `since` is when observation began.
///
/// # Errors
/// Damaged bytes, a day out of range.
pub fn yearly_recurrence(
    history: Option<&[u8]>,
    as_of: Day,
    since: Option<Day>,
    code: &str,
    options: &YearlyOptions,
) -> Result<LifeMoment> {
    let Some(days) = bought(history, as_of)? else {
        return Ok(LifeMoment::nothing("insufficient_data", json!({ "purchase_days": 0 }), None));
    };
    let since = day::check(since.unwrap_or(days.first()))?.min(days.first());
    let days = days.days;
    let found = if options.calendar.is_empty() {
        by_date(&days, since, as_of, options)
    } else {
        by_calendar(&days, since, as_of, options)
    };
    // So long it takes to see enough years.
    let width = if options.calendar.is_empty() { options.half_width } else { options.ahead };
    let enough_from = day::add_months(since, 12 * options.least_years as i32)? + width;
    let real = |r: &&Recurrence| r.hits >= options.least_years && r.p <= options.alpha;
    let look_again = as_of.saturating_add(LOOK_AHEAD).min(day::LAST);
    let next_change = found
        .iter()
        .filter(real)
        .map(|r| if r.begins > as_of { r.begins } else { r.ends + 1 })
        .chain([look_again])
        .chain((enough_from > as_of).then_some(enough_from))
        .min();
    let on = found.iter().filter(|r| (r.begins..=r.ends).contains(&as_of));
    // Also of what is not significant: the p value counts among those tested.
    let best =
        on.min_by(|a, b| (!real(a)).cmp(&!real(b)).then(a.p.total_cmp(&b.p)).then(a.begins.cmp(&b.begins)));
    let nothing = if as_of < enough_from { "insufficient_data" } else { "none" };
    let Some(best) = best else {
        let evidence = json!({ "since": date(since), "enough_from": date(enough_from) });
        return Ok(LifeMoment::nothing(nothing, evidence, next_change));
    };
    let evidence = json!({
        "years": best.years, "hits": best.hits, "chance": hundredth(best.chance),
        "holiday": best.name, "since": date(since),
    });
    let mut moment = LifeMoment::nothing(nothing, evidence, next_change);
    moment.p_value = Some(best.p);
    if real(&best) {
        moment.moment = Cow::Owned(code.to_owned());
        (moment.begins, moment.ends) = (Some(best.begins), Some(best.ends));
        moment.confidence = Some(best.confidence);
    }
    Ok(moment)
}

fn any_in(days: &[Day], from: Day, until: Day) -> bool {
    let first = days.partition_point(|day| *day < from);
    days.get(first).is_some_and(|day| *day <= until)
}

/// The chance of a purchase in a window of that many days, at the mean rate from `since` to `until`.
fn chance(days: &[Day], since: Day, until: Day, window: Day) -> f64 {
    let n = days.partition_point(|day| *day <= until) as f64;
    -(-n * f64::from(window) / f64::from((until - since).max(1))).exp_m1()
}

fn by_date(days: &[Day], since: Day, as_of: Day, options: &YearlyOptions) -> Vec<Recurrence> {
    let w = options.half_width;
    let mut found = Vec::new();
    for anchor in days {
        crate::base::host::pause();
        // The first anniversary whose window is not over.
        let mut year = ((as_of - w - anchor) / 366).max(1);
        let next = loop {
            match day::add_months(*anchor, 12 * year) {
                Ok(day) if day + w >= as_of => break Some(day),
                Ok(_) => year += 1,
                Err(_) => break None,
            }
        };
        let Some(next) = next else { continue };
        let (mut years, mut hits, mut latest) = (0, 0, None);
        for back in 1..=50 {
            let Ok(centre) = day::add_months(next, -12 * back) else { break };
            if centre - w < since {
                break;
            }
            if centre + w > as_of {
                continue;
            }
            latest = latest.or(Some(centre + w));
            years += 1;
            hits += usize::from(any_in(days, centre - w, centre + w));
        }
        let Some(latest) = latest.filter(|_| years >= 1) else { continue };
        let chance = chance(days, since, latest, 2 * w + 1);
        // The anchor's own year is no evidence.
        let (n, x) = ((years - 1) as f64, hits.saturating_sub(1) as f64);
        found.push(Recurrence {
            begins: next - w - options.lead,
            ends: next + w,
            years,
            hits,
            chance,
            p: binomial_at_least(x, n, chance),
            confidence: (x + chance) / (n + 1.0),
            name: None,
        });
    }
    found
}

fn by_calendar(days: &[Day], since: Day, as_of: Day, options: &YearlyOptions) -> Vec<Recurrence> {
    let before = |holiday: &Holiday| (holiday.begins - options.ahead, holiday.begins - 1);
    let mut found = Vec::new();
    for holiday in options.calendar.iter().filter(|h| h.begins > as_of) {
        crate::base::host::pause();
        let (begins, ends) = before(holiday);
        let past: Vec<(Day, Day)> = options
            .calendar
            .iter()
            .filter(|h| h.name == holiday.name)
            .map(before)
            .filter(|(from, until)| *from >= since && *until <= as_of)
            .collect();
        let Some(latest) = past.iter().map(|p| p.1).max() else { continue };
        let hits = past.iter().filter(|(from, until)| any_in(days, *from, *until)).count();
        let chance = chance(days, since, latest, options.ahead);
        let (n, x) = (past.len() as f64, hits as f64);
        found.push(Recurrence {
            begins: begins - options.lead,
            ends,
            years: past.len(),
            hits,
            chance,
            p: binomial_at_least(x, n, chance),
            confidence: (x + chance) / (n + 1.0),
            name: Some(holiday.name.clone()),
        });
    }
    found
}

// First purchase, reactivation

/// Whether the first purchase is less than `days` days ago.
///
/// # Errors
/// Damaged bytes, a day out of range, unknown options.
pub fn first_purchase(history: Option<&[u8]>, as_of: Day, options: &Value) -> Result<LifeMoment> {
    let object = Object::new("options", "", options, &["days"])?;
    let days = days_option(&object, "days", 1, 3650, 30)?;
    Ok(match bought(history, as_of)? {
        None => LifeMoment::nothing("none", json!({ "purchase_days": 0 }), None),
        Some(bought) => {
            let first = bought.first();
            let evidence = json!({ "first_purchase": date(first), "purchase_days": bought.days.len() });
            LifeMoment::between("first_purchase", (first, first + days - 1), as_of, 1.0, evidence)
        }
    })
}

/// Options of [`reactivated`].
#[derive(Debug, Clone, PartialEq)]
pub struct ReactivatedOptions {
    prior: GapPrior,
    silence: Day,
    days: Day,
    level: f64,
}

impl ReactivatedOptions {
    /// Reads options.
    ///
    /// # Errors
    /// Names the field that is wrong or unknown.
    pub fn from_json(value: &Value) -> Result<Self> {
        let object = Object::new("options", "", value, &["prior", "silence", "days", "level"])?;
        Ok(Self {
            prior: prior_option(&object)?,
            silence: days_option(&object, "silence", 1, 36_500, 180)?,
            days: days_option(&object, "days", 1, 3650, 60)?,
            level: share(&object, "level", 0.95)?,
        })
    }
}

/// Whether the customer came back less than `days` days ago, after a silence of at least `silence` days
/// that was long for them too: by their earlier gaps it had a probability below 1 - `level`.
///
/// # Errors
/// Damaged bytes, a day out of range.
pub fn reactivated(history: Option<&[u8]>, as_of: Day, options: &ReactivatedOptions) -> Result<LifeMoment> {
    let Some(bought) = bought(history, as_of)? else {
        return Ok(LifeMoment::nothing("none", json!({ "purchase_days": 0 }), None));
    };
    let days = bought.days;
    for i in (1..days.len()).rev() {
        let (before, back) = (days[i - 1], days[i]);
        if as_of - back >= options.days {
            break;
        }
        let silence = back - before;
        if silence < options.silence {
            continue;
        }
        let next: NextGap = options.prior.next_gap(&gaps_of(&days[..i]));
        let p = next.survival(f64::from(silence));
        if p > 1.0 - options.level {
            continue;
        }
        let evidence = json!({
            "silence": silence, "typical_gap": tenth(next.median()), "last_before": date(before), "back_on": date(back),
        });
        let span = (back, back + options.days - 1);
        let mut moment = LifeMoment::between("reactivated", span, as_of, 1.0 - p, evidence);
        moment.p_value = Some(p);
        return Ok(moment);
    }
    Ok(LifeMoment::nothing("none", json!({ "purchase_days": days.len() }), None))
}

// Anniversaries

/// Whether the yearly day of `on` is near: from `ahead` days before to `after` days after.
///
/// 29 February is kept on 28 February in other years, or on 1 March by the option `leap_day`.
///
/// # Errors
/// A day out of range, unknown options.
pub fn anniversary(on: Day, as_of: Day, kind: &str, options: &Value) -> Result<LifeMoment> {
    let object = Object::new("options", "", options, &["ahead", "after", "leap_day"])?;
    let ahead = days_option(&object, "ahead", 0, 180, 14)?;
    let after = days_option(&object, "after", 0, 180, 0)?;
    let march = match object.text("leap_day")?.unwrap_or("february_28") {
        "february_28" => false,
        "march_1" => true,
        _ => return Err(object.wrong("leap_day", "\"february_28\" or \"march_1\"")),
    };
    day::check(on)?;
    day::check(as_of)?;
    // The first yearly day, at least one year on, that is not over yet.
    let mut year = ((as_of - after - on) / 366).max(1);
    loop {
        let Ok(kept) = day::add_months(on, 12 * year) else {
            return Ok(LifeMoment::nothing("none", json!({ "kind": kind }), None));
        };
        let moved = march && is_leap_day(on) && !is_leap_day(kept);
        let kept = if moved { kept + 1 } else { kept };
        if kept + after >= as_of {
            let evidence = json!({ "kind": kind, "of": date(on), "on": date(kept), "years": year });
            let span = (kept - ahead, kept + after);
            return Ok(LifeMoment::between("anniversary", span, as_of, 1.0, evidence));
        }
        year += 1;
    }
}

fn is_leap_day(day: Day) -> bool {
    date(day).ends_with("-02-29")
}

// Changes of attributes

/// How a value has to change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Change {
    Changed,
    Increased,
    Decreased,
}

/// What a change of an attribute means.
#[derive(Debug, Clone, PartialEq)]
struct AttributeRule {
    attributes: Vec<String>,
    moment: String,
    company: Option<bool>,
    change: Change,
    /// Values that the new one has to be among; a star at the end stands for any end. Empty: any.
    new: Vec<String>,
    least: Option<f64>,
    days: Day,
    before: Day,
    confidence: f64,
}

/// Rules by which changes of attributes become life moments: the first that fits counts.
#[derive(Debug, Clone, PartialEq)]
pub struct AttributeMapping {
    rules: Vec<AttributeRule>,
}

/// The mapping that is used when none is given.
#[must_use]
pub fn default_mapping() -> Value {
    json!([
        { "attribute": ["postcode", "city", "address"], "company": true, "moment": "company_move", "days": 90 },
        { "attribute": ["siret", "head_office"], "moment": "company_move", "days": 90 },
        { "attribute": ["postcode", "city", "address"], "moment": "moving", "days": 90 },
        { "attribute": ["children"], "change": "increased", "moment": "birth", "days": 365 },
        { "attribute": ["household_size"], "change": "increased", "least": 3, "moment": "birth", "days": 365 },
        { "attribute": ["marital_status", "civil_status"],
          "new": ["married", "marri\u{e9}*", "mari\u{e9}*", "pacs*", "civil_partner*"], "moment": "marriage", "days": 60 },
        { "attribute": ["marital_status", "civil_status"],
          "new": ["separated", "divorced", "widow*", "s\u{e9}par\u{e9}*", "divorc\u{e9}*", "veuf", "veuve"],
          "moment": "separation", "days": 180 },
        { "attribute": ["occupation_code", "occupation"], "new": ["7*", "retired", "retrait\u{e9}*"],
          "moment": "retirement", "days": 180 },
        { "attribute": ["decision_maker", "buyer", "main_contact", "contact"], "moment": "new_decision_maker", "days": 90 },
    ])
}

impl AttributeMapping {
    /// Reads a mapping.
    ///
    /// # Errors
    /// Names the field that is wrong or unknown.
    pub fn from_json(value: &Value) -> Result<Self> {
        let list = value
            .as_array()
            .filter(|list| list.len() <= 1000)
            .ok_or_else(|| Error::invalid("mapping must be a list of at most 1000 rules"))?;
        let rules = list.iter().enumerate().map(|(i, rule)| AttributeRule::read(i, rule));
        Ok(Self { rules: rules.collect::<Result<_>>()? })
    }
}

impl Default for AttributeMapping {
    fn default() -> Self {
        // A test reads it; without rules nothing would be found.
        Self::from_json(&default_mapping()).unwrap_or(Self { rules: Vec::new() })
    }
}

impl AttributeRule {
    fn read(i: usize, value: &Value) -> Result<Self> {
        let known =
            &["attribute", "moment", "company", "change", "new", "least", "days", "before", "confidence"];
        let object = Object::new("mapping", &format!("[{i}]"), value, known)?;
        let texts = |key: &str| -> Result<Vec<String>> {
            match object.get(key) {
                None => Ok(Vec::new()),
                Some(Value::String(text)) => Ok(vec![text.clone()]),
                Some(Value::Array(list)) if list.iter().all(Value::is_string) => {
                    Ok(list.iter().filter_map(Value::as_str).map(str::to_owned).collect())
                }
                Some(_) => Err(object.wrong(key, "a text or a list of texts")),
            }
        };
        let attributes = texts("attribute")?;
        if attributes.is_empty() {
            return Err(object.wrong("attribute", "a text or a list of texts"));
        }
        let company = match object.get("company") {
            None => None,
            Some(Value::Bool(company)) => Some(*company),
            Some(_) => return Err(object.wrong("company", "true or false")),
        };
        Ok(Self {
            attributes,
            moment: object.need_text("moment")?.to_owned(),
            company,
            change: match object.text("change")?.unwrap_or("changed") {
                "changed" => Change::Changed,
                "increased" => Change::Increased,
                "decreased" => Change::Decreased,
                _ => return Err(object.wrong("change", "changed, increased or decreased")),
            },
            new: texts("new")?,
            least: object.number("least", -1e15, 1e15)?,
            days: days_option(&object, "days", 1, 36_500, 90)?,
            before: days_option(&object, "before", 0, 36_500, 0)?,
            confidence: share(&object, "confidence", 0.9)?,
        })
    }

    /// Whether it is about such a change; `folded` is the new value in small letters.
    fn fits(&self, attribute: &str, old: &str, (new, folded): (&str, &str), company: bool) -> bool {
        // What is longer is no number that anybody wrote.
        let number = |text: &str| {
            let text = Some(text.trim()).filter(|text| text.len() <= 400)?;
            text.parse::<f64>().ok().filter(|n| n.is_finite())
        };
        let moved = match (self.change, number(old), number(new)) {
            (Change::Changed, _, _) => true,
            (Change::Increased, Some(old), Some(new)) => new > old,
            (Change::Decreased, Some(old), Some(new)) => new < old,
            _ => false,
        };
        let among = |pattern: &String| match pattern.strip_suffix('*') {
            Some(start) => folded.starts_with(&start.to_lowercase()),
            None => folded == pattern.to_lowercase(),
        };
        self.attributes.iter().any(|a| a == attribute)
            && self.company.is_none_or(|wanted| wanted == company)
            && moved
            && (self.new.is_empty() || self.new.iter().any(among))
            && self.least.is_none_or(|least| number(new).is_some_and(|n| n >= least))
    }
}

/// A row of a history of attributes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct AttributeChange<'a> {
    /// Which.
    pub attribute: &'a str,
    /// When.
    pub changed_on: Day,
    /// From; `None` if it was not known, which makes the row no change.
    pub old_value: Option<&'a str>,
    /// To.
    pub new_value: Option<&'a str>,
    /// Whether the customer is a company.
    pub is_company: bool,
}

/// What a change of an attribute means, and whether that is on. A value learnt for the first time, or
/// lost, is no change.
///
/// # Errors
/// A day out of range.
pub fn attribute_moment(
    change: AttributeChange,
    as_of: Day,
    mapping: &AttributeMapping,
) -> Result<LifeMoment> {
    let on = day::check(change.changed_on)?;
    day::check(as_of)?;
    let nothing = || LifeMoment::nothing("none", json!({ "attribute": change.attribute }), None);
    let (Some(old), Some(new)) = (change.old_value, change.new_value) else { return Ok(nothing()) };
    if old == new || old.is_empty() || new.is_empty() {
        return Ok(nothing());
    }
    if on > as_of {
        // Not known yet.
        return Ok(LifeMoment { next_change: Some(on), ..nothing() });
    }
    let folded = new.to_lowercase();
    let rule =
        mapping.rules.iter().find(|r| r.fits(change.attribute, old, (new, &folded), change.is_company));
    let Some(rule) = rule else { return Ok(nothing()) };
    let evidence = json!({
        "attribute": change.attribute, "changed_on": date(on), "old_value": old, "new_value": new,
    });
    let span = (on.saturating_sub(rule.before), on.saturating_add(rule.days - 1));
    Ok(LifeMoment::between(rule.moment.clone(), span, as_of, rule.confidence, evidence))
}

// Marker categories

/// Options of [`marker_purchase`].
#[derive(Debug, Clone, PartialEq)]
pub struct MarkerOptions {
    days: Day,
    least: usize,
    alpha: f64,
}

impl MarkerOptions {
    /// Reads options.
    ///
    /// # Errors
    /// Names the field that is wrong or unknown.
    pub fn from_json(value: &Value) -> Result<Self> {
        let object = Object::new("options", "", value, &["days", "least", "alpha"])?;
        Ok(Self {
            days: days_option(&object, "days", 1, 3650, 180)?,
            least: object.whole("least", 1, 1000)?.unwrap_or(2) as usize,
            alpha: share(&object, "alpha", 0.05)?,
        })
    }
}

/// Whether a customer has begun to buy in a category that marks a moment (baby goods: `birth`), and not
/// only happened to.
///
/// If each of m purchase days in the category could as well have been any of all n, the first of them comes
/// after the first b with probability C(n - b, m) / C(n, m): the p value. The moment needs `least` purchase
/// days in the category too, and lasts `days` days from the first.
///
/// # Errors
/// Damaged bytes, a day out of range.
pub fn marker_purchase(
    marker: Option<&[u8]>,
    history: Option<&[u8]>,
    as_of: Day,
    code: &str,
    options: &MarkerOptions,
) -> Result<LifeMoment> {
    let (Some(marker), Some(all)) = (bought(marker, as_of)?, bought(history, as_of)?) else {
        return Ok(LifeMoment::nothing("none", json!({ "marker_days": 0 }), None));
    };
    let first = marker.first();
    let m = marker.days.len();
    let before = all.days.partition_point(|day| *day < first);
    let n = all.days.len().max(before + m);
    // C(n - b, m) / C(n, m), factor by factor.
    let p: f64 = (0..before).map(|i| (n - m - i) as f64 / (n - i) as f64).product();
    let evidence = json!({
        "marker_days": m, "first_marker": date(first), "purchase_days": n, "before": before,
    });
    let span = (first, first + options.days - 1);
    let mut moment = if m >= options.least && p <= options.alpha {
        LifeMoment::between(code.to_owned(), span, as_of, 1.0 - p, evidence)
    } else {
        LifeMoment::nothing("none", evidence, None)
    };
    moment.p_value = Some(p);
    Ok(moment)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::money::Money;
    use crate::facts::purchase_history::{Entry, pack};

    fn history(days: &[Day]) -> Vec<u8> {
        pack(&days.iter().map(|d| Entry::order(*d, Money(10_000))).collect::<Vec<_>>())
    }

    fn none() -> Value {
        json!({})
    }

    #[test]
    fn rate_ratio_is_scipys() {
        // scipy.stats.binomtest(recent, recent + before, recent_days / (recent_days + before_days), 'less'), SciPy 1.17.1.
        for (r, rd, b, bd, p) in [
            (0.0, 180.0, 6.0, 540.0, 0.177_978_515_625),
            (1.0, 90.0, 20.0, 360.0, 0.057_646_075_230_342_42),
            (3.0, 30.0, 40.0, 365.0, 0.585_634_837_960_722_6),
            (2.0, 180.0, 2.0, 200.0, 0.725_899_893_340_290_5),
            (5.0, 90.0, 20.0, 360.0, 0.616_689_411_779_368_6),
            (0.0, 60.0, 100.0, 700.0, 0.000_268_191_354_288_461_2),
        ] {
            let test = rate_ratio_test(r, rd, b, bd, 0.95).unwrap();
            assert!((test.p_value / p - 1.0).abs() < 1e-12, "{r} {b} {}", test.p_value);
        }
        let test = rate_ratio_test(2.0, 180.0, 2.0, 200.0, 0.95).unwrap();
        let ratio = |p: f64| p / (1.0 - p) * 200.0 / 180.0;
        assert!((test.lower / ratio(0.067_585_986_488_542_98) - 1.0).abs() < 1e-9);
        assert!((test.upper / ratio(0.932_414_013_511_457) - 1.0).abs() < 1e-9);
        assert_eq!(rate_ratio_test(0.0, 9.0, 0.0, 9.0, 0.95).unwrap().p_value, 1.0);
        assert!(rate_ratio_test(0.5, 9.0, 0.0, 9.0, 0.95).is_err());
        assert!(rate_ratio_test(1.0, f64::NAN, 0.0, 9.0, 0.95).is_err());
    }

    #[test]
    fn leap_days() {
        let day = |text: &str| day::parse(text).unwrap();
        let on = |as_of: &str, options: Value| {
            let moment = anniversary(day("2004-02-29"), day(as_of), "birth_date", &options).unwrap();
            (moment.moment.into_owned(), moment.evidence["on"].as_str().unwrap().to_owned())
        };
        let today = json!({ "ahead": 0 });
        assert_eq!(on("2026-02-28", today.clone()), ("anniversary".into(), "2026-02-28".into()));
        assert_eq!(on("2026-03-01", today.clone()), ("none".into(), "2027-02-28".into()));
        assert_eq!(on("2028-02-29", today), ("anniversary".into(), "2028-02-29".into()));
        let march = json!({ "ahead": 0, "leap_day": "march_1" });
        assert_eq!(on("2026-03-01", march.clone()), ("anniversary".into(), "2026-03-01".into()));
        assert_eq!(on("2028-02-29", march), ("anniversary".into(), "2028-02-29".into()));
        // The day itself is not its anniversary.
        assert_eq!(on("2004-02-29", json!({ "ahead": 0 })).0, "none");
    }

    #[test]
    fn due_then_overdue_then_lapsed() {
        let h = history(&[0, 30, 60, 90, 120, 150]);
        let options = DueOptions::from_json(&none()).unwrap();
        let codes: Vec<String> = (150..600)
            .map(|d| purchase_due(Some(&h), d, 1.0, &options).unwrap().moment.into_owned())
            .collect();
        let mut order = codes.clone();
        order.dedup();
        assert_eq!(order, ["none", "purchase_due", "purchase_overdue", "none"]);
        assert!(purchase_due(Some(&h), 180, 1.0, &options).unwrap().moment == "purchase_due");
        assert!(purchase_due(Some(&h), 180, 1.5, &options).is_err());
        let mut lapsed = DueOptions::from_json(&json!({ "from": 0.9, "until": 0.8 }));
        assert!(lapsed.is_err());
        lapsed = DueOptions::from_json(&json!({ "until": 0.8 }));
        assert!(lapsed.is_ok());
    }

    #[test]
    fn no_change_before_the_next_change() {
        let (due, waning) =
            (DueOptions::from_json(&none()).unwrap(), WaningOptions::from_json(&none()).unwrap());
        let yearly = YearlyOptions::from_json(&none(), None).unwrap();
        let back = ReactivatedOptions::from_json(&none()).unwrap();
        for days in [
            vec![0],
            vec![0, 20, 45, 60, 81, 100, 130, 150, 180, 200, 230, 260, 300],
            vec![0, 365, 731, 1096],
            vec![0, 30, 60, 400],
        ] {
            let h = history(&days);
            let detect = |which: usize, as_of: Day| match which {
                0 => purchase_due(Some(&h), as_of, 1.0, &due).unwrap(),
                1 => waning_interest(Some(&h), as_of, &waning).unwrap(),
                2 => yearly_recurrence(Some(&h), as_of, None, "holiday_ahead", &yearly).unwrap(),
                3 => first_purchase(Some(&h), as_of, &none()).unwrap(),
                4 => reactivated(Some(&h), as_of, &back).unwrap(),
                _ => anniversary(days[0], as_of, "first_order", &none()).unwrap(),
            };
            for which in 0..6 {
                let last = days[days.len() - 1];
                let codes: Vec<_> = (last..last + 2200).map(|d| detect(which, d)).collect();
                for (i, moment) in codes.iter().take(1500).enumerate() {
                    let end = moment.next_change.map_or(2200, |next| (next - last) as usize);
                    assert!(end > i, "{which} {days:?} {i}");
                    for later in &codes[i..end.min(2200)] {
                        assert_eq!(later.moment, moment.moment, "{which} {days:?} from {i}");
                    }
                }
            }
        }
    }

    #[test]
    fn waning_and_back() {
        let mut days: Vec<Day> = (0..20).map(|i| i * 20).collect();
        let options = WaningOptions::from_json(&none()).unwrap();
        let h = history(&days);
        let moment = waning_interest(Some(&h), 540, &options).unwrap();
        assert_eq!(moment.moment, "waning_interest");
        assert!(moment.p_value.unwrap() < 0.05 && moment.begins == Some(361), "{moment:?}");
        // Gone for a year: churn's to say.
        assert_eq!(waning_interest(Some(&h), 380 + 366, &options).unwrap().moment, "none");
        days.push(540);
        days.push(560);
        days.push(580);
        let moment = waning_interest(Some(&history(&days)), 580, &options).unwrap();
        assert_eq!(moment.moment, "none");
    }

    #[test]
    fn the_same_weeks_every_year() {
        let options = YearlyOptions::from_json(&none(), None).unwrap();
        // 2020-06-20, 2021-06-15, 2022-06-25, 2023-06-18; observed since 2019-10-01.
        let day = |text: &str| day::parse(text).unwrap();
        let days = ["2020-06-20", "2021-06-15", "2022-06-25", "2023-06-18"].map(day);
        let h = history(&days);
        let at = |text: &str| {
            yearly_recurrence(Some(&h), day(text), Some(day("2019-10-01")), "holiday_ahead", &options)
                .unwrap()
        };
        let moment = at("2024-06-16");
        assert_eq!(moment.moment, "holiday_ahead");
        assert!(moment.p_value.unwrap() < 0.001 && moment.confidence.unwrap() > 0.7, "{moment:?}");
        assert_eq!(at("2024-01-16").moment, "none");
        let calendar = json!([
            { "name": "summer", "begins": "2021-07-06" }, { "name": "summer", "begins": "2022-07-07" },
            { "name": "summer", "begins": "2023-07-08", "ends": "2023-09-03" }, { "name": "summer", "begins": "2024-07-06" },
            { "name": "winter", "begins": "2024-02-10" }, { "name": "winter", "begins": "2023-02-04" }]);
        let options = YearlyOptions::from_json(&none(), Some(&calendar)).unwrap();
        let on = |text: &str| {
            let since = Some(day("2019-10-01"));
            yearly_recurrence(Some(&h), day(text), since, "holiday_ahead", &options).unwrap()
        };
        assert_eq!(on("2024-06-10").moment, "holiday_ahead");
        assert_eq!(on("2024-06-10").ends, Some(day("2024-07-05")));
        assert_eq!(on("2024-01-20").moment, "none");
        assert!(YearlyOptions::from_json(&none(), Some(&json!([{ "name": "x" }]))).is_err());
    }

    #[test]
    fn attributes_and_markers() {
        let mapping = AttributeMapping::default();
        assert_eq!(mapping.rules.len(), default_mapping().as_array().unwrap().len());
        let code = |attribute, old, new, is_company| {
            let change = AttributeChange {
                attribute,
                changed_on: 100,
                old_value: Some(old),
                new_value: Some(new),
                is_company,
            };
            attribute_moment(change, 110, &mapping).unwrap().moment.into_owned()
        };
        assert_eq!(code("postcode", "75001", "69001", false), "moving");
        assert_eq!(code("postcode", "75001", "69001", true), "company_move");
        assert_eq!(code("household_size", "2", "3", false), "birth");
        assert_eq!(code("household_size", "10", "9", false), "none");
        assert_eq!(code("marital_status", "single", "Married", false), "marriage");
        assert_eq!(code("marital_status", "married", "divorcée", false), "separation");
        assert_eq!(code("occupation_code", "37", "74", false), "retirement");
        assert_eq!(code("main_contact", "Ada", "Grace", true), "new_decision_maker");
        assert_eq!(code("postcode", "", "69001", false), "none");

        // Ten purchases, then three of the last four in the category: C(4, 3) / C(10, 3) = 4 / 120.
        let all = history(&[0, 10, 20, 30, 40, 50, 60, 70, 80, 90]);
        let marker = history(&[60, 70, 90]);
        let options = MarkerOptions::from_json(&none()).unwrap();
        let moment = marker_purchase(Some(&marker), Some(&all), 100, "birth", &options).unwrap();
        assert!((moment.p_value.unwrap() - 4.0 / 120.0).abs() < 1e-15 && moment.moment == "birth");
        assert_eq!(marker_purchase(None, Some(&all), 100, "birth", &options).unwrap().moment, "none");
    }
}
