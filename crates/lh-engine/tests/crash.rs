//! A run that dies at any of its calls or writes is made good by the next: no orphan, no
//! duplicate, the state of a run that was not disturbed.
#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests may fail as tests do")]

use lh_model::Desired;
use lh_plan::Mode;
use lh_testkit::{Bench, Fuse, ToyStack};
use serde_json::json;

const DESTROY: Mode = Mode::Destroy { retain_data: false };

/// Runs, of which the last is disturbed.
struct Scenario {
    name: &'static str,
    runs: Vec<(Desired, Mode)>,
    lag: u32,
}

impl Scenario {
    fn new(name: &'static str, runs: &[(&ToyStack, Mode)]) -> Self {
        Self { name, runs: runs.iter().map(|(stack, mode)| (stack.0.clone(), *mode)).collect(), lag: 0 }
    }

    fn lagging(self, lag: u32) -> Self {
        Self { lag, ..self }
    }

    fn last(&self) -> (&Desired, Mode) {
        let (desired, mode) = self.runs.last().unwrap();
        (desired, *mode)
    }

    /// A bench where everything but the last run has happened.
    async fn prepared(&self) -> Bench {
        let bench = Bench::new();
        bench.cloud.set_lag(self.lag);
        for (desired, mode) in &self.runs[..self.runs.len() - 1] {
            bench.settle(desired, *mode).await;
        }
        bench
    }

    /// A bench where everything has happened, and how many calls and writes the last run made.
    async fn undisturbed(&self) -> (Bench, (usize, usize)) {
        let bench = self.prepared().await;
        let (desired, mode) = self.last();
        bench.crash.set(None);
        bench.settle(desired, mode).await;
        let seen = bench.crash.seen();
        (bench, seen)
    }

    /// Disturbs the last run with each of `fuses` in turn, then runs it again undisturbed.
    async fn disturb(&self, fuses: &[Fuse], expected: &Bench) {
        let (desired, mode) = self.last();
        let bench = self.prepared().await;
        for fuse in fuses {
            bench.run_with(desired, mode, *fuse).await;
        }
        let what = format!("{} with lag {} after {fuses:?}", self.name, self.lag);
        let run = bench.run(desired, mode, false).await.unwrap_or_else(|e| panic!("{what}: {e:#?}"));
        assert!(run.outcome.is_complete(), "{what}: {:#?}", run.outcome);
        let (end, wanted) = (bench.end(desired).await, expected.end(desired).await);
        assert_eq!(end.0, wanted.0, "what there is: {what}");
        assert_eq!(end.1, wanted.1, "what is recorded: {what}");
        if mode == Mode::Apply {
            let plan = bench.plan(desired, mode).await.unwrap();
            assert!(plan.is_empty() && plan.refusals.is_empty(), "{what}: {:#?}", plan.steps);
        }
    }

    async fn enumerate(&self) {
        let (expected, (calls, writes)) = self.undisturbed().await;
        assert!(calls > 0, "{} changes nothing", self.name);
        for n in 0..calls {
            for fuse in at_call(n) {
                self.disturb(&[fuse], &expected).await;
            }
        }
        for n in 0..writes {
            for fuse in [Fuse::BeforeWrite(n), Fuse::AfterWrite(n)] {
                self.disturb(&[fuse], &expected).await;
            }
        }
    }

    async fn enumerate_pairs(&self) {
        let (expected, (calls, writes)) = self.undisturbed().await;
        for first in 0..calls {
            for one in [Fuse::BeforeCall, Fuse::AfterCall, Fuse::LostAnswer] {
                for second in 0..calls {
                    for two in [Fuse::AfterCall, Fuse::LostAnswer] {
                        self.disturb(&[one(first), two(second)], &expected).await;
                    }
                }
                for second in (0..writes).step_by(3) {
                    self.disturb(&[one(first), Fuse::AfterWrite(second)], &expected).await;
                }
            }
        }
    }
}

