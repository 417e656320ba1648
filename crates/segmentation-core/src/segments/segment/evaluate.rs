//! Whether a condition holds, and which segments follow.

use std::collections::HashSet;

use super::{
    Asked, Comparison, Condition, Definition, Events, FieldTest, Kind, Operand, Path, Test, read_day,
};
use crate::base::day::Day;
use crate::base::decimal::{Decimal, Sum};
use crate::base::document::{Node, View};

/// What a definition is evaluated at: the days that it compares with.
#[derive(Debug, Clone, Copy)]
pub struct Context<'a> {
    /// From [`Definition::days`].
    pub days: &'a [Day],
    /// The day as of which customers are seen.
    pub as_of: Option<Day>,
}

/// A customer, or an event, whose fields are looked up once.
pub(super) struct Scope<'d, 'a, N> {
    fields: &'d [Path],
    root: N,
    found: Vec<Option<View<'a, N>>>,
}

impl<'d, 'a, N: Node<'a>> Scope<'d, 'a, N> {
    pub(super) fn new(fields: &'d [Path], root: N) -> Self {
        Scope { fields, root, found: vec![const { None }; fields.len()] }
    }

    pub(super) fn field(&mut self, field: usize) -> &View<'a, N> {
        let slot = &mut self.found[field];
        if slot.is_none() {
            let path = &self.fields[field];
            let node = match path.as_slice() {
                [key] => self.root.get(key),
                path => self.root.follow(path),
            };
            *slot = Some(node.map_or(View::Null, Node::view));
        }
        slot.as_ref().unwrap_or(&View::Null)
    }
}

/// Up to so many values are looked for one by one, more in a set.
const FEW: usize = 16;

/// What a list is searched for: equal where [`Context::order`] says so.
#[derive(PartialEq, Eq, Hash)]
enum Key<'k> {
    Number(Decimal<'k>),
    Text(&'k [u8]),
    Bool(bool),
}

impl<'k> Key<'k> {
    fn of(operand: &'k Operand) -> Option<Self> {
        match operand {
            Operand::Number(number) => Some(Key::Number(number.clone())),
            Operand::Text(text) => Some(Key::Text(text.as_bytes())),
            Operand::Bool(value) => Some(Key::Bool(*value)),
            // Lists are not searched for dates.
            Operand::Date(_) => None,
        }
    }
}

/// The elements of a list that an operand may equal.
fn keys<'a, N: Node<'a>>(list: N) -> HashSet<Key<'a>> {
    let key = |element: N| match element.view() {
        View::Number(number) => Some(Key::Number(number)),
        View::Text(text) => Some(Key::Text(text)),
        View::Bool(value) => Some(Key::Bool(value)),
        View::Null | View::List(_) | View::Object(_) => None,
    };
    list.elements().filter_map(key).collect()
}

