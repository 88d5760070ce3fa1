//! State in S3 with its lock in DynamoDB, on the simulated AWS: the store contract, what only a
//! remote store can suffer, and bootstrap under every crash.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use lh_aws::{
    ConnectOptions, SharedInterceptor,
    store::{Done, LEASE, LeaseTerms, Outcome, RemoteStore, StatePlace, StoreClients, bootstrap},
};
use lh_kind::Pace;
use lh_sim::{Faults, Fuse, OnFuse, Sim};
use lh_state::{Holder, Journal, Lease, Snapshots, StoreError};
use lh_testkit::store_contract::{self, entry};

struct Virtual(Sim);

#[async_trait]
impl Pace for Virtual {
    async fn pause(&self, duration: Duration) {
        self.0.advance(duration);
    }
}

fn place() -> StatePlace {
    StatePlace { bucket: "lighthouse-state".into(), key: "dev.json".into(), table: "lighthouse-locks".into() }
}

async fn clients(sim: &Sim) -> StoreClients {
    let options = ConnectOptions {
        sdk_config: Some(sim.sdk_config()),
        interceptor: Some(SharedInterceptor::new(sim.interceptor())),
        pace: Some(Arc::new(Virtual(sim.clone()))),
        ..ConnectOptions::default()
    };
    StoreClients::connect(options).await.unwrap()
}

async fn made(sim: &Sim) -> Vec<Done> {
    bootstrap(&clients(sim).await, &place()).await.unwrap()
}

async fn store(sim: &Sim) -> RemoteStore {
    RemoteStore::new(clients(sim).await, place(), LeaseTerms::default())
}

fn holder(who: &str) -> Holder {
    Holder { who: who.into(), pid: 1, operation: "apply".into(), since: "then".into() }
}

fn lose_next(sim: &Sim) {
    sim.set_faults(Faults { lose_answer_of: [sim.mutations() + 1].into(), ..Faults::default() });
}

/// With tokio's paused clock, the heartbeats of an owner and the pauses of a waiter pass in order
/// and take no time.
#[tokio::test(start_paused = true)]
async fn the_store_keeps_the_contract() {
    for page in [None, Some(1)] {
        let sim = Sim::in_memory();
        made(&sim).await;
        sim.set_faults(Faults { page, ..Faults::default() });
        store_contract::check(&store(&sim).await, &store(&sim).await).await;
    }
}

#[tokio::test]
async fn without_bootstrap_every_part_says_what_to_do() {
    let store = store(&Sim::in_memory()).await;
    let errors = [
        store.load().await.err(),
        store.swap(&None, "{}").await.err(),
        store.append(&[entry(0, 0, "a")]).await.err(),
        store.acquire(&holder("a")).await.err(),
    ];
    for error in errors {
        let Some(StoreError::Remote { place, fix, .. }) = error else { panic!("{error:?}") };
        assert!(place.contains("lighthouse-") && fix.contains("lhctl bootstrap STACK"), "{place}: {fix}");
    }
}

#[tokio::test]
async fn a_lost_answer_to_a_write_is_no_foreign_write() {
    let sim = Sim::in_memory();
    made(&sim).await;
    let store = store(&sim).await;
    lose_next(&sim);
    let first = store.swap(&None, "one").await.unwrap();
    lose_next(&sim);
    let second = store.swap(&first, "two").await.unwrap();
    assert_eq!(store.load().await.unwrap(), (Some("two".into()), second));
    lose_next(&sim);
    store.append(&[entry(0, 0, "a")]).await.unwrap();
    assert_eq!(store.since(0).await.unwrap(), [entry(0, 0, "a")]);
    lose_next(&sim);
    let guard = store.acquire(&holder("a")).await.unwrap();
    lose_next(&sim);
    guard.renew().await.unwrap();
    lose_next(&sim);
    guard.release().await.unwrap();
    assert_eq!(store.acquire(&holder("b")).await.unwrap().fencing(), 2);
}

#[tokio::test]
async fn only_one_of_many_first_writers_wins() {
    let sim = Sim::in_memory();
    made(&sim).await;
    let store = store(&sim).await;
    let texts: Vec<String> = (0..8).map(|n| n.to_string()).collect();
    let writes = texts.iter().map(|text| store.swap(&None, text));
    let results = futures_util::future::join_all(writes).await;
    assert_eq!(results.iter().filter(|result| result.is_ok()).count(), 1);
    assert!(results.iter().all(|result| result.is_ok() || *result == Err(StoreError::Moved)), "{results:?}");
}

