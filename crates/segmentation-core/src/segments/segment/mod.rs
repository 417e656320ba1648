//! Segments as definitions: who is what, written as JSON.
//!
//! A definition has one of four kinds: `rules` (conditions, in order or overlapping),
//! `scorecard` (points with bands), `nearest` (the nearest cluster of a profile model)
//! and `benefits` (the nearest profile of benefits sought). [`parse`](Definition::parse)
//! reads and checks it once; a customer is any [`Node`](crate::base::document::Node): a JSON object.
//!
//! Logic is SQL's, with three values. A field that is missing or null, or is of another
//! type than it is compared with, makes a comparison unknown; `all`, `any` and `not` are
//! AND, OR and NOT; a segment is entered only when its condition is true.

mod evaluate;
mod explain;
mod fold;
mod like;
mod lookalike;
mod nearest;
mod next_day;
mod parse;
mod reads;
mod sql;

#[cfg(test)]
mod tests;

use crate::base::day::{self, Day};
use crate::base::decimal::Decimal;
use crate::base::error::{Error, Result};
use crate::base::words::counted;

pub use evaluate::Context;
use like::Like;
pub use lookalike::{Lookalike, LookalikeModel};
pub use nearest::{Benefits, Nearest};
pub use parse::Fault;
pub use reads::{Read, ReadAs};
pub use sql::{Answer, Column, Source};

/// The deepest nesting of conditions that is accepted.
pub const MAX_DEPTH: usize = 100;
/// The largest definition that is accepted, in bytes of jsonb.
pub const MAX_BYTES: usize = 1_000_000;

/// Keys from the customer's object down.
pub type Path = Vec<String>;

/// A definition, read and checked.
#[derive(Debug, Clone)]
pub struct Definition {
    /// How it assigns.
    pub kind: Kind,
    /// Who matches nothing.
    pub default: Option<String>,
    /// Fields of the customer that conditions read; conditions hold indices into it.
    fields: Vec<Path>,
    /// Days that conditions compare with; conditions hold indices into it.
    dates: Vec<DateOperand>,
    /// Whether a condition is relative to `as_of`.
    relative: bool,
    /// Fields that there may be none of: they are unknown, and no slips.
    unknown: Vec<String>,
}

/// How a definition assigns.
#[derive(Debug, Clone)]
pub enum Kind {
    /// Segments with a condition each.
    Rules {
        /// The segments, in order.
        segments: Vec<Rule>,
        /// Whether a customer is in all segments that match, not only in the first.
        overlapping: bool,
    },
    /// Points for conditions, bands of points.
    Scorecard {
        /// Points that everybody has.
        base: Decimal<'static>,
        /// Conditions and what they are worth.
        points: Vec<(Condition, Decimal<'static>)>,
        /// Segments and the points from which they begin, highest first.
        bands: Vec<(String, Decimal<'static>)>,
    },
    /// The nearest cluster.
    Nearest(Nearest),
    /// The nearest profile of benefits sought.
    Benefits(Benefits),
}

/// A segment and who is in it.
#[derive(Debug, Clone)]
pub struct Rule {
    /// Its code.
    pub segment: String,
    /// Who is in it.
    pub when: Condition,
}

/// A condition, and where it stands in the definition.
#[derive(Debug, Clone)]
pub struct Condition {
    /// Its JSON path.
    pub path: String,
    /// What it says.
    pub test: Test,
}

/// What a condition says.
#[derive(Debug, Clone)]
pub enum Test {
    /// AND
    All(Vec<Condition>),
    /// OR
    Any(Vec<Condition>),
    /// NOT
    Not(Box<Condition>),
    /// About one field.
    Field(usize, FieldTest),
    /// About a list of events.
    Events(Box<Events>),
}

/// What is said of a field.
#[derive(Debug, Clone)]
pub enum FieldTest {
    /// A comparison with a value.
    Compare(Comparison, Operand),
    /// Equal to one of some values, all of one type.
    In(Vec<Operand>),
    /// Missing or null.
    IsNull,
    /// A text that begins so.
    StartsWith(String),
    /// A text that follows a pattern.
    Like(Like),
    /// A list that has one of the values.
    ContainsAny(Vec<Operand>),
    /// A list that has all of the values.
    ContainsAll(Vec<Operand>),
}

/// `=`, `<>` and so on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Comparison {
    /// =
    Equal,
    /// <>
    NotEqual,
    /// <
    Less,
    /// <=
    AtMost,
    /// >
    Greater,
    /// >=
    AtLeast,
}

impl Comparison {
    const ALL: [Comparison; 6] = [
        Comparison::Equal,
        Comparison::NotEqual,
        Comparison::Less,
        Comparison::AtMost,
        Comparison::Greater,
        Comparison::AtLeast,
    ];

    /// Its sign, in definitions as in SQL.
    #[must_use]
    pub fn sign(self) -> &'static str {
        match self {
            Comparison::Equal => "=",
            Comparison::NotEqual => "<>",
            Comparison::Less => "<",
            Comparison::AtMost => "<=",
            Comparison::Greater => ">",
            Comparison::AtLeast => ">=",
        }
    }

    #[inline]
    fn holds(self, order: std::cmp::Ordering) -> bool {
        match self {
            Comparison::Equal => order.is_eq(),
            Comparison::NotEqual => order.is_ne(),
            Comparison::Less => order.is_lt(),
            Comparison::AtMost => order.is_le(),
            Comparison::Greater => order.is_gt(),
            Comparison::AtLeast => order.is_ge(),
        }
    }
}

