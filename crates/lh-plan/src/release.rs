//! The release planner: giving up one resource, kept unmanaged or deleted, after the checks that
//! keep data from being lost by accident.

use lh_kind::{AnyRules, Backup, Effect, FieldDiff, Found, Mutability, PriceBook, RuleBook, Seen};
use lh_model::{Address, Desired, Diagnostic};
use lh_state::{Record, State};
use serde_json::Value;

use crate::{
    Act, Estimate, Mode, Observed, Plan, StepId,
    draft::{Draft, note},
    order,
};

/// The tags by which a stack knows what it owns.
const OWNERSHIP: [&str; 3] = ["lhctl:stack", "lhctl:resource", "lhctl:id"];

/// What is to be given up, and how.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Release {
    /// Which resource.
    pub address: Address,
    /// Whether it is deleted; otherwise it stays, and belongs to nobody.
    pub delete: bool,
    /// Whether it is deleted though no backup of it was found.
    pub without_backup: bool,
}

/// The plan that gives up one resource. `backups` are those that AWS shows of it.
pub fn plan_release(
    desired: &Desired,
    observed: &Observed,
    state: &State,
    book: &dyn RuleBook,
    release: &Release,
    backups: &[Backup],
) -> Plan {
    let draft = Draft { desired, observed, state, book, recovering: false, targets: &[] };
    let mut plan = draft.empty(Mode::Release { delete: release.delete });
    match subject(&draft, &release.address) {
        Err(refusal) => plan.refusals.push(*refusal),
        Ok((record, found)) => {
            let refusals = objections(&draft, release, record, found, backups);
            plan.refusals.extend(refusals);
            match release.delete {
                true => delete(&draft, &mut plan, release, found, backups),
                false => keep(&draft, &mut plan, &release.address, record, found),
            }
        }
    }
    let stays =
        state.resources.iter().filter(|(address, record)| record.managed && **address != release.address);
    plan.cost_after = Estimate::of(stays.map(|(a, r)| (a, &r.inputs)), book, &PriceBook::of(&desired.region));
    order::sort(&mut plan, book);
    plan
}

fn subject<'a>(draft: &'a Draft<'_>, address: &Address) -> Result<(&'a Record, &'a Found), Box<Diagnostic>> {
    let stack = &draft.desired.stack;
    let record = draft.state.resources.get(address).ok_or_else(|| {
        Diagnostic::error("E0631", format!("the state of {stack} has no {address}"))
            .because("Only what this stack records, retained or not, can be released.")
            .fix("`lhctl state list STACK` shows every address.")
    })?;
    match draft.observed.resources.get(address) {
        Some(Seen::Found(found)) => Ok((record, found)),
        Some(Seen::Unreadable(error)) => Err(Box::new(draft.unreadable(address, error))),
        _ => Err(Box::new(
            Diagnostic::error("E0631", format!("AWS shows no {address} ({}) any more", record.id))
                .because("There is nothing to release.")
                .fix("`lhctl apply STACK` drops it from the state, or makes it anew if the stack file asks for it."),
        )),
    }
}

/// What speaks against it.
fn objections(
    draft: &Draft<'_>,
    release: &Release,
    record: &Record,
    found: &Found,
    backups: &[Backup],
) -> Vec<Diagnostic> {
    let (address, mut all) = (&release.address, Vec::new());
    if draft.desired.protect && release.delete {
        all.push(
            Diagnostic::error("E0620", format!("{} is protected", draft.desired.stack))
                .because("Its stack file says `protect: true`.")
                .fix("Set `protect: false` and release again; or release it with --keep, which deletes nothing."),
        );
    }
    if release.delete && !record.managed {
        all.push(
            Diagnostic::error("E0632", format!("{} existed before this stack", found.id))
                .because("What the stack did not make, it does not delete.")
                .fix("Release it with --keep, and delete it by hand if it is to go."),
        );
    }
    let users = users(draft, address);
    let attached = found.facts.get("state").and_then(Value::as_str) == Some("in-use");
    if !users.is_empty() || (attached && release.delete) {
        let why = match users.is_empty() {
            true => format!("AWS shows {} as attached.", found.id),
            false => format!("{} need it.", users.join(", ")),
        };
        all.push(
            Diagnostic::error("E0633", format!("{address} ({}) is in use", found.id)).because(why).fix(
                "Take it out of use first: remove it from the stack file and apply; or `lhctl destroy STACK --retain-data`, which removes the rest and keeps what holds data. Then release it.",
            ),
        );
    }
    let holds_data = draft.book.rules(address.kind()).is_none_or(AnyRules::holds_data);
    if release.delete && holds_data && !release.without_backup && newest(backups).is_none() {
        let seen = match backups.len() {
            0 => "AWS shows no backup of it.".to_owned(),
            n => format!("Of its {n} backups none is complete."),
        };
        all.push(
            Diagnostic::error("E0634", format!("no verified backup of {address} ({}) was found", found.id))
                .because(format!(
                    "{seen} A completed EBS snapshot of the volume counts, whoever made it: AWS Backup's recovery points of volumes are such snapshots. For other kinds nothing counts."
                ))
                .fix("Make a backup and wait until it is complete; or, to lose the data, add --without-backup."),
        );
    }
    all
}

