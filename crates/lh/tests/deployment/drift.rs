//! Three-way drift: every managed field of every kind in the registry is changed behind the tool's
//! back, and the plan tells what was applied, what AWS shows and what the stack file wants. A kind or
//! a field without such a change here fails the test.

use std::collections::BTreeSet;

use lh::{Cloud, Deployment, Mode, Stack};
use lh_aws::Registry;
use lh_kind::RuleBook;
use lh_sim::world::{
    Alarm, BackupPlan, Bucket, Group, Instance, InstanceState, Peer, RecordSet, Region, Rule, Volume, World,
};

const REGION: &str = "us-east-1";
const KEY: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJDMXmqY0g0H8lVgnUZ9Jm3Q2y8V0p0yG8d5l1V0cD2q";
const KMS_KEY: &str = "arn:aws:kms:us-east-1:123456789012:key/11111111-2222-4333-8444-555555555555";

/// Kinds that no applied stack has.
const ELSEWHERE: [&str; 1] = [
    // Made by a destroy, which ends the stack that could plan.
    "snapshot",
];

/// A change behind the tool's back, and the field by which the plan tells it: `id` where what was
/// changed is what the resource is known by, so that it is gone.
type Case = (&'static str, &'static str, &'static str, fn(&mut World));

fn here(world: &mut World) -> &mut Region {
    world.region_mut(REGION)
}

fn alarms(world: &mut World, edit: fn(&mut Alarm)) {
    here(world).cloudwatch.alarms.values_mut().for_each(edit);
}

fn plan(world: &mut World) -> &mut BackupPlan {
    here(world).backup.plans.values_mut().next().unwrap()
}

fn bucket(world: &mut World) -> &mut Bucket {
    world.s3.buckets.values_mut().next().unwrap()
}

fn record<'w>(world: &'w mut World, kind: &str) -> &'w mut RecordSet {
    let mut sets = world.route53.zones.values_mut().flat_map(|zone| &mut zone.records);
    sets.find(|set| set.name.contains("db.karmacadabra") && set.kind == kind).unwrap()
}

fn instance(world: &mut World) -> &mut Instance {
    here(world).instances.values_mut().next().unwrap()
}

fn group(world: &mut World) -> &mut Group {
    here(world).groups.values_mut().find(|group| group.tags.contains_key("lhctl:stack")).unwrap()
}

fn rules(world: &mut World, edit: fn(&mut Rule)) {
    group(world).rules.values_mut().filter(|rule| !rule.egress).for_each(edit);
}

fn volume(world: &mut World) -> &mut Volume {
    let mut volumes = here(world).volumes.values_mut();
    volumes.find(|one| one.tags.get("lhctl:resource").is_some_and(|at| at == "volume.data")).unwrap()
}

fn other() -> String {
    "other".to_owned()
}

fn retagged(tags: &mut lh_sim::world::Tags) {
    tags.insert("Project".to_owned(), other());
}

fn cases() -> Vec<Case> {
    let mut all = monitoring();
    all.extend(backups());
    all.extend(host());
    all.extend(named());
    all
}

