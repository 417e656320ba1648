//! Conditions on fields: tests, operands, days.

use super::parser::Parser;
use crate::base::day;
use crate::base::document::{Node, View, kind};
use crate::segments::segment::like::Like;
use crate::segments::segment::{
    Comparison, Condition, DateOperand, FieldTest, MAX_DEPTH, Operand, Path, Test,
};

/// Days that a definition may look back or ahead: 1,000 years.
pub(super) const MAX_DAYS: i64 = 365_250;

const TESTS: [&str; 16] = [
    "field",
    "=",
    "<>",
    "<",
    "<=",
    ">",
    ">=",
    "in",
    "not_in",
    "between",
    "is_null",
    "starts_with",
    "like",
    "contains",
    "contains_any",
    "contains_all",
];

impl Parser {
    pub(super) fn condition_at<'a, N: Node<'a>>(&mut self, node: N, key: &str) -> Option<Condition> {
        match node.get(key) {
            Some(condition) => self.at(key, |p| p.condition(condition)),
            None => {
                self.fault(format!("\"{key}\" is missing: a condition is expected"));
                None
            }
        }
    }

    pub(super) fn condition<'a, N: Node<'a>>(&mut self, node: N) -> Option<Condition> {
        if self.depth >= MAX_DEPTH {
            self.fault(format!("nested deeper than {MAX_DEPTH} levels"));
            return None;
        }
        self.depth += 1;
        let test = self.test(node);
        self.depth -= 1;
        Some(Condition { path: self.path.clone(), test: test? })
    }

    fn test<'a, N: Node<'a>>(&mut self, node: N) -> Option<Test> {
        let view = node.view();
        let View::Object(object) = view else {
            self.fault(format!("a condition must be an object, not {}", kind(&view)));
            return None;
        };
        const HEADS: [&str; 5] = ["all", "any", "not", "field", "events"];
        let heads: Vec<&str> = HEADS.into_iter().filter(|head| object.get(head).is_some()).collect();
        match heads.as_slice() {
            ["not"] => {
                self.object(object, "a condition", &["not", "comment"]);
                Some(Test::Not(Box::new(self.condition_at(object, "not")?)))
            }
            ["field"] => self.field_tests(object),
            ["events"] => self.events(object),
            [head] => {
                self.object(object, "a condition", &[head, "comment"]);
                let Some(View::List(list)) = object.get(head).map(Node::view) else {
                    self.wrong(object, head, "a list of conditions");
                    return None;
                };
                let parts = self.at(head, |p| p.each(list, |p, part| p.condition(part)))?;
                Some(if *head == "all" { Test::All(parts) } else { Test::Any(parts) })
            }
            [] => {
                self.object(object, "a condition", &[&HEADS[..], &["comment"]].concat());
                self.fault("a condition has one of all, any, not, field, events");
                None
            }
            more => {
                self.fault(format!("a condition has only one of {}", more.join(", ")));
                None
            }
        }
    }

    /// A key, or a list of keys from the object down.
    pub(super) fn path_of<'a, N: Node<'a>>(&mut self, node: N) -> Option<Path> {
        match node.view() {
            View::Text(text) => Some(vec![String::from_utf8_lossy(text).into_owned()]),
            View::List(list) => {
                let path = self.each(list, |p, element| match element.view() {
                    View::Text(text) => Some(String::from_utf8_lossy(text).into_owned()),
                    view => {
                        p.fault(format!("a key, a text, is expected, not {}", kind(&view)));
                        None
                    }
                })?;
                if path.is_empty() || path.len() > MAX_DEPTH {
                    self.fault(format!("a path has 1 to {MAX_DEPTH} keys"));
                    return None;
                }
                Some(path)
            }
            view => {
                self.fault(format!("a key or a list of keys is expected, not {}", kind(&view)));
                None
            }
        }
    }

    pub(super) fn field<'a, N: Node<'a>>(&mut self, node: N, key: &str) -> Option<Path> {
        match node.get(key) {
            Some(field) => self.at(key, |p| p.path_of(field)),
            None => {
                self.wrong(node, key, "a key or a list of keys");
                None
            }
        }
    }

    /// The place of a path among the fields of the scope.
    pub(super) fn intern(&mut self, path: Path) -> usize {
        self.scopes.last_mut().map_or(0, |fields| fields.place(path))
    }

    fn field_tests<'a, N: Node<'a>>(&mut self, node: N) -> Option<Test> {
        let mut known = TESTS.to_vec();
        known.push("comment");
        self.object(node, "a condition on a field", &known);
        let path = self.field(node, "field");
        let field = path.map(|path| self.intern(path));
        let mut tests: Vec<Condition> = Vec::new();
        let mut whole = true;
        let mut said = 0;
        for key in TESTS.into_iter().skip(1) {
            let Some(value) = node.get(key) else { continue };
            said += 1;
            match self.at(key, |p| {
                p.field_test(key, value, field).map(|test| Condition { path: p.path.clone(), test })
            }) {
                Some(test) => tests.push(test),
                None => whole = false,
            }
        }
        if said == 0 {
            self.fault(format!("a condition on a field needs one of {}", TESTS[1..].join(", ")));
            return None;
        }
        if !whole || field.is_none() {
            return None;
        }
        if tests.len() == 1 { tests.pop().map(|single| single.test) } else { Some(Test::All(tests)) }
    }

