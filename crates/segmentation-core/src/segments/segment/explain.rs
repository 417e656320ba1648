//! Why a customer is where they are, as JSON text.

use super::evaluate::{Scope, band};
use super::{
    Asked, Comparison, Condition, Context, Decimal, Definition, FieldTest, Kind, Operand, Path, Test,
};
use crate::base::document::{Node, json, quoted};
use crate::base::words::counted;

fn name(path: &Path) -> String {
    path.join(".")
}

fn result(holds: Option<bool>) -> &'static str {
    match holds {
        Some(true) => "true",
        Some(false) => "false",
        None => "null",
    }
}

impl Definition {
    fn operand(&self, operand: &Operand) -> String {
        match operand {
            Operand::Number(number) => number.to_string(),
            Operand::Text(text) => quoted(text),
            Operand::Bool(value) => value.to_string(),
            Operand::Date(date) => self.dates[*date].describe(),
        }
    }

    fn operands(&self, operands: &[Operand]) -> String {
        let shown: Vec<String> = operands.iter().take(20).map(|operand| self.operand(operand)).collect();
        format!("({}{})", shown.join(", "), if operands.len() > 20 { ", ..." } else { "" })
    }

    /// A condition in words.
    #[must_use]
    pub fn describe(&self, condition: &Condition) -> String {
        self.words(condition, &self.fields)
    }

    fn words(&self, condition: &Condition, fields: &[Path]) -> String {
        let counts = |tests: &[(Comparison, Decimal)]| {
            let tests: Vec<String> = tests.iter().map(|(c, n)| format!("{} {n}", c.sign())).collect();
            tests.join(" and ")
        };
        match &condition.test {
            Test::All(parts) if parts.is_empty() => "always".to_owned(),
            Test::Any(parts) if parts.is_empty() => "never".to_owned(),
            Test::All(parts) | Test::Any(parts) => {
                let join = if matches!(condition.test, Test::All(_)) { " and " } else { " or " };
                let parts: Vec<String> = parts.iter().map(|part| self.words(part, fields)).collect();
                format!("({})", parts.join(join))
            }
            Test::Not(part) => format!("not {}", self.words(part, fields)),
            Test::Field(field, test) => {
                let field = name(&fields[*field]);
                match test {
                    FieldTest::Compare(comparison, operand) => {
                        format!("{field} {} {}", comparison.sign(), self.operand(operand))
                    }
                    FieldTest::In(operands) => format!("{field} in {}", self.operands(operands)),
                    FieldTest::IsNull => format!("{field} is null"),
                    FieldTest::StartsWith(prefix) => format!("{field} starts with {}", quoted(prefix)),
                    FieldTest::Like(like) => format!("{field} like {}", quoted(&like.text)),
                    FieldTest::ContainsAny(operands) => {
                        format!("{field} contains any of {}", self.operands(operands))
                    }
                    FieldTest::ContainsAll(operands) => {
                        format!("{field} contains all of {}", self.operands(operands))
                    }
                }
            }
            Test::Events(events) => {
                let list = name(&self.fields[events.field]);
                let mut which = String::new();
                if let Some(filter) = &events.filter {
                    which.push_str(&format!(" where {}", self.words(filter, &events.fields)));
                }
                if let Some(from) = events.from {
                    which.push_str(&format!(" from {}", self.dates[from].describe()));
                }
                if let Some(until) = events.until {
                    which.push_str(&format!(" until {}", self.dates[until].describe()));
                }
                match &events.asked {
                    Asked::Count(tests) => format!("count of {list}{which} {}", counts(tests)),
                    Asked::Sum(of, tests) => {
                        format!("sum of {} of {list}{which} {}", name(of), counts(tests))
                    }
                    Asked::Then { second, within, not } => format!(
                        "{list}{which}, then {}{} within {}",
                        if *not { "not " } else { "" },
                        self.words(second, &events.fields),
                        counted(within, "day")
                    ),
                }
            }
        }
    }