fn monitoring() -> Vec<Case> {
    vec![
        ("alarm", "name", "id", |w| here(w).cloudwatch.alarms.clear()),
        ("alarm", "description", "description", |w| alarms(w, |a| a.description = Some(other()))),
        ("alarm", "actions_enabled", "actions_enabled", |w| alarms(w, |a| a.actions_enabled = false)),
        ("alarm", "alarm_actions", "alarm_actions", |w| alarms(w, |a| a.alarm_actions.clear())),
        ("alarm", "ok_actions", "ok_actions", |w| alarms(w, |a| a.ok_actions.push(other()))),
        ("alarm", "insufficient_data_actions", "insufficient_data_actions", |w| {
            alarms(w, |a| a.insufficient_data_actions.push(other()));
        }),
        ("alarm", "namespace", "namespace", |w| alarms(w, |a| a.namespace = other())),
        ("alarm", "metric", "metric", |w| alarms(w, |a| a.metric = other())),
        ("alarm", "dimensions", "dimensions", |w| alarms(w, |a| a.dimensions.clear())),
        ("alarm", "statistic", "statistic", |w| alarms(w, |a| a.statistic = "SampleCount".to_owned())),
        ("alarm", "period", "period", |w| alarms(w, |a| a.period = 86_400)),
        ("alarm", "evaluation_periods", "evaluation_periods", |w| alarms(w, |a| a.evaluation_periods = 99)),
        ("alarm", "datapoints", "datapoints", |w| alarms(w, |a| a.datapoints = Some(98))),
        ("alarm", "comparison", "comparison", |w| {
            alarms(w, |a| a.comparison = "LessThanThreshold".to_owned())
        }),
        ("alarm", "threshold", "threshold", |w| alarms(w, |a| a.threshold = 12.5)),
        ("alarm", "missing_data", "missing_data", |w| {
            alarms(w, |a| a.missing_data = Some("ignore".to_owned()))
        }),
        ("alarm", "tags", "tags.Project", |w| alarms(w, |a| retagged(&mut a.tags))),
        ("dashboard", "name", "id", |w| here(w).cloudwatch.dashboards.clear()),
        ("dashboard", "body", "body", |w| {
            let board = here(w).cloudwatch.dashboards.values_mut().next().unwrap();
            board.body = board.body.replacen('{', "{\"start\":\"-PT9H\",", 1);
        }),
        ("log_group", "name", "id", |w| here(w).logs.groups.clear()),
        ("log_group", "retention_days", "retention_days", |w| {
            here(w).logs.groups.values_mut().next().unwrap().retention_days = Some(1);
        }),
        ("log_group", "tags", "tags.Project", |w| {
            retagged(&mut here(w).logs.groups.values_mut().next().unwrap().tags);
        }),
        ("topic", "name", "id", |w| here(w).sns.topics.clear()),
        ("topic", "tags", "tags.Project", |w| {
            retagged(&mut here(w).sns.topics.values_mut().next().unwrap().tags);
        }),
        ("subscription", "topic_arn", "id", |w| {
            here(w).sns.topics.values_mut().for_each(|topic| topic.subscriptions.clear());
        }),
        ("subscription", "protocol", "id", |w| {
            here(w).sns.topics.values_mut().next().unwrap().subscriptions[0].protocol = "https".to_owned();
        }),
        ("subscription", "endpoint", "id", |w| {
            here(w).sns.topics.values_mut().next().unwrap().subscriptions[0].endpoint = other();
        }),
    ]
}

fn backups() -> Vec<Case> {
    vec![
        ("backup_plan", "name", "name", |w| plan(w).versions.last_mut().unwrap().name = other()),
        ("backup_plan", "vault", "vault", |w| plan(w).versions.last_mut().unwrap().rules[0].vault = other()),
        ("backup_plan", "schedule", "schedule", |w| {
            plan(w).versions.last_mut().unwrap().rules[0].schedule = Some("cron(0 6 * * ? *)".to_owned());
        }),
        ("backup_plan", "retain_days", "retain_days", |w| {
            plan(w).versions.last_mut().unwrap().rules[0].delete_after_days = Some(1);
        }),
        ("backup_plan", "cold_after_days", "cold_after_days", |w| {
            plan(w).versions.last_mut().unwrap().rules[0].cold_after_days = Some(1);
        }),
        ("backup_plan", "other_rules", "other_rules", |w| {
            let version = plan(w).versions.last_mut().unwrap();
            let mut rule = version.rules[0].clone();
            rule.name = other();
            version.rules.push(rule);
        }),
        ("backup_plan", "tags", "tags.Project", |w| retagged(&mut plan(w).tags)),
        ("backup_selection", "plan_id", "id", |w| plan(w).selections.clear()),
        ("backup_selection", "name", "name", |w| {
            plan(w).selections.values_mut().for_each(|one| one.name = other())
        }),
        ("backup_selection", "role_arn", "role_arn", |w| {
            plan(w).selections.values_mut().for_each(|one| one.role = "arn:aws:iam::1:role/other".to_owned());
        }),
        ("backup_selection", "resources", "resources", |w| {
            plan(w).selections.values_mut().for_each(|one| one.resources.clear());
        }),
        ("backup_selection", "tagged", "tagged", |w| {
            plan(w).selections.values_mut().for_each(|one| one.tags.clear())
        }),
        ("backup_vault", "name", "id", |w| here(w).backup.vaults.clear()),
        ("backup_vault", "tags", "tags.Project", |w| {
            retagged(&mut here(w).backup.vaults.values_mut().next().unwrap().tags);
        }),
        ("bucket", "name", "id", |w| w.s3.buckets.clear()),
        ("bucket", "versioning", "versioning", |w| bucket(w).versioning = Some("Suspended".to_owned())),
        ("bucket", "encryption", "encryption", |w| bucket(w).encryption.algorithm = "aws:kms".to_owned()),
        ("bucket", "private", "private", |w| bucket(w).public_access = None),
        ("bucket", "tls_only", "tls_only", |w| bucket(w).policy = None),
        ("bucket", "prefix", "prefix", |w| bucket(w).lifecycle[0].prefix = "other/".to_owned()),
        ("bucket", "expire_days", "expire_days", |w| bucket(w).lifecycle[0].expire_days = Some(1)),
        ("bucket", "noncurrent_days", "noncurrent_days", |w| {
            bucket(w).lifecycle[0].noncurrent_days = Some(1)
        }),
        ("bucket", "abort_uploads_days", "abort_uploads_days", |w| {
            bucket(w).lifecycle[0].abort_uploads_days = Some(1);
        }),
        ("bucket", "tags", "tags.Project", |w| retagged(&mut bucket(w).tags)),
    ]
}

