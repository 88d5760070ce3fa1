//! Run Command and the agents: what AWS documents of them, on hosts that only pretend.

use crate::{REGION, code, ec2, iam, running, seconds, ssm};
use aws_sdk_ssm::types::{CommandInvocationStatus as Status, InstanceInformationStringFilter, PingStatus};
use lh_sim::{Faults, HostFacts, HostRun, Hosts, Sim, Upload};
use std::sync::{Arc, Mutex};

/// Lets instances take a role.
const TRUST: &str = r#"{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}]}"#;

/// What the hosts are to say, and what they were told.
#[derive(Debug, Default)]
struct Pretended {
    online: bool,
    says: Option<HostRun>,
    begun: Vec<(HostFacts, String)>,
    cancelled: Vec<String>,
    uploads: Vec<Upload>,
}

#[derive(Clone, Debug, Default)]
struct Pretend(Arc<Mutex<Pretended>>);

impl Pretend {
    fn set(&self, change: impl FnOnce(&mut Pretended)) {
        change(&mut self.0.lock().unwrap());
    }
}

impl Hosts for Pretend {
    fn is_online(&self, _: &HostFacts) -> bool {
        self.0.lock().unwrap().online
    }

    fn begin(&self, host: &HostFacts, _: &str, script: &str) -> Result<(), String> {
        self.0.lock().unwrap().begun.push((host.clone(), script.to_owned()));
        Ok(())
    }

    fn look(&self, _: &HostFacts, _: &str) -> HostRun {
        self.0.lock().unwrap().says.clone().unwrap_or(HostRun::Running)
    }

    fn cancel(&self, _: &HostFacts, command: &str) {
        self.0.lock().unwrap().cancelled.push(command.to_owned());
    }

    fn uploads(&self) -> Vec<Upload> {
        self.0.lock().unwrap().uploads.clone()
    }
}

struct World {
    sim: Sim,
    ssm: aws_sdk_ssm::Client,
    hosts: Pretend,
    instance: String,
}

impl World {
    /// An instance whose role lets its agent report.
    async fn new() -> Self {
        let sim = Sim::in_memory();
        let hosts = Pretend::default();
        hosts.set(|it| it.online = true);
        sim.set_hosts(Arc::new(hosts.clone()));
        let instance = running(&sim, &ec2(&sim)).await;
        let iam = iam(&sim);
        iam.create_role().role_name("r").assume_role_policy_document(TRUST).send().await.unwrap();
        let policy = r#"{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": ["s3:*", "ssm:Update*"], "Resource": "*"}}"#;
        iam.put_role_policy().role_name("r").policy_name("p").policy_document(policy).send().await.unwrap();
        iam.create_instance_profile().instance_profile_name("p").send().await.unwrap();
        iam.add_role_to_instance_profile().instance_profile_name("p").role_name("r").send().await.unwrap();
        let ssm = ssm(&sim);
        let world = Self { sim, ssm, hosts, instance };
        world.give_profile(Some("p"));
        world
    }

    fn give_profile(&self, name: Option<&str>) {
        self.sim.edit(|world| {
            let here = world.region_mut(REGION);
            here.instances.get_mut(&self.instance).unwrap().launch.profile = name.map(str::to_owned);
        });
    }

    fn send(&self, line: &str) -> aws_sdk_ssm::operation::send_command::builders::SendCommandFluentBuilder {
        self.ssm
            .send_command()
            .document_name("AWS-RunShellScript")
            .instance_ids(&self.instance)
            .parameters("commands", vec![line.to_owned(), "exit".to_owned()])
    }

    async fn sent(&self) -> String {
        self.send("true").send().await.unwrap().command.unwrap().command_id.unwrap()
    }

    async fn look(&self, id: &str) -> (Status, i32, String, String) {
        let request = self.ssm.get_command_invocation().command_id(id).instance_id(&self.instance);
        let it = request.send().await.unwrap();
        let text = |text: Option<String>| text.unwrap_or_default();
        (it.status.unwrap(), it.response_code, text(it.status_details), text(it.standard_output_content))
    }

    async fn pings(&self) -> Vec<PingStatus> {
        let shown = self.ssm.describe_instance_information().send().await.unwrap();
        shown.instance_information_list().iter().map(|it| it.ping_status.clone().unwrap()).collect()
    }
}