impl Context<'_> {
    /// How a value compares with an operand; `None` if it is of another type.
    #[inline]
    fn order<'a, N>(&self, view: &View<'a, N>, operand: &Operand) -> Option<std::cmp::Ordering> {
        match (view, operand) {
            (View::Number(a), Operand::Number(b)) => Some(a.compare(b)),
            (View::Text(a), Operand::Text(b)) => Some((*a).cmp(b.as_bytes())),
            (View::Bool(a), Operand::Bool(b)) => Some(a.cmp(b)),
            (View::Text(a), Operand::Date(date)) => Some(read_day(a)?.cmp(&self.days[*date])),
            _ => None,
        }
    }

    fn field_test<'a, N: Node<'a>>(&self, view: &View<'a, N>, test: &FieldTest) -> Option<bool> {
        match test {
            FieldTest::Compare(comparison, operand) => {
                self.order(view, operand).map(|order| comparison.holds(order))
            }
            FieldTest::In(operands) => {
                // All are of one type: the first tells whether the value is of it.
                self.order(view, operands.first()?)?;
                Some(operands.iter().any(|operand| self.order(view, operand).is_some_and(|o| o.is_eq())))
            }
            FieldTest::IsNull => Some(matches!(view, View::Null)),
            FieldTest::StartsWith(prefix) => match view {
                View::Text(text) => Some(text.starts_with(prefix.as_bytes())),
                _ => None,
            },
            FieldTest::Like(like) => match view {
                View::Text(text) => Some(like.matches(text)),
                _ => None,
            },
            FieldTest::ContainsAny(operands) => {
                let View::List(list) = view else { return None };
                if operands.len() <= FEW {
                    return Some(
                        list.elements().any(|element| operands.iter().any(|o| self.equals(element, o))),
                    );
                }
                let elements = keys(*list);
                Some(
                    operands
                        .iter()
                        .any(|operand| Key::of(operand).is_some_and(|key| elements.contains(&key))),
                )
            }
            FieldTest::ContainsAll(operands) => {
                let View::List(list) = view else { return None };
                if operands.len() <= FEW {
                    return Some(
                        operands.iter().all(|o| list.elements().any(|element| self.equals(element, o))),
                    );
                }
                let elements = keys(*list);
                Some(
                    operands
                        .iter()
                        .all(|operand| Key::of(operand).is_some_and(|key| elements.contains(&key))),
                )
            }
        }
    }

    fn equals<'a, N: Node<'a>>(&self, element: N, operand: &Operand) -> bool {
        self.order(&element.view(), operand).is_some_and(|order| order.is_eq())
    }

    /// Whether a condition holds: true, false or unknown.
    pub(super) fn test<'a, N: Node<'a>>(
        &self,
        condition: &Condition,
        scope: &mut Scope<'_, 'a, N>,
    ) -> Option<bool> {
        match &condition.test {
            Test::Field(field, test) => self.field_test(scope.field(*field), test),
            Test::All(parts) => {
                let mut result = Some(true);
                for part in parts {
                    match self.test(part, scope) {
                        Some(false) => return Some(false),
                        Some(true) => {}
                        None => result = None,
                    }
                }
                result
            }
            Test::Any(parts) => {
                let mut result = Some(false);
                for part in parts {
                    match self.test(part, scope) {
                        Some(true) => return Some(true),
                        Some(false) => {}
                        None => result = None,
                    }
                }
                result
            }
            Test::Not(part) => self.test(part, scope).map(|holds| !holds),
            Test::Events(events) => self.events(events, scope),
        }
    }

    /// The events that count, with their day and place in the list.
    fn counted<'a, 'e, N: Node<'a>>(
        &'e self,
        events: &'e Events,
        list: N,
    ) -> impl Iterator<Item = (N, Option<Day>)> + use<'a, 'e, N> {
        let from = events.from.map(|date| self.days[date]);
        let until = events.until.map(|date| self.days[date]);
        list.elements().map(|event| (event, day_of(event, &events.on))).filter(move |(event, day)| {
            let known = match day {
                None => from.is_none() && until.is_none(),
                Some(day) => {
                    from.is_none_or(|from| *day >= from)
                        && until.is_none_or(|until| *day <= until)
                        && self.as_of.is_none_or(|as_of| *day <= as_of)
                }
            };
            known
                && events.filter.as_ref().is_none_or(|filter| {
                    self.test(filter, &mut Scope::new(&events.fields, *event)) == Some(true)
                })
        })
    }

    fn events<'a, N: Node<'a>>(&self, events: &Events, scope: &mut Scope<'_, 'a, N>) -> Option<bool> {
        let View::List(list) = *scope.field(events.field) else { return None };
        match &events.asked {
            Asked::Count(tests) => {
                let count = self.counted(events, list).count();
                Some(holds(&Decimal::of_integer(count as i64), tests))
            }
            Asked::Sum(of, tests) => {
                let mut sum = Sum::default();
                for (event, _) in self.counted(events, list) {
                    if let Some(View::Number(number)) = event.follow(of).map(Node::view) {
                        sum.add(&number);
                    }
                }
                Some(holds(&sum.total(), tests))
            }
            Asked::Then { second, within, not } => Some(self.sequence(events, list, second, *within, *not)),
        }
    }

    fn sequence<'a, N: Node<'a>>(
        &self,
        events: &Events,
        list: N,
        second: &Condition,
        within: i32,
        not: bool,
    ) -> bool {
        // Day and place of each event that can be the second.
        let mut seconds: Vec<(Day, usize)> = list
            .elements()
            .enumerate()
            .filter_map(|(place, event)| {
                let day = day_of(event, &events.on)?;
                let counts = self.as_of.is_none_or(|as_of| day <= as_of)
                    && self.test(second, &mut Scope::new(&events.fields, event)) == Some(true);
                counts.then_some((day, place))
            })
            .collect();
        seconds.sort_unstable();
        let places = list.elements().enumerate();
        let from = events.from.map(|date| self.days[date]);
        let until = events.until.map(|date| self.days[date]);
        for (place, event) in places {
            let Some(day) = day_of(event, &events.on) else { continue };
            let end = day.saturating_add(within);
            if from.is_some_and(|from| day < from)
                || until.is_some_and(|until| day > until)
                || self.as_of.is_some_and(|as_of| day > as_of || (not && end > as_of))
                || events.filter.as_ref().is_some_and(|filter| {
                    self.test(filter, &mut Scope::new(&events.fields, event)) != Some(true)
                })
            {
                continue;
            }
            let next = seconds.partition_point(|second| *second <= (day, place));
            let followed = seconds.get(next).is_some_and(|(day, _)| *day <= end);
            if followed != not {
                return true;
            }
        }
        false
    }
}

