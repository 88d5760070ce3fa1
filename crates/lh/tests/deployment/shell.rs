//! The way to the instance, as another program takes it.

#[path = "../../../lh-aws/tests/remote/bash_hosts.rs"]
mod bash_hosts;

use std::sync::{Arc, atomic::Ordering};
use std::time::Duration;

use bash_hosts::BashHosts;
use lh::{Cloud, Error, Script, ShellError, Stream, Way};

use crate::{apply, called, deployment};

fn script(text: &str) -> Script {
    Script { title: "try".to_owned(), text: text.to_owned(), deadline: Duration::from_secs(60) }
}

#[track_caller]
fn told<T>(result: Result<T, Error>) -> (String, String) {
    match result {
        Err(Error::Host { reason, fix }) => (reason, fix),
        Err(other) => panic!("{other}"),
        Ok(_) => panic!("there is a way"),
    }
}

#[tokio::test]
async fn without_an_instance_there_is_no_way() {
    let cloud = Cloud::simulated();
    let (reason, fix) = told(deployment(&cloud, &[]).shell().await);
    assert_eq!(reason, "The stack lighthouse-dev has no instance yet.");
    assert_eq!(fix, "Apply it first.");
}

#[tokio::test]
async fn where_nothing_runs_both_reasons_are_told() {
    let cloud = Cloud::simulated();
    apply(&cloud, &[]).await;
    let deployment = deployment(&cloud, &[]);
    let (reason, _) = told(deployment.shell().await);
    assert!(reason.contains("SSM: no SSM agent on i-"), "{reason}");
    assert!(reason.contains("SSH: the simulated instance has no address to connect to."), "{reason}");
    let (reason, _) = told(deployment.shell_by(Some(Way::Ssm)).await);
    assert!(!reason.contains("SSH:"), "{reason}");
    let (reason, _) = told(deployment.session(None).await);
    assert!(reason.contains("Nothing runs on the simulated instance"), "{reason}");
}

#[tokio::test]
async fn scripts_run_by_run_command_and_call_what_is_listed() {
    let cloud = Cloud::simulated();
    apply(&cloud, &[]).await;
    let folder = tempfile::tempdir().unwrap();
    let hosts = Arc::new(BashHosts::new(folder.path().to_owned()));
    let sim = cloud.sim().unwrap();
    sim.set_hosts(hosts.clone());
    sim.forget_calls();
    let deployment = deployment(&cloud, &[]);
    let shell = deployment.shell().await.unwrap();
    assert!(shell.way().starts_with("SSM Run Command on i-"), "{}", shell.way());
    let mut told = Vec::new();
    let mut tell = |stream, text: &str| told.push((stream, text.to_owned()));
    assert_eq!(shell.run(&script("echo out; echo err >&2; exit 9"), &mut tell).await, Ok(9));
    assert_eq!(told, [(Stream::Out, "out\n".to_owned()), (Stream::Err, "err\n".to_owned())]);
    for call in called(&cloud) {
        assert!(call.starts_with("ssm:") && lh::policy_knows(&call), "{call}");
    }
    // The wish to stop reaches a script that runs.
    deployment.stop().ask();
    assert_eq!(shell.run(&script("sleep 600"), &mut |_, _| ()).await, Err(ShellError::Stopped));
    // And an agent that has gone is told when it is needed.
    hosts.online.store(false, Ordering::SeqCst);
    let Err(ShellError::Unreachable { reason, .. }) = shell.run(&script("true"), &mut |_, _| ()).await else {
        panic!("it ran");
    };
    assert!(reason.contains("InvalidInstanceId"), "{reason}");
}