#[tokio::test]
async fn a_command_is_pending_then_in_progress_then_over() {
    let world = World::new().await;
    let id = world.sent().await;
    assert_eq!(world.hosts.0.lock().unwrap().begun[0].1, "true\nexit");
    assert_eq!(world.look(&id).await, (Status::Pending, -1, "Pending".into(), String::new()));
    assert_eq!(world.look(&id).await, (Status::InProgress, -1, "InProgress".into(), String::new()));
    let ended = HostRun::Ended { status: 4, out: "→".repeat(30_000), err: String::new() };
    world.hosts.set(|it| it.says = Some(ended));
    let (status, code, details, out) = world.look(&id).await;
    assert_eq!((status, code, details.as_str()), (Status::Failed, 4, "Failed"));
    assert_eq!(out, "→".repeat(24_000), "AWS shows the first 24,000 characters");
    // What is over stays as it was.
    world.hosts.set(|it| it.says = Some(HostRun::Unknown));
    assert_eq!(world.look(&id).await.0, Status::Failed);
}

#[tokio::test]
async fn an_invocation_does_not_exist_for_a_moment() {
    let world = World::new().await;
    world.sim.set_faults(Faults { lag: 2, ..Faults::default() });
    let id = world.sent().await;
    for _ in 0..2 {
        let request = world.ssm.get_command_invocation().command_id(&id).instance_id(&world.instance);
        let error = request.send().await.unwrap_err().into_service_error();
        assert!(error.is_invocation_does_not_exist(), "{error:?}");
    }
    world.look(&id).await;
}

#[tokio::test]
async fn an_agent_reports_while_its_instance_runs_and_its_role_allows() {
    let world = World::new().await;
    assert_eq!(world.pings().await, [PingStatus::Online]);
    world.hosts.set(|it| it.online = false);
    assert_eq!(world.pings().await, [PingStatus::ConnectionLost]);
    world.hosts.set(|it| it.online = true);
    world.give_profile(None);
    assert_eq!(world.pings().await, [PingStatus::ConnectionLost]);
    assert_eq!(code(world.send("true").send().await), "InvalidInstanceId");
    world.give_profile(Some("p"));
    assert_eq!(world.pings().await, [PingStatus::Online]);
    ec2(&world.sim).stop_instances().instance_ids(&world.instance).send().await.unwrap();
    assert_eq!(world.pings().await, [PingStatus::ConnectionLost]);
    assert_eq!(code(world.send("true").send().await), "InvalidInstanceId");
    ec2(&world.sim).terminate_instances().instance_ids(&world.instance).send().await.unwrap();
    assert_eq!(world.pings().await, []);
}

#[tokio::test]
async fn agents_are_filtered_and_come_in_pages() {
    let world = World::new().await;
    let ec2 = ec2(&world.sim);
    for _ in 0..6 {
        let id = running(&world.sim, &ec2).await;
        World { instance: id, sim: world.sim.clone(), ssm: world.ssm.clone(), hosts: world.hosts.clone() }
            .give_profile(Some("p"));
    }
    assert_eq!(world.pings().await.len(), 7);
    let first = world.ssm.describe_instance_information().max_results(5).send().await.unwrap();
    assert_eq!(first.instance_information_list().len(), 5);
    let rest = world.ssm.describe_instance_information().next_token(first.next_token.unwrap());
    assert_eq!(rest.send().await.unwrap().instance_information_list().len(), 2);
    let by = |key: &str, value: &str| {
        let filter = InstanceInformationStringFilter::builder().key(key).values(value).build().unwrap();
        world.ssm.describe_instance_information().filters(filter).send()
    };
    let one = by("InstanceIds", &world.instance).await.unwrap();
    assert_eq!(one.instance_information_list()[0].instance_id(), Some(world.instance.as_str()));
    assert!(by("PingStatus", "Inactive").await.unwrap().instance_information_list().is_empty());
    assert_eq!(code(by("Colour", "red").await), "InvalidInstanceInformationFilterValue");
}

#[tokio::test]
async fn a_command_that_nobody_takes_or_that_runs_too_long_times_out() {
    let world = World::new().await;
    let request = world.send("true").timeout_seconds(30).parameters("executionTimeout", vec!["60".into()]);
    let id = request.clone().send().await.unwrap().command.unwrap().command_id.unwrap();
    world.sim.advance(seconds(61));
    let (status, code, details, _) = world.look(&id).await;
    assert_eq!((status, code, details.as_str()), (Status::TimedOut, -1, "ExecutionTimedOut"));
    assert_eq!(world.hosts.0.lock().unwrap().cancelled, [id]);
    // The process dies before an agent could take the command, and the agent is gone since.
    let next = world.sim.mutations() + 1;
    world.sim.set_faults(Faults { fuse: Some(lh_sim::Fuse::After(next)), ..Faults::default() });
    request.send().await.unwrap_err();
    world.sim.set_faults(Faults::default());
    world.hosts.set(|it| it.online = false);
    let sent = world.sim.snapshot().region(REGION).unwrap().commands.clone();
    let id = sent.values().find(|it| it.end.is_none()).unwrap().id.clone();
    world.sim.advance(seconds(31));
    assert_eq!(world.look(&id).await.2, "DeliveryTimedOut");
}

