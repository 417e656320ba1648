//! What of two records is compared, and how: the rules that a model is fitted for, as data.

use phonenumber::country::Id;
use serde_json::Value;

use super::similarity::{Ear, contains_words, damerau_levenshtein, jaro_winkler, phonetic, token_similarity};
use super::{address, birth, mail, name, organisation, phone};
use crate::b2b::{email, identifier};
use crate::base::error::{Error, Result};
use crate::base::hash::hash_text;
use crate::base::json::Object;

/// Most fields that are compared, and most blocking rules.
pub const MOST: usize = 40;

/// Most levels of a comparison: each is one digit of a pattern.
const MOST_LEVELS: usize = 9;

/// What a field is: how it is brought into one form, and by which levels it is compared if nothing else is said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A first name.
    FirstName,
    /// A family name.
    LastName,
    /// A birth date.
    BirthDate,
    /// An e-mail address.
    Email,
    /// A phone number.
    Phone(Id),
    /// A postal address or a line of one.
    Address,
    /// A postcode; whether French.
    Postcode(bool),
    /// The name of a company.
    Company,
    /// A SIREN, or the SIRET of which it is a part.
    Siren,
    /// A number that one person or company has: a card, a passport, a social security number.
    Identifier,
    /// Any other text.
    Text,
}

const KINDS: &str =
    "first_name, last_name, birth_date, email, phone, address, postcode, company, siren, identifier, text";

impl Kind {
    fn parse(code: &str, region: Id) -> Option<Self> {
        Some(match code {
            "first_name" => Kind::FirstName,
            "last_name" => Kind::LastName,
            "birth_date" => Kind::BirthDate,
            "email" => Kind::Email,
            "phone" => Kind::Phone(region),
            "address" => Kind::Address,
            "postcode" => Kind::Postcode(region == Id::FR),
            "company" => Kind::Company,
            "siren" => Kind::Siren,
            "identifier" => Kind::Identifier,
            "text" => Kind::Text,
            _ => return None,
        })
    }

    /// A value in one form; `None` if it says nothing of whose it is. The address of a role belongs to no person.
    fn normalize(self, text: &str) -> Option<String> {
        match self {
            Kind::FirstName | Kind::LastName => name::normalize(text),
            Kind::BirthDate => birth::normalize(text),
            Kind::Email => mail::normalize(text).filter(|address| email::is_role(address) == Some(false)),
            Kind::Phone(region) => phone::normalize(text, region),
            Kind::Address => address::normalize(text),
            Kind::Postcode(france) => address::postcode(text, france),
            Kind::Company => organisation::normalize(text),
            Kind::Siren => identifier::company(text),
            Kind::Identifier => super::words(text).map(|words| words.concat()),
            Kind::Text => super::words(text).map(|words| words.join(" ")),
        }
    }

    /// The levels of a comparison, the best first, as they would be written.
    fn levels(self) -> Value {
        use serde_json::json;
        match self {
            Kind::FirstName => {
                json!(["exact", "nickname", { "jaro_winkler": 0.92 }, "initial", { "jaro_winkler": 0.8 }])
            }
            Kind::LastName => json!(["exact", { "jaro_winkler": 0.92 }, "contains", { "jaro_winkler": 0.8 }]),
            Kind::BirthDate => json!(["exact", { "edits": 1 }, "day_month", { "edits": 2 }]),
            Kind::Email => json!(["exact", "local_part", { "jaro_winkler": 0.92 }]),
            Kind::Address => json!(["exact", { "tokens": 0.6 }, { "jaro_winkler": 0.88 }]),
            Kind::Company => json!(["exact", { "tokens": 0.5 }, { "jaro_winkler": 0.92 }]),
            Kind::Phone(_) | Kind::Postcode(_) | Kind::Identifier => json!(["exact", { "edits": 1 }]),
            Kind::Siren => json!(["exact"]),
            Kind::Text => json!(["exact", { "jaro_winkler": 0.92 }, { "jaro_winkler": 0.8 }]),
        }
    }

    /// Whether it belongs to one person or company and not to a household.
    fn is_personal(self) -> bool {
        matches!(self, Kind::FirstName | Kind::BirthDate | Kind::Identifier | Kind::Siren)
    }

