//! Where a value stands in a file, so that an error met much later can point at it.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A place in a stack file. Lines and columns count from 1, in characters.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Origin {
    /// The file as the user named it, or a word such as `--set` for a value from elsewhere.
    pub file: String,
    /// Line, from 1.
    pub line: usize,
    /// Column, from 1.
    pub column: usize,
    /// How many characters the value covers on its line; at least 1.
    pub length: usize,
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}", self.file, self.line, self.column)
    }
}
