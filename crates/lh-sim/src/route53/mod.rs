//! Route 53: hosted zones and their records.
//!
//! Rules and errors: <https://docs.aws.amazon.com/Route53/latest/APIReference/Welcome.html>. Zones
//! are there or not; nobody makes one here, and nothing answers DNS queries.

mod change;
mod read;

use crate::operation::{Operation, reads, writes};
use crate::outcome::ApiError;
use crate::scene::Scene;
use crate::world::Zone;

/// The simulated operations.
pub(crate) fn operations() -> Vec<Operation> {
    vec![
        reads("ListHostedZonesByName", read::zones),
        reads("GetHostedZone", read::zone),
        reads("ListResourceRecordSets", read::records),
        reads("GetChange", read::change),
        writes("ChangeResourceRecordSets", change::change),
    ]
}

fn invalid(message: impl Into<String>) -> ApiError {
    ApiError::new("InvalidInput", message)
}

fn find<'s>(s: &'s mut Scene<'_>, id: &Option<String>) -> Result<&'s mut Zone, ApiError> {
    let id = id.as_deref().unwrap_or_default().trim_start_matches("/hostedzone/");
    let missing =
        || ApiError::with_status(404, "NoSuchHostedZone", format!("No hosted zone found with ID: {id}"));
    s.route53.zones.get_mut(id).ok_or_else(missing)
}

/// A name as Route 53 keeps it: lower-case, with a dot at its end.
fn tidy(name: &str) -> String {
    format!("{}.", name.trim_end_matches('.').to_lowercase())
}
