//! A fitted model: weights of every level, the prior, how often values are. A value that scores two records and says why.

use serde_json::{Map, Value, json};

use super::frequency::{Frequency, frequent};
use super::rules::Rules;
use crate::base::error::Result;
use crate::base::json::Object;

/// The most that one field can say, in bits: a level that nearly no other pair has decides nothing alone.
const MOST_BITS: f64 = 40.0;

/// The share from which a first name is one that many bear: one in 2,000. A slip of the pen is rarer, even in a name that
/// everybody has.
const KNOWN: f64 = 0.0005;

/// What is known of one field.
#[derive(Debug, Clone)]
pub struct Field {
    /// How often two records of one customer reach each level, from 0.
    pub m: Vec<f64>,
    /// How often two of different customers do.
    pub u: Vec<f64>,
    /// Whether `m` was learned, or is what one assumes.
    pub learned: bool,
    /// How often values are.
    pub frequency: Frequency,
}

/// What a blocking rule gave.
#[derive(Debug, Clone)]
pub struct Pass {
    /// The rule.
    pub rule: Vec<String>,
    /// Its pairs.
    pub pairs: f64,
    /// How many of these are matches, if it was learned from.
    pub matches: Option<f64>,
    /// Rounds of EM.
    pub rounds: usize,
}

/// A model.
#[derive(Debug, Clone)]
pub struct Model {
    /// What is compared.
    pub rules: Rules,
    /// Each comparison's weights.
    pub fields: Vec<Field>,
    /// The chance that two records are of one customer.
    pub prior: f64,
    /// Records that it was fitted on.
    pub records: u64,
    /// What the blocking rules gave.
    pub passes: Vec<Pass>,
}

/// What one field says of two records.
#[derive(Debug, Clone, PartialEq)]
pub struct Step {
    /// The comparison; none for the prior.
    pub field: Option<usize>,
    /// The level, none without a value.
    pub level: Option<usize>,
    /// `m` and `u`, the latter of the value itself where it is rare or frequent.
    pub chances: Option<(f64, f64)>,
    /// What it weighs, in bits.
    pub bits: f64,
}

impl Model {
    /// What every field says, the prior first.
    ///
    /// # Errors
    /// The records are of other rules.
    pub fn steps(&self, a: &[Option<&str>], b: &[Option<&str>]) -> Result<Vec<Step>> {
        let pattern = self.rules.pattern(a, b)?;
        let prior = (self.prior / (1.0 - self.prior)).log2();
        let mut steps = vec![Step { field: None, level: None, chances: None, bits: prior }];
        for (at, level) in pattern.iter().enumerate() {
            let Some(level) = *level else {
                steps.push(Step { field: Some(at), level: None, chances: None, bits: 0.0 });
                continue;
            };
            let field = &self.fields[at];
            let m = field.m[level];
            let exact = level + 1 == field.m.len();
            let u = match a[at] {
                Some(value) if exact && self.rules.comparisons[at].by_frequency => {
                    self.chance_of(at, value).unwrap_or(field.u[level])
                }
                _ => field.u[level],
            };
            let bits = (m / u).log2().clamp(-MOST_BITS, MOST_BITS);
            steps.push(Step { field: Some(at), level: Some(level), chances: Some((m, u)), bits });
        }
        Ok(steps)
    }

    /// How often another record has that very value.
    fn chance_of(&self, field: usize, value: &str) -> Option<f64> {
        let frequency = &self.fields[field].frequency;
        frequency.frequent.get(value).copied().or(frequency.rest).filter(|chance| *chance > 0.0)
    }

    /// The weight of two records in bits: their logarithm of odds.
    ///
    /// # Errors
    /// The records are of other rules.
    pub fn weight(&self, a: &[Option<&str>], b: &[Option<&str>]) -> Result<f64> {
        Ok(self.steps(a, b)?.iter().map(|step| step.bits).sum())
    }

