//! Points in time, as far as they are needed to find a day.

use pgrx::callconv::{Arg, ArgAbi};
use pgrx::datum::{FromDatum, IntoDatum};
use pgrx::pg_sys;

use segmentation_core::Result;
use segmentation_core::day::{self, Day};

use super::value::Raw;

const MICROSECONDS_A_DAY: i64 = 86_400_000_000;

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
}

impl Instant {
    /// The time on the wall in a time zone, by PostgreSQL's own rules.
    ///
    /// Raises PostgreSQL's error if the zone is unknown.
    pub fn local(self, zone: &str) -> LocalTime {
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
