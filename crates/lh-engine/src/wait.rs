//! Waiting for many resources at once: one batched look a kind answers for all of them.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use lh_kind::{AnyRules, Change, CloudError, ErrorKind, Found, Readiness, Seen, Target};
use lh_model::Map;
use lh_plan::{Act, StepId};

use crate::Reach;

/// Pauses start short, for what is ready at once, and grow.
const FIRST_PAUSE: Duration = Duration::from_millis(250);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);
/// How long a resource of an unknown kind may take.
const UNKNOWN_LIMIT: u32 = 900;
/// How long a wait goes on while AWS cannot be asked: what is waited for comes up meanwhile.
const UNREAD_LIMIT: Duration = Duration::from_secs(60);

/// One resource waited for.
pub(crate) struct Waiting {
    pub target: Target,
    pub props: Map,
    pub began: Instant,
    pub waited: Duration,
    /// Since when AWS could not be asked: in time waited, and in time, as lost calls take minutes.
    pub unread_since: Option<(Duration, Instant)>,
    /// What AWS showed last.
    pub last: Option<Found>,
    pub state: String,
    /// Whether a look at it is on its way.
    pub is_looked_at: bool,
    /// Whether it was looked at before.
    pub was_looked_at: bool,
}

/// How a wait stands after a look.
pub(crate) enum Progress {
    /// Ready, or gone.
    Complete(Option<Found>),
    /// Not yet.
    NotYet,
    /// It never will be.
    Failed(CloudError),
}

/// All resources waited for.
#[derive(Default)]
pub(crate) struct Waits {
    pub pending: BTreeMap<StepId, Waiting>,
    pause: Duration,
}

impl Waits {
    /// Begins to wait for one more; pauses start short again.
    pub fn add(&mut self, step: StepId, waiting: Waiting) {
        self.pending.insert(step, waiting);
        self.pause = Duration::ZERO;
    }

    /// Whether something waits that was never looked at: that is done at once.
    pub fn has_fresh(&self) -> bool {
        self.pending.values().any(|waiting| !waiting.was_looked_at && !waiting.is_looked_at)
    }

    /// The pause before the next look at all that no look is on its way to; none where there is
    /// nothing.
    pub fn next_pause(&mut self) -> Option<Duration> {
        self.pending.values().find(|waiting| !waiting.is_looked_at)?;
        self.pause = (self.pause * 2).clamp(FIRST_PAUSE, LONGEST_PAUSE);
        Some(self.pause)
    }

    /// A pause is over.
    pub fn rested(&mut self) {
        let pause = self.pause;
        self.pending.values_mut().for_each(|waiting| waiting.waited += pause);
    }

    /// Everything that no look is on its way to: it is looked at now.
    pub fn targets(&mut self) -> BTreeMap<StepId, Target> {
        let mut targets = BTreeMap::new();
        for (step, waiting) in self.pending.iter_mut().filter(|(_, waiting)| !waiting.is_looked_at) {
            (waiting.is_looked_at, waiting.was_looked_at) = (true, true);
            targets.insert(step.clone(), waiting.target.clone());
        }
        targets
    }

    /// Takes one look's answers in.
    pub fn judge(&mut self, reach: &Reach<'_>, seen: &BTreeMap<StepId, Seen>) -> Vec<(StepId, Progress)> {
        let mut all = Vec::new();
        for (step, waiting) in &mut self.pending {
            let Some(answer) = seen.get(step) else { continue };
            waiting.is_looked_at = false;
            let rules = reach.cloud.book().rules(step.address.kind());
            let progress = match (answer, step.act) {
                (Seen::Unreadable(error), _) if error.is_uncertain() => waiting.is_unread(error),
                (_, Act::Delete) => waiting.is_gone(answer, rules),
                _ => waiting.is_ready(answer, rules),
            };
            if !matches!(answer, Seen::Unreadable(_)) {
                waiting.unread_since = None;
            }
            let progress = match progress {
                Progress::NotYet if waiting.waited >= limit(rules) => {
                    Progress::Failed(too_long(step, waiting, limit(rules)))
                }
                other => other,
            };
            all.push((step.clone(), progress));
        }
        all
    }
}

impl Waiting {
    /// AWS throttled the look, or did not answer it: that says nothing of the resource.
    fn is_unread(&mut self, error: &CloudError) -> Progress {
        let (waited, since) = *self.unread_since.get_or_insert((self.waited, Instant::now()));
        if self.waited - waited >= UNREAD_LIMIT || since.elapsed() >= UNREAD_LIMIT {
            return Progress::Failed(error.clone());
        }
        self.state = format!("not to be seen: {}", error.message.trim_end_matches('.'));
        Progress::NotYet
    }

    fn is_gone(&mut self, answer: &Seen, rules: Option<&dyn AnyRules>) -> Progress {
        match answer {
            Seen::Absent => Progress::Complete(None),
            Seen::Unreadable(error) if error.kind == ErrorKind::NotFound => Progress::Complete(None),
            Seen::Unreadable(error) => Progress::Failed(error.clone()),
            Seen::Found(found) => {
                self.state = match rules.map(|rules| rules.ready(&found.facts)) {
                    Some(Readiness::Leaving(state) | Readiness::Pending(state)) => state,
                    _ => "still there".to_owned(),
                };
                self.last = Some(found.clone());
                Progress::NotYet
            }
        }
    }

    fn is_ready(&mut self, answer: &Seen, rules: Option<&dyn AnyRules>) -> Progress {
        let found = match answer {
            Seen::Found(found) => found,
            Seen::Absent => {
                self.state = "not visible yet".to_owned();
                return Progress::NotYet;
            }
            Seen::Unreadable(error) => return Progress::Failed(error.clone()),
        };
        self.last = Some(found.clone());
        let Some(rules) = rules else { return Progress::Complete(Some(found.clone())) };
        match rules.ready(&found.facts) {
            Readiness::Ready if self.is_as_wanted(rules, found) => Progress::Complete(Some(found.clone())),
            Readiness::Ready => {
                self.state = "being changed".to_owned();
                Progress::NotYet
            }
            Readiness::Pending(state) => {
                self.state = state;
                Progress::NotYet
            }
            Readiness::Leaving(state) | Readiness::Failed(state) => Progress::Failed(CloudError::new(
                ErrorKind::Other,
                &self.target.address.to_string(),
                format!("{} became {state} instead of ready", found.id),
            )),
        }
    }

    /// Whether the change is visible: AWS may answer a read with the older values for a while.
    fn is_as_wanted(&self, rules: &dyn AnyRules, found: &Found) -> bool {
        let mut have = self.props.clone();
        have.extend(found.facts.clone());
        // Properties that AWS shows otherwise on purpose are told by the next plan, not waited for.
        !matches!(rules.diff(&self.props, &have, None), Change::InPlace(..))
            || self.waited > 4 * LONGEST_PAUSE
    }
}

fn limit(rules: Option<&dyn AnyRules>) -> Duration {
    Duration::from_secs(rules.map_or(UNKNOWN_LIMIT, AnyRules::ready_seconds).into())
}

fn too_long(step: &StepId, waiting: &Waiting, limit: Duration) -> CloudError {
    let minutes = limit.as_secs() / 60;
    let text =
        format!("after {minutes} minutes it is {}; the next run goes on waiting for it", waiting.state);
    CloudError::new(ErrorKind::Other, &step.to_string(), text)
}