    /// The field in which two records contradict each other, if in any.
    ///
    /// # Errors
    /// The records are of other rules.
    pub fn contradiction(&self, a: &[Option<&str>], b: &[Option<&str>]) -> Result<Option<&str>> {
        let pattern = self.rules.pattern(a, b)?;
        let known = |field: usize, value: &str| {
            self.fields[field].frequency.frequent.get(value).is_some_and(|share| *share >= KNOWN)
        };
        Ok(self.rules.contradiction(&pattern, a, b, known))
    }

    /// The model as a value.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let comparisons: Vec<Value> = self
            .rules
            .comparisons
            .iter()
            .zip(&self.fields)
            .map(|(comparison, field)| {
                let best = comparison.levels.len();
                let levels: Vec<Value> = (0..=best)
                    .rev()
                    .map(|level| {
                        let name = comparison.level_name(level);
                        let (m, u) = (field.m[level], field.u[level]);
                        json!({ "level": name, "m": m, "u": u, "bits": (m / u).log2() })
                    })
                    .collect();
                let frequent: Map<String, Value> = field
                    .frequency
                    .frequent
                    .iter()
                    .map(|(value, share)| (value.clone(), (*share).into()))
                    .collect();
                json!({
                    "field": comparison.field, "learned": field.learned, "levels": levels,
                    "frequent": frequent, "rest": field.frequency.rest,
                })
            })
            .collect();
        let passes: Vec<Value> = self.passes.iter().map(|pass| {
            json!({ "rule": pass.rule, "pairs": pass.pairs, "matches": pass.matches, "rounds": pass.rounds })
        }).collect();
        json!({
            "kind": "match_model", "version": 1, "prior": self.prior, "records": self.records,
            "rules": self.rules.written, "comparisons": comparisons, "passes": passes,
        })
    }

    /// Reads a model.
    ///
    /// # Errors
    /// Names what is wrong.
    pub fn from_json(value: &Value) -> Result<Self> {
        const FIELDS: &[&str] = &["kind", "version", "prior", "records", "rules", "comparisons", "passes"];
        let object = Object::of_kind("a model of fit_match_model", "match_model", value, FIELDS)?;
        let rules = Rules::from_json(object.get("rules").unwrap_or(&Value::Null))?;
        let list = object.list("comparisons")?.unwrap_or_default();
        if list.len() != rules.comparisons.len() {
            return Err(object.wrong("comparisons", "a list with one item for each comparison of the rules"));
        }
        let mut fields = Vec::with_capacity(list.len());
        for (at, item) in list.iter().enumerate() {
            let path = format!("comparisons[{at}]");
            let item = Object::open("model", &path, item)?;
            let levels = item.list("levels")?.unwrap_or_default();
            if levels.len() != rules.comparisons[at].levels.len() + 1 {
                return Err(
                    item.wrong("levels", "a list with one item for each level of the rules and one more")
                );
            }
            let mut field =
                Field { m: Vec::new(), u: Vec::new(), learned: true, frequency: Frequency::default() };
            for level in levels.iter().rev() {
                let level = Object::open("model", &item.path("levels"), level)?;
                field.m.push(level.need_number("m", 1e-30, 1.0)?);
                field.u.push(level.need_number("u", 1e-30, 1.0)?);
            }
            field.learned = item.get("learned") != Some(&Value::Bool(false));
            field.frequency = Frequency {
                collision: None,
                rest: item.number("rest", 1e-30, 1.0)?,
                frequent: frequent(&item)?,
            };
            fields.push(field);
        }
        Ok(Model {
            rules,
            fields,
            prior: object.need_number("prior", 1e-30, 1.0 - 1e-9)?,
            records: object.whole("records", 0, 1 << 50)?.unwrap_or(0),
            passes: Vec::new(),
        })
    }
}

/// The probability of a weight in bits.
#[must_use]
pub fn probability(bits: f64) -> f64 {
    1.0 / (1.0 + (-bits).exp2())
}
