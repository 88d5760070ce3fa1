//! JSON for programs; its layout is described in `docs/json.md`.

use lh::{Headline, Plan};
use serde_json::{Value, json};

/// A plan, with its headline, counts and operations spelled out.
pub(crate) fn plan(plan: &Plan) -> Value {
    let mut value = json!(plan);
    let (added, changed, destroyed) = plan.counts();
    value["headline"] = json!(Headline::of(plan, &lh::holds_data));
    value["counts"] = json!({ "added": added, "changed": changed, "destroyed": destroyed });
    value["operations"] = json!(plan.calls());
    value
}
