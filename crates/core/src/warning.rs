//! Warnings are data: collected while fitting, kept with the result, shown in reports. Nothing is printed.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Something that a person should know, and that did not stop the work.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Warning {
    /// Where: the path of the stage, for example `fold 2/impute`.
    pub at: String,
    /// What.
    pub what: String,
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.at.is_empty() { f.write_str(&self.what) } else { write!(f, "{}: {}", self.at, self.what) }
    }
}