    fn field_test<'a, N: Node<'a>>(&mut self, key: &str, value: N, field: Option<usize>) -> Option<Test> {
        // Read on without the field, to find the faults of the rest.
        let on = field.unwrap_or_default();
        let test = |test| Some(Test::Field(on, test));
        let negated = |path: &str, inner| {
            Some(Test::Not(Box::new(Condition { path: path.to_owned(), test: Test::Field(on, inner) })))
        };
        if let Some(comparison) = Comparison::ALL.into_iter().find(|comparison| comparison.sign() == key) {
            let operand = self.operand(value)?;
            if matches!(operand, Operand::Bool(_))
                && !matches!(comparison, Comparison::Equal | Comparison::NotEqual)
            {
                self.fault("booleans are compared by = and <> only");
                return None;
            }
            return test(FieldTest::Compare(comparison, operand));
        }
        match key {
            "in" => test(FieldTest::In(self.operands(value)?)),
            "not_in" => {
                let operands = self.operands(value)?;
                negated(&self.path, FieldTest::In(operands))
            }
            "between" => {
                let operands = self.operands(value)?;
                let path = self.path.clone();
                let Ok([low, high]) = <[Operand; 2]>::try_from(operands) else {
                    self.fault("between takes a list of two values, the lowest and the highest");
                    return None;
                };
                if matches!(low, Operand::Bool(_)) {
                    self.fault("booleans are compared by = and <> only");
                    return None;
                }
                let bound = |index, comparison, operand| Condition {
                    path: format!("{path}[{index}]"),
                    test: Test::Field(on, FieldTest::Compare(comparison, operand)),
                };
                Some(Test::All(vec![bound(0, Comparison::AtLeast, low), bound(1, Comparison::AtMost, high)]))
            }
            "is_null" => match value.view() {
                View::Bool(true) => test(FieldTest::IsNull),
                View::Bool(false) => negated(&self.path, FieldTest::IsNull),
                view => {
                    self.fault(format!("true or false is expected, not {}", kind(&view)));
                    None
                }
            },
            "starts_with" | "like" => {
                let View::Text(text) = value.view() else {
                    self.fault(format!("a text is expected, not {}", kind(&value.view())));
                    return None;
                };
                let text = String::from_utf8_lossy(text).into_owned();
                if key == "starts_with" {
                    return test(FieldTest::StartsWith(text));
                }
                match Like::parse(&text) {
                    Some(like) => test(FieldTest::Like(like)),
                    None => {
                        self.fault("a pattern must not end with a single backslash");
                        None
                    }
                }
            }
            _ => {
                let operands =
                    if key == "contains" { vec![self.operand(value)?] } else { self.operands(value)? };
                if operands.iter().any(|operand| matches!(operand, Operand::Date(_))) {
                    self.fault("a list is searched for numbers, texts and booleans, not for dates");
                    return None;
                }
                test(if key == "contains_all" {
                    FieldTest::ContainsAll(operands)
                } else {
                    FieldTest::ContainsAny(operands)
                })
            }
        }
    }

    /// Values of one type.
    fn operands<'a, N: Node<'a>>(&mut self, node: N) -> Option<Vec<Operand>> {
        let view = node.view();
        let View::List(list) = view else {
            self.fault(format!("a list of values is expected, not {}", kind(&view)));
            return None;
        };
        let operands = self.each(list, |p, element| p.operand(element))?;
        let Some(first) = operands.first() else {
            self.fault("a list of values must not be empty");
            return None;
        };
        let first = std::mem::discriminant(first);
        if operands.iter().any(|operand| std::mem::discriminant(operand) != first) {
            self.fault("the values of a list must be of one type");
            return None;
        }
        Some(operands)
    }

    fn operand<'a, N: Node<'a>>(&mut self, node: N) -> Option<Operand> {
        match node.view() {
            View::Number(number) => Some(Operand::Number(number.into_owned())),
            View::Text(text) => Some(Operand::Text(String::from_utf8_lossy(text).into_owned())),
            View::Bool(value) => Some(Operand::Bool(value)),
            View::Object(object) => self.date(object).map(Operand::Date),
            View::Null => {
                self.fault("nothing equals null: use is_null");
                None
            }
            View::List(_) => {
                self.fault("a number, a text, a boolean or a date is expected, not a list");
                None
            }
        }
    }

    /// `{"date": "2024-01-31"}`, `{"days_ago": 30}` and so on: its place among the dates.
    pub(super) fn date<'a, N: Node<'a>>(&mut self, node: N) -> Option<usize> {
        const KEYS: [&str; 4] = ["date", "days_ago", "months_ago", "years_ago"];
        let mut members = node.members();
        let (Some((key, value)), None) = (members.next(), members.next()) else {
            self.fault(format!("a date is an object with one of {}", KEYS.join(", ")));
            return None;
        };
        let date = match &*key {
            "date" => {
                let day = match value.view() {
                    View::Text(text) => std::str::from_utf8(text).ok().and_then(day::parse),
                    _ => None,
                };
                match day {
                    Some(day) => DateOperand::Day(day),
                    None => {
                        self.at("date", |p| p.fault("a date written yyyy-mm-dd is expected"));
                        return None;
                    }
                }
            }
            "days_ago" | "months_ago" | "years_ago" => {
                let (unit, most) = match &*key {
                    "days_ago" => (1, MAX_DAYS),
                    "months_ago" => (1, 12_000),
                    _ => (12, 1_000),
                };
                let count = self.at(&key, |p| p.whole(value, -most, most))? as i32;
                self.relative = true;
                if &*key == "days_ago" {
                    DateOperand::DaysAgo(count)
                } else {
                    DateOperand::MonthsAgo(count * unit)
                }
            }
            _ => {
                self.at(&key, |p| p.fault(format!("unknown key; a date has one of {}", KEYS.join(", "))));
                return None;
            }
        };
        Some(self.intern_date(date))
    }

    pub(super) fn intern_date(&mut self, date: DateOperand) -> usize {
        self.relative |= !matches!(date, DateOperand::Day(_));
        self.dates.place(date)
    }
}