fn host() -> Vec<Case> {
    vec![
        ("elastic_ip", "tags", "tags.Project", |w| {
            retagged(&mut here(w).addresses.values_mut().next().unwrap().tags);
        }),
        ("elastic_ip_association", "allocation_id", "id", |w| {
            here(w).addresses.values_mut().next().unwrap().association = None;
        }),
        ("elastic_ip_association", "instance_id", "instance_id", |w| {
            here(w).addresses.values_mut().next().unwrap().association.as_mut().unwrap().instance_id =
                other();
        }),
        ("instance", "type", "type", |w| instance(w).launch.instance_type = "t4g.large".to_owned()),
        ("instance", "image_id", "image_id", |w| instance(w).launch.image_id = "ami-other".to_owned()),
        ("instance", "subnet_id", "subnet_id", |w| instance(w).launch.subnet_id = "subnet-other".to_owned()),
        ("instance", "security_group_ids", "security_group_ids", |w| {
            instance(w).launch.groups = vec!["sg-other".to_owned()];
        }),
        ("instance", "instance_profile", "instance_profile", |w| instance(w).launch.profile = Some(other())),
        ("instance", "key_name", "key_name", |w| instance(w).launch.key_name = Some(other())),
        ("instance", "database_image", "database_image", |w| {
            instance(w).tags.insert("lhctl:database-image".to_owned(), other());
        }),
        ("instance", "host", "host", |w| drop(instance(w).tags.remove("lhctl:host"))),
        ("instance", "spot", "spot", |w| instance(w).spot_request_id = Some("sir-other".to_owned())),
        ("instance", "root_volume", "root_volume", |w| {
            let text = instance(w).tags.get_mut("lhctl:root-volume").unwrap();
            *text = text.replace(char::is_numeric, "9");
        }),
        ("instance", "disable_api_termination", "disable_api_termination", |w| {
            instance(w).disable_api_termination = false;
        }),
        ("instance", "running", "running", |w| instance(w).state = InstanceState::Stopped),
        ("instance", "http_tokens", "http_tokens", |w| {
            instance(w).launch.metadata.http_tokens = "optional".to_owned()
        }),
        ("instance", "tags", "tags.Project", |w| retagged(&mut instance(w).tags)),
        ("security_group", "name", "name", |w| group(w).name = other()),
        ("security_group", "description", "description", |w| group(w).description = other()),
        ("security_group", "vpc_id", "vpc_id", |w| group(w).vpc_id = "vpc-other".to_owned()),
        ("security_group", "tags", "tags.Project", |w| retagged(&mut group(w).tags)),
        ("security_group_rule", "group_id", "id", |w| group(w).rules.clear()),
        ("security_group_rule", "protocol", "protocol", |w| {
            rules(w, |rule| rule.protocol = "udp".to_owned())
        }),
        ("security_group_rule", "port", "port", |w| rules(w, |rule| (rule.from_port, rule.to_port) = (1, 1))),
        ("security_group_rule", "cidr", "cidr", |w| {
            rules(w, |rule| rule.peer = Peer::Ipv4("192.0.2.0/24".to_owned()))
        }),
        ("security_group_rule", "source_group", "source_group", |w| {
            rules(w, |rule| rule.peer = Peer::Group("sg-other".to_owned()));
        }),
        ("security_group_rule", "description", "description", |w| {
            rules(w, |rule| rule.description = Some(other()))
        }),
        ("security_group_rule", "tags", "tags.Project", |w| rules(w, |rule| retagged(&mut rule.tags))),
        ("volume", "zone", "zone", |w| volume(w).zone = "us-east-1f".to_owned()),
        ("volume", "size", "size", |w| volume(w).size = 150),
        ("volume", "type", "type", |w| volume(w).kind = "gp2".to_owned()),
        ("volume", "iops", "iops", |w| volume(w).iops = Some(4000)),
        ("volume", "throughput", "throughput", |w| volume(w).throughput = Some(250)),
        ("volume", "encrypted", "encrypted", |w| volume(w).encrypted = false),
        ("volume", "kms_key", "kms_key", |w| {
            volume(w).kms_key_id = Some("arn:aws:kms:us-east-1:1:key/other".to_owned())
        }),
        ("volume", "database", "database", |w| {
            volume(w).tags.insert("lhctl:database".to_owned(), other());
        }),
        ("volume", "tags", "tags.Project", |w| retagged(&mut volume(w).tags)),
        ("volume_attachment", "volume_id", "id", |w| volume(w).attachment = None),
        ("volume_attachment", "instance_id", "instance_id", |w| {
            volume(w).attachment.as_mut().unwrap().instance_id = other();
        }),
        ("volume_attachment", "device", "device", |w| {
            volume(w).attachment.as_mut().unwrap().device = "/dev/sdz".to_owned()
        }),
    ]
}

