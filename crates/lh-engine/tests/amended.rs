//! Changes of the state by hand, killed before and after each durable write, on the stores of this
//! machine: they have happened wholly or not at all, and done again they end as undisturbed.
#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests may fail as tests do")]

use lh_engine::{EngineError, Session, store::memory::MemoryStore};
use lh_model::{Address, Desired};
use lh_plan::Mode;
use lh_state::{Event, State};
use lh_testkit::{Bench, Fuse, ToyStack, bench::holder};

/// What a verb writes, from the state that it finds.
type Verb = fn(&State) -> Vec<Event>;

fn address(text: &str) -> Address {
    text.parse().unwrap()
}

const VERBS: [(&str, Verb); 4] = [
    ("mv", |_| vec![Event::Moved { from: address("group.main"), to: address("group.other") }]),
    ("rm", |_| vec![Event::Gone { address: address("rule.ssh") }]),
    ("rollback", |now| {
        let mut state = now.clone();
        state.resources.remove(&address("rule.db"));
        vec![Event::Replaced { state: Box::new(state) }]
    }),
    ("release", |now| {
        let address = address("disk.data");
        let mut record = now.resources[&address].clone();
        record.retained = true;
        vec![Event::Done { address, record: Box::new(record) }]
    }),
];

async fn amend(bench: &Bench, stack: &Desired, verb: Verb) -> Result<(), EngineError> {
    let mut session = Session::lock(bench.ports(), stack, holder()).await?;
    let events = verb(session.state());
    let done = session.amend("by hand", events).await;
    session.close().await?;
    done.map(drop)
}

/// The same, with the fuse burning; true when the process died.
async fn killed(bench: &Bench, stack: &Desired, verb: Verb, fuse: Fuse) -> bool {
    bench.crash.set(Some(fuse));
    let died = tokio::select! {
        biased;
        () = bench.crash.died() => true,
        done = amend(bench, stack, verb) => {
            done.unwrap();
            false
        }
    };
    bench.crash.set(None);
    died
}

async fn enumerate(make: impl Fn() -> Bench) {
    let stack = ToyStack::reference().0;
    for (name, verb) in VERBS {
        for n in 0.. {
            let mut died = false;
            for fuse in [Fuse::BeforeWrite(n), Fuse::AfterWrite(n)] {
                let (expected, bench) = (make(), make());
                expected.apply(&stack).await;
                bench.apply(&stack).await;
                amend(&expected, &stack, verb).await.unwrap();
                let (before, after) =
                    (bench.state(&stack).await.resources, expected.state(&stack).await.resources);
                died |= killed(&bench, &stack, verb, fuse).await;
                let now = bench.state(&stack).await.resources;
                let is_done = now.keys().eq(after.keys()) && now != before;
                assert!(is_done || now == before, "{name} {fuse:?}: half done");
                if !is_done {
                    amend(&bench, &stack, verb).await.unwrap();
                }
                let now = bench.state(&stack).await.resources;
                assert!(now.keys().eq(after.keys()), "{name} {fuse:?}");
                bench.plan(&stack, Mode::Apply).await.unwrap();
            }
            if !died {
                assert!(n > 2, "{name} writes");
                break;
            }
        }
    }
}

#[tokio::test]
async fn a_verb_killed_at_any_write_in_memory_can_be_run_again() {
    enumerate(|| Bench::over(&MemoryStore::new())).await;
}

#[tokio::test]
async fn a_verb_killed_at_any_write_to_a_file_can_be_run_again() {
    let folder = tempfile::tempdir().unwrap();
    let count = std::cell::Cell::new(0);
    enumerate(|| {
        count.set(count.get() + 1);
        Bench::local(&folder.path().join(format!("{}.json", count.get())))
    })
    .await;
}
