//! Security Token Service: who the caller is.

use crate::operation::{Operation, reads};
use crate::outcome::ApiError;
use crate::scene::Scene;
use aws_sdk_sts::operation::get_caller_identity::{GetCallerIdentityInput, GetCallerIdentityOutput};

/// The simulated operations of STS.
pub(crate) fn operations() -> Vec<Operation> {
    vec![reads("GetCallerIdentity", caller)]
}

fn caller(s: &mut Scene<'_>, _: &GetCallerIdentityInput) -> Result<GetCallerIdentityOutput, ApiError> {
    Ok(GetCallerIdentityOutput::builder()
        .account(s.account)
        .arn(s.iam_arn("user/simulated"))
        .user_id("AIDASIMULATEDUSER0000")
        .build())
}