    /// Whether two records that differ in it are not the same.
    fn contradicts(self) -> bool {
        matches!(self, Kind::FirstName | Kind::BirthDate | Kind::Siren)
    }
}

/// One step of likeness.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Level {
    /// Equal.
    Exact,
    /// One first name behind both.
    Nickname,
    /// One is the first letter of the other.
    Initial,
    /// All words of one are in the other.
    Contains,
    /// They sound alike.
    Sounds(Ear),
    /// Day and month are in the other order.
    DayMonth,
    /// E-mail addresses alike before the `@`.
    LocalPart,
    /// Jaro and Winkler's similarity is at least that.
    JaroWinkler(f64),
    /// At most so many edits (Damerau, Levenshtein).
    Edits(usize),
    /// At least that share of the words is common.
    Tokens(f64),
}

impl Level {
    fn from_json(value: &Value) -> Result<Self> {
        let wrong = || {
            Error::invalid("unknown level of a comparison")
                .detail(format!("It is {}.", crate::base::document::json(&crate::base::document::Node::view(value))))
                .hint(
                    "Levels are \"exact\", \"nickname\", \"initial\", \"contains\", \"sounds_fr\", \"sounds_en\", \"day_month\", \
                     \"local_part\", {\"jaro_winkler\": 0.9}, {\"edits\": 1} and {\"tokens\": 0.5}.",
                )
        };
        if let Some(code) = value.as_str() {
            return Ok(match code {
                "exact" => Level::Exact,
                "nickname" => Level::Nickname,
                "initial" => Level::Initial,
                "contains" => Level::Contains,
                "sounds_fr" => Level::Sounds(Ear::French),
                "sounds_en" => Level::Sounds(Ear::English),
                "day_month" => Level::DayMonth,
                "local_part" => Level::LocalPart,
                _ => return Err(wrong()),
            });
        }
        let (key, number) = value
            .as_object()
            .filter(|map| map.len() == 1)
            .and_then(|map| map.iter().next())
            .and_then(|(key, value)| Some((key.as_str(), value.as_f64()?)))
            .ok_or_else(wrong)?;
        match key {
            "jaro_winkler" if (0.0..=1.0).contains(&number) => Ok(Level::JaroWinkler(number)),
            "tokens" if (0.0..=1.0).contains(&number) => Ok(Level::Tokens(number)),
            "edits" if number.fract() == 0.0 && (0.0..=100.0).contains(&number) => {
                Ok(Level::Edits(number as usize))
            }
            _ => Err(wrong()),
        }
    }

    /// How it is written.
    #[must_use]
    pub fn code(self) -> String {
        match self {
            Level::Exact => "exact".to_owned(),
            Level::Nickname => "nickname".to_owned(),
            Level::Initial => "initial".to_owned(),
            Level::Contains => "contains".to_owned(),
            Level::Sounds(Ear::French) => "sounds_fr".to_owned(),
            Level::Sounds(Ear::English) => "sounds_en".to_owned(),
            Level::DayMonth => "day_month".to_owned(),
            Level::LocalPart => "local_part".to_owned(),
            Level::JaroWinkler(at_least) => format!("jaro_winkler {at_least}"),
            Level::Edits(at_most) => format!("edits {at_most}"),
            Level::Tokens(at_least) => format!("tokens {at_least}"),
        }
    }

    fn holds(self, a: &str, b: &str) -> bool {
        let root = |text: &str| name::root(text);
        match self {
            Level::Exact => a == b,
            Level::Nickname => root(a) == root(b),
            Level::Initial => {
                let initial = |short: &str, long: &str| short.chars().count() == 1 && long.starts_with(short);
                initial(a, b) || initial(b, a)
            }
            // Every word is looked for in all of the other text.
            Level::Contains => a.len().max(b.len()) <= super::LONGEST && contains_words(a, b),
            Level::Sounds(ear) => phonetic(a, ear).is_some_and(|key| Some(key) == phonetic(b, ear)),
            Level::DayMonth => {
                a.len() == 8
                    && b.len() == 8
                    && a.is_ascii()
                    && b.is_ascii()
                    && a[..4] == b[..4]
                    && a[4..6] == b[6..]
                    && a[6..] == b[4..6]
            }
            Level::LocalPart => {
                let local = |text: &str| text.split_once('@').map(|pair| pair.0.to_owned());
                local(a).is_some_and(|name| name.len() > 3 && Some(name) == local(b))
            }
            Level::JaroWinkler(at_least) => jaro_winkler(a, b).is_ok_and(|value| value >= at_least),
            Level::Edits(at_most) => {
                a.len().abs_diff(b.len()) <= 4 * at_most
                    && damerau_levenshtein(a, b).is_ok_and(|value| value <= at_most)
            }
            Level::Tokens(at_least) => token_similarity(a, b) >= at_least,
        }
    }
}

