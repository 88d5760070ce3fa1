//! `lhctl schema`: the JSON Schema of stack files.

use crate::failure::{Code, Failure};

/// Prints it.
pub(crate) fn run() -> Result<Code, Failure> {
    crate::say::outln!("{:#}", lh::stack_file_schema());
    Ok(Code::Done)
}
