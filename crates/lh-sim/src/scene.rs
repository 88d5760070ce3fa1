//! What one operation sees of the world: its region, IAM, the clock and the generator.
//!
//! The fields are separate borrows, so that an operation can hold a volume while it asks for the
//! time. It is not a place for rules.

use crate::ids::Random;
use crate::outcome::ApiError;
use crate::world::{Iam, Millis, Region, Route53, S3, World};
use std::collections::BTreeMap;

/// The settings of the process that operations have to know.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Knobs {
    /// To how many reads a new object stays invisible.
    pub lag: u32,
    /// The largest page.
    pub page: Option<u32>,
}

/// One operation's view of the world.
pub(crate) struct Scene<'a> {
    /// The time.
    pub now: Millis,
    /// The account id.
    pub account: &'a str,
    /// The region's name.
    pub region: &'a str,
    /// The region.
    pub here: &'a mut Region,
    /// IAM.
    pub iam: &'a mut Iam,
    /// S3.
    pub s3: &'a mut S3,
    /// Route 53.
    pub route53: &'a mut Route53,
    /// The generator.
    pub random: &'a mut Random,
    young: &'a mut BTreeMap<String, u32>,
    knobs: Knobs,
}

impl<'a> Scene<'a> {
    /// The view of an operation in `region`, which is made if nobody has asked for it yet.
    pub fn new(world: &'a mut World, region: &'a str, knobs: Knobs) -> Self {
        world.region_mut(region);
        Scene {
            now: world.now,
            account: &world.account,
            region,
            here: world.regions.entry(region.to_owned()).or_default(),
            iam: &mut world.iam,
            s3: &mut world.s3,
            route53: &mut world.route53,
            random: &mut world.random,
            young: &mut world.young,
            knobs,
        }
    }

    /// Notes a new object, which reads may not show yet. `key` is its id, or the kind and the
    /// name of an object without one.
    pub fn born(&mut self, key: &str) {
        if self.knobs.lag > 0 {
            self.young.insert(key.to_owned(), self.knobs.lag);
        }
    }

    /// Whether a read that would show the object may; it is one read less young afterwards.
    pub fn visible(&mut self, key: &str) -> bool {
        let Some(left) = self.young.get_mut(key) else { return true };
        *left = left.saturating_sub(1);
        if *left == 0 {
            self.young.remove(key);
        }
        false
    }

    /// The injected limit on page sizes.
    pub fn page_cap(&self) -> Option<u32> {
        self.knobs.page
    }

    /// The answer to a request that only asks whether it would succeed.
    pub fn dry_run(&self, asked: Option<bool>) -> Result<(), ApiError> {
        if asked == Some(true) {
            return Err(ApiError::with_status(
                412,
                "DryRunOperation",
                "Request would have succeeded, but DryRun flag is set.",
            ));
        }
        Ok(())
    }

    /// An ARN in this region.
    pub fn arn(&self, service: &str, rest: &str) -> String {
        format!("arn:aws:{service}:{}:{}:{rest}", self.region, self.account)
    }

    /// An IAM ARN.
    pub fn iam_arn(&self, rest: &str) -> String {
        format!("arn:aws:iam::{}:{rest}", self.account)
    }
}
