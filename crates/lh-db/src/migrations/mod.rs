//! Migrations: SQL files with a version each, run once, in order, and noted in the table
//! `_sqlx_migrations` as sqlx writes it, so that sqlx's own tools read it as theirs.

mod apply;
mod embedded;
mod files;
mod new;
mod note;
mod run;
mod standing;

use std::ops::Range;

use lh_model::Origin;
pub use run::{Force, Progress, RunOptions, run};
pub(crate) use standing::standing_in;
pub use standing::{Applied, Standing, State, status};

use crate::sql;

/// The table in which sqlx notes what was applied.
pub const TABLE: &str = "_sqlx_migrations";

/// One file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Migration {
    /// The number its name begins with; the order follows it.
    pub version: i64,
    /// The rest of its name, with spaces.
    pub description: String,
    /// The file, as it is shown.
    pub file: String,
    /// Its text.
    pub sql: String,
    /// SHA-384 of its text, as sqlx has it.
    pub checksum: Vec<u8>,
    /// Whether it begins with `-- no-transaction`.
    pub no_transaction: bool,
}

impl Migration {
    fn new(version: i64, description: String, file: String, sql: String) -> Self {
        let checksum = files::checksum(&sql);
        let no_transaction = sql.starts_with("-- no-transaction");
        Self { version, description, file, sql, checksum, no_transaction }
    }

    /// The place of these bytes of the text.
    pub(crate) fn origin(&self, span: Range<usize>) -> Origin {
        sql::origin(&self.file, &self.sql, span)
    }
}

/// All migrations of a database, by version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Migrations {
    /// The migrations.
    pub all: Vec<Migration>,
    /// Where they are, for messages: `inside lhctl`, or `in` a folder.
    pub place: String,
    /// Whether they are the ones of the reference stack, whose schema `verify` knows.
    pub reference: bool,
    /// Whether nobody named them: they are not run into a database that others use.
    pub guessed: bool,
    /// Whether others share the database: what was run and has no file here is passed over.
    pub shared: bool,
}
