//! What surrounds the database on a running host follows the stack file, while the database serves.

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicBool, AtomicI32, Ordering},
};

use lh::{Cloud, Deployment, Mode, Plan};
use lh_plan::{Act, Step};
use lh_sim::{Faults, Fuse, HostFacts, HostRun, Hosts, OnFuse, Sim};

use crate::{apply, deployment, kept};

/// Hosts that keep what they are told, and end it with this status.
#[derive(Debug)]
pub struct Told {
    scripts: Mutex<Vec<String>>,
    status: AtomicI32,
    online: AtomicBool,
}

impl Hosts for Told {
    fn is_online(&self, _: &HostFacts) -> bool {
        self.online.load(Ordering::SeqCst)
    }

    fn begin(&self, _: &HostFacts, _: &str, script: &str) -> Result<(), String> {
        self.scripts.lock().unwrap().push(script.to_owned());
        Ok(())
    }

    fn look(&self, _: &HostFacts, _: &str) -> HostRun {
        let status = self.status.load(Ordering::SeqCst);
        HostRun::Ended { status, out: String::new(), err: "snap: no space left\n".to_owned() }
    }

    fn cancel(&self, _: &HostFacts, _: &str) {}
}

impl Told {
    pub fn new(sim: &Sim) -> Arc<Self> {
        let told =
            Self { scripts: Mutex::default(), status: AtomicI32::new(0), online: AtomicBool::new(true) };
        let told = Arc::new(told);
        sim.set_hosts(told.clone());
        told
    }

    fn count(&self) -> usize {
        self.scripts.lock().unwrap().len()
    }
}

const DAILY: &str = "backup={vault: lighthouse-dev-vault, schedule: \"cron(0 5 * * ? *)\", retain_days: 7, bucket: lighthouse-dumps, dump_schedule: daily}";

fn weekly() -> String {
    DAILY.replace("daily", "weekly")
}

fn asks_for_weekly(cloud: &Cloud) -> Deployment {
    deployment(cloud, &[&weekly()])
}

fn only_step(plan: &Plan) -> &Step {
    assert_eq!(plan.steps.len(), 1, "{:?}", plan.steps);
    &plan.steps[0]
}

#[tokio::test]
async fn another_dump_schedule_reaches_the_running_host() {
    let sim = Sim::in_memory();
    let cloud = Cloud::simulated_in(sim.clone());
    apply(&cloud, &[DAILY]).await;
    let told = Told::new(&sim);
    assert!(deployment(&cloud, &[DAILY]).plan(Mode::Apply).await.unwrap().is_empty(), "made so");

    let plan = asks_for_weekly(&cloud).plan(Mode::Apply).await.unwrap();
    let step = only_step(&plan);
    assert_eq!((step.id.act, step.id.address.to_string().as_str()), (Act::Update, "instance.main"));
    assert_eq!((step.effect, step.downtime_seconds), (lh_kind::Effect::Online, 0));
    let fields: Vec<&str> = step.changes.iter().map(|change| change.field.as_str()).collect();
    assert_eq!(fields, ["host"]);
    assert!(step.changes[0].new.as_str().unwrap().starts_with("sha256:"), "the text is for the host alone");
    assert!(step.reason.contains("dumps, logs, metrics and programs of the host"), "{}", step.reason);
    assert!(step.origin.is_some());

    apply(&cloud, &[&weekly()]).await;
    assert_eq!(told.count(), 1);
    let again = asks_for_weekly(&cloud).plan(Mode::Apply).await.unwrap();
    assert!(again.is_empty(), "{:?}", again.steps);
    // A change of anything else does not ask for the permission to run commands.
    let tags = deployment(&cloud, &[&weekly(), "tags.Owner=x"]).plan(Mode::Apply).await.unwrap();
    let calls = tags.steps.iter().flat_map(|step| &step.calls);
    assert!(calls.clone().any(|call| call == "ec2:CreateTags"));
    assert!(calls.clone().all(|call| call != "ssm:SendCommand"));
}