fn at_call(n: usize) -> [Fuse; 4] {
    [Fuse::BeforeCall(n), Fuse::AfterCall(n), Fuse::LostRequest(n), Fuse::LostAnswer(n)]
}

fn reference() -> ToyStack {
    ToyStack::reference()
}

/// Changes of every grade at once: online, tags added and removed, stop and start, a rule anew.
fn changed() -> ToyStack {
    reference()
        .set("disk.data", "size", json!(30))
        .set("disk.data", "tags", json!({"Team": "data"}))
        .set("server.main", "type", json!("large"))
        .set("secret.password", "tags", json!({}))
        .set("rule.ssh", "note", json!("shell"))
        .without("rule.db")
        .with("rule.pg", json!({"group": lh_testkit::stack::reference("group.main", "id"), "port": 5433, "note": "db", "tags": {}}))
}

/// The server anew, and what hangs on it.
fn replaced() -> ToyStack {
    reference().set("server.main", "image", json!("image-2"))
}

#[tokio::test]
async fn first_apply() {
    for lag in [0, 1, 3] {
        Scenario::new("first apply", &[(&reference(), Mode::Apply)]).lagging(lag).enumerate().await;
    }
}

#[tokio::test]
async fn update() {
    for lag in [0, 1, 3] {
        let runs = [(&reference(), Mode::Apply), (&changed(), Mode::Apply)];
        Scenario::new("update", &runs).lagging(lag).enumerate().await;
    }
}

#[tokio::test]
async fn replacement() {
    for lag in [0, 1, 3] {
        let runs = [(&reference(), Mode::Apply), (&replaced(), Mode::Apply)];
        Scenario::new("replacement", &runs).lagging(lag).enumerate().await;
    }
}

#[tokio::test]
async fn second_replacement() {
    let third = reference().set("server.main", "image", json!("image-3"));
    let runs = [(&reference(), Mode::Apply), (&replaced(), Mode::Apply), (&third, Mode::Apply)];
    Scenario::new("second replacement", &runs).enumerate().await;
}

#[tokio::test]
async fn destroy() {
    for lag in [0, 1, 3] {
        let runs = [(&reference(), Mode::Apply), (&reference(), DESTROY)];
        Scenario::new("destroy", &runs).lagging(lag).enumerate().await;
    }
}

#[tokio::test]
async fn destroy_that_retains() {
    let keep = Mode::Destroy { retain_data: true };
    let runs = [(&reference(), Mode::Apply), (&reference(), keep)];
    Scenario::new("destroy, retaining", &runs).enumerate().await;
}

#[tokio::test]
async fn leaving_the_spec() {
    let less = reference().without("address.main").without("mount.data").without("disk.data");
    let runs = [(&reference(), Mode::Apply), (&less, Mode::Apply)];
    Scenario::new("less", &runs).enumerate().await;
}

#[tokio::test]
async fn made_again_after_it_was_destroyed() {
    let runs = [(&reference(), Mode::Apply), (&reference(), DESTROY), (&reference(), Mode::Apply)];
    Scenario::new("made again", &runs).enumerate().await;
}

#[tokio::test]
async fn pairs_of_a_first_apply() {
    Scenario::new("first apply", &[(&reference(), Mode::Apply)]).enumerate_pairs().await;
    Scenario::new("first apply", &[(&reference(), Mode::Apply)]).lagging(2).enumerate_pairs().await;
}

#[tokio::test]
async fn pairs_of_an_update() {
    Scenario::new("update", &[(&reference(), Mode::Apply), (&changed(), Mode::Apply)])
        .enumerate_pairs()
        .await;
}

#[tokio::test]
async fn pairs_of_a_replacement() {
    Scenario::new("replacement", &[(&reference(), Mode::Apply), (&replaced(), Mode::Apply)])
        .enumerate_pairs()
        .await;
}

