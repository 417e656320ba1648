//! Conditions on a list of events: how many, how much, what came after them.

use super::condition::MAX_DAYS;
use super::parser::{Interned, Parser};
use crate::base::decimal::Decimal;
use crate::base::document::{Node, View, kind};
use crate::segments::segment::{Asked, Comparison, DateOperand, Events, Test};

const EVENTS: [&str; 12] = [
    "events",
    "on",
    "where",
    "last_days",
    "from",
    "until",
    "count",
    "sum",
    "then",
    "not_then",
    "within_days",
    "comment",
];

impl Parser {
    pub(super) fn events<'a, N: Node<'a>>(&mut self, node: N) -> Option<Test> {
        self.object(node, "a condition on events", &EVENTS);
        if self.scopes.len() > 1 {
            self.fault("events of events are not looked at");
            return None;
        }
        let field = self.field(node, "events").map(|path| self.intern(path));
        let on = match node.get("on") {
            None => Some(vec!["date".to_owned()]),
            Some(_) => self.field(node, "on"),
        };
        let asked: Vec<&str> =
            ["count", "sum", "then", "not_then"].into_iter().filter(|key| node.get(key).is_some()).collect();
        self.scopes.push(Interned::default());
        let filter = match node.get("where") {
            None => Some(None),
            Some(_) => self.condition_at(node, "where").map(Some),
        };
        let asked = self.asked(node, &asked);
        let fields = self.scopes.pop().unwrap_or_default().values;
        if !matches!(asked, Some(Asked::Then { .. }) | None) && node.get("within_days").is_some() {
            self.at("within_days", |p| p.fault("within_days goes with then and not_then"));
        }
        let (from, until) = self.window(node);
        Some(Test::Events(Box::new(Events {
            field: field?,
            on: on?,
            fields,
            filter: filter?,
            from: from?,
            until: until?,
            asked: asked?,
        })))
    }

    /// What is asked of the events; `asked` are the keys that say it, of which there must be one.
    fn asked<'a, N: Node<'a>>(&mut self, node: N, asked: &[&str]) -> Option<Asked> {
        match asked {
            ["count"] => self
                .at("count", |p| node.get("count").and_then(|count| p.counts(count, &[])).map(Asked::Count)),
            ["sum"] => match node.get("sum") {
                Some(sum) => self.at("sum", |p| {
                    let tests = p.counts(sum, &["of"]);
                    let of = p.field(sum, "of");
                    Some(Asked::Sum(of?, tests?))
                }),
                None => None,
            },
            [then @ ("then" | "not_then")] => {
                let not = *then == "not_then";
                let second = self.condition_at(node, then);
                let within = match node.get("within_days") {
                    Some(within) => self.at("within_days", |p| p.whole(within, 0, MAX_DAYS)),
                    None => {
                        self.fault("\"within_days\" is missing: a whole number of days is expected");
                        None
                    }
                };
                // Whether nothing followed is known only when the days have passed.
                self.relative |= not;
                match (second, within) {
                    (Some(second), Some(within)) => Some(Asked::Then { second, within: within as i32, not }),
                    _ => None,
                }
            }
            _ => {
                self.fault("a condition on events has one of count, sum, then, not_then");
                None
            }
        }
    }

    /// From when until when events count: two dates, or the last days. Both are `None` inside where there is no bound.
    #[allow(clippy::option_option)]
    fn window<'a, N: Node<'a>>(&mut self, node: N) -> (Option<Option<usize>>, Option<Option<usize>>) {
        let bound = |p: &mut Self, key| match node.get(key) {
            None => Some(None),
            Some(value) => p.at(key, |p| match value.view() {
                View::Object(object) => p.date(object).map(Some),
                view => {
                    p.fault(format!("a date, an object, is expected, not {}", kind(&view)));
                    None
                }
            }),
        };
        let mut from = bound(self, "from");
        let mut until = bound(self, "until");
        if let Some(days) = node.get("last_days") {
            if node.get("from").is_some() || node.get("until").is_some() {
                self.at("last_days", |p| p.fault("last_days is instead of from and until"));
            }
            match self.at("last_days", |p| p.whole(days, 1, MAX_DAYS)) {
                Some(days) => {
                    from = Some(Some(self.intern_date(DateOperand::DaysAgo(days as i32 - 1))));
                    until = Some(Some(self.intern_date(DateOperand::DaysAgo(0))));
                }
                None => from = None,
            }
        }
        (from, until)
    }

    /// `{">=": 2, "<": 5}`, with other keys that are read elsewhere.
    fn counts<'a, N: Node<'a>>(
        &mut self,
        node: N,
        others: &[&str],
    ) -> Option<Vec<(Comparison, Decimal<'static>)>> {
        let signs = Comparison::ALL.map(Comparison::sign);
        let known: Vec<&str> = others.iter().copied().chain(signs).collect();
        let object = self.object(node, "what is asked", &known)?;
        let mut tests = Vec::new();
        let mut whole = true;
        for comparison in Comparison::ALL {
            if object.get(comparison.sign()).is_some() {
                match self.number(object, comparison.sign()) {
                    Some(number) => tests.push((comparison, number)),
                    None => whole = false,
                }
            }
        }
        if tests.is_empty() && whole {
            self.fault(format!("one of {} is expected", signs.join(", ")));
            return None;
        }
        whole.then_some(tests)
    }
}