/// What a field is compared with.
#[derive(Debug, Clone)]
pub enum Operand {
    /// A number.
    Number(Decimal<'static>),
    /// A text.
    Text(String),
    /// A boolean.
    Bool(bool),
    /// A day: an index into the definition's dates.
    Date(usize),
}

/// A day, or one counted back from `as_of`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum DateOperand {
    Day(Day),
    DaysAgo(i32),
    MonthsAgo(i32),
}

impl DateOperand {
    fn describe(self) -> String {
        match self {
            DateOperand::Day(day) => day::format(day).unwrap_or_default(),
            DateOperand::DaysAgo(0) => "as_of".to_owned(),
            DateOperand::DaysAgo(days) => format!("{} ago", counted(days, "day")),
            DateOperand::MonthsAgo(months) => format!("{} ago", counted(months, "month")),
        }
    }
}

/// Events of a customer: a list of objects.
#[derive(Debug, Clone)]
pub struct Events {
    /// The field with the list.
    field: usize,
    /// The day of an event.
    on: Path,
    /// Fields of an event that conditions read.
    fields: Vec<Path>,
    /// Which events count.
    filter: Option<Condition>,
    /// The first day that counts.
    from: Option<usize>,
    /// The last day that counts.
    until: Option<usize>,
    /// What is asked of them.
    asked: Asked,
}

#[derive(Debug, Clone)]
enum Asked {
    /// How many there are.
    Count(Vec<(Comparison, Decimal<'static>)>),
    /// The sum of a number of theirs.
    Sum(Path, Vec<(Comparison, Decimal<'static>)>),
    /// Whether one is followed by another, or is not, within some days.
    Then { second: Condition, within: i32, not: bool },
}

impl Definition {
    /// The days that its conditions compare with.
    ///
    /// # Errors
    /// A condition is relative to `as_of` and there is none, or it leads out of range.
    pub fn days(&self, as_of: Option<Day>) -> Result<Vec<Day>> {
        if let Some(as_of) = as_of {
            day::check(as_of).map_err(|error| {
                Error::new(error.kind, "as_of out of range")
                    .hint("Dates from 0001-01-01 to 9999-12-31 are accepted.")
            })?;
        }
        let needed = || {
            as_of.ok_or_else(|| {
                Error::invalid("the segment definition is relative to as_of, which is not given")
                    .hint("Give as_of, a date, as the last argument.")
            })
        };
        if self.relative {
            needed()?;
        }
        self.dates
            .iter()
            .map(|date| match *date {
                DateOperand::Day(day) => Ok(day),
                DateOperand::DaysAgo(days) => day::check(needed()?.saturating_sub(days)),
                DateOperand::MonthsAgo(months) => day::add_months(needed()?, -months),
            })
            .collect::<Result<_>>()
            .map_err(|error| {
                if error.message.contains("history") {
                    Error::new(error.kind, "a day relative to as_of is out of range")
                } else {
                    error
                }
            })
    }

    /// The codes of its segments, in order, each once; the default is not among them unless it is also a segment.
    #[must_use]
    pub fn segments(&self) -> Vec<&str> {
        let all: Vec<&str> = match &self.kind {
            Kind::Rules { segments, .. } => segments.iter().map(|rule| rule.segment.as_str()).collect(),
            Kind::Scorecard { bands, .. } => bands.iter().map(|(segment, _)| segment.as_str()).collect(),
            Kind::Nearest(nearest) => nearest.segments().collect(),
            Kind::Benefits(benefits) => benefits.segments().collect(),
        };
        let mut seen = std::collections::HashSet::new();
        all.into_iter().filter(|segment| seen.insert(*segment)).collect()
    }

    /// Every condition outside of events, with the segment that it belongs to, in the order of the definition;
    /// a condition comes before those within it.
    #[must_use]
    pub fn conditions(&self) -> Vec<(Option<&str>, &Condition)> {
        let mut found = Vec::new();
        match &self.kind {
            Kind::Rules { segments, .. } => {
                for rule in segments {
                    rule.when.gather(Some(&rule.segment), &mut found);
                }
            }
            Kind::Scorecard { points, .. } => {
                for (condition, _) in points {
                    condition.gather(None, &mut found);
                }
            }
            Kind::Nearest(_) | Kind::Benefits(_) => {}
        }
        found
    }
}

impl Condition {
    fn gather<'a>(&'a self, segment: Option<&'a str>, found: &mut Vec<(Option<&'a str>, &'a Condition)>) {
        found.push((segment, self));
        match &self.test {
            Test::All(parts) | Test::Any(parts) => {
                for part in parts {
                    part.gather(segment, found);
                }
            }
            Test::Not(part) => part.gather(segment, found),
            Test::Field(..) | Test::Events(_) => {}
        }
    }
}

/// The day of a text that begins with one: `yyyy-mm-dd`, alone or followed by a time.
///
/// This is how `to_jsonb` writes dates and timestamps. Years before 1 and after 9999
/// and the infinite dates are no days.
#[must_use]
pub fn read_day(text: &[u8]) -> Option<Day> {
    let (date, rest) = text.split_at_checked(10)?;
    match rest {
        [] => {}
        [b'T' | b' ', digit, ..] if digit.is_ascii_digit() && !rest.ends_with(b"BC") => {}
        _ => return None,
    }
    day::parse(std::str::from_utf8(date).ok()?)
}
