//! SSM parameters.

use crate::{image, ssm};
use aws_sdk_ssm::types::{ParameterStringFilter, ParameterType, ResourceTypeForTagging, Tag};
use lh_sim::Sim;

#[tokio::test]
async fn parameters_have_versions_and_their_errors_have_types() {
    let sim = Sim::in_memory();
    let ssm = ssm(&sim);
    let put =
        |value: &str| ssm.put_parameter().name("/lh/db").value(value).r#type(ParameterType::SecureString);
    let tag = Tag::builder().key("stack").value("s").build().unwrap();
    assert_eq!(put("one").tags(tag.clone()).send().await.unwrap().version, 1);
    let again = put("two").send().await.unwrap_err().into_service_error();
    assert!(again.is_parameter_already_exists(), "{again:?}");
    let both = put("two").overwrite(true).tags(tag.clone()).send().await.unwrap_err();
    assert_eq!(aws_sdk_ssm::error::ProvideErrorMetadata::code(&both), Some("ValidationException"));
    assert_eq!(put("two").overwrite(true).send().await.unwrap().version, 2);
    let read = |decrypt| ssm.get_parameter().name("/lh/db").with_decryption(decrypt).send();
    assert_eq!(read(true).await.unwrap().parameter.unwrap().value.unwrap(), "two");
    assert_ne!(read(false).await.unwrap().parameter.unwrap().value.unwrap(), "two");
    let many = ssm.get_parameters().names("/lh/db").names("/lh/none").send().await.unwrap();
    assert_eq!((many.parameters().len(), many.invalid_parameters()), (1, &["/lh/none".to_owned()][..]));
    ssm.delete_parameter().name("/lh/db").send().await.unwrap();
    let gone = ssm.delete_parameter().name("/lh/db").send().await.unwrap_err();
    assert!(gone.into_service_error().is_parameter_not_found());
}

#[tokio::test]
async fn metadata_is_found_by_name_and_tag_and_comes_in_pages() {
    let sim = Sim::in_memory();
    let ssm = ssm(&sim);
    for n in 0..12 {
        let put = ssm.put_parameter().name(format!("/lh/{n}")).value("v").r#type(ParameterType::String);
        put.send().await.unwrap();
    }
    let kind = ResourceTypeForTagging::Parameter;
    let tag = Tag::builder().key("stack").value("s").build().unwrap();
    ssm.add_tags_to_resource()
        .resource_type(kind.clone())
        .resource_id("/lh/3")
        .tags(tag)
        .send()
        .await
        .unwrap();
    let by = |key: &str, option: &str, value: &str| {
        ParameterStringFilter::builder().key(key).option(option).values(value).build().unwrap()
    };
    let request = ssm.describe_parameters().parameter_filters(by("Name", "BeginsWith", "/lh/"));
    assert_eq!(request.clone().send().await.unwrap().parameters().len(), 10);
    let pages: Vec<_> = request.into_paginator().send().collect::<Result<_, _>>().await.unwrap();
    assert_eq!(pages.iter().map(|page| page.parameters().len()).sum::<usize>(), 12);
    let tagged =
        ssm.describe_parameters().parameter_filters(by("tag:stack", "Equals", "s")).send().await.unwrap();
    assert_eq!(tagged.parameters()[0].name(), Some("/lh/3"));
    ssm.remove_tags_from_resource()
        .resource_type(kind.clone())
        .resource_id("/lh/3")
        .tag_keys("stack")
        .send()
        .await
        .unwrap();
    let left = ssm.list_tags_for_resource().resource_type(kind).resource_id("/lh/3").send().await.unwrap();
    assert!(left.tag_list().is_empty());
}

#[tokio::test]
async fn the_public_ubuntu_parameter_names_an_arm64_image() {
    let sim = Sim::in_memory();
    let id = image(&sim).await;
    let found = crate::ec2(&sim).describe_images().image_ids(id).send().await.unwrap();
    assert_eq!(found.images()[0].architecture().unwrap().as_str(), "arm64");
}
