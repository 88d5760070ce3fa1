//! The pure half of a kind: what it is made of, what may change and how, what it costs.

use lh_model::Map;
use serde::{Serialize, de::DeserializeOwned};

use crate::{Change, FieldDiff, Price, PriceBook, diff_fields};

/// How a repeated creation is kept from making a second one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Idempotency {
    /// AWS takes a client token: the same token answers with the same resource.
    Token,
    /// The name is unique in AWS; an existing one is recognised by its ownership tag.
    NaturalKey,
    /// Only a tag written with the creation tells that it happened: before a creation whose
    /// answer was lost is repeated, AWS gets time to show it.
    TagOnCreation,
    /// Repeating is harmless.
    Upsert,
}

/// What changing a property means for the resource.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mutability {
    /// Changed while everything runs.
    Online,
    /// The instance is stopped, changed and started.
    StopStart,
    /// A new resource takes its place.
    Replace,
    /// Cannot be changed; the text says the way to get there.
    Fixed(&'static str),
    /// Matters at creation only: a difference is told, never acted on.
    AtCreation,
    /// Changed by a verb of its own, which the text names: a difference is told, never acted on.
    Apart(&'static str),
    /// Given at creation and never read again, so that no difference is seen.
    Unread,
}

/// A managed property of a kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Field {
    /// The property's name in both wanted properties and facts.
    pub name: &'static str,
    /// What it is, with its unit.
    pub doc: &'static str,
    /// What a change of it means.
    pub change: Mutability,
    /// Large text of which state and plans keep only a digest (user data).
    pub digest: bool,
    /// The AWS operations that a change of it needs beyond [`Calls::update`].
    pub calls: &'static [&'static str],
}

impl Field {
    /// A property that is changed online.
    pub const fn online(name: &'static str, doc: &'static str) -> Self {
        Self { name, doc, change: Mutability::Online, digest: false, calls: &[] }
    }

    /// A property whose change replaces the resource.
    pub const fn replace(name: &'static str, doc: &'static str) -> Self {
        Self { name, doc, change: Mutability::Replace, digest: false, calls: &[] }
    }

    /// A property with any other mutability.
    pub const fn with(name: &'static str, doc: &'static str, change: Mutability) -> Self {
        Self { name, doc, change, digest: false, calls: &[] }
    }

    /// The same, kept in state as a digest.
    pub const fn digest(mut self) -> Self {
        self.digest = true;
        self
    }

    /// The same, changed by these further operations.
    pub const fn by(mut self, calls: &'static [&'static str]) -> Self {
        self.calls = calls;
        self
    }
}

/// The AWS operations behind each verb of a kind, named as in IAM (`ec2:RunInstances`).
/// A plan lists them, and the apply that follows calls no other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Calls {
    /// Reading.
    pub observe: &'static [&'static str],
    /// Creating.
    pub create: &'static [&'static str],
    /// Changing in place.
    pub update: &'static [&'static str],
    /// Deleting.
    pub delete: &'static [&'static str],
}

/// Whether a resource can be used by what needs it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Readiness {
    /// It can.
    Ready,
    /// Not yet; the text says its state.
    Pending(String),
    /// It is going away; nothing may be built on it.
    Leaving(String),
    /// It will never be ready; the text says why.
    Failed(String),
}

/// What `destroy` does with a kind that holds data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AtDestroy {
    /// It goes like everything else.
    Delete,
    /// It goes only after a resource of this kind, made from its id, is complete and kept.
    AfterCopy(&'static str),
    /// It stays, and the summary names it.
    Keep,
    /// It goes if it holds nothing ([`Rules::contents`]), and stays with what it holds otherwise.
    IfEmpty,
}

/// How long the database is away, in seconds, when a resource of the kind changes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Downtime {
    /// For a stop and start.
    pub stop_start: u32,
    /// For a replacement.
    pub replace: u32,
}

/// A change that is refused, with its reason and the way to get there all the same.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The property at fault.
    pub field: String,
    /// Why.
    pub why: String,
    /// What to do instead.
    pub fix: String,
}

/// The pure half of a kind. No I/O, no clock, no randomness.
pub trait Rules: Send + Sync + 'static {
    /// The kind's name in addresses: `volume`.
    const NAME: &'static str;
    /// What it is, one line, with the AWS document it follows.
    const DOC: &'static str;
    /// How creation is made repeatable.
    const CREATE: Idempotency;
    /// Whether deleting it can destroy data: then it is retained, not deleted.
    const HOLDS_DATA: bool = false;
    /// What `destroy` does with it.
    const AT_DESTROY: AtDestroy = AtDestroy::Delete;
    /// Tags of our own, beside those of ownership, that keep what AWS does not show, each with the
    /// property that it keeps. They go when it is given up.
    const MARKS: &'static [(&'static str, &'static str)] = &[];
    /// Kinds of what it needs that, where they are deleted too, are deleted before it: a volume
    /// comes off an instance cleanly when the instance is terminated, not while it is mounted.
    const DELETED_AFTER: &'static [&'static str] = &[];
    /// How long the database is away when it changes, in seconds.
    const DOWNTIME: Downtime = Downtime { stop_start: 0, replace: 0 };
    /// How long it may take to become ready, or to go, in seconds.
    const READY_SECONDS: u32 = 900;
    /// Its managed properties.
    const FIELDS: &'static [Field];
    /// Its AWS operations.
    const CALLS: Calls;
    /// Wanted properties.
    type Props: Serialize + DeserializeOwned + Send + Sync;
    /// What AWS shows of it; serialises with the same names as the properties.
    type Facts: Serialize + DeserializeOwned + Send + Sync;

    /// Rewrites what the differences mean where the field table alone cannot know it: the type
    /// of a spot instance, say, cannot be changed by a stop and a start.
    fn refine(_want: &Map, _have: &Map, diffs: Vec<FieldDiff>) -> Vec<FieldDiff> {
        diffs
    }

    /// Refuses what the field table alone cannot judge, such as shrinking.
    fn judge(_want: &Map, _have: &Map, _diffs: &[FieldDiff]) -> Result<(), Refusal> {
        Ok(())
    }

    /// Whether what AWS shows is ready.
    fn ready(_facts: &Self::Facts) -> Readiness {
        Readiness::Ready
    }

    /// What it holds, such as `3 recovery points`; none for what is empty, or holds nothing.
    fn contents(_facts: &Self::Facts) -> Option<String> {
        None
    }

    /// What its user should know or do though nothing is wrong with it: plans and summaries say
    /// it, one sentence or two.
    fn notice(_facts: &Self::Facts) -> Option<String> {
        None
    }

    /// Why AWS cannot delete it as it is now, and when it goes by itself: then it is forgotten
    /// instead of deleted.
    fn expires(_facts: &Self::Facts) -> Option<String> {
        None
    }

    /// Its monthly price. Has no default: a kind without a price does not compile.
    fn price(props: &Map, book: &PriceBook) -> Price;
}

