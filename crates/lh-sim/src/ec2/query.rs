//! What all describe operations share: ids, filters, visibility, and the errors for missing ids.

use crate::filters;
use crate::outcome::ApiError;
use crate::scene::Scene;
use crate::world::Tags;
use aws_sdk_ec2::types::Filter;
use std::collections::BTreeMap;

/// The kinds of objects that have ids, with EC2's error codes for ids that do not exist:
/// <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/errors-overview.html>.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Address,
    Group,
    Image,
    Instance,
    KeyPair,
    Rule,
    Snapshot,
    SpotRequest,
    Subnet,
    Volume,
    Vpc,
}

impl Kind {
    /// The error for an id that does not exist.
    pub fn missing(self, id: &str) -> ApiError {
        let (code, noun) = match self {
            Kind::Address => ("InvalidAllocationID.NotFound", "allocation ID"),
            Kind::Group => ("InvalidGroup.NotFound", "security group"),
            Kind::Image => ("InvalidAMIID.NotFound", "image id"),
            Kind::Instance => ("InvalidInstanceID.NotFound", "instance ID"),
            Kind::KeyPair => ("InvalidKeyPair.NotFound", "key pair"),
            Kind::Rule => ("InvalidSecurityGroupRuleId.NotFound", "security group rule ID"),
            Kind::Snapshot => ("InvalidSnapshot.NotFound", "snapshot"),
            Kind::SpotRequest => ("InvalidSpotInstanceRequestID.NotFound", "spot instance request ID"),
            Kind::Subnet => ("InvalidSubnetID.NotFound", "subnet ID"),
            Kind::Volume => ("InvalidVolume.NotFound", "volume"),
            Kind::Vpc => ("InvalidVpcID.NotFound", "vpc ID"),
        };
        ApiError::new(code, format!("The {noun} '{id}' does not exist"))
    }
}

/// What a describe operation was asked for.
pub(crate) struct Query<'q> {
    /// The kind of object.
    pub kind: Kind,
    /// The ids; none means all.
    pub ids: Option<&'q [String]>,
    /// The filters.
    pub filters: Option<&'q [Filter]>,
    /// The names of filters that the operation knows, beside tags.
    pub known: &'q [&'q str],
}

impl Query<'_> {
    /// The objects that the answer shows, in the order of their ids. `all` is keyed by id.
    pub fn run<T: Clone>(
        &self,
        scene: &mut Scene<'_>,
        all: &BTreeMap<String, T>,
        tags: impl Fn(&T) -> &Tags,
        look: impl Fn(&T, &str) -> Vec<String>,
    ) -> Result<Vec<T>, ApiError> {
        filters::check(self.filters, self.known)?;
        let ids = self.ids.unwrap_or_default();
        let mut missing = None;
        for id in ids {
            if !all.contains_key(id) || !scene.visible(id) {
                missing = missing.or(Some(self.kind.missing(id)));
            }
        }
        if let Some(error) = missing {
            return Err(error);
        }
        Ok(all
            .iter()
            .filter(|(id, _)| ids.is_empty() || ids.contains(id))
            .filter(|(_, object)| filters::pass(self.filters, tags(object), |name| look(object, name)))
            .filter(|(id, _)| !ids.is_empty() || scene.visible(id))
            .map(|(_, object)| object.clone())
            .collect())
    }
}

/// A required parameter.
pub(crate) fn required<'a, T>(value: &'a Option<T>, name: &str) -> Result<&'a T, ApiError> {
    value.as_ref().ok_or_else(|| ApiError::missing(name))
}

/// EC2 takes either ids or a page size, for the kinds whose documentation says so.
pub(crate) fn ids_or_pages(ids: Option<&[String]>, max: Option<i32>) -> Result<(), ApiError> {
    if max.is_some() && !ids.unwrap_or_default().is_empty() {
        return Err(ApiError::new(
            "InvalidParameterCombination",
            "The parameter for ids cannot be used with the parameter maxResults",
        ));
    }
    Ok(())
}
