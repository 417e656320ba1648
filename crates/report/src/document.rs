//! What a report is made of, read and made harmless.

use segmentation_core::base::error::{Error, Result};
use segmentation_core::base::language::Language;
use serde::Deserialize;
use serde_json::Value;

use crate::parts;
use crate::section::Section;
use crate::words::{Words, say};

/// The data of a report.
pub struct Document {
    /// Name of the workspace.
    pub workspace: String,
    /// The day of the data.
    pub as_of: Option<String>,
    /// How to write.
    pub words: Words,
    /// The parts, in order.
    pub parts: Vec<Part>,
}

/// A part, and why it has no data if it has none.
#[derive(Deserialize)]
pub struct Part {
    /// Its name.
    pub part: String,
    /// `shown`, `not_refreshed`, `no_right`, `missing`.
    pub state: String,
    /// The relation that is at fault.
    pub relation: Option<String>,
    /// Data as the part reads them.
    #[serde(default)]
    pub data: Value,
}

#[derive(Deserialize)]
struct Given {
    workspace: String,
    language: String,
    as_of: Option<String>,
    parts: Vec<Part>,
}

impl Document {
    /// Reads a document.
    ///
    /// # Errors
    /// It is not one.
    pub fn read(document: &Value) -> Result<Self> {
        let document = harmless(document);
        let given: Given = Given::deserialize(&document).map_err(|error| {
            Error::invalid("the data of a report are not in order").detail(format!("{error}."))
        })?;
        Ok(Self {
            workspace: given.workspace,
            as_of: given.as_of,
            words: Words { language: Language::parse(&given.language)? },
            parts: given.parts,
        })
    }

    /// The section of a part.
    ///
    /// # Errors
    /// No such part, or its data are not in order.
    pub fn section(&self, part: &Part) -> Result<Section<'static>> {
        let words = self.words;
        let mut section = parts::section(&part.part, &part.data, words)?;
        let relation = part.relation.as_deref().unwrap_or("?");
        let workspace = self.workspace.replace('\'', "''");
        match part.state.as_str() {
            "not_refreshed" => {
                section.nothing = Some(say!(
                    words,
                    "The views have never been refreshed: CALL refresh_views('{workspace}').",
                    "Les vues n’ont jamais été rafraîchies : CALL refresh_views('{workspace}')."
                ));
            }
            "no_right" => {
                section.nothing = Some(say!(
                    words,
                    "This is not shown: you have no right to read {relation}.",
                    "Ceci n’est pas montré : vous n’avez pas le droit de lire {relation}."
                ));
            }
            "missing" => {
                section.nothing = Some(say!(
                    words,
                    "This is not shown: {relation} is not there. SELECT upgrade_workspace('{workspace}').",
                    "Ceci n’est pas montré : {relation} n’existe pas. SELECT upgrade_workspace('{workspace}')."
                ));
            }
            _ if part.data.is_null() && section.nothing.is_none() => {
                section.nothing = Some(words.pick("There are no data.", "Il n’y a pas de données.").into());
            }
            _ => {}
        }
        Ok(section)
    }
}

/// A document without characters that HTML and XML may not have.
fn harmless(value: &Value) -> Value {
    match value {
        Value::String(text) => Value::String(clean(text)),
        Value::Array(items) => Value::Array(items.iter().map(harmless).collect()),
        Value::Object(fields) => {
            Value::Object(fields.iter().map(|(name, value)| (clean(name), harmless(value))).collect())
        }
        other => other.clone(),
    }
}

fn clean(text: &str) -> String {
    text.chars()
        .map(|c| match c {
            '\t' | '\n' | '\r' => ' ',
            '\u{0}'..='\u{1F}' | '\u{7F}'..='\u{9F}' | '\u{FFFE}' | '\u{FFFF}' => '\u{FFFD}',
            // What turns the direction of all that follows.
            '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}' => '\u{FFFD}',
            c => c,
        })
        .collect()
}
