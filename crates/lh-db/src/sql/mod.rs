//! SQL as text: divided into statements, and looked through for what TimescaleDB refuses.

mod jobs;
mod lex;
mod lint;
mod rules;

pub use lex::{Flaw, Statement, Token, statements};
pub use lint::lint;
pub(crate) use lint::origin;
pub use rules::is_repeatable;