#[tokio::test]
async fn an_image_waits_for_its_upgrade() {
    let sim = Sim::in_memory();
    let cloud = Cloud::simulated_in(sim.clone());
    apply(&cloud, &[]).await;
    let told = Told::new(&sim);
    let image = ["database.image=timescale/timescaledb:2.18.0-pg16"];
    let plan = deployment(&cloud, &image).plan(Mode::Apply).await.unwrap();
    assert!(plan.is_empty(), "an image restarts the database, and that is asked for: {:?}", plan.steps);
    let note = &plan.notes.iter().find(|note| note.text.starts_with("database_image is ")).unwrap().text;
    assert!(note.ends_with("2.18.0-pg16\": `lhctl db upgrade` changes it."), "{note}");
    // A change of something else does not make the image look as if somebody had moved it.
    apply(&cloud, &[image[0], "tags.Owner=x"]).await;
    let both = deployment(&cloud, &[image[0], "tags.Owner=x"]);
    let plan = both.plan(Mode::Apply).await.unwrap();
    assert!(plan.is_empty() && plan.drift.is_empty(), "{:?} {:?}", plan.drift, plan.steps);
    assert_eq!((plan.notes.len(), told.count()), (1, 0));
    // What an upgrade notes that was not needed, and that knows of nothing but the image.
    let elsewhere = "database.password.ssm=/elsewhere";
    let moved = deployment(&cloud, &[image[0], elsewhere, "tags.Owner=x"]);
    moved.note_host(false).await.unwrap();
    let plan = moved.plan(Mode::Apply).await.unwrap();
    assert!(plan.steps.iter().any(|step| step.changes.iter().any(|change| change.field == "host")));
    assert!(plan.notes.iter().all(|note| !note.text.starts_with("database_image")), "{:?}", plan.notes);
    // And one that was.
    both.note_host(true).await.unwrap();
    let plan = both.plan(Mode::Apply).await.unwrap();
    assert!(
        plan.is_empty() && plan.notes.is_empty() && plan.drift.is_empty(),
        "{:?} {:?}",
        plan.notes,
        plan.drift
    );
}

#[tokio::test]
async fn a_host_that_is_killed_over_is_told_again() {
    let mut fuses = Vec::new();
    for call in 1..=8 {
        fuses.extend([Fuse::Before(call), Fuse::After(call)]);
    }
    let (mut died, mut told_twice) = (0, 0);
    for fuse in fuses {
        let sim = Sim::in_memory();
        let cloud = Cloud::simulated_in(sim.clone());
        apply(&cloud, &[DAILY]).await;
        let told = Told::new(&sim);
        let before = sim.mutations();
        let fuse = match fuse {
            Fuse::Before(call) => Fuse::Before(before + call),
            Fuse::After(call) => Fuse::After(before + call),
        };
        sim.set_faults(Faults { fuse: Some(fuse), on_fuse: OnFuse::Fail, ..Faults::default() });
        let _ = asks_for_weekly(&cloud).apply(|_| true).await;
        died += usize::from(sim.blown());
        sim.set_faults(Faults::default());
        kept_again(&cloud).await;
        assert!((1..=2).contains(&told.count()), "{fuse:?}: told {} times", told.count());
        told_twice += usize::from(told.count() == 2);
    }
    assert!(died >= 3 && told_twice >= 1, "{died} deaths, {told_twice} of them after the host was told");
}

async fn kept_again(cloud: &Cloud) {
    cloud.sim().unwrap().forget_calls();
    kept(cloud, asks_for_weekly(cloud).apply(|_| true).await);
    let plan = asks_for_weekly(cloud).plan(Mode::Apply).await.unwrap();
    assert!(plan.is_empty(), "{:?}", plan.steps);
}

#[tokio::test]
async fn what_the_host_says_is_told_and_the_next_apply_goes_on() {
    let sim = Sim::in_memory();
    let cloud = Cloud::simulated_in(sim.clone());
    apply(&cloud, &[DAILY]).await;
    let told = Told::new(&sim);
    told.status.store(1, Ordering::SeqCst);
    let failed = asks_for_weekly(&cloud).apply(|_| true).await.unwrap().outcome.failed;
    let error = failed.values().next().unwrap().to_string();
    assert!(error.contains("exit status 1: snap: no space left. The database was left alone"), "{error}");
    told.status.store(0, Ordering::SeqCst);
    kept_again(&cloud).await;
}

#[tokio::test]
async fn an_agent_that_is_away_is_waited_for_and_named() {
    let sim = Sim::in_memory();
    let cloud = Cloud::simulated_in(sim.clone());
    apply(&cloud, &[DAILY]).await;
    let told = Told::new(&sim);
    told.online.store(false, Ordering::SeqCst);
    let failed = asks_for_weekly(&cloud).apply(|_| true).await.unwrap().outcome.failed;
    let error = failed.values().next().unwrap().to_string();
    assert!(error.contains("no SSM agent on i-") && error.contains("takes commands"), "{error}");
    told.online.store(true, Ordering::SeqCst);
    kept_again(&cloud).await;
    assert_eq!(told.count(), 1);
}
