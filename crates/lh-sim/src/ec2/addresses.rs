//! Elastic IP addresses.
//!
//! <https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/elastic-ip-addresses-eip.html>

use super::query::{Kind, Query, required};
use super::tags;
use crate::filters::{maybe, one};
use crate::outcome::ApiError;
use crate::scene::Scene;
use crate::world::{Address, Association, InstanceState};
use aws_sdk_ec2::operation::allocate_address::{AllocateAddressInput, AllocateAddressOutput};
use aws_sdk_ec2::operation::associate_address::{AssociateAddressInput, AssociateAddressOutput};
use aws_sdk_ec2::operation::describe_addresses::{DescribeAddressesInput, DescribeAddressesOutput};
use aws_sdk_ec2::operation::disassociate_address::{DisassociateAddressInput, DisassociateAddressOutput};
use aws_sdk_ec2::operation::release_address::{ReleaseAddressInput, ReleaseAddressOutput};
use aws_sdk_ec2::types::{Address as Shown, DomainType};

/// "By default, all AWS accounts have a quota of five Elastic IP addresses per Region."
const QUOTA: usize = 5;

/// AllocateAddress, which has no client token.
pub(crate) fn allocate(
    s: &mut Scene<'_>,
    i: &AllocateAddressInput,
) -> Result<AllocateAddressOutput, ApiError> {
    s.dry_run(i.dry_run)?;
    let tags = tags::at_creation(i.tag_specifications.as_deref(), "elastic-ip", &["elastic-ip"])?;
    if s.here.addresses.len() >= QUOTA {
        return Err(ApiError::new(
            "AddressLimitExceeded",
            "The maximum number of addresses has been reached.",
        ));
    }
    let address = Address {
        id: s.random.id("eipalloc"),
        public_ip: format!("198.51.{}.{}", 100 + s.random.below(100), 1 + s.random.below(254)),
        association: None,
        tags,
    };
    s.born(&address.id);
    let answer = AllocateAddressOutput::builder()
        .allocation_id(&address.id)
        .public_ip(&address.public_ip)
        .domain(DomainType::Vpc)
        .network_border_group(s.region)
        .build();
    s.here.addresses.insert(address.id.clone(), address);
    Ok(answer)
}

/// DescribeAddresses, which has no pages.
pub(crate) fn describe(
    s: &mut Scene<'_>,
    i: &DescribeAddressesInput,
) -> Result<DescribeAddressesOutput, ApiError> {
    s.dry_run(i.dry_run)?;
    let query = Query {
        kind: Kind::Address,
        ids: i.allocation_ids.as_deref(),
        filters: i.filters.as_deref(),
        known: &["allocation-id", "association-id", "instance-id", "public-ip", "domain"],
    };
    let all = s.here.addresses.clone();
    for ip in i.public_ips.as_deref().unwrap_or_default() {
        if !all.values().any(|address| address.public_ip == *ip) {
            return Err(ApiError::new("InvalidAddress.NotFound", format!("Address '{ip}' not found.")));
        }
    }
    let found = query.run(
        s,
        &all,
        |address| &address.tags,
        |address, name| match name {
            "allocation-id" => one(&address.id),
            "association-id" => maybe(address.association.as_ref().map(|it| &it.id)),
            "instance-id" => maybe(address.association.as_ref().map(|it| &it.instance_id)),
            "domain" => one("vpc"),
            _ => one(&address.public_ip),
        },
    )?;
    let ips = i.public_ips.as_deref().unwrap_or_default();
    let shown = found
        .iter()
        .filter(|address| ips.is_empty() || ips.contains(&address.public_ip))
        .map(|address| show(s, address))
        .collect();
    Ok(DescribeAddressesOutput::builder().set_addresses(Some(shown)).build())
}

