//! Changes of a state in S3 by hand, killed before and after each call that changes something: they
//! have happened wholly or not at all, and done again they end as undisturbed.

use std::{collections::BTreeMap, future::Future};

use lh::{Address, Cloud, CloudId, Deployment};
use lh_sim::{Faults, Fuse, OnFuse, Sim, world::World};

use crate::deployment;

const STATE: &str =
    "state={path: null, bucket: lighthouse-state, key: dev.json, lock_table: lighthouse-locks}";

/// A process: what it leaves behind when it ends ends with it.
fn process<T>(work: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(work)
}

fn on(sim: &Sim) -> Deployment {
    deployment(&Cloud::simulated_in(sim.clone()), &[STATE])
}

/// The dev stack with two versions of its state in S3.
fn start() -> World {
    let sim = Sim::in_memory();
    process(async {
        on(&sim).bootstrap().await.unwrap();
        on(&sim).apply(|_| true).await.unwrap();
        let grown = deployment(&Cloud::simulated_in(sim.clone()), &[STATE, "network.public_ip=false"]);
        grown.apply(|_| true).await.unwrap();
    });
    sim.snapshot()
}

fn at(start: &World) -> Sim {
    let sim = Sim::in_memory();
    sim.edit(|world| *world = start.clone());
    sim
}

type Recorded = BTreeMap<Address, CloudId>;

fn recorded(sim: &Sim) -> Recorded {
    let state = process(on(sim).state()).unwrap();
    state.resources.into_iter().map(|(address, record)| (address, record.id)).collect()
}

/// Does `verb` at each of its calls' deaths, from `start`.
fn enumerate(name: &str, start: &World, verb: impl Fn(&Sim) -> Result<(), lh::Error>) {
    let undisturbed = at(start);
    verb(&undisturbed).unwrap();
    let (before, after) = (recorded(&at(start)), recorded(&undisturbed));
    let calls = undisturbed.mutations();
    assert!(calls > 4, "{name} makes {calls} calls");
    for fuse in (1..=calls).flat_map(|call| [Fuse::Before(call), Fuse::After(call)]) {
        let sim = at(start);
        sim.set_faults(Faults { fuse: Some(fuse), on_fuse: OnFuse::Fail, ..Faults::default() });
        let killed = verb(&sim);
        assert!(sim.blown(), "{name} {fuse:?}: {killed:?}");
        sim.set_faults(Faults::default());
        process(async {
            if let Some(held) = on(&sim).lock_holder().await.unwrap() {
                on(&sim).unlock(&held).await.unwrap();
            }
        });
        let now = recorded(&sim);
        assert!(now == before || now == after, "{name} {fuse:?} is half done: {now:#?}");
        if now != after {
            verb(&sim).unwrap();
        }
        assert_eq!(recorded(&sim), after, "{name} {fuse:?}");
    }
}

#[test]
fn a_verb_killed_at_any_call_can_be_run_again() {
    let start = start();
    let address = |text: &str| text.parse::<Address>().unwrap();
    enumerate("rm", &start, |sim| {
        process(on(sim).forget(&[address("security_group_rule.ssh-203.0.113.7/32")], |_| true)).map(drop)
    });
    enumerate("mv", &start, |sim| {
        let (from, to) = (address("security_group.main"), address("security_group.other"));
        process(on(sim).rename(&from, &to, |_| true)).map(drop)
    });
    enumerate("rollback", &start, |sim| process(on(sim).rollback(None, |_| true)).map(drop));
    let older = at(&start);
    let text = process(async {
        on(&older).rollback(None, |_| true).await.unwrap();
        on(&older).state_text().await.unwrap().unwrap().text
    });
    enumerate("push", &start, |sim| process(on(sim).push(&text, true, |_| true)).map(drop));
}

/// A lock that a dead run left, broken with kills on the way.
#[test]
fn an_unlock_killed_at_any_call_can_be_run_again() {
    let start = start();
    let left = at(&start);
    left.set_faults(Faults { fuse: Some(Fuse::After(2)), on_fuse: OnFuse::Fail, ..Faults::default() });
    process(on(&left).destroy(true, |_| true)).unwrap_err();
    let locked = left.snapshot();
    for fuse in [Fuse::Before(1), Fuse::After(1)] {
        let sim = at(&locked);
        let held = process(on(&sim).lock_holder()).unwrap().unwrap();
        sim.set_faults(Faults { fuse: Some(fuse), on_fuse: OnFuse::Fail, ..Faults::default() });
        process(on(&sim).unlock(&held)).unwrap_err();
        sim.set_faults(Faults::default());
        if let Some(held) = process(on(&sim).lock_holder()).unwrap() {
            process(on(&sim).unlock(&held)).unwrap();
        }
        assert!(process(on(&sim).lock_holder()).unwrap().is_none());
        assert_eq!(recorded(&sim), recorded(&at(&start)));
    }
}
