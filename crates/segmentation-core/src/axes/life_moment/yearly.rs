//! What comes round every year: the weeks in which a customer buys, by their own dates or by a calendar of holidays.

use std::borrow::Cow;

use serde_json::{Value, json};

use super::moment::{LOOK_AHEAD, LifeMoment, bought, date, days_option, hundredth, share};
use crate::base::day::{self, Day};
use crate::base::error::{Error, Result};
use crate::base::host;
use crate::base::json::Object;
use crate::math::rate_ratio::binomial_at_least;

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
    /// Reads options and a calendar: a list of `{"name": ..., "begins": ..., "ends": ...}`, at most 10,000.
    ///
    /// * `half_width`: days on either side of the anniversary of a purchase (14)
    /// * `lead`: days by which the moment begins earlier (0)
    /// * `ahead`: days before a holiday of the calendar (28)
    /// * `least_years`: years with a purchase (2)
    /// * `alpha`: at most this p value (0.1)
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
    /// Years observed, and those with a purchase then.
    years: usize,
    hits: usize,
    /// That a year has one at the customer's mean rate, and P(so many hits or more) by it.
    chance: f64,
    p: f64,
    confidence: f64,
    /// Of the holiday, with a calendar.
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

/// Whether one of the sorted days lies in a window, both ends included.
fn any_in(days: &[Day], from: Day, until: Day) -> bool {
    let first = days.partition_point(|day| *day < from);
    days.get(first).is_some_and(|day| *day <= until)
}

/// The chance of a purchase in a window of that many days, at the mean rate from `since` to `until`.
fn chance(days: &[Day], since: Day, until: Day, window: Day) -> f64 {
    let n = days.partition_point(|day| *day <= until) as f64;
    -(-n * f64::from(window) / f64::from((until - since).max(1))).exp_m1()
}

/// Without a calendar: the next anniversary of each purchase, and how often the years before had one about it.
fn by_date(days: &[Day], since: Day, as_of: Day, options: &YearlyOptions) -> Vec<Recurrence> {
    let w = options.half_width;
    let mut found = Vec::new();
    for anchor in days {
        host::pause();
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

/// With a calendar: the next holidays, and how often those of the same name had a purchase before them.
fn by_calendar(days: &[Day], since: Day, as_of: Day, options: &YearlyOptions) -> Vec<Recurrence> {
    let before = |holiday: &Holiday| (holiday.begins - options.ahead, holiday.begins - 1);
    let mut found = Vec::new();
    for holiday in options.calendar.iter().filter(|h| h.begins > as_of) {
        host::pause();
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