    fn tree<'a, N: Node<'a>>(
        &self,
        condition: &Condition,
        scope: &mut Scope<'_, 'a, N>,
        context: Context,
    ) -> String {
        let holds = result(context.test(condition, scope));
        let path = quoted(&condition.path);
        match &condition.test {
            Test::All(parts) | Test::Any(parts) => {
                let key = if matches!(condition.test, Test::All(_)) { "all" } else { "any" };
                let parts: Vec<String> = parts.iter().map(|part| self.tree(part, scope, context)).collect();
                format!("{{\"path\":{path},\"result\":{holds},\"{key}\":[{}]}}", parts.join(","))
            }
            Test::Not(part) => {
                let part = self.tree(part, scope, context);
                format!("{{\"path\":{path},\"result\":{holds},\"not\":{part}}}")
            }
            Test::Field(field, _) => {
                let value = json(scope.field(*field));
                let words = quoted(&self.describe(condition));
                format!("{{\"path\":{path},\"condition\":{words},\"value\":{value},\"result\":{holds}}}")
            }
            Test::Events(_) => {
                let words = quoted(&self.describe(condition));
                format!("{{\"path\":{path},\"condition\":{words},\"result\":{holds}}}")
            }
        }
    }

    /// Why a customer is where they are: every condition with the value it read and its result.
    pub fn explain<'a, N: Node<'a>>(&self, customer: N, context: Context) -> String {
        let assigned = self.assign(customer, context);
        let segment = assigned.map_or("null".to_owned(), quoted);
        let mut scope = self.scope(customer);
        let (kind, rest) = match &self.kind {
            Kind::Rules { segments, .. } => {
                let memberships: Vec<String> =
                    self.memberships(customer, context).into_iter().map(quoted).collect();
                let rules: Vec<String> = segments
                    .iter()
                    .map(|rule| {
                        let holds = result(context.test(&rule.when, &mut scope));
                        let tree = self.tree(&rule.when, &mut scope, context);
                        format!(
                            "{{\"segment\":{},\"result\":{holds},\"when\":{tree}}}",
                            quoted(&rule.segment)
                        )
                    })
                    .collect();
                let none = segments.iter().all(|rule| context.test(&rule.when, &mut scope) != Some(true));
                let rest = format!(
                    "\"memberships\":[{}],\"by_default\":{none},\"segments\":[{}]",
                    memberships.join(","),
                    rules.join(",")
                );
                ("rules", rest)
            }
            Kind::Scorecard { base, points, bands } => {
                let score = self.score(&mut scope, context);
                let items: Vec<String> = points
                    .iter()
                    .map(|(condition, worth)| {
                        let holds = context.test(condition, &mut scope) == Some(true);
                        let got = if holds { worth.to_string() } else { "0".to_owned() };
                        let tree = self.tree(condition, &mut scope, context);
                        format!("{{\"points\":{got},\"of\":{worth},\"when\":{tree}}}")
                    })
                    .collect();
                let next = bands.iter().rev().find(|(_, from)| score.compare(from).is_lt());
                let next = next.map_or("null".to_owned(), |(segment, from)| {
                    format!("{{\"segment\":{},\"from\":{from}}}", quoted(segment))
                });
                let none = band(bands, &score).is_none();
                let rest = format!(
                    "\"score\":{score},\"base\":{base},\"by_default\":{none},\"next_band\":{next},\"points\":[{}]",
                    items.join(",")
                );
                ("scorecard", rest)
            }
            Kind::Nearest(nearest) => ("nearest", members(&nearest.explain(customer))),
            Kind::Benefits(benefits) => ("benefits", members(&benefits.explain(customer))),
        };
        let rest = if rest.is_empty() { rest } else { format!(",{rest}") };
        format!("{{\"kind\":\"{kind}\",\"segment\":{segment}{rest}}}")
    }
}

/// The members of an object, without its braces.
fn members(value: &serde_json::Value) -> String {
    let text = value.to_string();
    text.strip_prefix('{').and_then(|text| text.strip_suffix('}')).unwrap_or_default().to_owned()
}
