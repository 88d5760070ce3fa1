//! The checklist before an apply, in the simulated AWS: each row both ways.

use lh::{
    Cloud, Mode,
    db::{Check, Outcome, Report},
};

use crate::{apply, deployment, renewal::Told};

const REGION: &str = "us-east-1";

async fn doctor(cloud: &Cloud, set: &[&str]) -> Report {
    deployment(cloud, set).doctor().await.unwrap()
}

#[track_caller]
fn row<'r>(report: &'r Report, name: &str) -> &'r Check {
    report.checks.iter().find(|check| check.name == name).unwrap_or_else(|| panic!("no {name}: {report:#?}"))
}

#[track_caller]
fn failed<'r>(report: &'r Report, name: &str) -> (&'r str, &'r str, String) {
    let row = row(report, name);
    let at = row.origin.as_ref().map(ToString::to_string).unwrap_or_default();
    match &row.outcome {
        Outcome::Failed { reason, fix } => (reason, fix, at),
        other => panic!("{name}: {other:?} {:?}", row.evidence),
    }
}

#[tokio::test]
async fn a_stack_that_can_be_applied_passes_and_nothing_is_changed() {
    let cloud = Cloud::simulated();
    let report = doctor(&cloud, &[]).await;
    assert!(report.holds(), "{report:#?}");
    assert!(row(&report, "network").evidence.contains(&"zone: us-east-1a".to_owned()), "{report:#?}");
    assert!(row(&report, "egress").evidence[0].contains("by igw-"), "{report:#?}");
    assert!(row(&report, "permissions").evidence.iter().any(|line| line == "ec2:RunInstances is allowed"));
    assert!(row(&report, "key-pair").origin.as_ref().is_some_and(|origin| origin.line > 0));
    // Dry runs leave nothing behind.
    let world = cloud.sim().unwrap().snapshot();
    let here = world.region(REGION).unwrap();
    assert!(here.instances.is_empty() && here.volumes.is_empty() && here.addresses.is_empty());
    apply(&cloud, &[]).await;
    let after = doctor(&cloud, &[]).await;
    assert!(after.holds(), "{after:#?}");
    assert!(row(&after, "modification-budget").evidence[0].ends_with("was never modified"), "{after:#?}");
}

/// Production is in a private subnet and pulls a public image: whether there is a way is asked.
#[tokio::test]
async fn guide_defect_08_a_subnet_without_egress_is_told_before_the_apply() {
    let private = [
        "network.vpc=lighthouse-prod-vpc",
        "network.subnet=lighthouse-prod-private-subnet",
        "network.public_ip=false",
    ];
    let cloud = Cloud::simulated();
    let good = doctor(&cloud, &private).await;
    assert!(row(&good, "egress").evidence[0].contains("by nat-"), "{good:#?}");
    let lead = |target: Option<&str>| {
        cloud.sim().unwrap().edit(|world| {
            let mut subnets = world.region_mut(REGION).subnets.values_mut();
            subnets.find(|subnet| !subnet.public).unwrap().default_route = target.map(str::to_owned);
        });
    };
    lead(None);
    let report = doctor(&cloud, &private).await;
    assert!(!report.holds());
    let (reason, fix, at) = failed(&report, "egress");
    assert!(reason.contains("has no way to the internet") && reason.contains("image"), "{reason}");
    assert!(fix.contains("NAT gateway"), "{fix}");
    assert!(at.contains("--set") || at.contains("dev.yaml"), "{at}");
    lead(Some("igw-1"));
    let report = doctor(&cloud, &private).await;
    assert!(failed(&report, "egress").0.contains("serves public addresses alone"));
    let public = [private[0], private[1], "network.public_ip=true"];
    assert!(row(&doctor(&cloud, &public).await, "egress").evidence[0].contains("with a public address"));
}

