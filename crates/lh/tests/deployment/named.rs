//! Prod's named things, whole: secret, record, security group as a source, key pair, KMS key.

use lh::{Applied, Cloud, Deployment, Mode, Stack};
use lh_sim::world::{Peer, Secret, World};

use crate::called;

const REGION: &str = "us-east-1";
const SECRET: &str = "lighthouse/prod/db/password";
const KEY: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJDMXmqY0g0H8lVgnUZ9Jm3Q2y8V0p0yG8d5l1V0cD2q";

/// Prod with a local state and without its services of other tests.
fn prod(cloud: &Cloud, set: &[&str]) -> Deployment {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/../../stacks/prod.yaml");
    let less = ["backup=null", "monitoring=null", "state=null", "protect=false"];
    let set: Vec<String> = less.iter().chain(set).map(|part| (*part).to_owned()).collect();
    Deployment::new(Stack::load(file, &set).unwrap(), cloud.clone())
}

async fn apply(cloud: &Cloud, set: &[&str]) -> Applied {
    let applied = prod(cloud, set).apply(|_| true).await.unwrap();
    assert!(applied.outcome.is_complete(), "{:?} {:?}", applied.plan.refusals, applied.outcome);
    let (called, listed) = (called(cloud), applied.plan.calls());
    let others: Vec<_> = called.difference(&listed).collect();
    assert!(others.is_empty(), "called and not listed: {others:?}");
    applied
}

#[track_caller]
fn world(cloud: &Cloud) -> World {
    cloud.sim().unwrap().snapshot()
}

fn secret(world: &World) -> &Secret {
    &world.region(REGION).unwrap().secrets.secrets[SECRET]
}

fn addresses(world: &World) -> Vec<&str> {
    let records = world.route53.zones.values().flat_map(|zone| &zone.records);
    records.filter(|set| set.kind == "A").flat_map(|set| &set.values).map(String::as_str).collect()
}

/// A name in DNS and a secret's id stand in the stack file, whether the stack is there or not.
#[tokio::test]
async fn what_was_destroyed_is_offered_no_more() {
    let cloud = Cloud::simulated();
    apply(&cloud, &[]).await;
    assert!(prod(&cloud, &[]).destroy(false, |_| true).await.unwrap().outcome.is_complete());
    let outputs = prod(&cloud, &[]).outputs().await.unwrap();
    assert!(outputs.iter().all(|output| output.name == "estimated_monthly_cost"), "{outputs:?}");
    let gone = prod(&cloud, &[]).output("database_connection_string").await.err().unwrap().to_string();
    assert!(gone.ends_with("it has: none yet; apply it first"), "{gone}");
}

#[tokio::test]
async fn prod_is_applied_and_then_has_nothing_left_to_do() {
    let cloud = Cloud::simulated();
    let applied = apply(&cloud, &[]).await;
    let world = world(&cloud);
    let here = world.region(REGION).unwrap();
    let instance = here.instances.values().next().unwrap();
    assert_eq!(addresses(&world), [instance.private_ip.as_str()]);
    let backend = here.groups.values().find(|group| group.name == "lighthouse-prod-backend-sg").unwrap();
    let rules = here.groups.values().flat_map(|group| group.rules.values());
    let of_backend = rules.filter(|rule| rule.peer == Peer::Group(backend.id.clone())).count();
    assert_eq!(of_backend, 1);
    let endpoint = applied.outputs.iter().find(|output| output.name == "database_endpoint").unwrap();
    assert_eq!(endpoint.value.as_deref(), Some("db.karmacadabra.ultravioletadao.xyz:5432"));
    let string = prod(&cloud, &[]).output("database_connection_string").await.unwrap();
    let value = secret(&world).value.expose();
    assert!(string.expose().contains(value));
    let told = format!("{:?} {:?}", applied.plan, applied.state);
    assert!(!told.contains(value), "the password is in the plan or the state");
    let sim = cloud.sim().unwrap();
    sim.forget_calls();
    let plan = prod(&cloud, &[]).plan(Mode::Apply).await.unwrap();
    assert!(plan.is_empty() && plan.notes.is_empty(), "{:#?} {:?}", plan.steps, plan.notes);
    // Prod without backups and monitoring: what they need comes on top.
    assert!(sim.calls().len() <= 18 && sim.rounds() <= 2, "{} in {}", sim.calls().len(), sim.rounds());
}

#[tokio::test]
async fn a_secret_that_was_there_is_used_and_outlives_the_stack() {
    let cloud = Cloud::simulated();
    let theirs = Secret {
        name: SECRET.to_owned(),
        arn: format!("arn:aws:secretsmanager:{REGION}:123456789012:secret:{SECRET}-AbCdEf"),
        description: None,
        kms_key: None,
        value: lh_sim::world::Hidden("theirs".to_owned()),
        version: "1".to_owned(),
        tags: Default::default(),
        created_at: 0,
        deleted: None,
    };
    cloud.sim().unwrap().edit(|world| {
        world.region_mut(REGION).secrets.secrets.insert(SECRET.to_owned(), theirs.clone());
    });
    let applied = apply(&cloud, &[]).await;
    assert!(applied.plan.cost_after.lines.iter().all(|(address, _)| address.kind() != "secret"));
    let string = prod(&cloud, &[]).output("database_connection_string").await.unwrap();
    assert!(string.expose().contains("postgres:theirs@"));
    let destroyed = prod(&cloud, &[]).destroy(false, |_| true).await.unwrap();
    assert!(destroyed.outcome.is_complete(), "{:?}", destroyed.outcome);
    let after = world(&cloud);
    assert_eq!(format!("{:?}", secret(&after)), format!("{theirs:?}"));
    assert_eq!(addresses(&after), Vec::<&str>::new());
}

