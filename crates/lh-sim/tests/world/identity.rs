//! IAM and STS.

use crate::{code, ec2, iam, launch, seconds};
use aws_sdk_ec2::types::IamInstanceProfileSpecification;
use aws_sdk_iam::error::ProvideErrorMetadata;
use aws_sdk_iam::types::Tag;
use lh_sim::Sim;

const TRUST: &str = r#"{"Statement":{"Effect":"Allow","Principal":{"Service":"ec2.amazonaws.com"},"Action":"sts:AssumeRole"}}"#;
const POLICY: &str = r#"{"Statement":[{"Effect":"Allow","Action":"s3:*","Resource":"*"}]}"#;

async fn role(iam: &aws_sdk_iam::Client, name: &str) {
    let tag = Tag::builder().key("stack").value("s").build().unwrap();
    let create = iam.create_role().role_name(name).assume_role_policy_document(TRUST).tags(tag);
    create.send().await.unwrap();
}

#[tokio::test]
async fn modelled_errors_arrive_as_their_types() {
    let sim = Sim::in_memory();
    let iam = iam(&sim);
    let error = iam.get_role().role_name("r").send().await.unwrap_err().into_service_error();
    assert!(error.is_no_such_entity_exception(), "{error:?}");
    role(&iam, "r").await;
    let again = iam.create_role().role_name("r").assume_role_policy_document(TRUST).send().await;
    assert!(again.unwrap_err().into_service_error().is_entity_already_exists_exception());
    let malformed = iam.create_role().role_name("q").assume_role_policy_document("{").send().await;
    assert!(malformed.unwrap_err().into_service_error().is_malformed_policy_document_exception());
    let got = iam.get_role().role_name("r").send().await.unwrap().role.unwrap();
    assert_eq!(got.tags()[0].key(), "stack");
    let document = got.assume_role_policy_document().unwrap();
    assert!(document.starts_with("%7B%22Statement%22%3A"), "{document}");
}

#[tokio::test]
async fn a_role_goes_only_when_nothing_is_attached() {
    let sim = Sim::in_memory();
    let iam = iam(&sim);
    role(&iam, "r").await;
    let arn = "arn:aws:iam::aws:policy/AmazonSSMManagedInstanceCore";
    iam.put_role_policy().role_name("r").policy_name("p").policy_document(POLICY).send().await.unwrap();
    iam.attach_role_policy().role_name("r").policy_arn(arn).send().await.unwrap();
    iam.create_instance_profile().instance_profile_name("p").send().await.unwrap();
    let add = || iam.add_role_to_instance_profile().instance_profile_name("p").role_name("r").send();
    add().await.unwrap();
    assert_eq!(add().await.unwrap_err().code(), Some("LimitExceeded"));
    let delete = || async { iam.delete_role().role_name("r").send().await };
    assert!(delete().await.unwrap_err().into_service_error().is_delete_conflict_exception());
    iam.delete_role_policy().role_name("r").policy_name("p").send().await.unwrap();
    assert!(delete().await.is_err());
    iam.detach_role_policy().role_name("r").policy_arn(arn).send().await.unwrap();
    assert!(delete().await.is_err());
    let profile = iam.delete_instance_profile().instance_profile_name("p").send().await;
    assert!(profile.unwrap_err().into_service_error().is_delete_conflict_exception());
    iam.remove_role_from_instance_profile().instance_profile_name("p").role_name("r").send().await.unwrap();
    delete().await.unwrap();
    iam.delete_instance_profile().instance_profile_name("p").send().await.unwrap();
}

#[tokio::test]
async fn lists_of_policies_have_pages() {
    let sim = Sim::in_memory();
    let iam = iam(&sim);
    role(&iam, "r").await;
    for name in ["a", "b", "c"] {
        iam.put_role_policy().role_name("r").policy_name(name).policy_document(POLICY).send().await.unwrap();
    }
    let first = iam.list_role_policies().role_name("r").max_items(2).send().await.unwrap();
    assert_eq!((first.policy_names(), first.is_truncated), (&["a".to_owned(), "b".to_owned()][..], true));
    let rest = iam.list_role_policies().role_name("r").set_marker(first.marker).send().await.unwrap();
    assert_eq!((rest.policy_names(), rest.is_truncated), (&["c".to_owned()][..], false));
}

#[tokio::test]
async fn ec2_knows_a_new_instance_profile_only_after_some_seconds() {
    let sim = Sim::in_memory();
    let ec2 = ec2(&sim);
    iam(&sim).create_instance_profile().instance_profile_name("p").send().await.unwrap();
    let profile = IamInstanceProfileSpecification::builder().name("p").build();
    let run = || async { launch(&sim, &ec2).await.iam_instance_profile(profile.clone()).send().await };
    let error = run().await.unwrap_err();
    assert!(format!("{error:?}").contains("Invalid IAM Instance Profile name"), "{error:?}");
    assert_eq!(code(run().await), "InvalidParameterValue");
    sim.advance(seconds(10));
    run().await.unwrap();
}

#[tokio::test]
async fn the_caller_has_an_account() {
    let sim = Sim::in_memory();
    let config = aws_sdk_sts::config::Builder::from(&sim.sdk_config()).interceptor(sim.interceptor());
    let sts = aws_sdk_sts::Client::from_conf(config.build());
    let caller = sts.get_caller_identity().send().await.unwrap();
    assert_eq!(caller.account(), Some("123456789012"));
}
