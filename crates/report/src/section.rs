//! A part of the report: what it is about, what it says in sentences, its pictures.

use crate::picture::{Picture, Table};

/// A part.
#[derive(Default)]
pub struct Section<'a> {
    /// Its title.
    pub title: String,
    /// What is looked at, in a sentence.
    pub about: String,
    /// What can be read from it.
    pub sentences: Vec<String>,
    /// Pictures.
    pub pictures: Vec<Picture<'a>>,
    /// Tables that are shown open, each with its title.
    pub tables: Vec<(String, Table)>,
    /// What goes to the top of the report.
    pub findings: Vec<Finding>,
    /// Why there is nothing to show.
    pub nothing: Option<String>,
}

/// Something worth knowing: what is seen, and what one could do.
#[derive(Debug, Clone)]
pub struct Finding {
    /// What is seen, with its figure.
    pub seen: String,
    /// What one could do.
    pub advice: String,
}
