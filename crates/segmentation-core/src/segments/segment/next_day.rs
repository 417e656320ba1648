//! The day on which time alone may give a customer another segment.

use std::cmp::Ordering;

use super::evaluate::{Scope, day_of};
use super::{
    Asked, Comparison, Condition, Context, DateOperand, Definition, Events, FieldTest, Kind, Operand, Test,
    read_day,
};
use crate::base::day::{self, Day};
use crate::base::decimal::Decimal;
use crate::base::document::{Node, View};

/// A month that is counted back from the 31st ends up to so many days early.
const CLAMPED: i32 = 4;

/// The first of the days that were found.
#[derive(Clone, Copy)]
struct First {
    as_of: Day,
    day: Option<Day>,
}

impl First {
    fn take(&mut self, day: Day) {
        if day > self.as_of && self.day.is_none_or(|first| day < first) {
            self.day = Some(day);
        }
    }

    /// The day on which a number, which grows by one a day, comes to compare otherwise.
    fn take_clock(&mut self, number: &Decimal, comparison: Comparison, operand: &Decimal) {
        let ahead = operand.to_f64() - number.to_f64();
        if !(-1.0..f64::from(i32::MAX / 2)).contains(&ahead) {
            return;
        }
        let order = |days: f64| days.total_cmp(&ahead);
        let now = comparison.holds(order(0.0));
        for days in [ahead.ceil(), ahead.floor() + 1.0] {
            if comparison.holds(order(days)) != now {
                self.take(self.as_of.saturating_add(days as i32));
            }
        }
    }

    /// The day on which a day comes to compare otherwise with one that is counted back.
    fn take_turn(&mut self, value: Day, comparison: Comparison, operand: DateOperand) {
        let about = match operand {
            DateOperand::Day(_) => return,
            DateOperand::DaysAgo(days) => value.saturating_add(days),
            DateOperand::MonthsAgo(months) => match day::add_months(value, months) {
                Ok(about) => about,
                Err(_) => return,
            },
        };
        let holds = |as_of: Day| operand.order(value, as_of).map(|order| comparison.holds(order));
        for day in about.saturating_sub(CLAMPED)..=about.saturating_add(CLAMPED) {
            if holds(day) != holds(day.saturating_sub(1)) {
                self.take(day);
            }
        }
    }
}

impl DateOperand {
    /// How a day compares with it as of another.
    fn order(self, value: Day, as_of: Day) -> Option<Ordering> {
        let operand = match self {
            DateOperand::Day(day) => day,
            DateOperand::DaysAgo(days) => as_of.checked_sub(days)?,
            DateOperand::MonthsAgo(months) => day::add_months(as_of, -months).ok()?,
        };
        Some(value.cmp(&operand))
    }
}

/// A walk through conditions over one customer.
struct Walk<'d, 'c> {
    definition: &'d Definition,
    context: Context<'c>,
    clocks: &'c [String],
    first: First,
}

impl Walk<'_, '_> {
    fn condition<'a, N: Node<'a>>(
        &mut self,
        condition: &Condition,
        scope: &mut Scope<'_, 'a, N>,
        of_event: bool,
    ) {
        match &condition.test {
            Test::All(parts) | Test::Any(parts) => {
                parts.iter().for_each(|part| self.condition(part, scope, of_event));
            }
            Test::Not(part) => self.condition(part, scope, of_event),
            Test::Field(field, test) => {
                let clock = !of_event
                    && matches!(self.definition.fields[*field].as_slice(), [name] if self.clocks.contains(name));
                self.field(scope.field(*field), test, clock);
            }
            Test::Events(events) => self.events(events, scope),
        }
    }

    fn field<'a, N: Node<'a>>(&mut self, view: &View<'a, N>, test: &FieldTest, clock: bool) {
        let (comparison, operands) = match test {
            FieldTest::Compare(comparison, operand) => (*comparison, std::slice::from_ref(operand)),
            FieldTest::In(operands) => (Comparison::Equal, operands.as_slice()),
            _ => return,
        };
        for operand in operands {
            match (view, operand) {
                (View::Text(text), Operand::Date(date)) => {
                    if let Some(value) = read_day(text) {
                        self.first.take_turn(value, comparison, self.definition.dates[*date]);
                    }
                }
                (View::Number(number), Operand::Number(operand)) if clock => {
                    self.first.take_clock(number, comparison, operand);
                }
                _ => {}
            }
        }
    }

