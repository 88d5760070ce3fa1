//! The world's file: shared by handles, told apart from damage, and free of shown secrets.

use crate::{ec2, seconds, ssm, volume};
use aws_sdk_ssm::types::ParameterType;
use lh_sim::Sim;

#[tokio::test]
async fn two_handles_on_one_directory_see_each_other() {
    let dir = tempfile::tempdir().unwrap();
    let (one, two) = (Sim::open(dir.path()).unwrap(), Sim::open(dir.path()).unwrap());
    let (first, second) = (ec2(&one), ec2(&two));
    for _ in 0..3 {
        let (a, b) = tokio::join!(
            first.create_volume().availability_zone("us-east-1a").size(1).send(),
            second.create_volume().availability_zone("us-east-1a").size(1).send()
        );
        a.unwrap();
        b.unwrap();
    }
    assert_eq!(first.describe_volumes().send().await.unwrap().volumes().len(), 6);
    one.advance(seconds(100));
    assert!(two.now() >= seconds(100));
    assert_eq!(one.snapshot().now, two.snapshot().now);
}

#[tokio::test]
async fn a_later_handle_finds_the_world_as_it_was_left() {
    let dir = tempfile::tempdir().unwrap();
    let id = {
        let sim = Sim::open(dir.path()).unwrap();
        volume(&sim, &ec2(&sim), "us-east-1a", 7).await
    };
    let sim = Sim::open(dir.path()).unwrap();
    assert_eq!(sim.snapshot().region("us-east-1").unwrap().volumes[&id].size, 7);
    assert!(sim.calls().is_empty(), "the log belongs to a process");
    // Drift behind the tool's back is saved too.
    sim.edit(|world| world.region_mut("us-east-1").volumes.remove(&id));
    assert!(
        !Sim::open(dir.path()).unwrap().snapshot().region("us-east-1").unwrap().volumes.contains_key(&id)
    );
}

#[tokio::test]
async fn a_damaged_file_is_an_error_that_says_what_to_do() {
    let dir = tempfile::tempdir().unwrap();
    let sim = Sim::open(dir.path()).unwrap();
    std::fs::write(dir.path().join("world.json"), "{ not a world").unwrap();
    let error = Sim::open(dir.path()).unwrap_err().to_string();
    assert!(error.contains("lhctl local reset"), "{error}");
    let error = format!("{:?}", ec2(&sim).describe_vpcs().send().await.unwrap_err());
    assert!(error.contains("Damaged"), "{error}");
    let left = std::fs::read_to_string(dir.path().join("world.json")).unwrap();
    assert_eq!(left, "{ not a world", "a damaged file is left alone");
}

#[tokio::test]
async fn a_reset_directory_is_a_new_world_to_an_open_handle() {
    let dir = tempfile::tempdir().unwrap();
    let sim = Sim::open(dir.path()).unwrap();
    volume(&sim, &ec2(&sim), "us-east-1a", 7).await;
    std::fs::remove_file(dir.path().join("world.json")).unwrap();
    assert!(ec2(&sim).describe_volumes().send().await.unwrap().volumes().is_empty());
}

#[tokio::test]
async fn secret_values_are_kept_but_not_shown() {
    let dir = tempfile::tempdir().unwrap();
    let sim = Sim::open(dir.path()).unwrap();
    let put = ssm(&sim).put_parameter().name("/db/password").value("hunter2-xyz");
    put.r#type(ParameterType::SecureString).send().await.unwrap();
    assert!(!format!("{:?}", sim.snapshot()).contains("hunter2-xyz"));
    assert!(std::fs::read_to_string(dir.path().join("world.json")).unwrap().contains("hunter2-xyz"));
}