#[tokio::test]
async fn a_command_whose_sender_died_is_taken_all_the_same() {
    let world = World::new().await;
    let next = world.sim.mutations() + 1;
    world.sim.set_faults(Faults { fuse: Some(lh_sim::Fuse::After(next)), ..Faults::default() });
    world.send("echo once").send().await.unwrap_err();
    world.sim.set_faults(Faults::default());
    assert!(world.hosts.0.lock().unwrap().begun.is_empty());
    world.pings().await;
    world.pings().await;
    assert_eq!(world.hosts.0.lock().unwrap().begun.len(), 1);
}

#[tokio::test]
async fn a_command_can_be_cancelled() {
    let world = World::new().await;
    let id = world.sent().await;
    world.ssm.cancel_command().command_id(&id).send().await.unwrap();
    world.sim.advance(seconds(1));
    assert_eq!(world.look(&id).await.0, Status::Cancelled);
    assert_eq!(world.hosts.0.lock().unwrap().cancelled, [id]);
    assert_eq!(code(world.ssm.cancel_command().command_id("none").send().await), "InvalidCommandId");
}

#[tokio::test]
async fn what_aws_refuses_is_refused() {
    let world = World::new().await;
    let refused = [
        (world.send("true").document_name("AWS-Nothing"), "InvalidDocument"),
        (world.send("true").timeout_seconds(29), "ValidationException"),
        (world.send("true").parameters("executionTimeout", vec!["0".into()]), "InvalidParameters"),
        (world.send("true").parameters("colour", vec!["red".into()]), "InvalidParameters"),
        (world.send(&"x".repeat(70_000)), "MaxDocumentSizeExceeded"),
        (world.send("true").comment("x".repeat(101)), "ValidationException"),
    ];
    for (request, expected) in refused {
        assert_eq!(code(request.send().await), expected);
    }
    assert!(world.hosts.0.lock().unwrap().begun.is_empty());
}

#[tokio::test]
async fn a_host_knows_its_data_volumes_and_its_user_data() {
    let world = World::new().await;
    let ec2 = ec2(&world.sim);
    let volume = crate::volume(&world.sim, &ec2, "us-east-1a", 20).await;
    world.sim.edit(|it| {
        let here = it.region_mut(REGION);
        let instance = here.instances.get_mut(&world.instance).unwrap();
        instance.launch.user_data = Some("I2Nsb3VkLWNvbmZpZwo=".to_owned());
        let zone = instance.zone.clone();
        here.volumes.get_mut(&volume).unwrap().zone = zone;
    });
    let attach = ec2.attach_volume().volume_id(&volume).instance_id(&world.instance).device("/dev/sdf");
    attach.send().await.unwrap();
    world.sim.advance(seconds(5));
    world.sent().await;
    let told = world.hosts.0.lock().unwrap().begun[0].0.clone();
    assert_eq!(told.user_data, b"#cloud-config\n");
    assert_eq!((told.volumes, told.region.as_str()), (vec![(volume, 20)], REGION));
}

/// A dump that a host has put into a bucket is in the bucket, once.
#[tokio::test]
async fn what_a_host_uploads_is_listed_when_its_command_has_ended() {
    let world = World::new().await;
    let s3 = crate::backup::s3(&world.sim);
    s3.create_bucket().bucket("dumps").send().await.unwrap();
    let upload = |key: &str, size: u64, content: Option<&[u8]>| Upload {
        bucket: "dumps".to_owned(),
        key: key.to_owned(),
        size,
        content: content.map(<[u8]>::to_vec),
        mark: format!("{key}-{size}"),
    };
    let uploads = vec![upload("s/a.sql.gz", 1 << 40, None), upload("s/a.sql.gz.json", 2, Some(b"{}"))];
    for _ in 0..2 {
        let sent = world.sent().await;
        world.hosts.set(|it| it.uploads = uploads.clone());
        world
            .hosts
            .set(|it| it.says = Some(HostRun::Ended { status: 0, out: String::new(), err: String::new() }));
        world.look(&sent).await;
        let listed = s3.list_objects_v2().bucket("dumps").prefix("s/").send().await.unwrap();
        let shown: Vec<_> =
            listed.contents().iter().map(|one| (one.key().unwrap(), one.size().unwrap())).collect();
        assert_eq!(shown, [("s/a.sql.gz", 1 << 40), ("s/a.sql.gz.json", 2)]);
        world.hosts.set(|it| it.says = None);
    }
    let got = s3.get_object().bucket("dumps").key("s/a.sql.gz.json").send().await.unwrap();
    assert_eq!(got.body.collect().await.unwrap().to_vec(), b"{}");
    let versions = s3.list_object_versions().bucket("dumps").send().await.unwrap();
    assert_eq!(versions.versions().len(), 2, "the same upload is no second version");
}
