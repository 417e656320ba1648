//! Changes of attributes: which of them mean something in a life, by a mapping that is data.

use serde_json::{Value, json};

use super::moment::{LifeMoment, date, days_option, share};
use crate::base::day::{self, Day};
use crate::base::error::{Error, Result};
use crate::base::json::Object;
use crate::base::spelling::{fold, same_value};

/// How a value has to change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Change {
    Changed,
    Increased,
    Decreased,
}

/// What a change of an attribute means.
#[derive(Debug, Clone, PartialEq)]
struct AttributeRule {
    attributes: Vec<String>,
    moment: String,
    company: Option<bool>,
    change: Change,
    /// Values that the new one has to be among; a star at the end stands for any end. Empty: any.
    new: Vec<String>,
    least: Option<f64>,
    days: Day,
    before: Day,
    confidence: f64,
}

/// Rules by which changes of attributes become life moments: the first that fits counts.
#[derive(Debug, Clone, PartialEq)]
pub struct AttributeMapping {
    rules: Vec<AttributeRule>,
}

/// The mapping that is used when none is given.
#[must_use]
pub fn default_mapping() -> Value {
    json!([
        { "attribute": ["postcode", "city", "address"], "company": true, "moment": "company_move", "days": 90 },
        { "attribute": ["siret", "head_office"], "moment": "company_move", "days": 90 },
        { "attribute": ["postcode", "city", "address"], "moment": "moving", "days": 90 },
        { "attribute": ["children"], "change": "increased", "moment": "birth", "days": 365 },
        { "attribute": ["household_size"], "change": "increased", "least": 3, "moment": "birth", "days": 365 },
        { "attribute": ["marital_status", "civil_status"],
          "new": ["married", "marri\u{e9}*", "mari\u{e9}*", "remari*", "remarri*", "pacs*", "civil_partner*"], "moment": "marriage", "days": 60 },
        { "attribute": ["marital_status", "civil_status"],
          "new": ["separated", "divorced", "widow*", "s\u{e9}par\u{e9}*", "divorc\u{e9}*", "veuf", "veuve"],
          "moment": "separation", "days": 180 },
        { "attribute": ["occupation_code", "occupation"], "new": ["7*", "retired", "retrait\u{e9}*"],
          "moment": "retirement", "days": 180 },
        { "attribute": ["decision_maker", "buyer", "main_contact", "contact"], "moment": "new_decision_maker", "days": 90 },
    ])
}

impl AttributeMapping {
    /// Reads a mapping: a list of at most 1,000 rules, of which the first that fits counts.
    ///
    /// * `attribute`: a name or a list of names
    /// * `moment`: the code
    /// * `company`: only of companies, or only of people
    /// * `change`: `changed` (default), `increased` or `decreased`, as numbers
    /// * `new`: values that the new one has to be among; a star at the end stands for any end
    /// * `least`: the new value as a number, at least
    /// * `days`: how long the moment lasts from the change (90); `before`: by how many days it begins earlier (0)
    /// * `confidence`: 0 to 1 (0.9)
    ///
    /// # Errors
    /// Names the field that is wrong or unknown.
    pub fn from_json(value: &Value) -> Result<Self> {
        let list = value
            .as_array()
            .filter(|list| list.len() <= 1000)
            .ok_or_else(|| Error::invalid("mapping must be a list of at most 1000 rules"))?;
        let rules = list.iter().enumerate().map(|(i, rule)| AttributeRule::read(i, rule));
        Ok(Self { rules: rules.collect::<Result<_>>()? })
    }
}

impl Default for AttributeMapping {
    fn default() -> Self {
        // A test reads it; without rules nothing would be found.
        Self::from_json(&default_mapping()).unwrap_or(Self { rules: Vec::new() })
    }
}

impl AttributeRule {
    fn read(i: usize, value: &Value) -> Result<Self> {
        let known =
            &["attribute", "moment", "company", "change", "new", "least", "days", "before", "confidence"];
        let object = Object::new("mapping", &format!("[{i}]"), value, known)?;
        let texts = |key: &str| -> Result<Vec<String>> {
            match object.get(key) {
                None => Ok(Vec::new()),
                Some(Value::String(text)) => Ok(vec![text.clone()]),
                Some(Value::Array(list)) if list.iter().all(Value::is_string) => {
                    Ok(list.iter().filter_map(Value::as_str).map(str::to_owned).collect())
                }
                Some(_) => Err(object.wrong(key, "a text or a list of texts")),
            }
        };
        let attributes = texts("attribute")?;
        if attributes.is_empty() {
            return Err(object.wrong("attribute", "a text or a list of texts"));
        }
        let company = match object.get("company") {
            None => None,
            Some(Value::Bool(company)) => Some(*company),
            Some(_) => return Err(object.wrong("company", "true or false")),
        };
        Ok(Self {
            attributes,
            moment: object.need_text("moment")?.to_owned(),
            company,
            change: match object.text("change")?.unwrap_or("changed") {
                "changed" => Change::Changed,
                "increased" => Change::Increased,
                "decreased" => Change::Decreased,
                _ => return Err(object.wrong("change", "changed, increased or decreased")),
            },
            new: texts("new")?,
            least: object.number("least", -1e15, 1e15)?,
            days: days_option(&object, "days", 1, 36_500, 90)?,
            before: days_option(&object, "before", 0, 36_500, 0)?,
            confidence: share(&object, "confidence", 0.9)?,
        })
    }