/// How one field is compared.
#[derive(Debug, Clone)]
pub struct Comparison {
    /// The field of the records.
    pub field: String,
    /// What it is.
    pub kind: Kind,
    /// Steps of likeness, the best first; below the last two values differ.
    pub levels: Vec<Level>,
    /// Whether a rare value counts more than a frequent one.
    pub by_frequency: bool,
    /// Whether two that differ are not the same.
    pub contradicts: bool,
}

impl Comparison {
    /// How a level of it is written.
    #[must_use]
    pub fn level_name(&self, level: usize) -> String {
        let from_best = self.levels.len().checked_sub(level).and_then(|at| self.levels.get(at));
        from_best.map_or_else(|| "differs".to_owned(), |level| level.code())
    }

    /// The level of two values: the number of levels for the best, 0 if they differ.
    #[must_use]
    pub fn compare(&self, a: &str, b: &str) -> usize {
        let best = self.levels.len();
        // Equal values reach whatever comes first.
        if a == b {
            return best;
        }
        self.levels.iter().position(|level| level.holds(a, b)).map_or(0, |at| best - at)
    }
}

/// What is made of a value for a key.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Shape {
    Whole,
    Sound(Ear),
    Root,
    Year,
    Head(usize),
}

/// Records that agree in all parts of a rule are compared.
#[derive(Debug, Clone)]
pub struct Rule {
    /// As it was written.
    pub written: Vec<String>,
    /// The comparisons of its fields.
    pub fields: Vec<usize>,
    /// Whether its pairs are learned from: not if a household can agree in all of it.
    pub trains: bool,
    shapes: Vec<Shape>,
}

/// All rules of a match.
#[derive(Debug, Clone)]
pub struct Rules {
    /// What is compared.
    pub comparisons: Vec<Comparison>,
    /// Which records are compared at all.
    pub blocking: Vec<Rule>,
    /// The value that they were read from, for the model that keeps them.
    pub written: Value,
}

/// A record in one form: a value or none for each comparison.
pub type Record = Vec<Option<String>>;

fn too_many(what: &str) -> Error {
    Error::invalid(format!("{what} must be a list of 1 to {MOST}"))
}

impl Rules {
    /// Reads rules, or those of a model.
    ///
    /// # Errors
    /// Names what is wrong.
    pub fn from_json(value: &Value) -> Result<Self> {
        let written = match value.get("rules") {
            Some(rules) if value.get("kind").is_some() => rules,
            _ => value,
        };
        let object = Object::new("rules", "", written, &["comparisons", "blocking", "region"])?;
        let region = phone::region(object.text("region")?.unwrap_or("FR"))?;
        let list = object.list("comparisons")?.ok_or_else(|| object.wrong("comparisons", "a list"))?;
        if list.is_empty() || list.len() > MOST {
            return Err(too_many("comparisons"));
        }
        let mut comparisons: Vec<Comparison> = Vec::with_capacity(list.len());
        for (at, item) in list.iter().enumerate() {
            let comparison = comparison(item, &format!("comparisons[{at}]"), region)?;
            if comparisons.iter().any(|other| other.field == comparison.field) {
                return Err(Error::invalid(format!("field \"{}\" is compared twice", comparison.field)));
            }
            comparisons.push(comparison);
        }
        let list = object.list("blocking")?.ok_or_else(|| object.wrong("blocking", "a list"))?;
        if list.is_empty() || list.len() > MOST {
            return Err(too_many("blocking"));
        }
        let blocking = list.iter().map(|item| rule(item, &comparisons)).collect::<Result<_>>()?;
        Ok(Rules { comparisons, blocking, written: written.clone() })
    }

