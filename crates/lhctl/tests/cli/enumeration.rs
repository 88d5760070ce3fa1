//! Killing a run at each of its calls: every case has its own folder, and several run at once.

use std::sync::{
    Mutex, PoisonError,
    atomic::{AtomicUsize, Ordering},
};

use serde_json::Value;

use crate::{
    canonical::{self, assert_owned, assert_same},
    place::Place,
};

/// SIGABRT, by which a fuse ends the process.
const ABORTED: i32 = 6;

/// How many cases run at once.
const WORKERS: usize = 4;

/// What a disturbed command starts from, and has to end with.
pub struct Scenario {
    start: Place,
    command: &'static str,
    world: Value,
    state: Value,
    /// How many mutating calls the command makes undisturbed.
    pub calls: usize,
}

/// Where a run dies.
#[derive(Clone, Copy, Debug)]
pub enum Death {
    Before(usize),
    After(usize),
}

impl Death {
    pub fn fault(self) -> String {
        match self {
            Self::Before(call) => format!("fuse=before:{call}"),
            Self::After(call) => format!("fuse=after:{call}"),
        }
    }
}

impl Scenario {
    /// `command`, which begins where `start` is.
    pub fn new(start: Place, command: &'static str) -> Self {
        let done = start.copy();
        done.run(command).expect(0);
        let (world, state) = (canonical::world(&done), canonical::state(&done));
        Self { calls: calls(&start, command), start, command, world, state }
    }

    /// Every place where the command can die.
    pub fn deaths(&self) -> Vec<Death> {
        (1..=self.calls).flat_map(|call| [Death::Before(call), Death::After(call)]).collect()
    }

    /// Every call, half of them before and half after their effect: for scenarios whose kinds of
    /// calls are met in full elsewhere.
    pub fn alternating_deaths(&self) -> Vec<Death> {
        (1..=self.calls)
            .map(|call| if call % 2 == 0 { Death::Before(call) } else { Death::After(call) })
            .collect()
    }

    /// The command dies at each of `deaths` in turn, then runs undisturbed, and has to end as if
    /// nothing had happened. A later death may lie behind the end of its run.
    pub fn survives(&self, deaths: &[Death]) {
        let place = self.start.copy();
        for (number, death) in deaths.iter().enumerate() {
            let ended = place.faulty(&death.fault(), self.command);
            let died = ended.signal == Some(ABORTED);
            assert!(died || number > 0, "{deaths:?} did not end the run: {:?}\n{}", ended.code, ended.err);
        }
        self.converges(&place, &format!("{deaths:?}"));
    }

    /// The command runs with `faults`, however it ends, then undisturbed.
    pub fn bears(&self, faults: &str) {
        let place = self.start.copy();
        let ended = place.faulty(faults, self.command);
        assert!(ended.code.is_some(), "{faults} ended it with signal {:?}\n{}", ended.signal, ended.err);
        self.converges(&place, faults);
    }

    /// The command runs to its end with `faults`.
    pub fn completes(&self, faults: &str) {
        let place = self.start.copy();
        place.faulty(faults, self.command).expect(0);
        self.assert_done(&place, faults);
    }

    fn converges(&self, place: &Place, what: &str) {
        let ended = place.run(self.command);
        assert_eq!(ended.code, Some(0), "after {what}:\n{}\n{}", ended.out, ended.err);
        self.assert_done(place, what);
    }

    fn assert_done(&self, place: &Place, what: &str) {
        let (world, state) = (format!("after {what}, AWS"), format!("after {what}, the state"));
        assert_same(&world, &canonical::world(place), &self.world);
        assert_same(&state, &canonical::state(place), &self.state);
        assert_owned(place);
        assert!(
            !place.path(&format!("{}.journal", crate::place::STATE)).exists(),
            "after {what}, a journal is left"
        );
        // Nothing is left to do: the same command again changes nothing.
        place.run(self.command).expect(0).says("0 added, 0 changed, 0 destroyed");
    }
}

/// How many mutating calls `command` makes: the last that a fuse can stop it at, found by halving.
fn calls(start: &Place, command: &str) -> usize {
    let dies_at = |call: usize| {
        let ended = start.copy().faulty(&Death::Before(call).fault(), command);
        assert!(ended.signal.is_some() || ended.code == Some(0), "{}\n{}", ended.out, ended.err);
        ended.signal.is_some()
    };
    let (mut dies, mut lives) = (0, 64);
    assert!(!dies_at(lives), "`{command}` makes more calls than are looked for");
    while lives - dies > 1 {
        let middle = dies + (lives - dies) / 2;
        if dies_at(middle) { dies = middle } else { lives = middle }
    }
    dies
}

/// Runs `check` for every case, several at once, and tells every case that failed.
pub fn each<Case: Sync>(cases: &[Case], check: impl Fn(&Case) + Sync) {
    assert!(!cases.is_empty());
    let (next, failed) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    std::thread::scope(|scope| {
        for _ in 0..WORKERS {
            scope.spawn(|| {
                while let Some(case) = cases.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let run = std::panic::AssertUnwindSafe(|| check(case));
                    if let Err(panic) = std::panic::catch_unwind(run) {
                        let text = panic.downcast_ref::<String>().cloned().unwrap_or_default();
                        failed.lock().unwrap_or_else(PoisonError::into_inner).push(text);
                    }
                }
            });
        }
    });
    let failed = failed.into_inner().unwrap_or_else(PoisonError::into_inner);
    assert!(failed.is_empty(), "{} of {} cases failed:\n{}", failed.len(), cases.len(), failed.join("\n\n"));
}
