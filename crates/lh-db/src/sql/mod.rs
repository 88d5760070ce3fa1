//! SQL as text: divided into statements, and looked through for what TimescaleDB refuses.

mod forms;
mod jobs;
mod lex;
mod lint;
mod rules;

pub use forms::{ConcurrentIndex, concurrent_index, is_repeatable};
pub use lex::{Flaw, Statement, Token, statements};
pub use lint::lint;
pub(crate) use lint::origin;