#[tokio::test]
async fn pairs_of_a_destroy() {
    Scenario::new("destroy", &[(&reference(), Mode::Apply), (&reference(), DESTROY)]).enumerate_pairs().await;
}

/// The run that died and the run that makes it good need not want the same.
async fn then_another(crashed: &ToyStack, then: &ToyStack, mode: Mode, lag: u32) {
    let alone = Bench::new();
    alone.crash.set(None);
    alone.apply(&crashed.0).await;
    let (calls, _) = alone.crash.seen();
    alone.settle(&then.0, mode).await;
    for n in 0..calls {
        for fuse in at_call(n) {
            let bench = Bench::new();
            bench.cloud.set_lag(lag);
            bench.run_with(&crashed.0, Mode::Apply, fuse).await;
            let run = bench.run(&then.0, mode, false).await;
            let run = run.unwrap_or_else(|error| panic!("{fuse:?}, lag {lag}: {error:#?}"));
            assert!(run.outcome.is_complete(), "{fuse:?}, lag {lag}: {:#?}", run.outcome);
            // What holds data stays where it was made; how far the first run came decides that.
            let there = |bench: &Bench| {
                let census = bench.cloud.census();
                census.into_iter().map(|(address, _)| address).collect::<Vec<_>>()
            };
            let known: Vec<String> =
                bench.state(&then.0).await.resources.keys().map(ToString::to_string).collect();
            assert_eq!(there(&bench), known, "{fuse:?}, lag {lag}: there is what is recorded");
            let holds_data =
                |a: &String| ["disk.", "secret.", "copy."].iter().any(|kind| a.starts_with(kind));
            let rest = |all: Vec<String>| all.into_iter().filter(|a| !holds_data(a)).collect::<Vec<_>>();
            assert_eq!(rest(there(&bench)), rest(there(&alone)), "{fuse:?}, lag {lag}");
        }
    }
}

#[tokio::test]
async fn a_crashed_apply_and_then_a_destroy() {
    for lag in [0, 1, 3] {
        then_another(&reference(), &reference(), DESTROY, lag).await;
    }
}

#[tokio::test]
async fn a_crashed_apply_and_then_a_smaller_stack() {
    for lag in [0, 1, 3] {
        let less = ToyStack::empty().with("group.other", json!({"name": "o", "description": "", "tags": {}}));
        then_another(&reference(), &less, Mode::Apply, lag).await;
    }
}

#[tokio::test]
async fn a_crashed_apply_and_then_other_wishes() {
    for lag in [0, 1, 3] {
        then_another(&reference(), &changed(), Mode::Apply, lag).await;
    }
}

#[tokio::test]
async fn something_lost_outside_is_made_again_once() {
    for lag in [0, 2] {
        for (address, calls) in [("address.main", 1), ("server.main", 3)] {
            for fuse in (0..calls).flat_map(at_call) {
                let stack = reference().0;
                let bench = Bench::new();
                bench.cloud.set_lag(lag);
                bench.apply(&stack).await;
                bench.cloud.vanish(address);
                bench.run_with(&stack, Mode::Apply, fuse).await;
                bench.apply(&stack).await;
                assert_eq!(bench.cloud.ids(address).len(), 1, "{address}, {fuse:?}, lag {lag}");
                assert!(bench.plan(&stack, Mode::Apply).await.unwrap().is_empty(), "{address}, {fuse:?}");
            }
        }
    }
}

/// The last request of a killed run may take effect after the next run has looked for it.
#[tokio::test]
async fn a_request_that_was_on_its_way_makes_no_second_object_even_without_tokens() {
    let stack = reference().0;
    let (_, (calls, _)) = Scenario::new("first apply", &[(&reference(), Mode::Apply)]).undisturbed().await;
    for n in 0..calls {
        let bench = Bench::new();
        bench.cloud.ignore_tokens();
        bench.cloud.set_lag(3);
        bench.run_with(&stack, Mode::Apply, Fuse::AfterCall(n)).await;
        bench.apply(&stack).await;
        for address in ["disk.data", "server.main"] {
            assert_eq!(bench.cloud.ids(address).len(), 1, "{address} after call {n}");
        }
    }
}

