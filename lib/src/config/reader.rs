//! Reading one variable after the other, and remembering every problem instead of stopping at the first.

use std::fmt;

use super::variables::Variable;
use crate::secret::{Passphrase, Secret};

/// One thing that is wrong with the configuration: names the variable and the remedy, never the value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The variable, under the name by which it was set (its first name when it was not).
    pub variable: &'static str,
    /// What is wrong and what to do about it, to be read after the name.
    pub message: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.variable, self.message)
    }
}

/// Everything that is wrong with the configuration, so that it is mended in one go.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub struct ConfigErrors(pub Vec<Problem>);

impl fmt::Display for ConfigErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the configuration is not usable:")?;
        self.0.iter().try_for_each(|problem| write!(f, "\n- {problem}"))
    }
}

/// The lookup, and the problems so far.
pub(super) struct Reader<'a> {
    lookup: &'a dyn Fn(&str) -> Option<String>,
    problems: Vec<Problem>,
}

impl<'a> Reader<'a> {
    pub(super) fn new(lookup: &'a dyn Fn(&str) -> Option<String>) -> Self {
        Self {
            lookup,
            problems: Vec::new(),
        }
    }

    /// A variable that is the environment's and not ours, such as `HOME`.
    pub(super) fn ambient(&self, name: &str) -> Option<String> {
        (self.lookup)(name).filter(|value| !value.is_empty())
    }

    /// The trimmed value and the name it was set by; an empty one counts as absent. Kept in a secret type whatever
    /// it is, so that it is wiped.
    fn value(&self, variable: Variable) -> Option<(&'static str, Passphrase)> {
        variable.names().find_map(|name| {
            let value = Passphrase::from_plain((self.lookup)(name)?);
            let trimmed = value.expose().trim();
            (!trimmed.is_empty()).then(|| (name, Passphrase::from_plain(trimmed.to_owned())))
        })
    }

    /// Whether there is a value, good or bad.
    pub(super) fn is_set(&self, variable: Variable) -> bool {
        self.value(variable).is_some()
    }

    /// The value as `parse` understands it; what `parse` complains about becomes a problem.
    pub(super) fn parsed<T, E: ToString>(
        &mut self,
        variable: Variable,
        parse: impl FnOnce(&str) -> Result<T, E>,
    ) -> Option<T> {
        let (name, value) = self.value(variable)?;
        match parse(value.expose()) {
            Ok(parsed) => Some(parsed),
            Err(message) => {
                self.problems.push(Problem {
                    variable: name,
                    message: message.to_string(),
                });
                None
            }
        }
    }

    /// Like [`parsed`](Self::parsed), with a value for when there is none. `None` still means: there is a problem.
    pub(super) fn parsed_or<T, E: ToString>(
        &mut self,
        variable: Variable,
        default: impl FnOnce() -> T,
        parse: impl FnOnce(&str) -> Result<T, E>,
    ) -> Option<T> {
        if self.is_set(variable) {
            self.parsed(variable, parse)
        } else {
            Some(default())
        }
    }

    /// The value as it is.
    pub(super) fn text(&mut self, variable: Variable) -> Option<String> {
        self.parsed(variable, |value| Ok::<_, String>(value.to_owned()))
    }

    /// A secret somebody else made: any length is right.
    pub(super) fn secret<S: Secret>(&mut self, variable: Variable) -> Option<S> {
        self.strong_secret(variable, 1)
    }

    /// A secret that has to withstand guessing.
    pub(super) fn strong_secret<S: Secret>(&mut self, variable: Variable, bytes_min: usize) -> Option<S> {
        self.parsed(variable, |value| {
            if value.len() < bytes_min {
                return Err(format!(
                    "is shorter than {bytes_min} characters; make one with `openssl rand -base64 32`"
                ));
            }
            Ok(S::from_plain(value.to_owned()))
        })
    }

    /// Notes a problem with how `variable` goes with the rest.
    pub(super) fn refuse(&mut self, variable: Variable, message: impl Into<String>) {
        let variable = self.value(variable).map_or(variable.name, |(name, _)| name);
        self.problems.push(Problem {
            variable,
            message: message.into(),
        });
    }

    /// `parsed`, unless there was a problem; where it is missing, there was one.
    pub(super) fn finish<T>(self, parsed: Option<T>) -> Result<T, ConfigErrors> {
        match parsed {
            Some(parsed) if self.problems.is_empty() => Ok(parsed),
            _ => Err(ConfigErrors(self.problems)),
        }
    }
}
