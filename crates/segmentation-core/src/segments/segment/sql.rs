//! A definition as one SQL expression that gives the same answer on every row.
//!
//! Nothing of the user's text is left unquoted: names are quoted identifiers, values are
//! literals. Every part is guarded by the type of what it reads, so that it is NULL and not an
//! error where the evaluation is unknown.

use std::collections::HashMap;

use super::like::Like;
use super::{
    Asked, Comparison, Condition, Context, Definition, Events, FieldTest, Kind, Operand, Path, Test,
};
use crate::base::day::{self, Day};
use crate::base::decimal::Decimal;
use crate::base::error::{Error, Result};
use crate::base::nearest::nearest;

/// What a column holds, as far as conditions can use it directly.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Column {
    /// boolean
    Bool,
    /// smallint, integer, bigint
    Integer,
    /// numeric
    Numeric,
    /// real, double precision
    Float,
    /// text, character varying
    Text,
    /// character(n), whose trailing blanks do not count
    Char,
    /// citext, whose case does not count: texts of the definition have to be folded
    Citext,
    /// date
    Date,
    /// anything else, read through to_jsonb
    Other,
}

impl Column {
    /// By the name of the class.
    #[must_use]
    pub fn parse(class: &str) -> Self {
        match class {
            "boolean" => Column::Bool,
            "integer" => Column::Integer,
            "numeric" => Column::Numeric,
            "float" => Column::Float,
            "text" => Column::Text,
            "char" => Column::Char,
            "citext" => Column::Citext,
            "date" => Column::Date,
            _ => Column::Other,
        }
    }
}

/// What the expression reads.
#[derive(Debug, Clone)]
pub enum Source<'a> {
    /// A jsonb column.
    Attributes {
        /// The table or its alias.
        alias: Option<&'a str>,
        /// The column.
        column: &'a str,
    },
    /// The columns of a relation.
    Columns {
        /// The table or its alias.
        alias: Option<&'a str>,
        /// Names and classes.
        columns: &'a HashMap<String, Column>,
    },
}

/// What the expression returns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    /// text: the segment
    Assign,
    /// text[]: all segments
    Memberships,
}

/// What aliases of the expression begin with.
const ALIAS: &str = "segmentation ";

fn literal(text: &str) -> String {
    let doubled = text.replace('\'', "''");
    if doubled.contains('\\') {
        format!("E'{}'", doubled.replace('\\', "\\\\"))
    } else {
        format!("'{doubled}'")
    }
}

fn identifier(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// A number as a literal that no operator binds to.
fn number(value: &Decimal) -> String {
    let text = value.to_string();
    if text.starts_with('-') { format!("({text})") } else { text }
}

fn date(day: Day) -> Result<String> {
    Ok(format!("date '{}'", day::format(day)?))
}

struct Writer<'a> {
    definition: &'a Definition,
    context: Context<'a>,
    source: &'a Source<'a>,
}

/// A field: an expression, and its class if it is a column of one.
struct Field {
    /// jsonb
    json: String,
    /// The column itself.
    column: Option<(String, Column)>,
}

fn follow(mut json: String, keys: &[String]) -> String {
    for key in keys {
        json = format!("({json} -> {})", literal(key));
    }
    json
}

fn json_literal(operand: &Operand) -> String {
    match operand {
        Operand::Number(number) => literal(&number.to_string()),
        Operand::Text(text) => literal(&serde_json::Value::String(text.clone()).to_string()),
        Operand::Bool(value) => literal(&value.to_string()),
        Operand::Date(_) => "NULL".to_owned(),
    }
}