fn show(s: &Scene<'_>, address: &Address) -> Shown {
    let instance = address.association.as_ref().and_then(|at| s.here.instances.get(&at.instance_id));
    Shown::builder()
        .allocation_id(&address.id)
        .public_ip(&address.public_ip)
        .domain(DomainType::Vpc)
        .network_border_group(s.region)
        .set_association_id(address.association.as_ref().map(|at| at.id.clone()))
        .set_instance_id(address.association.as_ref().map(|at| at.instance_id.clone()))
        .set_network_interface_id(instance.map(|it| it.interface_id.clone()))
        .set_private_ip_address(instance.map(|it| it.private_ip.clone()))
        .set_tags(Some(tags::show(&address.tags)))
        .build()
}

/// AssociateAddress: in a VPC it moves an address that is associated already, unless
/// AllowReassociation is false; repeating it for the same instance changes nothing:
/// <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_AssociateAddress.html>.
pub(crate) fn associate(
    s: &mut Scene<'_>,
    i: &AssociateAddressInput,
) -> Result<AssociateAddressOutput, ApiError> {
    s.dry_run(i.dry_run)?;
    let id = required(&i.allocation_id, "AllocationId")?;
    let instance_id = required(&i.instance_id, "InstanceId")?;
    let address = s.here.addresses.get(id).ok_or_else(|| Kind::Address.missing(id))?;
    let instance = s.here.instances.get(instance_id).ok_or_else(|| Kind::Instance.missing(instance_id))?;
    if !matches!(instance.state, InstanceState::Running | InstanceState::Stopped) {
        return Err(ApiError::new(
            "IncorrectInstanceState",
            format!("The instance '{instance_id}' is {}, not 'running' or 'stopped'.", instance.state.name()),
        ));
    }
    if let Some(at) = &address.association {
        if at.instance_id == *instance_id {
            return Ok(AssociateAddressOutput::builder().association_id(&at.id).build());
        }
        if i.allow_reassociation == Some(false) {
            return Err(ApiError::new(
                "Resource.AlreadyAssociated",
                format!("resource {id} is already associated with associate-id {}", at.id),
            ));
        }
    }
    // An instance has one address for its private address: an earlier one is taken from it.
    let earlier = s
        .here
        .addresses
        .values_mut()
        .filter(|other| other.association.as_ref().is_some_and(|at| at.instance_id == *instance_id));
    for other in earlier {
        if i.allow_reassociation == Some(false) {
            return Err(ApiError::new(
                "Resource.AlreadyAssociated",
                format!("instance {instance_id} is already associated with {}", other.id),
            ));
        }
        other.association = None;
    }
    let association = Association { id: s.random.id("eipassoc"), instance_id: instance_id.clone() };
    let answer = AssociateAddressOutput::builder().association_id(&association.id).build();
    if let Some(address) = s.here.addresses.get_mut(id) {
        address.association = Some(association);
    }
    Ok(answer)
}

/// DisassociateAddress, by the id of the association.
pub(crate) fn disassociate(
    s: &mut Scene<'_>,
    i: &DisassociateAddressInput,
) -> Result<DisassociateAddressOutput, ApiError> {
    s.dry_run(i.dry_run)?;
    let id = required(&i.association_id, "AssociationId")?;
    let address = s
        .here
        .addresses
        .values_mut()
        .find(|address| address.association.as_ref().is_some_and(|at| at.id == *id))
        .ok_or_else(|| {
            ApiError::new(
                "InvalidAssociationID.NotFound",
                format!("The association ID '{id}' does not exist"),
            )
        })?;
    address.association = None;
    Ok(DisassociateAddressOutput::builder().build())
}

/// ReleaseAddress: it has to be disassociated first:
/// <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_ReleaseAddress.html>.
pub(crate) fn release(s: &mut Scene<'_>, i: &ReleaseAddressInput) -> Result<ReleaseAddressOutput, ApiError> {
    s.dry_run(i.dry_run)?;
    let id = required(&i.allocation_id, "AllocationId")?;
    let address = s.here.addresses.get(id).ok_or_else(|| Kind::Address.missing(id))?;
    if address.association.is_some() {
        return Err(ApiError::new(
            "InvalidIPAddress.InUse",
            format!("Address {} is in use.", address.public_ip),
        ));
    }
    s.here.addresses.remove(id);
    Ok(ReleaseAddressOutput::builder().build())
}
