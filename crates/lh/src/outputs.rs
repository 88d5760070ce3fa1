//! What a stack tells its user: values from state, and secrets only when asked for.

use lh_kind::{Observe, PriceBook};
use lh_model::{
    Output, OutputPart, Plaintext, Reference,
    value::{is_late, resolve, text_of},
};
use lh_plan::Estimate;
use lh_state::State;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use crate::{Error, Stack};

/// The output that the price list gives.
const COST: &str = "estimated_monthly_cost";

/// What may stand in the user-information part of a URL unencoded (RFC 3986, "unreserved").
const SECRET_IN_URL: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// One output.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutputValue {
    /// Its name.
    pub name: String,
    /// Its value; `None` for a secret that was not asked for.
    pub value: Option<String>,
}

/// All outputs whose values are known, in the order of the spec; secrets stay where they are.
pub(crate) fn all(stack: &Stack, state: &State, book: &dyn lh_kind::RuleBook) -> Vec<OutputValue> {
    let known = |output: &Output| {
        let sensitive = output.is_sensitive();
        let value = plain(output, state);
        (sensitive && is_known(output, state) || value.is_some())
            .then(|| OutputValue { name: output.name.clone(), value: value.filter(|_| !sensitive) })
    };
    let mut values: Vec<OutputValue> = stack.desired.outputs.iter().filter_map(known).collect();
    if !state.resources.is_empty() {
        values.push(OutputValue { name: COST.to_owned(), value: Some(cost(stack, state, book)) });
    }
    values
}

/// One output's value, with its secret fetched now if it has one.
pub(crate) async fn one(
    stack: &Stack,
    state: &State,
    cloud: &dyn Observe,
    name: &str,
) -> Result<Plaintext, Error> {
    if name == COST && !state.resources.is_empty() {
        return Ok(Plaintext::new(cost(stack, state, cloud.book())));
    }
    let known = |output: &&Output| output.name == name && is_known(output, state);
    let Some(output) = stack.desired.outputs.iter().find(known) else {
        let names: Vec<String> =
            all(stack, state, cloud.book()).into_iter().map(|value| value.name).collect();
        // What is retained costs something when all else is gone.
        let names = if names == [COST] { Vec::new() } else { names };
        let known = if names.is_empty() { "none yet; apply it first".to_owned() } else { names.join(", ") };
        return Err(Error::NoOutput { stack: stack.name().to_owned(), name: name.to_owned(), known });
    };
    let mut text = String::new();
    for part in &output.parts {
        match part {
            OutputPart::Value(value) => text.push_str(&text_of(&resolve(value, &|r| state.value_of(r)))),
            OutputPart::Secret(secret) => {
                let plaintext = cloud.reveal(secret).await?;
                text.extend(utf8_percent_encode(plaintext.expose(), SECRET_IN_URL));
            }
        }
    }
    Ok(Plaintext::new(text))
}

/// Whether every reference in the output has a value; what refers to nothing, such as a name in DNS,
/// is there as long as anything of the stack is.
fn is_known(output: &Output, state: &State) -> bool {
    let refers = |part: &OutputPart| matches!(part, OutputPart::Value(value) if is_late(value));
    let lives = || state.resources.values().any(|record| record.managed && !record.retained);
    (output.parts.iter().any(refers) || lives())
        && output.parts.iter().all(|part| match part {
            OutputPart::Secret(_) => true,
            OutputPart::Value(value) => {
                let value = resolve(value, &|reference: &Reference| state.value_of(reference));
                !is_late(&value) && !value.is_null()
            }
        })
}

fn plain(output: &Output, state: &State) -> Option<String> {
    let text = |part: &OutputPart| match part {
        OutputPart::Value(value) => text_of(&resolve(value, &|r| state.value_of(r))),
        OutputPart::Secret(_) => String::new(),
    };
    is_known(output, state).then(|| output.parts.iter().map(text).collect())
}

/// Dollars a month of everything recorded, by the price list.
fn cost(stack: &Stack, state: &State, book: &dyn lh_kind::RuleBook) -> String {
    let managed = state.resources.iter().filter(|(_, record)| record.managed);
    Estimate::of(managed.map(|(a, r)| (a, &r.inputs)), book, &PriceBook::of(stack.region())).text()
}
