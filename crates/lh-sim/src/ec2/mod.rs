//! Elastic Compute Cloud: which operations there are. The rules are in one file per kind.

pub(crate) mod addresses;
pub(crate) mod attachments;
pub(crate) mod attributes;
pub(crate) mod groups;
pub(crate) mod images;
pub(crate) mod instances;
pub(crate) mod keys;
pub(crate) mod launch;
pub(crate) mod lifecycle;
pub(crate) mod modifications;
pub(crate) mod network;
pub(crate) mod profiles;
pub(crate) mod query;
pub(crate) mod routes;
pub(crate) mod rules;
pub(crate) mod settle;
pub(crate) mod show;
pub(crate) mod snapshots;
pub(crate) mod spot;
pub(crate) mod tags;
pub(crate) mod tokens;
pub(crate) mod volumes;

use crate::operation::{Operation, reads, writes};

/// The simulated operations of EC2.
pub(crate) fn operations() -> Vec<Operation> {
    vec![
        reads("DescribeVpcs", network::describe_vpcs),
        reads("DescribeSubnets", network::describe_subnets),
        reads("DescribeRouteTables", routes::describe),
        reads("DescribeSecurityGroups", groups::describe),
        writes("CreateSecurityGroup", groups::create),
        writes("DeleteSecurityGroup", groups::delete),
        reads("DescribeSecurityGroupRules", rules::describe),
        writes("AuthorizeSecurityGroupIngress", rules::authorize),
        writes("RevokeSecurityGroupIngress", rules::revoke),
        writes("ModifySecurityGroupRules", rules::modify),
        writes("CreateTags", tags::create),
        writes("DeleteTags", tags::delete),
        reads("DescribeTags", tags::describe),
        reads("DescribeKeyPairs", keys::describe),
        writes("ImportKeyPair", keys::import),
        writes("DeleteKeyPair", keys::delete),
        reads("DescribeVolumes", volumes::describe),
        writes("CreateVolume", volumes::create),
        writes("DeleteVolume", volumes::delete),
        writes("ModifyVolume", modifications::modify),
        reads("DescribeVolumesModifications", modifications::describe),
        writes("AttachVolume", attachments::attach),
        writes("DetachVolume", attachments::detach),
        writes("CreateSnapshot", snapshots::create),
        writes("DeleteSnapshot", snapshots::delete),
        reads("DescribeSnapshots", snapshots::describe),
        writes("RunInstances", launch::run),
        reads("DescribeInstances", instances::describe),
        reads("DescribeInstanceStatus", instances::status),
        reads("GetConsoleOutput", instances::console),
        reads("DescribeInstanceAttribute", attributes::describe),
        writes("ModifyInstanceAttribute", attributes::modify),
        writes("ModifyInstanceMetadataOptions", attributes::modify_metadata),
        writes("StopInstances", lifecycle::stop),
        writes("StartInstances", lifecycle::start),
        writes("TerminateInstances", lifecycle::terminate),
        reads("DescribeSpotInstanceRequests", spot::describe),
        writes("CancelSpotInstanceRequests", spot::cancel),
        writes("AllocateAddress", addresses::allocate),
        reads("DescribeAddresses", addresses::describe),
        writes("AssociateAddress", addresses::associate),
        writes("DisassociateAddress", addresses::disassociate),
        writes("ReleaseAddress", addresses::release),
        reads("DescribeIamInstanceProfileAssociations", profiles::describe),
        writes("AssociateIamInstanceProfile", profiles::associate),
        writes("ReplaceIamInstanceProfileAssociation", profiles::replace),
        writes("DisassociateIamInstanceProfile", profiles::disassociate),
        reads("DescribeImages", images::describe),
        reads("DescribeInstanceTypeOfferings", images::offerings),
    ]
}
