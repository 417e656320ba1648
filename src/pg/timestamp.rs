//! Points in time, as far as they are needed to find a day.

use pgrx::callconv::{Arg, ArgAbi, BoxRet, FcInfo};
use pgrx::datum::{Datum, FromDatum, IntoDatum};
use pgrx::pg_sys;

use segmentation_core::base::day::{self, Day};
use segmentation_core::{Error, ErrorKind, Result};

use super::OrRaise;
use super::value::Raw;

const MICROSECONDS_A_DAY: i64 = 86_400_000_000;
const MICROSECONDS_AN_HOUR: i64 = 3_600_000_000;

/// A `timestamp`: microseconds from 2000-01-01 00:00 on the wall.
#[derive(Clone, Copy)]
pub struct LocalTime(i64);

/// A `timestamptz`: microseconds from 2000-01-01 00:00 UTC.
#[derive(Clone, Copy)]
pub struct Instant(i64);

super::sql_type!(LocalTime, "timestamp");
super::sql_type!(Instant, "timestamptz");

unsafe impl<'fcx> ArgAbi<'fcx> for LocalTime {
    unsafe fn unbox_arg_unchecked(arg: Arg<'_, 'fcx>) -> Self {
        // SAFETY: a timestamp is an i64 by value.
        LocalTime(unsafe { arg.unbox_arg_using_from_datum() }.unwrap_or_default())
    }
}

unsafe impl<'fcx> ArgAbi<'fcx> for Instant {
    unsafe fn unbox_arg_unchecked(arg: Arg<'_, 'fcx>) -> Self {
        // SAFETY: a timestamptz is an i64 by value.
        Instant(unsafe { arg.unbox_arg_using_from_datum() }.unwrap_or_default())
    }
}

impl LocalTime {
    /// Its day. Infinite timestamps give infinite days, as PostgreSQL's cast does.
    pub fn day(self) -> Day {
        match self.0 {
            i64::MAX => Day::MAX,
            i64::MIN => Day::MIN,
            time => time.div_euclid(MICROSECONDS_A_DAY) as Day,
        }
    }

    /// The hour of the week on the wall, from Monday 00:00.
    ///
    /// # Errors
    /// The timestamp is infinite.
    pub fn hour_of_week(self) -> Result<usize> {
        if matches!(self.0, i64::MAX | i64::MIN) {
            return Err(Error::new(
                ErrorKind::DateOutOfRange,
                "timestamp out of range for an hour of the week",
            )
            .detail("The timestamp is infinite."));
        }
        // 2000-01-01 was a Saturday.
        Ok((self.0.div_euclid(MICROSECONDS_AN_HOUR) + 5 * 24).rem_euclid(7 * 24) as usize)
    }

    /// How far into its hour it is, in microseconds.
    pub fn into_hour(self) -> i64 {
        self.0.rem_euclid(MICROSECONDS_AN_HOUR)
    }
}

unsafe impl BoxRet for Instant {
    unsafe fn box_into<'fcx>(self, fcinfo: &mut FcInfo<'fcx>) -> Datum<'fcx> {
        match self.0.into_datum() {
            // SAFETY: a timestamptz is an i64 by value.
            Some(datum) => unsafe { fcinfo.return_raw_datum(datum) },
            None => fcinfo.return_null(),
        }
    }
}

impl Instant {
    /// So many hours later, less some microseconds. An infinite instant stays what it is.
    pub fn plus_hours(self, hours: i32, less: i64) -> Self {
        if matches!(self.0, i64::MAX | i64::MIN) {
            return self;
        }
        Instant(self.0.saturating_add(i64::from(hours) * MICROSECONDS_AN_HOUR).saturating_sub(less))
    }

    /// The time on the wall in a time zone, by PostgreSQL's own rules.
    ///
    /// Raises an error if the zone is an offset, PostgreSQL's own if it is unknown.
    pub fn local(self, zone: &str) -> LocalTime {
        check_zone(zone).or_raise();
        // SAFETY: timestamptz_zone(text, timestamptz) is strict and returns a timestamp.
        let local = unsafe {
            pgrx::direct_function_call_as_datum(
                pg_sys::timestamptz_zone,
                &[zone.into_datum(), self.0.into_datum()],
            )
            .and_then(|datum| i64::from_datum(datum, false))
        };
        LocalTime(local.unwrap_or(i64::MIN))
    }
}

/// Refuses zones that PostgreSQL reads by the rule of POSIX: there `+02:00` and `UTC+2` are two hours *west*.
///
/// # Errors
/// It begins with a sign or a digit, or has one after letters without a `/`.
pub fn check_zone(zone: &str) -> Result<()> {
    let text = zone.trim();
    let offset =
        |at: usize| text[at..].starts_with(['+', '-', '0', '1', '2', '3', '4', '5', '6', '7', '8', '9']);
    let letters = text.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(text.len());
    // EST5EDT and its like are names of the database of time zones.
    let named = text.contains('/')
        || matches!(text, "EST5EDT" | "CST6CDT" | "MST7MDT" | "PST8PDT" | "GMT+0" | "GMT-0" | "GMT0");
    if !named && letters < text.len() && (offset(letters) || text.starts_with('<')) {
        let shown: String = text.chars().take(60).collect();
        return Err(Error::invalid(format!("time zone \"{shown}\" is an offset"))
            .detail("PostgreSQL reads it by the rule of POSIX, in which +02:00 lies west of Greenwich.")
            .hint("Name a place, as Europe/Paris; two hours east of Greenwich all the year are Etc/GMT-2."));
    }
    Ok(())
}

/// An `interval`: months, days and microseconds, each of either sign.
#[derive(Clone, Copy)]
pub struct Interval {
    months: i32,
    days: i32,
    microseconds: i64,
}

super::sql_type!(Interval, "interval");

unsafe impl<'fcx> ArgAbi<'fcx> for Interval {
    unsafe fn unbox_arg_unchecked(arg: Arg<'_, 'fcx>) -> Self {
        // SAFETY: an interval is a fixed struct by reference, and the caller checked for NULL.
        unsafe {
            let raw = arg.unbox_arg_using_from_datum::<Raw>();
            let interval =
                raw.map_or(std::ptr::null(), |raw| raw.0.cast_mut_ptr::<pg_sys::Interval>().cast_const());
            match interval.as_ref() {
                Some(i) => Interval { months: i.month, days: i.day, microseconds: i.time },
                None => Interval { months: 0, days: 0, microseconds: 0 },
            }
        }
    }
}

impl Interval {
    /// Its months, and its days with their fraction.
    pub fn months_and_days(self) -> (i32, f64) {
        (self.months, f64::from(self.days) + self.microseconds as f64 / MICROSECONDS_A_DAY as f64)
    }

    /// Its length in days, counted from a day by the calendar as `date + interval` does:
    /// a month from 31 January is 28 or 29 days.
    ///
    /// # Errors
    /// The day or the end is out of range.
    pub fn days_from(self, from: Day) -> Result<f64> {
        let end = day::add_months(from, self.months)?;
        Ok(f64::from(end - from)
            + f64::from(self.days)
            + self.microseconds as f64 / MICROSECONDS_A_DAY as f64)
    }
}
