//! `lhctl schema`: the JSON Schema of stack files.

use crate::failure::{Code, Failure};

/// Prints it.
pub(crate) fn run() -> Result<Code, Failure> {
    anstream::println!("{:#}", lh::stack_file_schema());
    Ok(Code::Done)
}
