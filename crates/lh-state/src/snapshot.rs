//! The snapshot's text: one JSON object that says what it is and proves that it is whole.
//!
//! `format` is the version of this layout, `lhctl` the version that wrote it, `sha256` the
//! digest of everything else. A damaged, truncated, foreign or newer text is refused.

use lh_model::identity::sha256;
use serde::Serialize;
use serde_json::Value;

use crate::State;

/// The layout's version.
pub const FORMAT: u64 = 1;

/// A text that cannot be used as a snapshot. The message says what to do.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SnapshotError {
    /// Empty.
    #[error("the state is empty")]
    Empty,
    /// Not JSON, or cut off.
    #[error("the state is damaged or cut off: {0}")]
    Damaged(String),
    /// JSON of something else.
    #[error("this is no state of lhctl: {0}")]
    Foreign(String),
    /// Written by a newer lhctl.
    #[error(
        "the state has format {found}, written by lhctl {by}; this lhctl reads up to format {FORMAT}: use that version or a newer one"
    )]
    Newer {
        /// Its format.
        found: u64,
        /// The version that wrote it.
        by: String,
    },
    /// The digest does not match the content.
    #[error("the state was changed by hand or damaged: its SHA-256 does not match its content")]
    Altered,
}

#[derive(Serialize)]
struct Snapshot<'a> {
    format: u64,
    lhctl: &'a str,
    #[serde(flatten)]
    state: &'a State,
}

/// The text of `state`, written by lhctl `version`.
///
/// # Errors
/// [`SnapshotError::Damaged`] if the state cannot be written as JSON, which no state is.
pub fn encode(state: &State, version: &str) -> Result<String, SnapshotError> {
    let damaged = |e: serde_json::Error| SnapshotError::Damaged(e.to_string());
    let mut value =
        serde_json::to_value(Snapshot { format: FORMAT, lhctl: version, state }).map_err(damaged)?;
    let digest = sha256(value.to_string().as_bytes());
    value["sha256"] = digest.into();
    let mut text = serde_json::to_string_pretty(&value).map_err(damaged)?;
    text.push('\n');
    Ok(text)
}

/// Reads what [`encode`] wrote.
///
/// # Errors
/// Says in which way the text is unusable; nothing is guessed.
pub fn decode(text: &str) -> Result<State, SnapshotError> {
    if text.trim().is_empty() {
        return Err(SnapshotError::Empty);
    }
    let mut value: Value = serde_json::from_str(text).map_err(|e| SnapshotError::Damaged(e.to_string()))?;
    let foreign = |why: &str| SnapshotError::Foreign(why.to_owned());
    let object = value.as_object_mut().ok_or_else(|| foreign("it is not a JSON object"))?;
    if object.contains_key("terraform_version") {
        return Err(foreign("it is a state of Terraform; take its resources over with `lhctl adopt`"));
    }
    let format = object.get("format").and_then(Value::as_u64);
    let found = format.ok_or_else(|| foreign("it has no `format`"))?;
    if found > FORMAT {
        let by = object.get("lhctl").and_then(Value::as_str).unwrap_or("unknown").to_owned();
        return Err(SnapshotError::Newer { found, by });
    }
    let digest = object.remove("sha256").ok_or_else(|| foreign("it has no `sha256`"))?;
    if digest.as_str() != Some(&sha256(value.to_string().as_bytes())) {
        return Err(SnapshotError::Altered);
    }
    serde_json::from_value(value).map_err(|e| SnapshotError::Damaged(e.to_string()))
}

#[cfg(test)]
mod tests {
    use lh_model::StackId;

    use super::*;

    fn text() -> String {
        let state = State::new("l".into(), StackId("lighthouse-dev".into()), "us-east-1".into());
        encode(&state, "0.1.0").unwrap()
    }

    #[test]
    fn a_snapshot_reads_back() {
        assert_eq!(decode(&text()).map(|s| s.lineage), Ok("l".to_owned()));
    }

    #[test]
    fn every_truncation_is_refused() {
        let text = text();
        for length in 0..text.trim_end().len() {
            assert!(decode(&text[..length]).is_err(), "{length} bytes were taken for a state");
        }
    }

    #[test]
    fn foreign_newer_and_altered_texts_are_told_apart() {
        assert_eq!(decode(&text().replace("us-east-1", "us-east-2")), Err(SnapshotError::Altered));
        assert!(matches!(
            decode("{\"format\": 9, \"lhctl\": \"3.0\"}"),
            Err(SnapshotError::Newer { found: 9, .. })
        ));
        assert!(matches!(decode("{\"terraform_version\": \"1.11\"}"), Err(SnapshotError::Foreign(_))));
        assert!(matches!(decode("[]"), Err(SnapshotError::Foreign(_))));
    }
}
