//! Images, and which instance types a zone offers. The tool's types and a few more are known.

use super::query::{Kind, Query};
use crate::filters::{self, NO_TAGS, one};
use crate::outcome::ApiError;
use crate::paging;
use crate::scene::Scene;
use aws_sdk_ec2::operation::describe_images::{DescribeImagesInput, DescribeImagesOutput};
use aws_sdk_ec2::operation::describe_instance_type_offerings::{
    DescribeInstanceTypeOfferingsInput, DescribeInstanceTypeOfferingsOutput,
};
use aws_sdk_ec2::types::{
    ArchitectureValues, BlockDeviceMapping, DeviceType, EbsBlockDevice, Image, ImageState, InstanceType,
    InstanceTypeOffering, LocationType, VolumeType,
};

const ARM: &[&str] = &["t4g", "m6g", "m7g", "c6g", "c7g", "r6g", "r7g"];
const INTEL: &[&str] = &["t3", "t3a", "m5", "m6i", "c5", "c6i", "r5", "r6i"];
const SIZES: &[&str] = &["nano", "micro", "small", "medium", "large", "xlarge", "2xlarge", "4xlarge"];

/// The processor architecture of an instance type, if the type exists.
pub(crate) fn architecture(instance_type: &str) -> Option<&'static str> {
    let (family, size) = instance_type.split_once('.')?;
    // Only burstable types come smaller than medium.
    let small = matches!(size, "nano" | "micro" | "small");
    if !SIZES.contains(&size) || (small && !family.starts_with('t')) {
        return None;
    }
    if ARM.contains(&family) {
        Some("arm64")
    } else if INTEL.contains(&family) {
        Some("x86_64")
    } else {
        None
    }
}

/// Whether a zone has an instance type. us-east-1e has none of the newer types:
/// <https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/instance-discovery.html>.
pub(crate) fn offered(instance_type: &str, zone: &str) -> bool {
    let arm = architecture(instance_type) == Some("arm64");
    architecture(instance_type).is_some() && !(arm && zone == "us-east-1e")
}

/// DescribeImages, by ids and filters; `owners` may be account ids, `amazon` or `self`.
pub(crate) fn describe(s: &mut Scene<'_>, i: &DescribeImagesInput) -> Result<DescribeImagesOutput, ApiError> {
    s.dry_run(i.dry_run)?;
    let query = Query {
        kind: Kind::Image,
        ids: i.image_ids.as_deref(),
        filters: i.filters.as_deref(),
        known: &[
            "image-id",
            "name",
            "architecture",
            "owner-id",
            "state",
            "root-device-type",
            "virtualization-type",
            "is-public",
        ],
    };
    let all = s.here.images.clone();
    let found = query.run(
        s,
        &all,
        |_| &NO_TAGS,
        |image, name| match name {
            "image-id" => one(&image.id),
            "name" => one(&image.name),
            "architecture" => one(&image.architecture),
            "owner-id" => one(&image.owner),
            "state" => one("available"),
            "root-device-type" => one("ebs"),
            "is-public" => one(true),
            _ => one("hvm"),
        },
    )?;
    let owners = i.owners.as_deref().unwrap_or_default();
    let mine = |owner: &str| owners.is_empty() || owners.iter().any(|asked| asked == owner);
    let shown = found.iter().filter(|image| mine(&image.owner)).map(show).collect();
    let (page, next) =
        paging::page(shown, i.max_results, i.next_token.as_deref(), paging::EC2, s.page_cap())?;
    Ok(DescribeImagesOutput::builder().set_images(Some(page)).set_next_token(next).build())
}

fn show(image: &crate::world::Image) -> Image {
    let root = EbsBlockDevice::builder()
        .volume_size(image.root_size)
        .volume_type(VolumeType::Gp3)
        .delete_on_termination(true)
        .build();
    Image::builder()
        .image_id(&image.id)
        .name(&image.name)
        .owner_id(&image.owner)
        .architecture(ArchitectureValues::from(image.architecture.as_str()))
        .state(ImageState::Available)
        .public(true)
        .root_device_name(&image.root_device)
        .root_device_type(DeviceType::Ebs)
        .creation_date(&image.created)
        .block_device_mappings(
            BlockDeviceMapping::builder().device_name(&image.root_device).ebs(root).build(),
        )
        .build()
}

/// DescribeInstanceTypeOfferings, by region or by zone.
pub(crate) fn offerings(
    s: &mut Scene<'_>,
    i: &DescribeInstanceTypeOfferingsInput,
) -> Result<DescribeInstanceTypeOfferingsOutput, ApiError> {
    s.dry_run(i.dry_run)?;
    let filters = i.filters.as_deref();
    filters::check(filters, &["instance-type", "location"])?;
    let kind = i.location_type.clone().unwrap_or(LocationType::Region);
    let places = match kind {
        LocationType::Region => vec![s.region.to_owned()],
        LocationType::AvailabilityZone => s.here.zones.clone(),
        ref other => return Err(ApiError::invalid(format!("The location type {other} is not simulated"))),
    };
    let mut rows = Vec::new();
    for family in ARM.iter().chain(INTEL) {
        for size in SIZES {
            let name = format!("{family}.{size}");
            for place in places.iter().filter(|place| offered(&name, place)) {
                let pass = filters::pass(filters, &NO_TAGS, |filter| match filter {
                    "location" => one(place),
                    _ => one(&name),
                });
                if pass {
                    let row = InstanceTypeOffering::builder()
                        .instance_type(InstanceType::from(name.as_str()))
                        .location_type(kind.clone())
                        .location(place);
                    rows.push(row.build());
                }
            }
        }
    }
    let (page, next) = paging::page(rows, i.max_results, i.next_token.as_deref(), paging::EC2, s.page_cap())?;
    Ok(DescribeInstanceTypeOfferingsOutput::builder()
        .set_instance_type_offerings(Some(page))
        .set_next_token(next)
        .build())
}
