//! Which fields a definition reads, as what, and which texts it compares them with.

use super::{Asked, Comparison, Condition, Definition, Events, FieldTest, Kind, Operand, Path, Test};

/// One place where a definition reads a field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Read<'d> {
    /// Its JSON path in the definition.
    pub path: String,
    /// Keys from the customer, or from an event, down.
    pub field: &'d [String],
    /// The list whose events are looked at, if it is a field of theirs.
    pub events: Option<&'d [String]>,
    /// What it is read as.
    pub as_a: ReadAs,
    /// The texts that it is said to equal, or not to.
    pub texts: Vec<&'d str>,
}

/// What a field is read as; anything else is unknown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReadAs {
    /// Whatever it is.
    Any,
    /// A number.
    Number,
    /// A text.
    Text,
    /// A boolean.
    Boolean,
    /// A text that begins with a day.
    Day,
    /// A list.
    List,
}

impl ReadAs {
    /// Its name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            ReadAs::Any => "any",
            ReadAs::Number => "number",
            ReadAs::Text => "text",
            ReadAs::Boolean => "boolean",
            ReadAs::Day => "day",
            ReadAs::List => "list",
        }
    }

    fn of(operand: &Operand) -> Self {
        match operand {
            Operand::Number(_) => ReadAs::Number,
            Operand::Text(_) => ReadAs::Text,
            Operand::Bool(_) => ReadAs::Boolean,
            Operand::Date(_) => ReadAs::Day,
        }
    }
}

fn text(operand: &Operand) -> Option<&str> {
    match operand {
        Operand::Text(text) => Some(text),
        _ => None,
    }
}

impl FieldTest {
    fn reads(&self) -> (ReadAs, Vec<&str>) {
        match self {
            FieldTest::Compare(comparison, operand) => {
                let equal = matches!(comparison, Comparison::Equal | Comparison::NotEqual);
                (ReadAs::of(operand), text(operand).filter(|_| equal).into_iter().collect())
            }
            FieldTest::In(operands) => {
                (operands.first().map_or(ReadAs::Any, ReadAs::of), operands.iter().filter_map(text).collect())
            }
            FieldTest::IsNull => (ReadAs::Any, Vec::new()),
            FieldTest::StartsWith(_) | FieldTest::Like(_) => (ReadAs::Text, Vec::new()),
            FieldTest::ContainsAny(operands) | FieldTest::ContainsAll(operands) => {
                (ReadAs::List, operands.iter().filter_map(text).collect())
            }
        }
    }
}

/// What is found, and whose fields are looked at.
struct Walk<'d> {
    found: Vec<Read<'d>>,
    fields: &'d [Path],
    events: Option<&'d [String]>,
}

impl<'d> Walk<'d> {
    fn push(&mut self, path: &str, field: &'d [String], as_a: ReadAs, texts: Vec<&'d str>) {
        self.found.push(Read { path: path.to_owned(), field, events: self.events, as_a, texts });
    }

    fn condition(&mut self, condition: &'d Condition) {
        match &condition.test {
            Test::All(parts) | Test::Any(parts) => parts.iter().for_each(|part| self.condition(part)),
            Test::Not(part) => self.condition(part),
            Test::Field(field, test) => {
                let (as_a, texts) = test.reads();
                let fields = self.fields;
                self.push(&condition.path, &fields[*field], as_a, texts);
            }
            Test::Events(events) => self.events(&condition.path, events),
        }
    }

    fn events(&mut self, path: &str, events: &'d Events) {
        let fields = self.fields;
        let list = &fields[events.field];
        self.push(path, list, ReadAs::List, Vec::new());
        let outer = (std::mem::replace(&mut self.fields, &events.fields), self.events.replace(list));
        self.push(path, &events.on, ReadAs::Day, Vec::new());
        if let Some(filter) = &events.filter {
            self.condition(filter);
        }
        match &events.asked {
            Asked::Count(_) => {}
            Asked::Sum(of, _) => self.push(path, of, ReadAs::Number, Vec::new()),
            Asked::Then { second, .. } => self.condition(second),
        }
        (self.fields, self.events) = outer;
    }
}

impl Definition {
    /// Every place where it reads a field, in its order.
    #[must_use]
    pub fn reads(&self) -> Vec<Read<'_>> {
        let mut walk = Walk { found: Vec::new(), fields: &self.fields, events: None };
        match &self.kind {
            Kind::Rules { segments, .. } => segments.iter().for_each(|rule| walk.condition(&rule.when)),
            Kind::Scorecard { points, .. } => {
                points.iter().for_each(|(condition, _)| walk.condition(condition));
            }
            Kind::Nearest(nearest) => {
                for (i, field) in nearest.fields().enumerate() {
                    walk.push(&format!("$.model.features[{i}]"), field, ReadAs::Number, Vec::new());
                }
            }
            Kind::Benefits(benefits) => {
                for (i, field) in benefits.fields().enumerate() {
                    walk.push(&format!("$.criteria[{i}]"), field, ReadAs::Number, Vec::new());
                }
            }
        }
        walk.found
    }
}
