//! Run Command end to end: the simulated AWS, and instances on which bash really runs.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod bash_hosts;
mod fifo;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use bash_hosts::BashHosts;
use fifo::Fifo;
use lh_aws::remote::{Agent, RunCommand, agent};
use lh_aws::{Clients, ConnectOptions, SharedInterceptor};
use lh_host::{Script, Shell, ShellError, Stream};
use lh_kind::Pace;
use lh_sim::{Faults, Sim};
use tokio::sync::{Mutex, watch};

/// Lets instances take a role.
const TRUST: &str = r#"{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}]}"#;

/// Pauses until there is something new to see: a command on the host began or ended since the last
/// pause. Where none runs there is nothing to wait for.
struct Brisk(Mutex<watch::Receiver<usize>>);

#[async_trait]
impl Pace for Brisk {
    async fn pause(&self, _: Duration) {
        let mut running = self.0.lock().await;
        if *running.borrow() > 0 {
            // A host's look takes ten seconds; the rest is a safety net.
            tokio::time::timeout(Duration::from_secs(60), running.changed()).await.unwrap().unwrap();
        } else {
            running.mark_unchanged();
            tokio::task::yield_now().await;
        }
    }
}

/// An instance that runs, and the way to it.
struct Scene {
    sim: Sim,
    clients: Clients,
    hosts: Arc<BashHosts>,
    instance: String,
    stop: Arc<AtomicBool>,
    folder: std::path::PathBuf,
}

impl Scene {
    async fn new(name: &str) -> Self {
        let folder = std::env::temp_dir().join(format!("lh-remote-{}-{name}", std::process::id()));
        let _ = std::fs::remove_dir_all(&folder);
        let sim = Sim::in_memory();
        let hosts = Arc::new(BashHosts::new(folder.clone()));
        sim.set_hosts(hosts.clone());
        let clients = Clients::connect(ConnectOptions {
            region: "us-east-1",
            sdk_config: Some(sim.sdk_config()),
            interceptor: Some(SharedInterceptor::new(sim.interceptor())),
            ..ConnectOptions::default()
        });
        let clients = clients.await.unwrap();
        let instance = launch(&sim, &clients).await;
        Self { sim, clients, hosts, instance, stop: Arc::default(), folder }
    }

    fn shell(&self) -> RunCommand {
        let stop = self.stop.clone();
        let stop = Arc::new(move || stop.load(Ordering::SeqCst));
        let pace = Brisk(Mutex::new(self.hosts.running.subscribe()));
        RunCommand::new(&self.clients, &self.instance, Arc::new(pace), stop)
    }

    async fn run(&self, text: &str) -> (Result<i32, ShellError>, String, String) {
        self.run_within(text, Duration::from_secs(60)).await
    }

    async fn run_within(&self, text: &str, deadline: Duration) -> (Result<i32, ShellError>, String, String) {
        self.run_answering(text, deadline, || ()).await
    }

    /// Calls `answer` whenever standard output comes.
    async fn run_answering(
        &self,
        text: &str,
        deadline: Duration,
        mut answer: impl FnMut() + Send,
    ) -> (Result<i32, ShellError>, String, String) {
        let (mut out, mut err) = (String::new(), String::new());
        let script = Script { title: "try it".into(), text: text.into(), deadline };
        let result = self
            .shell()
            .run(&script, &mut |stream, text: &str| match stream {
                Stream::Out => {
                    out.push_str(text);
                    answer();
                }
                Stream::Err => err.push_str(text),
            })
            .await;
        (result, out, err)
    }

    /// How many commands came to the host that begin a script.
    fn begins(&self) -> usize {
        let commands = std::fs::read_dir(self.folder.join("commands")).unwrap();
        let texts =
            commands.map(|command| std::fs::read_to_string(command.unwrap().path().join("script")).unwrap());
        texts.filter(|text| text.contains("<<'LHCTL_END")).count()
    }

    fn sent(&self) -> usize {
        self.sim.calls().iter().filter(|call| call.operation == "SendCommand").count()
    }
}