/// [`Rules`] with types erased; properties and facts are JSON maps.
pub trait AnyRules: Send + Sync {
    /// [`Rules::NAME`].
    fn name(&self) -> &'static str;
    /// [`Rules::DOC`].
    fn doc(&self) -> &'static str;
    /// [`Rules::CREATE`].
    fn create(&self) -> Idempotency;
    /// [`Rules::HOLDS_DATA`].
    fn holds_data(&self) -> bool;
    /// [`Rules::AT_DESTROY`].
    fn at_destroy(&self) -> AtDestroy;
    /// [`Rules::MARKS`].
    fn marks(&self) -> &'static [(&'static str, &'static str)];
    /// [`Rules::DELETED_AFTER`].
    fn deleted_after(&self) -> &'static [&'static str];
    /// [`Rules::DOWNTIME`].
    fn downtime(&self) -> Downtime;
    /// [`Rules::READY_SECONDS`].
    fn ready_seconds(&self) -> u32;
    /// [`Rules::FIELDS`].
    fn fields(&self) -> &'static [Field];
    /// [`Rules::CALLS`].
    fn calls(&self) -> Calls;
    /// What to do so that `have` becomes `want`; `recorded` is what was applied last.
    fn diff(&self, want: &Map, have: &Map, recorded: Option<&Map>) -> Change;
    /// [`Rules::ready`]; facts that do not fit the kind are never ready.
    fn ready(&self, facts: &Map) -> Readiness;
    /// [`Rules::contents`]; facts that do not fit the kind may hold anything.
    fn contents(&self, facts: &Map) -> Option<String>;
    /// [`Rules::notice`].
    fn notice(&self, facts: &Map) -> Option<String>;
    /// [`Rules::expires`].
    fn expires(&self, facts: &Map) -> Option<String>;
    /// [`Rules::price`].
    fn price(&self, props: &Map, book: &PriceBook) -> Price;
}

/// Carries the erased rules of `K`.
impl<K: Rules> AnyRules for crate::Erased<K> {
    fn name(&self) -> &'static str {
        K::NAME
    }

    fn doc(&self) -> &'static str {
        K::DOC
    }

    fn create(&self) -> Idempotency {
        K::CREATE
    }

    fn holds_data(&self) -> bool {
        K::HOLDS_DATA
    }

    fn at_destroy(&self) -> AtDestroy {
        K::AT_DESTROY
    }

    fn marks(&self) -> &'static [(&'static str, &'static str)] {
        K::MARKS
    }

    fn deleted_after(&self) -> &'static [&'static str] {
        K::DELETED_AFTER
    }

    fn downtime(&self) -> Downtime {
        K::DOWNTIME
    }

    fn ready_seconds(&self) -> u32 {
        K::READY_SECONDS
    }

    fn fields(&self) -> &'static [Field] {
        K::FIELDS
    }

    fn calls(&self) -> Calls {
        K::CALLS
    }

    fn diff(&self, want: &Map, have: &Map, recorded: Option<&Map>) -> Change {
        let diffs = K::refine(want, have, diff_fields(K::FIELDS, want, have, recorded));
        match K::judge(want, have, &diffs) {
            Ok(()) => Change::of(diffs),
            Err(refusal) => Change::Refuse(refusal),
        }
    }

    fn ready(&self, facts: &Map) -> Readiness {
        match serde_json::from_value::<K::Facts>(facts.clone().into()) {
            Ok(facts) => K::ready(&facts),
            Err(error) => Readiness::Failed(format!("its facts cannot be read: {error}")),
        }
    }

    fn contents(&self, facts: &Map) -> Option<String> {
        match serde_json::from_value::<K::Facts>(facts.clone().into()) {
            Ok(facts) => K::contents(&facts),
            Err(_) => Some("something unknown".to_owned()),
        }
    }

    fn notice(&self, facts: &Map) -> Option<String> {
        K::notice(&serde_json::from_value(facts.clone().into()).ok()?)
    }

    fn expires(&self, facts: &Map) -> Option<String> {
        K::expires(&serde_json::from_value(facts.clone().into()).ok()?)
    }

    fn price(&self, props: &Map, book: &PriceBook) -> Price {
        K::price(props, book)
    }
}
