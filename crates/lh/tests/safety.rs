//! No edit, loss, crash or command destroys data by accident: random sequences of all of them in
//! the simulated AWS, and after each step a look at what holds data: volumes and their snapshots,
//! generated passwords, vaults and their recovery points, buckets and their objects.
//!
//! `LHCTL_SAFETY_SEQUENCES` sets how many sequences are run and `LHCTL_SAFETY_SEED` the first of
//! their seeds; a failure names its own seed and everything that was done. With
//! `LHCTL_SAFETY_PROGRESS` every so many sequences are told.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on fails")]

use std::collections::{BTreeMap, BTreeSet};

use lh::{Cloud, Deployment, Release, Stack};
use lh_sim::{
    Faults, Fuse, OnFuse, Sim,
    world::{ObjectVersion, Volume, VolumeState, World},
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

    fn pick(&mut self, choices: &[&'static str]) -> &'static str {
        choices[usize::try_from(self.roll(choices.len() as u64)).unwrap()]
    }
}

/// Edits of the stack file, by the key they edit.
const EDITS: [(&str, &[&str]); 10] = [
    ("name", &["lighthouse", "beacon"]),
    ("environment", &["dev", "test"]),
    ("protect", &["false", "true"]),
    ("volume.size", &["20", "30", "10"]),
    ("volume.encrypted", &["true", "false"]),
    ("network.zone", &["us-east-1a", "us-east-1b"]),
    ("network.public_ip", &["true", "false"]),
    ("instance.type", &["t4g.micro", "t4g.small"]),
    (
        "database.password",
        &["{ssm: /a, generate: true}", "{ssm: /b, generate: true}", "{secret: db/a}", "{secret: db/b}"],
    ),
    (
        "backup",
        &[
            "{vault: vault-a, bucket: lh-dumps-a, retain_days: 35}",
            "{vault: vault-b, bucket: lh-dumps-a, retain_days: 7}",
            "{vault: vault-a, bucket: lh-dumps-b, retain_days: 35}",
            "null",
        ],
    ),
];

/// What can be given up by `release`.
const RELEASABLE: [&str; 7] = [
    "volume.data",
    "parameter.password",
    "secret.password",
    "backup_vault.vault-a",
    "backup_vault.vault-b",
    "bucket.lh-dumps-a",
    "bucket.lh-dumps-b",
];

/// What is there that holds data: its kind, and its id.
type Data = BTreeSet<(&'static str, String)>;

fn data(world: &World) -> Data {
    let region = &world.regions["us-east-1"];
    // By its name: one that was released and kept has no tags of ownership.
    let is_data = |volume: &Volume| volume.tags.get("Name").is_some_and(|name| name.ends_with("-data"));
    let lives = |volume: &Volume| volume.state != VolumeState::Deleting;
    let mut all = Data::new();
    let volumes = region.volumes.iter().filter(|(_, volume)| is_data(volume) && lives(volume));
    all.extend(volumes.map(|(id, _)| ("volume", id.clone())));
    all.extend(region.snapshots.keys().map(|id| ("snapshot", id.clone())));
    all.extend(region.parameters.keys().map(|name| ("parameter", name.clone())));
    for (name, secret) in &region.secrets.secrets {
        // One that is scheduled for deletion can be restored, and cannot be read meanwhile.
        all.insert(("secret's value", name.clone()));
        all.extend(secret.deleted.is_none().then(|| ("secret", name.clone())));
    }
    for (name, vault) in &region.backup.vaults {
        all.insert(("backup_vault", name.clone()));
        all.extend(vault.points.keys().map(|point| ("recovery point", point.clone())));
    }
    for (name, bucket) in &world.s3.buckets {
        all.insert(("bucket", name.clone()));
        let versions = bucket.objects.iter().flat_map(|(key, all)| all.iter().map(move |one| (key, one)));
        all.extend(versions.map(|(key, one)| ("object", format!("{name}/{key} {}", one.id))));
    }
    all
}

/// Whether a complete snapshot of the volume is there.
fn is_copied(world: &World, volume: &str) -> bool {
    world.regions["us-east-1"].snapshots.values().any(|copy| copy.volume_id == volume && copy.completed)
}

/// What a step may take away.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Leave {
    /// Nothing.
    Nothing,
    /// What an approved destroy deletes.
    Destroy,
    /// What an approved release deletes: the resource at this address.
    Release(&'static str),
}

impl Leave {
    /// Whether what is gone may be: a volume only once a copy of it is complete; what others put
    /// into a vault or a bucket, and the value of a secret, never.
    fn covers(self, world: &World, kind: &str, id: &str) -> bool {
        let asked = match self {
            Self::Nothing => false,
            Self::Destroy => kind != "bucket",
            Self::Release(address) => address.split('.').next() == Some(kind),
        };
        match kind {
            "volume" => asked && is_copied(world, id),
            "parameter" | "secret" | "backup_vault" | "bucket" => asked,
            _ => false,
        }
    }
}

/// One user with one account, and states that may get lost.
struct Story {
    sim: Sim,
    /// One state a stack.
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
        let cloud = self.clouds.entry(self.stack_name()).or_insert_with(|| Cloud::simulated_in(sim.clone()));
        Some(Deployment::new(stack, cloud.clone()))
    }

    fn stack_name(&self) -> String {
        format!("{}-{}", self.file["name"], self.file["environment"])
    }

    /// One step; tells what it may take away.
    async fn step(&mut self) -> Leave {
        match self.dice.roll(13) {
            0..=3 => {
                let (key, values) = EDITS[usize::try_from(self.dice.roll(EDITS.len() as u64)).unwrap()];
                let value = self.dice.pick(values);
                self.told.push(format!("edit {key}={value}"));
                self.file.insert(key, value);
                Leave::Nothing
            }
            4 => {
                let stack = self.stack_name();
                self.told.push(format!("lose the state of {stack}"));
                self.clouds.remove(&stack);
                Leave::Nothing
            }
            5 => {
                self.told.push("backups are made".to_owned());
                self.fill();
                Leave::Nothing
            }
            step => {
                let fuse = (self.dice.roll(3) == 0).then(|| self.sim.mutations() + 1 + self.dice.roll(20));
                let fuse =
                    fuse.map(|n| if self.dice.roll(2) == 0 { Fuse::Before(n) } else { Fuse::After(n) });
                self.sim.set_faults(Faults { fuse, on_fuse: OnFuse::Fail, ..Faults::default() });
                let leave = self.command(step, fuse).await;
                self.sim.set_faults(Faults::default());
                leave
            }
        }
    }

    /// AWS Backup makes recovery points in every vault, and the host writes dumps into every bucket.
    fn fill(&self) {
        let fill = |world: &mut World| {
            let vaults: Vec<String> = world.regions["us-east-1"].backup.vaults.keys().cloned().collect();
            for vault in vaults {
                world.add_recovery_point("us-east-1", &vault, "arn:aws:ec2:us-east-1:1:volume/vol-1");
            }
            let now = world.now;
            for bucket in world.s3.buckets.values_mut() {
                let (id, etag) = (now.to_string(), "\"dump\"".to_owned());
                let dump = ObjectVersion {
                    id,
                    etag,
                    content: String::new(),
                    elsewhere: None,
                    marker: false,
                    at: now,
                };
                bucket.objects.entry("dump.sql.gz".to_owned()).or_default().push(dump);
            }
        };
        self.sim.edit(fill);
    }

    async fn command(&mut self, step: u64, fuse: Option<Fuse>) -> Leave {
        let (retain, delete) = (self.dice.roll(3) == 0, self.dice.roll(2) == 0);
        let address = self.dice.pick(&RELEASABLE);
        let Some(deployment) = self.deployment() else { return Leave::Nothing };
        let (name, leave) = match step {
            6..=8 => ("apply", Leave::Nothing),
            9 => ("recover", Leave::Nothing),
            10 if delete => ("release --delete", Leave::Release(address)),
            10 => ("release", Leave::Nothing),
            _ if retain => ("destroy --retain-data", Leave::Nothing),
            _ if self.file["protect"] == "true" => ("destroy", Leave::Nothing),
            _ => ("destroy", Leave::Destroy),
        };
        let told = if step == 10 { address } else { "" };
        self.told.push(format!("{name} {told} {fuse:?}"));
        let result = match name {
            "apply" => deployment.apply(|_| true).await,
            "recover" => deployment.recover(|_| true).await,
            "release" | "release --delete" => {
                let release = Release { address: address.parse().unwrap(), delete, without_backup: false };
                deployment.release(&release, |_| true).await
            }
            _ => deployment.destroy(retain, |_| true).await,
        };
        if let Err(error) = &result {
            self.told.push(format!("… {}", error.to_string().lines().next().unwrap_or_default()));
        }
        leave
    }

    /// What held data and is gone.
    fn check(&self, before: &Data, leave: Leave) -> Result<(), String> {
        let world = self.sim.snapshot();
        let after = data(&world);
        let lost = before.difference(&after).find(|(kind, id)| !leave.covers(&world, kind, id));
        lost.map_or(Ok(()), |(kind, id)| Err(format!("the {kind} {id} is gone")))
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
        let leave = story.step().await;
        story.check(&before, leave).map_err(|gone| format!("{gone}\n{}", story.told.join("\n")))?;
    }
    Ok(())
}

fn asked(variable: &str, usual: u64) -> u64 {
    std::env::var(variable).ok().map_or(usual, |text| text.parse().unwrap())
}

#[tokio::test]
async fn no_sequence_of_events_destroys_data_by_accident() {
    let first = asked("LHCTL_SAFETY_SEED", 1);
    let (began, every) = (std::time::Instant::now(), asked("LHCTL_SAFETY_PROGRESS", u64::MAX));
    for seed in first..first + asked("LHCTL_SAFETY_SEQUENCES", SEQUENCES) {
        let done = seed - first;
        if done > 0 && done.is_multiple_of(every) {
            println!("{done} sequences in {} s", began.elapsed().as_secs());
        }
        if let Err(what) = sequence(seed).await {
            panic!("LHCTL_SAFETY_SEED={seed}: {what}");
        }
    }
}