#[tokio::test(start_paused = true)]
async fn the_journal_reads_in_the_order_of_its_runs_over_pages() {
    let sim = Sim::in_memory();
    made(&sim).await;
    sim.set_faults(Faults { page: Some(3), ..Faults::default() });
    let mut written = Vec::new();
    // Names that sort the other way round.
    for run in ["zulu", "mike", "alpha"] {
        let store = store(&sim).await;
        let guard = store.acquire(&holder(run)).await.unwrap();
        for number in 0..4 {
            let mut batch = vec![entry(7, 2 * number, "a"), entry(7, 2 * number + 1, "b")];
            batch.iter_mut().for_each(|entry| entry.run = run.into());
            store.append(&batch).await.unwrap();
            written.extend(batch);
        }
        guard.release().await.unwrap();
    }
    let reader = store(&sim).await;
    assert_eq!(reader.since(7).await.unwrap(), written);
    reader.trim(8).await.unwrap();
    assert!(reader.since(7).await.unwrap().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_living_owner_keeps_its_lease_however_long_it_works() {
    let sim = Sim::in_memory();
    made(&sim).await;
    let guard = store(&sim).await.acquire(&holder("first")).await.unwrap();
    tokio::time::sleep(10 * LEASE).await;
    let began = tokio::time::Instant::now();
    let refused = store(&sim).await.acquire(&holder("second")).await.err();
    assert_eq!(refused, Some(StoreError::Locked(Some(holder("first")))));
    assert!(began.elapsed() <= LEASE, "{:?}", began.elapsed());
    guard.renew().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_dead_owners_lease_is_taken_over_after_its_length_and_the_owner_is_fenced() {
    let sim = Sim::in_memory();
    made(&sim).await;
    /// An owner that is paused: its heartbeats never come.
    struct Never;
    #[async_trait]
    impl Pace for Never {
        async fn pause(&self, _: Duration) {
            std::future::pending().await
        }
    }
    let terms = LeaseTerms { pace: Arc::new(Never), ..LeaseTerms::default() };
    let paused = RemoteStore::new(clients(&sim).await, place(), terms);
    let dead = paused.acquire(&holder("dead")).await.unwrap();
    let told = Arc::new(std::sync::Mutex::new(Vec::new()));
    let watch = Arc::clone(&told);
    let terms = LeaseTerms {
        watch: Some(Arc::new(move |holder, longest| {
            watch.lock().unwrap().push((holder.who.clone(), longest))
        })),
        ..LeaseTerms::default()
    };
    let began = tokio::time::Instant::now();
    let heir = RemoteStore::new(clients(&sim).await, place(), terms);
    let next = heir.acquire(&holder("heir")).await.unwrap();
    assert!(began.elapsed() >= LEASE && began.elapsed() < 2 * LEASE, "{:?}", began.elapsed());
    assert_eq!(*told.lock().unwrap(), [("dead".to_owned(), LEASE)]);
    assert!(next.fencing() > dead.fencing());
    assert_eq!(dead.renew().await, Err(StoreError::Fenced));
    assert_eq!(dead.renew().await, Err(StoreError::Fenced));
    dead.release().await.unwrap();
    next.renew().await.expect("the late release took nothing away");
}

#[tokio::test]
async fn a_lock_of_terraform_is_recognised_and_left_alone() {
    use lh_sim::world::Attribute;
    let sim = Sim::in_memory();
    made(&sim).await;
    let id = "lighthouse-state/dev.json";
    let info = r#"{"ID":"1","Operation":"OperationTypeApply","Who":"ann@host","Created":"then"}"#;
    let item = [("LockID", id), ("Info", info)].map(|(name, text)| (name.into(), Attribute::S(text.into())));
    sim.edit(|world| {
        let table = world.region_mut("us-east-1").tables.get_mut("lighthouse-locks").unwrap();
        table.items.insert(id.into(), item.into());
    });
    let Some(StoreError::Locked(Some(by))) = store(&sim).await.acquire(&holder("a")).await.err() else {
        panic!("it is locked")
    };
    assert_eq!(by.who, "ann@host with Terraform");
}

fn changes(sim: &Sim) -> usize {
    sim.calls().iter().filter(|call| call.mutating).count()
}

#[tokio::test]
async fn bootstrap_makes_everything_once() {
    let sim = Sim::in_memory();
    assert!(made(&sim).await.iter().any(|done| done.outcome == Outcome::Created));
    let first = sim.snapshot();
    let bucket = &first.s3.buckets["lighthouse-state"];
    assert_eq!(bucket.versioning.as_deref(), Some("Enabled"));
    assert!(bucket.policy.as_ref().unwrap().contains("aws:SecureTransport"));
    let rules = bucket.lifecycle.iter().map(|rule| (rule.prefix.as_str(), rule.noncurrent_days.unwrap()));
    let kept = [("dev.json", 365), ("dev.json.journal/", 30), ("dev.json.runs/", 30)];
    assert_eq!(rules.collect::<Vec<_>>(), kept);
    let table = &first.region("us-east-1").unwrap().tables["lighthouse-locks"];
    assert_eq!((table.hash_key.as_str(), table.billing.as_str()), ("LockID", "PAY_PER_REQUEST"));
    assert!(table.deletion_protection);
    sim.forget_calls();
    let again = made(&sim).await;
    assert!(again.iter().all(|done| done.outcome == Outcome::Right), "{again:?}");
    assert_eq!(changes(&sim), 0);
}

#[tokio::test]
async fn bootstrap_mends_what_was_weakened_and_nothing_else() {
    let sim = Sim::in_memory();
    made(&sim).await;
    sim.edit(|world| {
        let bucket = world.s3.buckets.get_mut("lighthouse-state").unwrap();
        bucket.versioning = Some("Suspended".into());
        bucket.public_access = None;
        bucket.lifecycle.truncate(1);
        bucket.encryption.algorithm = "aws:kms".into();
        world.region_mut("us-east-1").tables.get_mut("lighthouse-locks").unwrap().deletion_protection = false;
    });
    sim.forget_calls();
    let mended = made(&sim).await;
    let mended: Vec<_> = mended.iter().filter(|d| d.outcome == Outcome::Mended).map(|d| d.what).collect();
    assert_eq!(mended, ["versioning", "public access", "lifecycle", "deletion protection"]);
    assert_eq!(changes(&sim), 4);
    let algorithm = sim.snapshot().s3.buckets["lighthouse-state"].encryption.algorithm.clone();
    assert_eq!(algorithm, "aws:kms", "a stricter encryption stays");
}

#[tokio::test]
async fn bootstrap_killed_at_every_call_is_completed_by_the_next() {
    let whole = Sim::in_memory();
    made(&whole).await;
    let undisturbed = serde_json::to_value(&whole.snapshot().s3.buckets["lighthouse-state"].policy).unwrap();
    for n in 1..=whole.mutations() {
        for fuse in [Fuse::Before(n), Fuse::After(n)] {
            let sim = Sim::in_memory();
            sim.set_faults(Faults { fuse: Some(fuse), on_fuse: OnFuse::Fail, ..Faults::default() });
            bootstrap(&clients(&sim).await, &place()).await.expect_err("the fuse blows");
            sim.set_faults(Faults::default());
            made(&sim).await;
            sim.forget_calls();
            made(&sim).await;
            assert_eq!(changes(&sim), 0, "after {fuse:?}");
            let policy = serde_json::to_value(&sim.snapshot().s3.buckets["lighthouse-state"].policy).unwrap();
            assert_eq!(policy, undisturbed, "after {fuse:?}");
        }
        let sim = Sim::in_memory();
        sim.set_faults(Faults { lose_answer_of: [n].into(), ..Faults::default() });
        made(&sim).await;
    }
}

#[tokio::test]
async fn anothers_bucket_and_anothers_region_are_told_and_not_touched() {
    let sim = Sim::in_memory();
    made(&sim).await;
    for (owner, region, wanted) in [
        ("999999999999", "us-east-1", "another AWS account"),
        ("123456789012", "eu-west-1", "another region"),
    ] {
        sim.edit(|world| {
            let bucket = world.s3.buckets.get_mut("lighthouse-state").unwrap();
            (bucket.owner, bucket.region) = (owner.into(), region.into());
        });
        sim.forget_calls();
        let error = bootstrap(&clients(&sim).await, &place()).await.unwrap_err();
        assert!(error.to_string().contains(wanted), "{error}");
        assert_eq!(changes(&sim), 0);
    }
}

#[tokio::test]
async fn the_bucket_refuses_a_state_written_without_a_condition() {
    let sim = Sim::in_memory();
    made(&sim).await;
    let config = aws_sdk_s3::config::Builder::from(&sim.sdk_config()).interceptor(sim.interceptor());
    let s3 = aws_sdk_s3::Client::from_conf(config.build());
    let put = |key: &str| s3.put_object().bucket("lighthouse-state").key(key).body(b"x".to_vec().into());
    assert!(put("other.json").send().await.is_ok());
    let refused = put("dev.json").send().await.unwrap_err();
    assert!(format!("{refused:?}").contains("AccessDenied"), "{refused:?}");
    assert!(put("dev.json").if_none_match("*").send().await.is_ok());
}