impl Writer<'_> {
    fn field(&self, path: &Path) -> Result<Field> {
        let Some((first, rest)) = path.split_first() else {
            return Ok(Field { json: "NULL::jsonb".to_owned(), column: None });
        };
        let qualified = |alias: &Option<&str>, name: &str| match alias {
            Some(alias) => format!("{}.{}", identifier(alias), identifier(name)),
            None => identifier(name),
        };
        match self.source {
            Source::Attributes { alias, column } => {
                Ok(Field { json: follow(qualified(alias, column), path), column: None })
            }
            Source::Columns { alias, columns } => {
                let Some(class) = columns.get(first) else {
                    if self.definition.unknown.contains(first) {
                        return Ok(Field { json: "NULL::jsonb".to_owned(), column: None });
                    }
                    let shown: String = first.chars().take(60).collect();
                    let meant = nearest(first, columns.keys().map(String::as_str))
                        .map_or_else(String::new, |name| format!(", do you mean \"{name}\"?"));
                    return Err(Error::invalid(format!("the relation has no column \"{shown}\"{meant}"))
                        .hint("A field of the definition must be a column of the relation."));
                };
                let name = qualified(alias, first);
                let (name, class) = match class {
                    Column::Char => (format!("({name}::text COLLATE \"C\")"), Column::Text),
                    Column::Citext => (
                        format!(
                            "(pg_catalog.lower({name}::text COLLATE pg_catalog.\"default\") COLLATE \"C\")"
                        ),
                        Column::Text,
                    ),
                    class => (name, *class),
                };
                let json = follow(format!("pg_catalog.to_jsonb({name})"), rest);
                let direct = rest.is_empty() && class != Column::Other;
                Ok(Field { json, column: direct.then_some((name, class)) })
            }
        }
    }

    fn day(&self, index: usize) -> Result<String> {
        date(self.context.days[index])
    }

    fn condition(&self, condition: &Condition, event: Option<(&str, &[Path])>) -> Result<String> {
        match &condition.test {
            Test::All(parts) | Test::Any(parts) => {
                let all = matches!(condition.test, Test::All(_));
                if parts.is_empty() {
                    return Ok(if all { "true" } else { "false" }.to_owned());
                }
                let parts: Vec<String> =
                    parts.iter().map(|part| self.condition(part, event)).collect::<Result<_>>()?;
                Ok(format!("({})", parts.join(if all { " AND " } else { " OR " })))
            }
            Test::Not(part) => Ok(format!("(NOT {})", self.condition(part, event)?)),
            Test::Field(index, test) => {
                let field = match event {
                    Some((value, fields)) => {
                        Field { json: follow(value.to_owned(), &fields[*index]), column: None }
                    }
                    None => self.field(&self.definition.fields[*index])?,
                };
                self.field_test(&field, test)
            }
            Test::Events(events) => self.events(events),
        }
    }

    fn field_test(&self, field: &Field, test: &FieldTest) -> Result<String> {
        if let Some((name, class)) = &field.column
            && let Some(sql) = self.column_test(name, *class, test)?
        {
            return Ok(sql);
        }
        let json = &field.json;
        let text = format!("({json} #>> '{{}}')");
        let guarded = |kind: &str, test: String| {
            format!("(CASE WHEN pg_catalog.jsonb_typeof({json}) = '{kind}' THEN {test} END)")
        };
        Ok(match test {
            FieldTest::Compare(comparison, operand) => {
                let sign = comparison.sign();
                match operand {
                    Operand::Number(_) => {
                        guarded("number", format!("{json} {sign} {}::jsonb", json_literal(operand)))
                    }
                    Operand::Text(value) => {
                        guarded("string", format!("{text} COLLATE \"C\" {sign} {}", literal(value)))
                    }
                    Operand::Bool(_) => {
                        guarded("boolean", format!("{json} {sign} {}::jsonb", json_literal(operand)))
                    }
                    Operand::Date(day) => guarded(
                        "string",
                        format!("segmentation.segment_date({text}) {sign} {}", self.day(*day)?),
                    ),
                }
            }
            FieldTest::In(operands) => {
                let list = |item: &dyn Fn(&Operand) -> Result<String>| -> Result<String> {
                    Ok(operands.iter().map(item).collect::<Result<Vec<_>>>()?.join(", "))
                };
                match operands.first() {
                    Some(Operand::Text(_)) => {
                        let values = list(&|o| match o {
                            Operand::Text(value) => Ok(literal(value)),
                            _ => Ok("NULL".to_owned()),
                        })?;
                        guarded("string", format!("{text} COLLATE \"C\" IN ({values})"))
                    }
                    Some(Operand::Date(_)) => {
                        let values = list(&|o| match o {
                            Operand::Date(day) => self.day(*day),
                            _ => Ok("NULL".to_owned()),
                        })?;
                        guarded("string", format!("segmentation.segment_date({text}) IN ({values})"))
                    }
                    first => {
                        let kind = if matches!(first, Some(Operand::Bool(_))) { "boolean" } else { "number" };
                        let values = list(&|o| Ok(format!("{}::jsonb", json_literal(o))))?;
                        guarded(kind, format!("{json} IN ({values})"))
                    }
                }
            }
            FieldTest::IsNull => format!("coalesce(pg_catalog.jsonb_typeof({json}) = 'null', true)"),
            FieldTest::StartsWith(prefix) => {
                guarded("string", format!("pg_catalog.starts_with({text}, {})", literal(prefix)))
            }
            FieldTest::Like(Like { text: pattern, .. }) => {
                guarded("string", format!("{text} COLLATE \"C\" LIKE {}", literal(pattern)))
            }
            FieldTest::ContainsAny(operands) => guarded("array", contains(json, operands, " OR ")),
            FieldTest::ContainsAll(operands) => guarded("array", contains(json, operands, " AND ")),
        })
    }

    /// The test on a column of a class, if it can be said without jsonb.
    fn column_test(&self, name: &str, class: Column, test: &FieldTest) -> Result<Option<String>> {
        if matches!(test, FieldTest::IsNull) {
            return Ok(Some(format!("({name} IS NULL)")));
        }
        let guard = match class {
            Column::Numeric | Column::Float => {
                format!("CASE WHEN {name} NOT IN ('NaN', 'Infinity', '-Infinity') THEN ")
            }
            Column::Date => format!("CASE WHEN {name} BETWEEN date '0001-01-01' AND date '9999-12-31' THEN "),
            _ => String::new(),
        };
        let end = if guard.is_empty() { "" } else { " END" };
        let value = match class {
            // The shortest decimal that is this double, as to_jsonb writes it.
            Column::Float => format!("({name}::text)::numeric"),
            _ => name.to_owned(),
        };
        let item = |operand: &Operand| -> Result<Option<String>> {
            Ok(match (class, operand) {
                (Column::Integer | Column::Numeric | Column::Float, Operand::Number(value)) => {
                    Some(number(value))
                }
                (Column::Text, Operand::Text(value)) => Some(format!("{}::text", literal(value))),
                (Column::Bool, Operand::Bool(value)) => Some(value.to_string()),
                (Column::Date, Operand::Date(day)) => Some(self.day(*day)?),
                _ => None,
            })
        };
        let collated = |comparison: &Comparison| {
            let ordered = !matches!(comparison, Comparison::Equal | Comparison::NotEqual);
            if ordered && class == Column::Text { " COLLATE \"C\"" } else { "" }
        };
        Ok(match test {
            FieldTest::Compare(comparison, operand) => item(operand)?.map(|operand| {
                format!("({guard}{value}{} {} {operand}{end})", collated(comparison), comparison.sign())
            }),
            FieldTest::In(operands) => {
                let items: Option<Vec<String>> = operands.iter().map(item).collect::<Result<Option<_>>>()?;
                items.map(|items| format!("({guard}{value} IN ({}){end})", items.join(", ")))
            }
            FieldTest::StartsWith(prefix) if class == Column::Text => {
                Some(format!("pg_catalog.starts_with({name}, {})", literal(prefix)))
            }
            FieldTest::Like(like) if class == Column::Text => {
                Some(format!("({name} COLLATE \"C\" LIKE {})", literal(&like.text)))
            }
            _ => None,
        })
    }

    fn events(&self, events: &Events) -> Result<String> {
        let list = self.field(&self.definition.fields[events.field])?.json;
        let [alias, value, place] = event_names("event");
        let day = |value: &str| day_of(value, &events.on);
        let sequence = matches!(events.asked, Asked::Then { .. });
        let mut wanted: Vec<String> = Vec::new();
        if let Some(from) = events.from {
            wanted.push(format!("{} >= {}", day(&value), self.day(from)?));
        }
        if let Some(until) = events.until {
            wanted.push(format!("{} <= {}", day(&value), self.day(until)?));
        }
        if let Some(known) = self.known(&day(&value))? {
            wanted.push(if sequence { known } else { format!("coalesce({known}, true)") });
        }
        if let Some(filter) = &events.filter {
            wanted.push(self.condition(filter, Some((&value, &events.fields)))?);
        }
        let tests = |value: &str, tests: &[(Comparison, Decimal)]| {
            let tests: Vec<String> =
                tests.iter().map(|(c, other)| format!("{value} {} {}", c.sign(), number(other))).collect();
            tests.join(" AND ")
        };
        let filtered = |wanted: &[String]| {
            if wanted.is_empty() { String::new() } else { format!(" WHERE {}", wanted.join(" AND ")) }
        };
        let query = match &events.asked {
            Asked::Count(counts) => format!(
                "(SELECT {} FROM pg_catalog.jsonb_array_elements({list}) AS {alias}({value}){})",
                tests("pg_catalog.count(*)", counts),
                filtered(&wanted)
            ),
            Asked::Sum(of, sums) => {
                let json = follow(value.clone(), of);
                let amount = format!(
                    "coalesce(pg_catalog.sum(CASE WHEN pg_catalog.jsonb_typeof({json}) = 'number' THEN ({json} #>> '{{}}')::numeric END), 0)"
                );
                format!(
                    "(SELECT {} FROM pg_catalog.jsonb_array_elements({list}) AS {alias}({value}){})",
                    tests(&amount, sums),
                    filtered(&wanted)
                )
            }
            Asked::Then { second, within, not } => {
                let first_day = day_of(&value, &events.on);
                wanted.push(format!("{first_day} IS NOT NULL"));
                if let (true, Some(as_of)) = (*not, self.context.as_of) {
                    wanted.push(format!("{first_day} + {within} <= {}", date(as_of)?));
                }
                let after = (first_day.as_str(), place.as_str());
                let follows = self.follows(events, second, *within, &list, after)?;
                wanted.push(if *not { format!("NOT {follows}") } else { follows });
                format!(
                    "EXISTS (SELECT FROM pg_catalog.jsonb_array_elements({list}) WITH ORDINALITY AS {alias}({value}, {place}){})",
                    filtered(&wanted)
                )
            }
        };
        Ok(format!("(CASE WHEN pg_catalog.jsonb_typeof({list}) = 'array' THEN {query} END)"))
    }

    /// That an event's day is known by `as_of`, if there is one.
    fn known(&self, day: &str) -> Result<Option<String>> {
        self.context.as_of.map(|as_of| Ok(format!("{day} <= {}", date(as_of)?))).transpose()
    }

    /// That one of the events of the list follows the first, which has this day and place, within so many days.
    fn follows(
        &self,
        events: &Events,
        second: &Condition,
        within: i32,
        list: &str,
        (first_day, place): (&str, &str),
    ) -> Result<String> {
        let [other, other_value, other_place] = event_names("second");
        let second_day = day_of(&other_value, &events.on);
        let mut follows = vec![
            self.condition(second, Some((&other_value, &events.fields)))?,
            format!("{second_day} >= {first_day}"),
            format!("{second_day} <= {first_day} + {within}"),
            format!("({second_day} > {first_day} OR {other_place} > {place})"),
        ];
        follows.extend(self.known(&second_day)?);
        Ok(format!(
            "EXISTS (SELECT FROM pg_catalog.jsonb_array_elements({list}) WITH ORDINALITY AS {other}({other_value}, {other_place}) WHERE {})",
            follows.join(" AND ")
        ))
    }
}

