//! What becomes of a recorded resource that the stack file no longer asks for.

use lh_kind::{AnyRules, Seen};
use lh_model::Address;
use lh_state::{Record, State};

use super::Verdict;
use crate::{Act, Note, draft::Draft, drift};

/// Records that the spec no longer wants.
pub(crate) fn judge_leftover(
    draft: &Draft<'_>,
    address: &Address,
    record: &Record,
    state: &State,
) -> Verdict {
    let found = match draft.observed.resources.get(address) {
        Some(Seen::Found(found)) => found,
        Some(Seen::Unreadable(error)) => return Verdict::unreadable(draft, address, error),
        _ => {
            let mut step = draft.record_step(Act::Forget, address, record);
            step.reason = format!("{} is gone.", record.id);
            let drift = vec![drift::of_lost(address, record, false)];
            return Verdict { drift, ..Verdict::step(false, step) };
        }
    };
    let holds_data = draft.book.rules(address.kind()).is_none_or(AnyRules::holds_data);
    let kept = |text: String| Note { address: Some(address.clone()), text };
    if !record.managed {
        let mut step = draft.record_step(Act::Forget, address, record);
        step.reason = "It existed before this stack: it is left as it is.".to_owned();
        return Verdict::step(false, step);
    }
    if holds_data {
        let note = kept(format!(
            "{} is no longer in the spec but holds data: it is retained. To give it up, use `lhctl release`.",
            record.id
        ));
        if record.retained {
            return Verdict { notes: vec![note], ..Verdict::nothing(true) };
        }
        let mut step = draft.record_step(Act::Retain, address, record).of(found);
        step.reason = "It left the spec but holds data.".to_owned();
        return Verdict { notes: vec![note], ..Verdict::step(true, step) };
    }
    if let Some(why) = draft.expires(address, found) {
        let mut step = draft.record_step(Act::Forget, address, record);
        step.reason.clone_from(&why);
        return Verdict { notes: vec![kept(why)], ..Verdict::step(false, step) };
    }
    let mut step = draft.delete_step(address, found);
    step.reason = format!("The stack file of {} no longer asks for it.", state.stack);
    Verdict::step(false, step)
}