/// Where instances run something, they must be able to fetch it: the plan that chooses a subnet says
/// so, and no apply begins.
#[tokio::test]
async fn guide_defect_08_a_subnet_without_egress_is_refused_by_the_plan() {
    let private = [
        "network.vpc=lighthouse-prod-vpc",
        "network.subnet=lighthouse-prod-private-subnet",
        "network.public_ip=false",
    ];
    let cloud = Cloud::simulated();
    Told::new(cloud.sim().unwrap());
    let lead = |target: Option<&str>| {
        cloud.sim().unwrap().edit(|world| {
            let mut subnets = world.region_mut(REGION).subnets.values_mut();
            subnets.find(|subnet| !subnet.public).unwrap().default_route = target.map(str::to_owned);
        });
    };
    let plan = async |set: &[&str]| deployment(&cloud, set).plan(Mode::Apply).await.unwrap();
    assert_eq!(plan(&private).await.refusals, []);
    for (target, why) in [(None, "has no way to the internet"), (Some("igw-1"), "public addresses alone")] {
        lead(target);
        let refused = plan(&private).await.refusals;
        let [finding] = &refused[..] else { panic!("{refused:#?}") };
        assert_eq!(finding.code, "E0577");
        assert!(finding.reason.as_ref().unwrap().contains(why), "{finding:#?}");
        assert!(
            finding.origin.is_some() && finding.fix.as_ref().unwrap().contains("check_egress"),
            "{finding:#?}"
        );
        let by_another_way = [&private[..], &["network.check_egress=false"]].concat();
        assert_eq!(plan(&by_another_way).await.refusals, []);
    }
    let public = [private[0], private[1], "network.public_ip=true"];
    assert_eq!(plan(&public).await.refusals, [], "an internet gateway serves a public address");
}

#[tokio::test]
async fn permissions_that_are_missing_are_named() {
    let cloud = Cloud::simulated();
    let deny = ["RunInstances".to_owned(), "CreateVolume".to_owned()].into();
    cloud.sim().unwrap().set_faults(lh_sim::Faults { deny, ..Default::default() });
    let report = doctor(&cloud, &[]).await;
    let (reason, fix, _) = failed(&report, "permissions");
    assert!(reason.contains("ec2:CreateVolume, ec2:RunInstances"), "{reason}");
    assert!(fix.contains("--policy"), "{fix}");
}

#[tokio::test]
async fn what_is_named_and_missing_is_told_with_its_line() {
    let cloud = Cloud::simulated();
    let report = doctor(&cloud, &["ssh.key_name=nobodys", "network.vpc=nowhere"]).await;
    assert!(failed(&report, "key-pair").0.contains("E0557"), "{report:#?}");
    assert!(failed(&report, "network").0.contains("E0552"), "{report:#?}");
    assert!(matches!(row(&report, "permissions").outcome, Outcome::Skipped { .. }));
    assert!(matches!(row(&report, "egress").outcome, Outcome::Skipped { .. }));
    let pinned = doctor(&cloud, &["account=\"999999999999\""]).await;
    assert!(failed(&pinned, "account").0.contains("E0608"), "{pinned:#?}");
}

#[tokio::test]
async fn names_that_are_taken_and_a_volume_that_is_being_modified_are_told() {
    let cloud = Cloud::simulated();
    apply(&cloud, &[]).await;
    // Another state: what stands there is not known to it.
    let lost = Cloud::simulated_in(cloud.sim().unwrap().clone());
    assert!(failed(&doctor(&lost, &[]).await, "names").0.contains("E0602"));
    apply(&cloud, &["volume.size=21"]).await;
    let again = doctor(&cloud, &["volume.size=22"]).await;
    assert!(failed(&again, "modification-budget").0.contains("still optimizing"), "{again:#?}");
    assert!(
        row(&doctor(&cloud, &["volume.size=21"]).await, "modification-budget").outcome == Outcome::Passed
    );
    cloud.sim().unwrap().advance(std::time::Duration::from_secs(86_400));
    assert!(doctor(&cloud, &["volume.size=22"]).await.holds());
}

#[tokio::test]
async fn pending_subscriptions_are_told() {
    let cloud = Cloud::simulated();
    let set = ["monitoring={ alarms: { cpu_percent: 80 }, emails: [ops@example.com] }"];
    assert!(matches!(row(&doctor(&cloud, &set).await, "subscriptions").outcome, Outcome::Skipped { .. }));
    apply(&cloud, &set).await;
    assert!(failed(&doctor(&cloud, &set).await, "subscriptions").0.contains("has not confirmed"));
}