    /// A customer's object as a record. Numbers are read as they are written; lists and objects say nothing.
    #[must_use]
    pub fn record(&self, value_of: impl Fn(&str) -> Option<String>) -> Record {
        self.comparisons
            .iter()
            .map(|comparison| value_of(&comparison.field).and_then(|text| comparison.kind.normalize(&text)))
            .collect()
    }

    /// The pattern of two records: a digit for each comparison, `-` where one has no value.
    ///
    /// # Errors
    /// A record has another number of values than there are comparisons.
    pub fn pattern(&self, a: &[Option<&str>], b: &[Option<&str>]) -> Result<Vec<Option<usize>>> {
        self.check(a)?;
        self.check(b)?;
        let pairs = a.iter().zip(b);
        Ok(self
            .comparisons
            .iter()
            .zip(pairs)
            .map(|(comparison, (a, b))| Some(comparison.compare((*a)?, (*b)?)))
            .collect())
    }

    fn check(&self, record: &[Option<&str>]) -> Result<()> {
        let (has, needs) = (record.len(), self.comparisons.len());
        if has == needs {
            return Ok(());
        }
        Err(Error::invalid("record does not fit the rules")
            .detail(format!("It has {has} values; the rules compare {needs}."))
            .hint("Make records by match_record, with the same rules."))
    }

    /// The field in which two records contradict each other: first names, birth dates or company numbers that differ.
    /// Not if a number of their own agrees, or first and last name stand in each other's place.
    ///
    /// Two first names that are spelt alike differ all the same if each is a name that many bear (`Laura`, `Laurent`),
    /// which `known` tells of a field's value: a mistyped one is not.
    #[must_use]
    pub fn contradiction(
        &self,
        pattern: &[Option<usize>],
        a: &[Option<&str>],
        b: &[Option<&str>],
        known: impl Fn(usize, &str) -> bool,
    ) -> Option<&str> {
        let agrees = |comparison: &Comparison, level: &Option<usize>| {
            comparison.kind == Kind::Identifier && *level == Some(comparison.levels.len())
        };
        if self.comparisons.iter().zip(pattern).any(|(comparison, level)| agrees(comparison, level)) {
            return None;
        }
        let swapped = |first: usize| {
            let last = self.comparisons.iter().position(|comparison| comparison.kind == Kind::LastName);
            last.is_some_and(|last| {
                let same = |x: Option<&str>, y: Option<&str>| matches!((x, y), (Some(x), Some(y)) if x == y);
                // Both ways: of somebody called Michel Michel, half of it is true of the whole family.
                same(a[first], b[last]) && same(a[last], b[first])
            })
        };
        let other_name = |at: usize, level: Option<usize>| {
            let (Some(a), Some(b), Some(level)) = (a[at], b[at], level) else { return false };
            let comparison = &self.comparisons[at];
            let reached = comparison
                .levels
                .len()
                .checked_sub(level)
                .and_then(|from_best| comparison.levels.get(from_best));
            let by_spelling =
                matches!(reached, Some(Level::JaroWinkler(_) | Level::Edits(_) | Level::Sounds(_)));
            comparison.kind == Kind::FirstName
                && a != b
                && by_spelling
                && known(at, a)
                && known(at, b)
                && !contains_words(a, b)
        };
        self.comparisons.iter().zip(pattern).enumerate().find_map(|(at, (comparison, level))| {
            let differs = comparison.contradicts && (*level == Some(0) || other_name(at, *level));
            (differs && !(comparison.kind == Kind::FirstName && swapped(at)))
                .then_some(comparison.field.as_str())
        })
    }

    /// A key for each blocking rule: records of one key are compared. None where a part is missing.
    #[must_use]
    pub fn keys(&self, record: &[Option<&str>]) -> Vec<Option<i64>> {
        self.blocking.iter().map(|rule| rule.key(record).map(|key| hash_text(&key) as i64)).collect()
    }
}

