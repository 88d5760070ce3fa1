//! No edit, loss, crash or command destroys data by accident: random sequences of all of them in
//! the simulated AWS, and after each step a look at what holds data.
//!
//! `LHCTL_SAFETY_SEQUENCES` sets how many sequences are run and `LHCTL_SAFETY_SEED` the first of
//! their seeds; a failure names its own seed and everything that was done.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on fails")]

use std::collections::{BTreeMap, BTreeSet};

use lh::{Cloud, Deployment, Stack};
use lh_sim::{
    Faults, Fuse, OnFuse, Sim,
    world::{Volume, VolumeState, World},
};

/// How many sequences every run of the tests makes; more by the environment.
const SEQUENCES: u64 = 40;
/// Steps of one sequence.
const STEPS: u64 = 7;

/// SplitMix64: a sequence is its seed.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % sides
    }

    fn pick<'a>(&mut self, choices: &[&'a str]) -> &'a str {
        choices[usize::try_from(self.roll(choices.len() as u64)).unwrap()]
    }
}

/// Edits of the stack file, by the key they edit.
const EDITS: [(&str, &[&str]); 8] = [
    ("environment", &["dev", "test"]),
    ("protect", &["false", "true"]),
    ("volume.size", &["20", "30", "10"]),
    ("volume.encrypted", &["true", "false"]),
    ("network.zone", &["us-east-1a", "us-east-1b"]),
    ("network.public_ip", &["true", "false"]),
    ("instance.type", &["t4g.micro", "t4g.small"]),
    ("database.password", &["{ssm: /a, generate: true}", "{ssm: /b, generate: true}"]),
];

/// What is there that holds data.
fn data(world: &World) -> BTreeSet<String> {
    let region = &world.regions["us-east-1"];
    let is_data = |volume: &Volume| volume.tags.get("lhctl:resource").is_some_and(|at| at == "volume.data");
    let lives = |volume: &Volume| volume.state != VolumeState::Deleting;
    let volumes = region.volumes.iter().filter(|(_, volume)| is_data(volume) && lives(volume));
    let snapshots = region.snapshots.keys().cloned();
    let parameters = region.parameters.keys().map(|name| format!("parameter {name}"));
    volumes.map(|(id, _)| id.clone()).chain(snapshots).chain(parameters).collect()
}

/// Whether a complete snapshot of the volume is there.
fn is_copied(world: &World, volume: &str) -> bool {
    world.regions["us-east-1"].snapshots.values().any(|copy| copy.volume_id == volume && copy.completed)
}

/// One user with one account, and states that may get lost.
struct Story {
    sim: Sim,
    /// One state an environment.
    clouds: BTreeMap<String, Cloud>,
    file: BTreeMap<&'static str, &'static str>,
    told: Vec<String>,
    dice: Dice,
}

impl Story {
    fn new(seed: u64) -> Self {
        let file = EDITS.iter().map(|(key, values)| (*key, values[0])).collect();
        Self { sim: Sim::in_memory(), clouds: BTreeMap::new(), file, told: Vec::new(), dice: Dice(seed) }
    }

    /// What the commands work on; an edit may make the file invalid, then there is nothing.
    fn deployment(&mut self) -> Option<Deployment> {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../stacks/dev.yaml");
        let set: Vec<String> = self.file.iter().map(|(key, value)| format!("{key}={value}")).collect();
        let stack = Stack::load(path, &set).ok()?;
        let sim = &self.sim;
        let cloud = self
            .clouds
            .entry(self.file["environment"].to_owned())
            .or_insert_with(|| Cloud::simulated_in(sim.clone()));
        Some(Deployment::new(stack, cloud.clone()))
    }

    /// One step; tells whether destroying data was asked for and approved.
    async fn step(&mut self) -> bool {
        let step = self.dice.roll(10);
        if step < 3 {
            let (key, values) = EDITS[usize::try_from(self.dice.roll(EDITS.len() as u64)).unwrap()];
            let value = self.dice.pick(values);
            self.told.push(format!("edit {key}={value}"));
            self.file.insert(key, value);
            return false;
        }
        if step == 3 {
            let environment = self.file["environment"];
            self.told.push(format!("lose the state of {environment}"));
            self.clouds.remove(environment);
            return false;
        }
        let fuse = (self.dice.roll(3) == 0).then(|| self.sim.mutations() + 1 + self.dice.roll(12));
        let fuse = fuse.map(|n| if self.dice.roll(2) == 0 { Fuse::Before(n) } else { Fuse::After(n) });
        self.sim.set_faults(Faults { fuse, on_fuse: OnFuse::Fail, ..Faults::default() });
        let destroys = self.command(step, fuse).await;
        self.sim.set_faults(Faults::default());
        destroys
    }

    async fn command(&mut self, step: u64, fuse: Option<Fuse>) -> bool {
        let retain = self.dice.roll(3) == 0;
        let Some(deployment) = self.deployment() else { return false };
        let name = match step {
            4..=6 => "apply",
            7 => "recover",
            _ if retain => "destroy --retain-data",
            _ => "destroy",
        };
        self.told.push(format!("{name}, {fuse:?}"));
        let result = match name {
            "apply" => deployment.apply(|_| true).await,
            "recover" => deployment.recover(|_| true).await,
            _ => deployment.destroy(retain, |_| true).await,
        };
        if let Err(error) = &result {
            self.told.push(format!("… {}", error.to_string().lines().next().unwrap_or_default()));
        }
        name == "destroy" && self.file["protect"] == "false"
    }

    /// What held data and is gone: only what an approved destroy may take, and a volume only
    /// once a copy of it is complete.
    fn check(&self, before: &BTreeSet<String>, destroyed: bool) -> Result<(), String> {
        let world = self.sim.snapshot();
        let after = data(&world);
        for gone in before.difference(&after) {
            let allowed = match gone {
                volume if volume.starts_with("vol-") => destroyed && is_copied(&world, volume),
                copy if copy.starts_with("snap-") => false,
                _ => destroyed,
            };
            if !allowed {
                return Err(format!("{gone} is gone"));
            }
        }
        Ok(())
    }
}

async fn sequence(seed: u64) -> Result<(), String> {
    let mut story = Story::new(seed);
    // A story without data has nothing to lose.
    if let Some(deployment) = story.deployment() {
        deployment.apply(|_| true).await.map_err(|error| error.to_string())?;
    }
    for _ in 0..STEPS {
        let before = data(&story.sim.snapshot());
        let destroyed = story.step().await;
        story.check(&before, destroyed).map_err(|gone| format!("{gone}\n{}", story.told.join("\n")))?;
    }
    Ok(())
}

fn asked(variable: &str, usual: u64) -> u64 {
    std::env::var(variable).ok().map_or(usual, |text| text.parse().unwrap())
}

#[tokio::test]
async fn no_sequence_of_events_destroys_data_by_accident() {
    let first = asked("LHCTL_SAFETY_SEED", 1);
    for seed in first..first + asked("LHCTL_SAFETY_SEQUENCES", SEQUENCES) {
        if let Err(what) = sequence(seed).await {
            panic!("LHCTL_SAFETY_SEED={seed}: {what}");
        }
    }
}