/// What is recorded, exists, and needs it.
fn users(draft: &Draft<'_>, address: &Address) -> Vec<String> {
    let needs = draft.state.resources.iter().filter(|(_, record)| record.needs.contains(address));
    let living = needs.filter(|(user, _)| draft.observed.found(user).is_some());
    living.map(|(user, _)| user.to_string()).collect()
}

fn newest(backups: &[Backup]) -> Option<&Backup> {
    backups.iter().filter(|backup| backup.complete).max_by_key(|backup| backup.at)
}

fn delete(draft: &Draft<'_>, plan: &mut Plan, release: &Release, found: &Found, backups: &[Backup]) {
    let address = &release.address;
    let mut step = draft.delete_step(address, found);
    step.reason = "It is released, to be deleted.".to_owned();
    step.effect = Effect::Replace;
    plan.steps.push(step);
    let holds_data = draft.book.rules(address.kind()).is_none_or(AnyRules::holds_data);
    match newest(backups) {
        Some(backup) => plan.notes.push(note(
            address,
            format!(
                "{} is its newest complete backup, and stays. What was written after it is lost.",
                backup.id
            ),
        )),
        None if holds_data => plan.notes.push(note(address, "it has no backup: its data is lost for good.")),
        None => {}
    }
    if is_wanted(draft, address) {
        plan.notes.push(note(
            address,
            "the stack file asks for it: the next apply makes a new one, which is empty.",
        ));
    }
}

/// Takes the ownership tags off where the kind has tags, and forgets it.
fn keep(draft: &Draft<'_>, plan: &mut Plan, address: &Address, record: &Record, found: &Found) {
    let rules = draft.book.rules(address.kind());
    let fields = rules.map(AnyRules::fields).unwrap_or_default();
    let tagged = fields.iter().any(|field| field.name == "tags" && field.change == Mutability::Online);
    let mut forget = draft.record_step(Act::Forget, address, record);
    forget.reason = "It is released, to be kept: it belongs to nobody.".to_owned();
    if tagged && record.managed {
        let mut untag = draft.record_step(Act::Update, address, record).of(found);
        untag.reason = "It stays, without the tags of this stack.".to_owned();
        let owned = OWNERSHIP.iter().map(|tag| goes(tag, owned(tag, draft, address, record).into()));
        let marks = rules.map(AnyRules::marks).unwrap_or_default().iter();
        let shown = |field: &str| found.facts.get(field).cloned().unwrap_or_default();
        untag.changes = owned.chain(marks.map(|(tag, field)| goes(tag, shown(field)))).collect();
        forget.requires.insert(StepId::new(Act::Update, address));
        plan.steps.push(untag);
    } else if record.managed {
        plan.notes.push(note(address, "its kind has no tags that could be taken off."));
    }
    plan.steps.push(forget);
    plan.notes.push(note(
        address,
        format!("{} stays as it is and is paid for, and lhctl no longer knows it.", found.id),
    ));
    if is_wanted(draft, address) {
        plan.notes.push(note(
            address,
            "the stack file asks for it: the next plan makes another one, or is refused where the name is taken.",
        ));
    }
}

/// The value of a tag of ownership.
fn owned(tag: &str, draft: &Draft<'_>, address: &Address, record: &Record) -> String {
    match tag {
        "lhctl:stack" => draft.desired.stack.to_string(),
        "lhctl:resource" => address.to_string(),
        _ => record.identity.to_string(),
    }
}

fn goes(tag: &str, old: Value) -> FieldDiff {
    FieldDiff { field: format!("tags.{tag}"), old, new: Value::Null, effect: Some(Effect::Online) }
}

fn is_wanted(draft: &Draft<'_>, address: &Address) -> bool {
    draft.desired.resources.iter().any(|resource| resource.address == *address)
}