#[tokio::test]
async fn a_destroyed_stack_finds_its_password_again() {
    let cloud = Cloud::simulated();
    apply(&cloud, &[]).await;
    let before = secret(&world(&cloud)).value.clone();
    let destroyed = prod(&cloud, &[]).destroy(false, |_| true).await.unwrap();
    assert!(destroyed.outcome.is_complete(), "{:?}", destroyed.outcome);
    let (asked, until) = secret(&world(&cloud)).deleted.unwrap();
    assert_eq!(until - asked, 30 * 24 * 3_600_000, "it can be restored for thirty days");
    cloud.sim().unwrap().forget_calls();
    apply(&cloud, &[]).await;
    assert!(secret(&world(&cloud)).deleted.is_none());
    assert_eq!(secret(&world(&cloud)).value, before);
    assert!(prod(&cloud, &[]).plan(Mode::Apply).await.unwrap().is_empty());
}

#[tokio::test]
async fn a_secret_on_its_way_out_is_not_used() {
    let cloud = Cloud::simulated();
    apply(&cloud, &[]).await;
    cloud.sim().unwrap().edit(|world| {
        let now = world.now;
        let secret = world.region_mut(REGION).secrets.secrets.get_mut(SECRET).unwrap();
        secret.tags.clear();
        secret.deleted = Some((now, now + 1_000_000_000));
    });
    let other = Cloud::simulated();
    other.sim().unwrap().edit(|there| *there = World { revision: there.revision, ..world(&cloud) });
    let plan = prod(&other, &["environment=other"]).plan(Mode::Apply).await.unwrap();
    assert!(plan.refusals.iter().any(|refusal| refusal.code == "E0615"), "{:?}", plan.refusals);
}

#[tokio::test]
async fn a_key_pair_is_imported_and_a_named_key_encrypts() {
    let cloud = Cloud::simulated();
    let key = format!("ssh.public_key={KEY} me@here");
    let set = [
        key.as_str(),
        "ssh.key_name=lighthouse-new",
        "volume.kms_key=alias/lighthouse",
        "database.password={secret: lighthouse/prod/db/password, kms_key: alias/lighthouse}",
    ];
    apply(&cloud, &set).await;
    let world = world(&cloud);
    let here = world.region(REGION).unwrap();
    assert_eq!(here.key_pairs["lighthouse-new"].public_key.as_deref(), Some(KEY));
    let arn = here.kms.find("alias/lighthouse").unwrap().arn.clone();
    assert_eq!(secret(&world).kms_key.as_ref(), Some(&arn));
    let document = world.iam.roles.values().flat_map(|role| role.inline.values()).next().unwrap();
    assert!(document.contains(&arn), "{document}");
    assert!(prod(&cloud, &set).plan(Mode::Apply).await.unwrap().is_empty());
    let destroyed = prod(&cloud, &set).destroy(false, |_| true).await.unwrap();
    assert!(destroyed.outcome.is_complete(), "{:?}", destroyed.outcome);
    assert!(
        !cloud.sim().unwrap().snapshot().region(REGION).unwrap().key_pairs.contains_key("lighthouse-new")
    );
}

#[tokio::test]
async fn another_key_under_a_used_name_is_told() {
    let cloud = Cloud::simulated();
    cloud.sim().unwrap().edit(|world| {
        let pairs = &mut world.region_mut(REGION).key_pairs;
        pairs.get_mut("lighthouse-prod").unwrap().public_key = Some("ssh-rsa AAAAother".to_owned());
    });
    let plan = prod(&cloud, &[&format!("ssh.public_key={KEY}")]).plan(Mode::Apply).await.unwrap();
    let note = plan.notes.iter().find(|note| note.text.contains("public_key")).unwrap();
    assert!(note.text.contains("is not what the stack file says: it is used as it is"), "{}", note.text);
}

#[tokio::test]
async fn a_stopped_apply_of_prod_converges() {
    for after in [1, 3, 5, 7, 9, 11] {
        let cloud = Cloud::simulated();
        let faults = lh_sim::Faults {
            fuse: Some(lh_sim::Fuse::After(after)),
            on_fuse: lh_sim::OnFuse::Fail,
            ..lh_sim::Faults::default()
        };
        cloud.sim().unwrap().set_faults(faults);
        let broken = prod(&cloud, &[]).apply(|_| true).await;
        assert!(broken.is_err() || !broken.unwrap().outcome.is_complete(), "{after}");
        cloud.sim().unwrap().set_faults(lh_sim::Faults::default());
        cloud.sim().unwrap().forget_calls();
        apply(&cloud, &[]).await;
        let world = world(&cloud);
        assert_eq!((addresses(&world).len(), world.region(REGION).unwrap().secrets.secrets.len()), (1, 1));
        assert!(prod(&cloud, &[]).plan(Mode::Apply).await.unwrap().is_empty());
    }
}