pub(super) fn day_of<'a, N: Node<'a>>(event: N, on: &[String]) -> Option<Day> {
    match event.follow(on)?.view() {
        View::Text(text) => read_day(text),
        _ => None,
    }
}

fn holds(value: &Decimal, tests: &[(Comparison, Decimal<'static>)]) -> bool {
    tests.iter().all(|(comparison, other)| comparison.holds(value.compare(other)))
}

impl Definition {
    /// The segment of a customer: the first that matches, or the default.
    pub fn assign<'a, N: Node<'a>>(&self, customer: N, context: Context) -> Option<&str> {
        let mut scope = Scope::new(&self.fields, customer);
        let found = match &self.kind {
            Kind::Rules { segments, .. } => segments
                .iter()
                .find(|rule| context.test(&rule.when, &mut scope) == Some(true))
                .map(|rule| rule.segment.as_str()),
            Kind::Scorecard { bands, .. } => band(bands, &self.score(&mut scope, context)),
            Kind::Nearest(nearest) => nearest.assign(customer),
            Kind::Benefits(benefits) => benefits.assign(customer),
        };
        found.or(self.default.as_deref())
    }

    /// All segments of a customer: one, unless the definition is of overlapping rules; the default
    /// if there is no other.
    pub fn memberships<'a, N: Node<'a>>(&self, customer: N, context: Context) -> Vec<&str> {
        let Kind::Rules { segments, overlapping: true } = &self.kind else {
            return self.assign(customer, context).into_iter().collect();
        };
        let mut scope = Scope::new(&self.fields, customer);
        // Where all segments match, each code is used once.
        let mut found: Vec<&str> = segments
            .iter()
            .filter(|rule| context.test(&rule.when, &mut scope) == Some(true))
            .map(|rule| rule.segment.as_str())
            .collect();
        if found.is_empty() {
            found.extend(self.default.as_deref());
        }
        found
    }

    /// For each of [`Definition::conditions`], whether it holds.
    pub fn truths<'a, N: Node<'a>>(&self, customer: N, context: Context) -> Vec<Option<bool>> {
        let mut scope = Scope::new(&self.fields, customer);
        self.conditions().into_iter().map(|(_, condition)| context.test(condition, &mut scope)).collect()
    }

    /// Points of a scorecard.
    pub(super) fn score<'a, N: Node<'a>>(
        &self,
        scope: &mut Scope<'_, 'a, N>,
        context: Context,
    ) -> Decimal<'static> {
        let mut sum = Sum::default();
        if let Kind::Scorecard { base, points, .. } = &self.kind {
            sum.add(base);
            for (condition, worth) in points {
                if context.test(condition, scope) == Some(true) {
                    sum.add(worth);
                }
            }
        }
        sum.total()
    }

    pub(super) fn scope<'a, N: Node<'a>>(&self, customer: N) -> Scope<'_, 'a, N> {
        Scope::new(&self.fields, customer)
    }
}

pub(super) fn band<'d>(bands: &'d [(String, Decimal<'static>)], score: &Decimal) -> Option<&'d str> {
    bands.iter().find(|(_, from)| score.compare(from).is_ge()).map(|(segment, _)| segment.as_str())
}