impl Drop for Scene {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

/// An instance with a role under which its agent may report.
async fn launch(sim: &Sim, clients: &Clients) -> String {
    let iam = &clients.iam;
    iam.create_role().role_name("r").assume_role_policy_document(TRUST).send().await.unwrap();
    let policy = "arn:aws:iam::aws:policy/AmazonSSMManagedInstanceCore";
    iam.attach_role_policy().role_name("r").policy_arn(policy).send().await.unwrap();
    iam.create_instance_profile().instance_profile_name("p").send().await.unwrap();
    iam.add_role_to_instance_profile().instance_profile_name("p").role_name("r").send().await.unwrap();
    sim.advance(Duration::from_secs(60));
    let name = "/aws/service/canonical/ubuntu/server/24.04/stable/current/arm64/hvm/ebs-gp3/ami-id";
    let image =
        clients.ssm.get_parameter().name(name).send().await.unwrap().parameter.unwrap().value.unwrap();
    let profile = aws_sdk_ec2::types::IamInstanceProfileSpecification::builder().name("p").build();
    let made = clients
        .ec2
        .run_instances()
        .image_id(image)
        .instance_type(aws_sdk_ec2::types::InstanceType::T4gSmall)
        .iam_instance_profile(profile)
        .min_count(1)
        .max_count(1)
        .send()
        .await
        .unwrap();
    sim.advance(Duration::from_secs(15));
    made.instances()[0].instance_id().unwrap().to_owned()
}

#[tokio::test]
async fn a_short_script_takes_one_command() {
    let scene = Scene::new("short").await;
    assert_eq!(agent(&scene.clients, &scene.instance).await.unwrap(), Agent::Online);
    let (result, out, err) = scene.run("echo out; echo err >&2; exit 3").await;
    assert_eq!((result, out.as_str(), err.as_str()), (Ok(3), "out\n", "err\n"));
    assert_eq!(scene.sent(), 1);
}

#[tokio::test]
async fn long_output_arrives_whole_and_in_order() {
    let scene = Scene::new("whole").await;
    let text = "for ((n = 1; n <= 12000; n++)); do echo \"→ $n\"; done";
    let (result, out, _) = scene.run(text).await;
    let whole: String = (1..=12_000).map(|n| format!("→ {n}\n")).collect();
    assert_eq!(result, Ok(0));
    assert!(out == whole, "{} of {} bytes", out.len(), whole.len());
}

#[tokio::test]
async fn a_lost_answer_runs_the_script_once() {
    let scene = Scene::new("lost").await;
    let ran = scene.folder.join("ran");
    let next = scene.sim.mutations() + 1;
    scene.sim.set_faults(Faults { lose_answer_of: [next].into(), ..Faults::default() });
    let (result, out, _) = scene.run(&format!("echo run >>{}; echo done", ran.display())).await;
    assert_eq!((result, out.as_str()), (Ok(0), "done\n"));
    // However long a slow machine takes to its end: a look is no beginning.
    assert_eq!(scene.begins(), 2, "the SDK sent it again");
    assert_eq!(std::fs::read_to_string(ran).unwrap(), "run\n");
}

#[tokio::test]
async fn when_every_answer_is_lost_the_script_is_found_on_the_host() {
    let scene = Scene::new("all-lost").await;
    let ran = scene.folder.join("ran");
    let next = scene.sim.mutations() + 1;
    scene.sim.set_faults(Faults { lose_answer_of: (next..next + 3).collect(), ..Faults::default() });
    let (result, out, _) = scene.run(&format!("echo run >>{}; echo done", ran.display())).await;
    assert_eq!((result, out.as_str()), (Ok(0), "done\n"));
    assert_eq!(std::fs::read_to_string(ran).unwrap(), "run\n");
}

#[tokio::test]
async fn what_never_arrived_is_told_as_not_begun_and_cannot_begin_later() {
    let scene = Scene::new("dropped").await;
    let ran = scene.folder.join("ran");
    let next = scene.sim.mutations() + 1;
    scene.sim.set_faults(Faults { drop_request_of: (next..next + 3).collect(), ..Faults::default() });
    let (result, ..) = scene.run(&format!("touch {}", ran.display())).await;
    let Err(ShellError::Unreachable { reason, .. }) = result else { panic!("{result:?}") };
    assert!(reason.contains("gave no usable answer"), "{reason}");
    assert!(!ran.exists());
    let jobs: Vec<_> =
        std::fs::read_dir(scene.hosts.jobs()).unwrap().map(|job| job.unwrap().path()).collect();
    assert_eq!(std::fs::read_to_string(jobs[0].join("status")).unwrap(), "cancelled 0\n");
}

#[tokio::test]
async fn lag_throttling_and_server_errors_are_lived_through() {
    let scene = Scene::new("faults").await;
    let faults = Faults { lag: 3, throttle_every: Some(4), server_error_every: Some(5), ..Faults::default() };
    scene.sim.set_faults(faults);
    let go = Fifo::new(scene.folder.join("go"));
    // Opened once, for both ways: opened for each word, it could still meet the end of the last one.
    let text = format!("exec 3<>{}; for n in 1 2 3; do echo $n; read -r <&3; done", go.name());
    // It goes on when its last word has come: each takes a command of its own.
    let mut told = Vec::new();
    let (result, out, _) = scene.run_answering(&text, Duration::from_secs(60), || told.push(go.tell())).await;
    assert_eq!((result, out.as_str()), (Ok(0), "1\n2\n3\n"));
    assert_eq!(
        told.into_iter().map(|mut told| told.wait().unwrap().success()).collect::<Vec<_>>(),
        [true; 3]
    );
}

#[tokio::test]
async fn the_deadline_ends_the_script() {
    let scene = Scene::new("deadline").await;
    let deadline = Duration::from_secs(3);
    let (result, out, _) = scene.run_within("echo begun; sleep 600", deadline).await;
    assert_eq!((result, out.as_str()), (Err(ShellError::Deadline(deadline)), "begun\n"));
}

#[tokio::test]
async fn asked_to_stop_it_ends_the_script_and_tells_its_last_words() {
    let scene = Scene::new("stop").await;
    scene.stop.store(true, Ordering::SeqCst);
    let (result, out, _) = scene.run("trap 'echo bye; exit 1' TERM; echo begun; sleep 600 & wait").await;
    assert_eq!((result, out.as_str()), (Err(ShellError::Stopped), "begun\nbye\n"));
}

#[tokio::test]
async fn a_script_goes_on_when_its_client_is_gone() {
    let scene = Scene::new("crash").await;
    let [begun, go, done] = ["begun", "go", "done"].map(|name| Fifo::new(scene.folder.join(name)));
    let text = format!("echo begun >{}; read -r <{}; echo done >{}", begun.name(), go.name(), done.name());
    tokio::select! {
        ended = scene.run(&text) => panic!("it cannot have ended: {ended:?}"),
        said = hear(&begun) => assert_eq!(said, "begun\n"),
    }
    let mut told = go.tell();
    assert_eq!(hear(&done).await, "done\n");
    assert!(told.wait().unwrap().success());
}

/// What a script says, while others go on.
async fn hear(fifo: &Fifo) -> String {
    let fifo = fifo.clone();
    tokio::task::spawn_blocking(move || fifo.hear()).await.unwrap()
}

#[tokio::test]
async fn why_there_is_no_way_is_told_with_what_to_check() {
    let scene = Scene::new("offline").await;
    scene.hosts.online.store(false, Ordering::SeqCst);
    let Agent::Offline(why) = agent(&scene.clients, &scene.instance).await.unwrap() else {
        panic!("it is online")
    };
    assert!(why.contains("has reported yet") && why.contains("AmazonSSMManagedInstanceCore"), "{why}");
    // It was online once.
    scene.hosts.online.store(true, Ordering::SeqCst);
    agent(&scene.clients, &scene.instance).await.unwrap();
    scene.hosts.online.store(false, Ordering::SeqCst);
    let Agent::Offline(why) = agent(&scene.clients, &scene.instance).await.unwrap() else {
        panic!("it is online")
    };
    assert!(why.contains("has not been heard since 2025-01-01T"), "{why}");
    let (result, ..) = scene.run("true").await;
    let Err(ShellError::Unreachable { way, reason }) = result else { panic!("{result:?}") };
    assert_eq!(way, format!("SSM Run Command on {}", scene.instance));
    assert!(reason.contains("InvalidInstanceId") && reason.contains("SSM endpoints"), "{reason}");
    // Stopped, it cannot report at all.
    scene.clients.ec2.stop_instances().instance_ids(&scene.instance).send().await.unwrap();
    scene.sim.advance(Duration::from_secs(30));
    let stopped = Agent::Offline(format!("the instance {} is stopped", scene.instance));
    assert_eq!(agent(&scene.clients, &scene.instance).await.unwrap(), stopped);
}

#[tokio::test]
async fn a_missing_permission_is_named() {
    let scene = Scene::new("denied").await;
    scene.sim.set_faults(Faults { deny: ["SendCommand".to_owned()].into(), ..Faults::default() });
    let (result, ..) = scene.run("true").await;
    let Err(ShellError::Unreachable { reason, .. }) = result else { panic!("{result:?}") };
    assert!(reason.contains("need the permission ssm:SendCommand"), "{reason}");
}

#[tokio::test]
async fn a_script_that_no_command_holds_is_refused() {
    let scene = Scene::new("large").await;
    let (result, ..) = scene.run(&"# padding\n".repeat(7000)).await;
    let Err(ShellError::Unreachable { reason, .. }) = result else { panic!("{result:?}") };
    assert!(reason.contains("70000 bytes"), "{reason}");
    assert_eq!(scene.sent(), 0);
}