    /// Events come into sight, and in and out of the days that count.
    fn events<'a, N: Node<'a>>(&mut self, events: &Events, scope: &mut Scope<'_, 'a, N>) {
        let View::List(list) = *scope.field(events.field) else { return };
        for event in list.elements() {
            let Some(day) = day_of(event, &events.on) else { continue };
            let mut counts = self.counts(events.filter.as_ref(), events, event);
            if let Asked::Then { second, within, not } = &events.asked {
                if counts && *not {
                    self.first.take(day.saturating_add(*within));
                }
                counts |= self.counts(Some(second), events, event);
            }
            if counts {
                self.first.take(day);
                let bounds = [(events.from, Comparison::AtLeast), (events.until, Comparison::AtMost)];
                for (bound, comparison) in bounds {
                    if let Some(bound) = bound {
                        self.first.take_turn(day, comparison, self.definition.dates[bound]);
                    }
                }
            }
        }
    }

    /// Whether an event passes a filter, or may by time alone.
    fn counts<'a, N: Node<'a>>(&mut self, filter: Option<&Condition>, events: &Events, event: N) -> bool {
        let Some(filter) = filter else { return true };
        let mut scope = Scope::new(&events.fields, event);
        let before = self.first.day.take();
        self.condition(filter, &mut scope, true);
        let turns = std::mem::replace(&mut self.first.day, before);
        if let Some(day) = turns {
            self.first.take(day);
        }
        turns.is_some() || self.context.test(filter, &mut scope) == Some(true)
    }
}

impl Definition {
    /// The first day after `context.as_of` on which the customer may be in another segment, although nothing that is
    /// known of them changes but for `clocks`: fields that grow by one a day. `None`: never.
    ///
    /// It may be early: then nothing happens on that day. It is not late.
    #[must_use]
    pub fn next_day<'a, N: Node<'a>>(&self, customer: N, context: Context, clocks: &[String]) -> Option<Day> {
        let first = First { as_of: context.as_of?, day: None };
        let mut walk = Walk { definition: self, context, clocks, first };
        let mut scope = self.scope(customer);
        match &self.kind {
            Kind::Rules { segments, .. } => {
                segments.iter().for_each(|rule| walk.condition(&rule.when, &mut scope, false));
            }
            Kind::Scorecard { points, .. } => {
                points.iter().for_each(|(condition, _)| walk.condition(condition, &mut scope, false));
            }
            Kind::Nearest(_) | Kind::Benefits(_) => {}
        }
        walk.first.day
    }
}

#[cfg(test)]
mod tests {
    use rand_pcg::Pcg64Mcg;
    use rand_pcg::rand_core::Rng;
    use serde_json::{Value, json};

    use super::*;

    const AS_OF: Day = 9_000;

    fn day_text(day: Day) -> Value {
        json!(day::format(day).unwrap())
    }

    fn next(definition: &Definition, customer: &Value, as_of: Day) -> Option<Day> {
        let days = definition.days(Some(as_of)).unwrap();
        definition.next_day(customer, Context { days: &days, as_of: Some(as_of) }, &["recency".to_owned()])
    }

    fn members(definition: &Definition, customer: &Value, as_of: Day) -> Vec<String> {
        let days = definition.days(Some(as_of)).unwrap();
        let context = Context { days: &days, as_of: Some(as_of) };
        definition.memberships(customer, context).into_iter().map(str::to_owned).collect()
    }

    fn rules(when: &Value) -> Definition {
        Definition::parse(&json!({"kind": "rules", "segments": [{"segment": "yes", "when": when}]}))
            .unwrap_or_else(|error| panic!("{when}: {error:?}"))
    }

    #[test]
    fn of_one_condition_it_is_the_very_day() {
        let customer = json!({
            "recency": 10, "d": day_text(AS_OF - 30), "end": "2024-08-31",
            "orders": [
                {"date": day_text(AS_OF - 80), "what": "a"}, {"date": day_text(AS_OF - 20), "what": "b"},
                {"date": day_text(AS_OF + 7), "what": "c"}]});
        for (when, expected) in [
            (json!({"field": "recency", ">": 90}), Some(81)),
            (json!({"field": "recency", ">=": 90}), Some(80)),
            (json!({"field": "recency", "<": 5}), None),
            (json!({"field": "d", "<": {"days_ago": 40}}), Some(11)),
            (json!({"field": "d", "<=": {"days_ago": 20}}), None),
            (json!({"field": "d", ">": "2001-01-01"}), None),
            (json!({"field": "d", ">": {"date": "2001-01-01"}}), None),
            (
                json!({"events": "orders", "on": "date", "from": {"days_ago": 89}, "count": {">=": 1}}),
                Some(7),
            ),
            (
                json!({"events": "orders", "on": "date", "where": {"field": "what", "=": "b"}, "from": {"days_ago": 89},
                "count": {">=": 1}}),
                Some(70),
            ),
            (
                json!({"events": "orders", "on": "date", "where": {"field": "what", "=": "d"}, "from": {"days_ago": 89},
                "count": {">=": 1}}),
                None,
            ),
        ] {
            assert_eq!(next(&rules(&when), &customer, AS_OF).map(|day| day - AS_OF), expected, "{when}");
        }
        // Six months before February 28 is August 28, before March 1 it is September 1.
        let february = day::parse("2025-02-01").unwrap();
        let when = json!({"field": "end", "<": {"months_ago": 6}});
        assert_eq!(next(&rules(&when), &customer, february), day::parse("2025-03-01"));
    }