#[tokio::test]
async fn a_copy_of_an_interrupted_destroy_is_not_the_last_once_the_disk_was_used_again() {
    let stack = reference().0;
    let mut seen = std::collections::BTreeSet::new();
    for n in 0..12 {
        let bench = Bench::new();
        bench.apply(&stack).await;
        bench.run_with(&stack, DESTROY, Fuse::AfterCall(n)).await;
        let disk_stands = !bench.cloud.ids("disk.data").is_empty();
        let copied = !bench.cloud.ids("copy.final-data-0").is_empty();
        bench.apply(&stack).await;
        let run = bench.settle(&stack, DESTROY).await;
        assert!(bench.cloud.ids("disk.data").is_empty());
        let copies = bench.cloud.census().len();
        seen.insert((disk_stands, copied, copies));
        let expected = if copied && disk_stands { 2 } else { 1 + usize::from(copied) };
        assert_eq!(copies, expected, "after call {n}: {:#?}", bench.cloud.census());
        assert!(run.plan.headline_mentions_copy(), "after call {n}");
        assert!(bench.plan(&stack, DESTROY).await.unwrap().is_empty(), "a second destroy has nothing to do");
    }
    assert!(seen.contains(&(true, true, 2)), "the case this is about was met: {seen:?}");
}

trait Told {
    fn headline_mentions_copy(&self) -> bool;
}

impl Told for lh_plan::Plan {
    fn headline_mentions_copy(&self) -> bool {
        let holds_data = |kind: &str| ["disk", "copy", "secret"].contains(&kind);
        lh_plan::Headline::of(self, &holds_data).data_at_risk.contains("after a final snapshot")
    }
}

/// A resource of this stack that no journal tells of, as a creation of several calls leaves it
/// when a later one is refused.
#[tokio::test]
async fn what_state_never_recorded_uses_its_generation_up_all_the_same() {
    let stack = reference().0;
    let address: lh_model::Address = "server.main".parse().unwrap();
    for fuse in (0..12).flat_map(at_call) {
        let bench = Bench::new();
        bench.apply(&ToyStack::empty().0).await;
        let lineage = bench.state(&stack).await.lineage;
        let owner = Some((stack.stack.clone(), lh_model::Identity::derive(&lineage, &address, 0)));
        let props = json!({"group": "g", "type": "small", "image": "other", "user_data": "", "tags": {}});
        bench.cloud.plant(&address, owner, props);
        bench.run_with(&stack, Mode::Apply, fuse).await;
        bench.apply(&stack).await;
        assert_eq!(bench.state(&stack).await.resources[&address].generation, 1, "{fuse:?}");
        assert_eq!(bench.cloud.census().len(), 8, "{fuse:?}");
    }
}

/// No answer, and nobody to ask what became of the call: the journal alone knows that something
/// may be there.
#[tokio::test]
async fn a_call_whose_fate_nobody_could_tell_is_settled_by_the_next_run() {
    let stack = reference().0;
    for lag in [0, 3] {
        for n in 0..8 {
            let bench = Bench::new();
            bench.cloud.set_lag(lag);
            let cloud = bench.cloud.clone();
            bench.told.react(move |event| {
                if matches!(event, lh_engine::Event::Started(step) if step.address.kind() == "address") {
                    cloud.fail("toy:DescribeAddress", lh_kind::ErrorKind::Unreachable, 1);
                }
            });
            bench.run_with(&stack, Mode::Apply, Fuse::LostAnswer(n)).await;
            bench.told.react(|_| {});
            bench.apply(&stack).await;
            assert_eq!(bench.cloud.census().len(), 8, "call {n}, lag {lag}: {:#?}", bench.cloud.census());
            assert!(bench.plan(&stack, Mode::Apply).await.unwrap().is_empty());
        }
    }
}
