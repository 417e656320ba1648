//! Credentials: from the environment only, and never shown.

use std::fmt;

/// Something that must not be shown.
#[derive(Clone)]
pub struct Secret(String);

impl Secret {
    /// Keeps a text.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The text itself, for the one place that sends it.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("(secret)")
    }
}

/// Where settings of the environment come from: the process, or a test.
pub trait Environment {
    /// A variable, if it is set and not empty.
    fn get(&self, name: &str) -> Option<String>;
}

/// The process's own environment.
pub struct ProcessEnvironment;

impl Environment for ProcessEnvironment {
    fn get(&self, name: &str) -> Option<String> {
        std::env::var(name).ok().map(|v| v.trim().to_owned()).filter(|v| !v.is_empty())
    }
}

impl Environment for std::collections::HashMap<String, String> {
    fn get(&self, name: &str) -> Option<String> {
        std::collections::HashMap::get(self, name).map(|v| v.trim().to_owned()).filter(|v| !v.is_empty())
    }
}

/// A variable that must be set.
pub fn required(environment: &dyn Environment, name: &str) -> Result<String, String> {
    environment.get(name).ok_or_else(|| format!("the environment variable {name} is not set"))
}

/// Replaces every secret in a text: answers of servers repeat what they were sent.
#[derive(Clone, Default)]
pub struct Redactor(Vec<String>);

impl Redactor {
    /// Learns a secret. Very short ones would redact everything, and are no secrets.
    pub fn learn(&mut self, secret: &Secret) {
        if secret.0.len() >= 4 && !self.0.contains(&secret.0) {
            self.0.push(secret.0.clone());
            // The longest first: one may lie within another.
            self.0.sort_by_key(|s| std::cmp::Reverse(s.len()));
        }
    }

    /// The text without secrets.
    pub fn clean(&self, text: &str) -> String {
        self.0.iter().fold(text.to_owned(), |text, secret| text.replace(secret.as_str(), "(secret)"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_not_shown() {
        let secret = Secret::new("hunter2hunter2");
        assert_eq!(format!("{secret:?}"), "(secret)");
        let mut redactor = Redactor::default();
        redactor.learn(&Secret::new("hunter2"));
        redactor.learn(&secret);
        assert_eq!(redactor.clean("token hunter2hunter2 and hunter2"), "token (secret) and (secret)");
    }

    #[test]
    fn an_empty_variable_is_none() {
        let environment = std::collections::HashMap::from([("A".to_owned(), "  ".to_owned())]);
        assert_eq!(required(&environment, "A"), Err("the environment variable A is not set".to_owned()));
    }
}
