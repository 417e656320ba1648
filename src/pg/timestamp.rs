//! Points in time, as far as they are needed to find a day.

use pgrx::callconv::{Arg, ArgAbi};
use pgrx::datum::{FromDatum, IntoDatum};
use pgrx::pg_sys;

use segmentation_core::day::Day;

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