fn named() -> Vec<Case> {
    vec![
        ("dns_record", "zone_id", "id", |w| w.route53.zones.clear()),
        ("dns_record", "name", "id", |w| record(w, "A").name = "other.ultravioletadao.xyz.".to_owned()),
        ("dns_record", "value", "value", |w| record(w, "A").values = vec!["192.0.2.1".to_owned()]),
        ("dns_record", "ttl", "ttl", |w| record(w, "A").ttl = Some(5)),
        ("dns_record", "marked", "marked", |w| record(w, "TXT").values = vec!["\"theirs\"".to_owned()]),
        ("iam_policy_attachment", "role", "id", |w| w.iam.roles.clear()),
        ("iam_policy_attachment", "policy_arn", "id", |w| {
            w.iam.roles.values_mut().for_each(|role| role.attached.clear());
        }),
        ("iam_role", "name", "id", |w| w.iam.roles.clear()),
        ("iam_role", "service", "service", |w| {
            w.iam
                .roles
                .values_mut()
                .for_each(|role| role.trust = role.trust.replace(".amazonaws.com", ".example.com"));
        }),
        ("iam_role", "description", "description", |w| {
            w.iam.roles.values_mut().for_each(|role| role.description = Some(other()));
        }),
        ("iam_role", "tags", "tags.Project", |w| {
            w.iam.roles.values_mut().for_each(|role| retagged(&mut role.tags))
        }),
        ("iam_role_policy", "role", "id", |w| w.iam.roles.clear()),
        ("iam_role_policy", "name", "id", |w| w.iam.roles.values_mut().for_each(|role| role.inline.clear())),
        ("iam_role_policy", "document", "document", |w| {
            let policies = w.iam.roles.values_mut().flat_map(|role| role.inline.values_mut());
            policies.for_each(|policy| *policy = r#"{"Version":"2012-10-17","Statement":[]}"#.to_owned());
        }),
        ("instance_profile", "name", "id", |w| w.iam.profiles.clear()),
        ("instance_profile", "role", "role", |w| {
            w.iam.profiles.values_mut().for_each(|profile| profile.role = None);
        }),
        ("instance_profile", "tags", "tags.Project", |w| {
            w.iam.profiles.values_mut().for_each(|profile| retagged(&mut profile.tags));
        }),
        ("key_pair", "name", "id", |w| drop(here(w).key_pairs.remove("lighthouse-drift"))),
        ("key_pair", "public_key", "public_key", |w| {
            here(w).key_pairs.get_mut("lighthouse-drift").unwrap().public_key =
                Some(KEY.replace("AAAAIJ", "AAAAIK"));
        }),
        ("key_pair", "tags", "tags.Project", |w| {
            retagged(&mut here(w).key_pairs.get_mut("lighthouse-drift").unwrap().tags);
        }),
        ("secret", "name", "id", |w| here(w).secrets.secrets.clear()),
        ("secret", "description", "description", |w| {
            here(w).secrets.secrets.values_mut().for_each(|secret| secret.description = Some(other()));
        }),
        ("secret", "kms_key", "kms_key", |w| {
            here(w).secrets.secrets.values_mut().for_each(|secret| secret.kms_key = Some(KMS_KEY.to_owned()));
        }),
        ("secret", "tags", "tags.Project", |w| {
            here(w).secrets.secrets.values_mut().for_each(|secret| retagged(&mut secret.tags));
        }),
        ("parameter", "name", "id", |w| here(w).parameters.clear()),
        ("parameter", "kms_key", "kms_key", |w| {
            here(w).parameters.values_mut().for_each(|parameter| parameter.key_id = Some(KMS_KEY.to_owned()));
        }),
        ("parameter", "tags", "tags.Project", |w| {
            here(w).parameters.values_mut().for_each(|parameter| retagged(&mut parameter.tags));
        }),
    ]
}

/// Prod with what it does not have by itself, and its password where `password` says.
fn stack(cloud: &Cloud, password: &str) -> Deployment {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/../../stacks/prod.yaml");
    let ssh = format!("ssh={{key_name: lighthouse-drift, public_key: {KEY}, allow_from: [10.0.0.0/16]}}");
    let kms = format!("volume.kms_key={KMS_KEY}");
    let password = format!("database.password={password}");
    let set = [
        "state=null",
        "protect=false",
        "network.public_ip=true",
        "instance.disable_api_termination=true",
        &ssh,
        &kms,
        &password,
    ];
    let set: Vec<String> = set.into_iter().map(str::to_owned).collect();
    Deployment::new(Stack::load(file, &set).unwrap(), cloud.clone())
}

/// The cases of `kinds`, each told by the plan of an applied stack.
async fn told(password: &str, of: impl Fn(&str) -> bool) {
    let cloud = Cloud::simulated();
    let applied = stack(&cloud, password).apply(|_| true).await.unwrap();
    assert!(applied.outcome.is_complete(), "{:?}", applied.outcome.failed);
    let sim = cloud.sim().unwrap();
    let intact = sim.snapshot();
    let mut failures = Vec::new();
    for (kind, field, shown, edit) in cases().into_iter().filter(|case| of(case.0)) {
        sim.edit(edit);
        sim.forget_calls();
        let plan = stack(&cloud, password).plan(Mode::Apply).await.unwrap();
        assert!(sim.calls().iter().all(|call| !call.mutating), "a plan changed something");
        let drift: Vec<_> = plan.drift.iter().filter(|drift| drift.address.kind() == kind).collect();
        let is_told = drift.iter().any(|drift| {
            // A lost one is wanted anew.
            let wants = shown == "id" || drift.wanted == drift.recorded;
            drift.field == shown && drift.actual != drift.recorded && wants
        });
        if !is_told {
            failures.push(format!("{kind}.{field} as {shown}: {drift:?}"));
        }
        sim.edit(|world| *world = intact.clone());
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

#[tokio::test]
async fn every_field_that_somebody_changed_is_told_as_recorded_actual_and_wanted() {
    told("{secret: lighthouse/prod/db/password}", |kind| kind != "parameter").await;
    told("{secret: null, ssm: /lighthouse/prod/db/password, generate: true}", |kind| kind == "parameter")
        .await;
}

#[test]
fn every_field_of_every_kind_is_changed() {
    let changed: BTreeSet<(&str, &str)> = cases().iter().map(|(kind, field, ..)| (*kind, *field)).collect();
    let book = Registry;
    for kind in book.kinds().into_iter().filter(|kind| !ELSEWHERE.contains(kind)) {
        let seen = |field: &&lh_kind::Field| field.change != lh_kind::Mutability::Unread;
        for field in book.rules(kind).unwrap().fields().iter().filter(seen) {
            assert!(changed.contains(&(kind, field.name)), "{kind}.{} is changed by no case", field.name);
        }
    }
}
