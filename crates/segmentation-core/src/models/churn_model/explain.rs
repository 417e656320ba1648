//! Why a customer's probability is what it is, against the average customer.

use super::features::{FeatureValue, Features};
use super::model::{ChurnModel, Kind};
use crate::base::error::Result;
use crate::base::language::Language;

/// What one feature does to a customer's odds.
#[derive(Debug, Clone, PartialEq)]
pub struct Contribution {
    /// The feature.
    pub feature: String,
    /// Its value; `None` if it is missing.
    pub value: Option<String>,
    /// Log-odds above the average customer's.
    pub contribution: f64,
    /// In words.
    pub words: String,
}

/// A number for people: three digits, or all of them if it is whole.
pub(crate) fn number(x: f64, language: Language) -> String {
    let text = if (x.fract() == 0.0 && x.abs() < 1e15) || x.abs() >= 1000.0 {
        format!("{x:.0}")
    } else if x.abs() >= 0.01 {
        let digits = (2 - x.abs().log10().floor() as i32).clamp(0, 4) as usize;
        let text = format!("{x:.digits$}");
        if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text }
    } else {
        format!("{x:.2e}")
    };
    if language == Language::French { text.replace('.', ",") } else { text }
}

/// What a feature does to the odds of churn, in words.
pub(crate) fn sentence(
    feature: &str,
    value: Option<&str>,
    average: Option<f64>,
    contribution: f64,
    language: Language,
) -> String {
    let times = contribution.abs().exp();
    let what = match (value, language) {
        (Some(value), Language::English) => match average {
            Some(mean) => format!("{feature} is {value} (average {})", number(mean, language)),
            None => format!("{feature} is {value}"),
        },
        (Some(value), Language::French) => match average {
            Some(mean) => format!("{feature} vaut {value} (moyenne {})", number(mean, language)),
            None => format!("{feature} vaut {value}"),
        },
        (None, Language::English) => format!("{feature} is not known"),
        (None, Language::French) => format!("{feature} n'est pas connu"),
    };
    let effect = match (contribution.abs() < 0.01, contribution > 0.0, language) {
        (true, _, Language::English) => "makes hardly a difference".to_owned(),
        (true, _, Language::French) => "ne change presque rien".to_owned(),
        (_, true, Language::English) => format!("raises the odds of churn {} times", number(times, language)),
        (_, false, Language::English) => {
            format!("lowers the odds of churn {} times", number(times, language))
        }
        (_, true, Language::French) => format!("multiplie la cote de départ par {}", number(times, language)),
        (_, false, Language::French) => format!("divise la cote de départ par {}", number(times, language)),
    };
    match language {
        Language::English => format!("{what}: {effect}"),
        Language::French => format!("{what} : {effect}"),
    }
}

impl ChurnModel {
    /// What each feature contributes against the average customer, the strongest first.
    ///
    /// Contributions and the average customer's log-odds sum to the log-odds of this customer.
    ///
    /// # Errors
    /// As [`ChurnModel::log_odds`].
    pub fn explain(&self, features: &Features, language: Language) -> Result<Vec<Contribution>> {
        self.log_odds(features)?;
        let mut list = Vec::with_capacity(self.features.len());
        for feature in &self.features {
            let value = features.get(&feature.name).unwrap_or(&FeatureValue::Missing);
            let contribution = feature.adds(value)? - feature.average();
            let shown = match value {
                FeatureValue::Number(x) => Some(number(*x, language)),
                FeatureValue::Boolean(b) => Some(
                    match (b, language) {
                        (true, Language::English) => "true",
                        (false, Language::English) => "false",
                        (true, Language::French) => "vrai",
                        (false, Language::French) => "faux",
                    }
                    .to_owned(),
                ),
                FeatureValue::Text(text) => Some(text.to_string()),
                FeatureValue::Missing | FeatureValue::Nested => None,
            };
            let average = (feature.kind == Kind::Number).then_some(feature.mean);
            let words = sentence(&feature.name, shown.as_deref(), average, contribution, language);
            list.push(Contribution { feature: feature.name.clone(), value: shown, contribution, words });
        }
        list.sort_by(|a, b| b.contribution.abs().total_cmp(&a.contribution.abs()));
        Ok(list)
    }
}