/// The names of an event in SQL: the row, its value, its place in the list.
fn event_names(which: &str) -> [String; 3] {
    [
        identifier(&format!("{ALIAS}{which}")),
        identifier(&format!("{ALIAS}{which} value")),
        identifier(&format!("{ALIAS}{which} place")),
    ]
}

/// The day of an event; NULL if it has none.
fn day_of(value: &str, on: &[String]) -> String {
    let json = follow(value.to_owned(), on);
    format!(
        "(CASE WHEN pg_catalog.jsonb_typeof({json}) = 'string' THEN segmentation.segment_date({json} #>> '{{}}') END)"
    )
}

/// That a list contains the operands: any of them or all, as `join` says.
fn contains(json: &str, operands: &[Operand], join: &str) -> String {
    let part = |operand: &Operand| {
        let element = match operand {
            Operand::Text(text) => serde_json::Value::String(text.clone()).to_string(),
            Operand::Number(number) => number.to_string(),
            Operand::Bool(value) => value.to_string(),
            Operand::Date(_) => "null".to_owned(),
        };
        format!("{json} @> {}::jsonb", literal(&format!("[{element}]")))
    };
    let parts: Vec<String> = operands.iter().map(part).collect();
    format!("({})", parts.join(join))
}

impl Definition {
    /// One SQL expression that gives, on every row, what the definition gives.
    ///
    /// # Errors
    /// The kind cannot be said in SQL, or a field is no column of the relation.
    pub fn sql(&self, context: Context, source: &Source, answer: Answer) -> Result<String> {
        let names: Vec<&str> = match source {
            Source::Attributes { alias, column } => alias.iter().copied().chain([*column]).collect(),
            Source::Columns { alias, .. } => alias.iter().copied().collect(),
        };
        if names.iter().any(|name| name.starts_with(ALIAS) || name.is_empty() || name.contains('\0')) {
            return Err(Error::invalid("a name cannot be used in the SQL of a segment definition")
                .detail(format!("It is empty, or begins with \"{ALIAS}\".")));
        }
        let writer = Writer { definition: self, context, source };
        let default = self.default.as_deref().map(literal);
        let assign = match &self.kind {
            Kind::Rules { segments, overlapping } => {
                let rules: Vec<(String, String)> = segments
                    .iter()
                    .map(|rule| Ok((literal(&rule.segment), writer.condition(&rule.when, None)?)))
                    .collect::<Result<_>>()?;
                if *overlapping && answer == Answer::Memberships {
                    let each: Vec<String> = rules
                        .iter()
                        .map(|(segment, when)| format!("CASE WHEN {when} THEN {segment} END"))
                        .collect();
                    let all = format!("pg_catalog.array_remove(ARRAY[{}]::text[], NULL)", each.join(", "));
                    return Ok(match default {
                        Some(default) => {
                            format!("coalesce(nullif({all}, '{{}}'::text[]), ARRAY[{default}]::text[])")
                        }
                        None => all,
                    });
                }
                let whens: Vec<String> =
                    rules.iter().map(|(segment, when)| format!("WHEN {when} THEN {segment}")).collect();
                case(&whens, default.as_deref())
            }
            Kind::Scorecard { base, points, bands } => {
                let mut sum = number(base);
                for (condition, worth) in points {
                    let when = writer.condition(condition, None)?;
                    sum.push_str(&format!(" + CASE WHEN {when} THEN {} ELSE 0 END", number(worth)));
                }
                let whens: Vec<String> = bands
                    .iter()
                    .map(|(segment, from)| {
                        format!(
                            "WHEN {} >= {} THEN {}",
                            identifier("segmentation score"),
                            number(from),
                            literal(segment)
                        )
                    })
                    .collect();
                format!(
                    "(SELECT {} FROM (SELECT {sum}) AS {}({}))",
                    case(&whens, default.as_deref()),
                    identifier("segmentation card"),
                    identifier("segmentation score")
                )
            }
            Kind::Nearest(_) | Kind::Benefits(_) => {
                return Err(Error::invalid("only rules and scorecards can be written as SQL")
                    .hint("Use segment_assign for the kinds nearest and benefits."));
            }
        };
        Ok(match answer {
            Answer::Assign => assign,
            Answer::Memberships => {
                format!("pg_catalog.array_remove(ARRAY[{assign}]::text[], NULL)")
            }
        })
    }
}

fn case(whens: &[String], default: Option<&str>) -> String {
    let default = default.map_or(String::new(), |default| format!(" ELSE {default}"));
    format!("CASE {}{default} END", whens.join(" "))
}