    /// Whether it is about such a change; `folded` is the new value in small letters without accents.
    fn fits(&self, attribute: &str, old: &str, (new, folded): (&str, &str), company: bool) -> bool {
        // What is longer is no number that anybody wrote.
        let number = |text: &str| {
            let text = Some(text.trim()).filter(|text| text.len() <= 400)?;
            text.parse::<f64>().ok().filter(|n| n.is_finite())
        };
        let moved = match (self.change, number(old), number(new)) {
            (Change::Changed, _, _) => true,
            (Change::Increased, Some(old), Some(new)) => new > old,
            (Change::Decreased, Some(old), Some(new)) => new < old,
            _ => false,
        };
        let among = |value: &str| {
            self.new.iter().any(|pattern| match pattern.strip_suffix('*') {
                Some(start) => value.starts_with(&fold(start)),
                None => value == fold(pattern),
            })
        };
        // A wrong letter put right, or another form of the same word: marrié, marié, Married.
        let same_word = |old: &str| among(old) && old.chars().take(3).eq(folded.chars().take(3));
        self.attributes.iter().any(|a| a == attribute)
            && self.company.is_none_or(|wanted| wanted == company)
            && moved
            && (self.new.is_empty() || among(folded) && !same_word(&fold(old.trim())))
            && self.least.is_none_or(|least| number(new).is_some_and(|n| n >= least))
    }
}

/// A row of a history of attributes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct AttributeChange<'a> {
    /// Which.
    pub attribute: &'a str,
    /// When.
    pub changed_on: Day,
    /// From; `None` if it was not known, which makes the row no change.
    pub old_value: Option<&'a str>,
    /// To.
    pub new_value: Option<&'a str>,
    /// Whether the customer is a company.
    pub is_company: bool,
}

/// What a change of an attribute means, and whether that is on. A value learnt for the first time, or
/// lost, is no change, nor is one that is only written otherwise ([`same_value`]).
///
/// # Errors
/// A day out of range.
pub fn attribute_moment(
    change: AttributeChange,
    as_of: Day,
    mapping: &AttributeMapping,
) -> Result<LifeMoment> {
    let on = day::check(change.changed_on)?;
    day::check(as_of)?;
    let nothing = || LifeMoment::nothing("none", json!({ "attribute": change.attribute }), None);
    let (Some(old), Some(new)) = (change.old_value, change.new_value) else { return Ok(nothing()) };
    if old.trim().is_empty() || new.trim().is_empty() || same_value(old, new) {
        return Ok(nothing());
    }
    if on > as_of {
        // Not known yet.
        return Ok(LifeMoment { next_change: Some(on), ..nothing() });
    }
    let folded = fold(new.trim());
    let rule =
        mapping.rules.iter().find(|r| r.fits(change.attribute, old, (new, &folded), change.is_company));
    let Some(rule) = rule else { return Ok(nothing()) };
    let evidence = json!({
        "attribute": change.attribute, "changed_on": date(on), "old_value": old, "new_value": new,
    });
    let span = (on.saturating_sub(rule.before), on.saturating_add(rule.days - 1));
    Ok(LifeMoment::between(rule.moment.clone(), span, as_of, rule.confidence, evidence))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attributes() {
        let mapping = AttributeMapping::default();
        assert_eq!(mapping.rules.len(), default_mapping().as_array().unwrap().len());
        let code = |attribute, old, new, is_company| {
            let change = AttributeChange {
                attribute,
                changed_on: 100,
                old_value: Some(old),
                new_value: Some(new),
                is_company,
            };
            attribute_moment(change, 110, &mapping).unwrap().moment.into_owned()
        };
        assert_eq!(code("postcode", "75001", "69001", false), "moving");
        assert_eq!(code("postcode", "75001", "69001", true), "company_move");
        assert_eq!(code("household_size", "2", "3", false), "birth");
        assert_eq!(code("household_size", "10", "9", false), "none");
        assert_eq!(code("marital_status", "single", "Married", false), "marriage");
        assert_eq!(code("marital_status", "married", "divorcée", false), "separation");
        assert_eq!(code("occupation_code", "37", "74", false), "retirement");
        assert_eq!(code("main_contact", "Ada", "Grace", true), "new_decision_maker");
        assert_eq!(code("postcode", "", "69001", false), "none");
        assert_eq!(code("marital_status", "pacsé", "marié", false), "marriage");
        assert_eq!(code("marital_status", "divorcee", "remariée", false), "marriage");
        for (attribute, old, new) in [
            ("marital_status", "Married", "MARRIED"),
            ("marital_status", "marrié", "Marié"),
            ("marital_status", "married", "marié"),
            ("city", "Paris", "PARIS"),
            ("city", "Paris", "Paris "),
            ("city", "Saint-Étienne", "ST ETIENNE"),
            ("postcode", "06000", "6000"),
            ("postcode", " ", "6000"),
            ("siret", "73282932000074", "732 829 320 00074"),
            ("contact", "A. Petit", "A. PETIT"),
        ] {
            for is_company in [false, true] {
                assert_eq!(code(attribute, old, new, is_company), "none", "{attribute} {old} {new}");
            }
        }
    }
}
