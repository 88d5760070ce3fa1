//! Instance profiles of instances that run already: seen, associated, swapped, taken away.
//!
//! <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_AssociateIamInstanceProfile.html>

use aws_sdk_ec2::operation::associate_iam_instance_profile::{
    AssociateIamInstanceProfileInput, AssociateIamInstanceProfileOutput,
};
use aws_sdk_ec2::operation::describe_iam_instance_profile_associations::{
    DescribeIamInstanceProfileAssociationsInput, DescribeIamInstanceProfileAssociationsOutput,
};
use aws_sdk_ec2::operation::disassociate_iam_instance_profile::{
    DisassociateIamInstanceProfileInput, DisassociateIamInstanceProfileOutput,
};
use aws_sdk_ec2::operation::replace_iam_instance_profile_association::{
    ReplaceIamInstanceProfileAssociationInput, ReplaceIamInstanceProfileAssociationOutput,
};
use aws_sdk_ec2::types::{
    IamInstanceProfileAssociation, IamInstanceProfileAssociationState, IamInstanceProfileSpecification,
};

use super::query::{Kind, required};
use super::{launch, show};
use crate::outcome::ApiError;
use crate::scene::Scene;
use crate::world::Instance;

/// How an association's id begins; the rest is the instance's, which has one association at most.
const PREFIX: &str = "iip-assoc-";

fn shown(s: &Scene<'_>, it: &Instance) -> IamInstanceProfileAssociation {
    IamInstanceProfileAssociation::builder()
        .association_id(format!("{PREFIX}{}", it.id.trim_start_matches("i-")))
        .instance_id(&it.id)
        .set_iam_instance_profile(show::profile(s, it))
        .state(IamInstanceProfileAssociationState::Associated)
        .build()
}

/// The instance behind an association's id.
fn instance_of(s: &Scene<'_>, id: &str) -> Result<Instance, ApiError> {
    let instance = id.strip_prefix(PREFIX).and_then(|rest| s.here.instances.get(&format!("i-{rest}")));
    let missing = || {
        let text = format!("An invalid association-id of '{id}' was given");
        ApiError::new("NoSuchAssociation", text)
    };
    instance.filter(|it| it.launch.profile.is_some()).cloned().ok_or_else(missing)
}

fn set(s: &mut Scene<'_>, id: &str, profile: Option<String>) -> Result<Instance, ApiError> {
    let it = s.here.instances.get_mut(id).ok_or_else(|| Kind::Instance.missing(id))?;
    it.launch.profile = profile;
    Ok(it.clone())
}

fn named(s: &Scene<'_>, asked: Option<&IamInstanceProfileSpecification>) -> Result<String, ApiError> {
    launch::profile(s, asked.ok_or_else(|| ApiError::missing("IamInstanceProfile"))?)
}

/// DescribeIamInstanceProfileAssociations, with the filter `instance-id`.
pub(crate) fn describe(
    s: &mut Scene<'_>,
    i: &DescribeIamInstanceProfileAssociationsInput,
) -> Result<DescribeIamInstanceProfileAssociationsOutput, ApiError> {
    let mut wanted: Option<Vec<String>> = None;
    for filter in i.filters.as_deref().unwrap_or_default() {
        match filter.name.as_deref() {
            Some("instance-id") => wanted = Some(filter.values().to_vec()),
            name => {
                let name = name.unwrap_or_default();
                return Err(ApiError::invalid(format!("The filter '{name}' is invalid")));
            }
        }
    }
    let fits = |it: &&Instance| {
        it.launch.profile.is_some()
            && !it.state.ending()
            && wanted.as_ref().is_none_or(|ids| ids.contains(&it.id))
    };
    let all: Vec<Instance> = s.here.instances.values().filter(fits).cloned().collect();
    let associations = all.iter().map(|it| shown(s, it)).collect();
    Ok(DescribeIamInstanceProfileAssociationsOutput::builder()
        .set_iam_instance_profile_associations(Some(associations))
        .build())
}

/// AssociateIamInstanceProfile: only where there is none yet.
pub(crate) fn associate(
    s: &mut Scene<'_>,
    i: &AssociateIamInstanceProfileInput,
) -> Result<AssociateIamInstanceProfileOutput, ApiError> {
    let id = required(&i.instance_id, "InstanceId")?;
    let name = named(s, i.iam_instance_profile.as_ref())?;
    let taken = s.here.instances.get(id).is_some_and(|it| it.launch.profile.is_some());
    if taken {
        let text = format!("There is an existing association for instance {id}");
        return Err(ApiError::new("IncorrectState", text));
    }
    let it = set(s, id, Some(name))?;
    let association = shown(s, &it);
    Ok(AssociateIamInstanceProfileOutput::builder().iam_instance_profile_association(association).build())
}

/// ReplaceIamInstanceProfileAssociation: swaps without a moment in between.
pub(crate) fn replace(
    s: &mut Scene<'_>,
    i: &ReplaceIamInstanceProfileAssociationInput,
) -> Result<ReplaceIamInstanceProfileAssociationOutput, ApiError> {
    let before = instance_of(s, required(&i.association_id, "AssociationId")?)?;
    let name = named(s, i.iam_instance_profile.as_ref())?;
    let it = set(s, &before.id, Some(name))?;
    let association = shown(s, &it);
    Ok(ReplaceIamInstanceProfileAssociationOutput::builder()
        .iam_instance_profile_association(association)
        .build())
}

/// DisassociateIamInstanceProfile.
pub(crate) fn disassociate(
    s: &mut Scene<'_>,
    i: &DisassociateIamInstanceProfileInput,
) -> Result<DisassociateIamInstanceProfileOutput, ApiError> {
    let before = instance_of(s, required(&i.association_id, "AssociationId")?)?;
    let association = shown(s, &before);
    set(s, &before.id, None)?;
    Ok(DisassociateIamInstanceProfileOutput::builder().iam_instance_profile_association(association).build())
}