impl Rule {
    fn key(&self, record: &[Option<&str>]) -> Option<String> {
        let mut key = String::new();
        for (field, shape) in self.fields.iter().zip(&self.shapes) {
            let value = (*record.get(*field)?)?;
            match shape {
                Shape::Whole => key.push_str(value),
                Shape::Sound(ear) => key.push_str(&phonetic(value, *ear)?),
                Shape::Root => key.push_str(&name::root(value)?),
                Shape::Year => key.push_str(value.get(..4)?),
                Shape::Head(letters) => key.extend(value.chars().take(*letters)),
            }
            key.push('\n');
        }
        Some(key)
    }
}

fn comparison(item: &Value, path: &str, region: Id) -> Result<Comparison> {
    let object = Object::new(
        "rules",
        path,
        item,
        &["field", "kind", "region", "levels", "by_frequency", "contradicts"],
    )?;
    let field = object.need_text("field")?.to_owned();
    let region = object.text("region")?.map(phone::region).transpose()?.unwrap_or(region);
    let code = object.text("kind")?.unwrap_or(&field).to_owned();
    let kind = Kind::parse(&code, region)
        .ok_or_else(|| object.wrong("kind", "the kind of a field").hint(format!("Kinds are {KINDS}.")))?;
    let default = kind.levels();
    let written = match object.list("levels")? {
        Some(list) => list,
        None => default.as_array().map(Vec::as_slice).unwrap_or_default(),
    };
    if written.is_empty() || written.len() > MOST_LEVELS {
        return Err(object.wrong("levels", format_args!("a list of 1 to {MOST_LEVELS} levels")));
    }
    let levels = written.iter().map(Level::from_json).collect::<Result<_>>()?;
    let flag = |key: &str, default: bool| match object.get(key) {
        None => Ok(default),
        Some(Value::Bool(value)) => Ok(*value),
        Some(_) => Err(object.wrong(key, "true or false")),
    };
    Ok(Comparison {
        levels,
        by_frequency: flag("by_frequency", !matches!(kind, Kind::BirthDate | Kind::Postcode(_)))?,
        contradicts: flag("contradicts", kind.contradicts())?,
        field,
        kind,
    })
}

fn rule(item: &Value, comparisons: &[Comparison]) -> Result<Rule> {
    let parts =
        item.as_array().filter(|parts| !parts.is_empty() && parts.len() <= MOST).ok_or_else(|| {
            Error::invalid("a blocking rule must be a list of fields")
                .hint("For instance [\"last_name:sounds_fr\", \"postcode\"].")
        })?;
    let mut rule = Rule { written: Vec::new(), fields: Vec::new(), trains: false, shapes: Vec::new() };
    for part in parts {
        let text = part.as_str().ok_or_else(|| Error::invalid("a part of a blocking rule must be a text"))?;
        let (field, shape) = text.split_once(':').map_or((text, None), |(field, shape)| (field, Some(shape)));
        let shown: String = text.chars().take(80).collect();
        let at = comparisons.iter().position(|comparison| comparison.field == field).ok_or_else(|| {
            Error::invalid("blocking rule has a field that is not compared")
                .detail(format!("It is \"{shown}\"."))
        })?;
        let shape = match shape {
            None => Shape::Whole,
            Some("sounds_fr") => Shape::Sound(Ear::French),
            Some("sounds_en") => Shape::Sound(Ear::English),
            Some("nickname") => Shape::Root,
            Some("year") => Shape::Year,
            Some(head) => Shape::Head(head.parse().ok().filter(|letters| (1..=100).contains(letters)).ok_or_else(|| {
                Error::invalid("blocking rule has an unknown form of a field")
                    .detail(format!("It is \"{shown}\"."))
                    .hint("Forms are :sounds_fr, :sounds_en, :nickname, :year, and a number of letters, as in \"postcode:2\".")
            })?),
        };
        rule.written.push(text.to_owned());
        rule.fields.push(at);
        rule.shapes.push(shape);
    }
    rule.trains = rule.fields.iter().any(|at| comparisons[*at].kind.is_personal());
    Ok(rule)
}

/// A pattern as text: a digit for each comparison, `-` without a value.
#[must_use]
pub fn pattern_text(pattern: &[Option<usize>]) -> String {
    pattern
        .iter()
        .map(|level| level.map_or('-', |level| char::from_digit(level as u32, 10).unwrap_or('9')))
        .collect()
}
