//! The stack file that `lhctl init` writes: every option in it, explained.

use lh_model::Diagnostic;

use crate::{
    checks::{flaw, names},
    codes,
    sections::LONGEST_ID,
};

/// Words that end a name such as `lighthouse-prod` as its environment.
const ENVIRONMENTS: [&str; 10] =
    ["dev", "development", "test", "qa", "stage", "staging", "prod", "production", "demo", "sandbox"];

/// A commented stack file that loads without errors. `lighthouse` gets the environment `dev`;
/// `lighthouse-prod` is the stack `lighthouse` in the environment `prod`.
///
/// # Errors
/// When `name` has characters that a stack's name cannot have, or is too long.
#[allow(clippy::result_large_err)] // Made once, for a person to read.
pub fn new_stack_file(name: &str) -> Result<String, Diagnostic> {
    names::stack_word(name).map_err(|finding| *finding)?;
    let (name, environment) = match name.rsplit_once('-') {
        Some((name, environment)) if ENVIRONMENTS.contains(&environment) => (name, environment),
        _ => (name, "dev"),
    };
    if name.len() + 1 + environment.len() > LONGEST_ID {
        let message = format!("The stack's name `{name}-{environment}` is too long");
        let reason = format!("It begins every AWS name; with {LONGEST_ID} characters all of them fit");
        return Err(*flaw(codes::STACK_NAME_LENGTH, message, reason, "Choose a shorter name."));
    }
    let database = format!("{name}_{environment}").replace('-', "_");
    let fill = |line: &str| {
        line.replace("@NAME@", name).replace("@ENVIRONMENT@", environment).replace("@DATABASE@", &database)
    };
    Ok(fill(include_str!("template.yaml")))
}