    /// From low to below high.
    fn whole(rng: &mut Pcg64Mcg, low: i32, high: i32) -> i32 {
        low + (rng.next_u32() % (high - low) as u32) as i32
    }

    fn one(rng: &mut Pcg64Mcg, of: &[&'static str]) -> &'static str {
        of[whole(rng, 0, of.len() as i32) as usize]
    }

    fn operand(rng: &mut Pcg64Mcg) -> Value {
        match whole(rng, 0, 4) {
            0 => json!({"date": day::format(AS_OF + whole(rng, -100, 100)).unwrap()}),
            1 => json!({"months_ago": whole(rng, -2, 5)}),
            _ => json!({"days_ago": whole(rng, -40, 120)}),
        }
    }

    fn sign(rng: &mut Pcg64Mcg) -> &'static str {
        one(rng, &["=", "<>", "<", "<=", ">", ">="])
    }

    fn condition(rng: &mut Pcg64Mcg, depth: usize) -> Value {
        match whole(rng, 0, if depth < 2 { 8 } else { 5 }) {
            0 => json!({"field": "recency", sign(rng): whole(rng, 0, 200)}),
            1 => json!({"field": "d", sign(rng): operand(rng)}),
            2..5 => {
                let mut events = json!({"events": "orders", "on": "date"});
                if whole(rng, 0, 10) < 5 {
                    events["where"] = json!({"field": "what", "=": one(rng, &["a", "b"])});
                }
                if whole(rng, 0, 10) < 2 {
                    events["where"] = json!({"field": "other", sign(rng): operand(rng)});
                }
                if whole(rng, 0, 10) < 6 {
                    events["from"] = operand(rng);
                }
                if whole(rng, 0, 10) < 3 {
                    events["until"] = operand(rng);
                }
                if whole(rng, 0, 10) < 3 {
                    let key = one(rng, &["then", "not_then"]);
                    events[key] = json!({"field": "what", "=": "b"});
                    events["within_days"] = json!(whole(rng, 1, 30));
                } else {
                    events["count"] = json!({sign(rng): whole(rng, 0, 4)});
                }
                events
            }
            5 => json!({"not": condition(rng, depth + 1)}),
            6 => json!({"all": [condition(rng, depth + 1), condition(rng, depth + 1)]}),
            _ => json!({"any": [condition(rng, depth + 1), condition(rng, depth + 1)]}),
        }
    }

    fn customer(rng: &mut Pcg64Mcg) -> Value {
        let orders: Vec<Value> = (0..whole(rng, 0, 6))
            .map(|_| {
                json!({"date": day_text(AS_OF + whole(rng, -150, 40)), "what": one(rng, &["a", "b", "c"]),
                    "other": day_text(AS_OF + whole(rng, -150, 40))})
            })
            .collect();
        json!({"recency": whole(rng, 0, 150), "d": day_text(AS_OF + whole(rng, -150, 40)), "orders": orders})
    }

    #[test]
    fn no_day_on_which_the_segment_changes_comes_before_it() {
        let mut rng = Pcg64Mcg::new(7);
        let (mut changed, mut exact) = (0, 0);
        for _ in 0..6_000 {
            let when = condition(&mut rng, 0);
            let definition = rules(&when);
            let mut seen = customer(&mut rng);
            let before = members(&definition, &seen, AS_OF);
            let day = next(&definition, &seen, AS_OF);
            let recency = seen["recency"].as_i64().unwrap();
            let turn = (AS_OF + 1..AS_OF + 260).find(|day| {
                seen["recency"] = json!(recency + i64::from(day - AS_OF));
                members(&definition, &seen, *day) != before
            });
            if let Some(turn) = turn {
                changed += 1;
                exact += i32::from(day == Some(turn));
                assert!(day.is_some_and(|day| day <= turn), "{when} of {seen}: {day:?} for {turn}");
            }
        }
        // Otherwise the test, or the day, would say little.
        assert!(changed > 1_000 && exact > changed / 2, "{exact} of {changed}");
    }
}
