//! Dry runs: whether a change would be allowed, asked without making it. EC2 alone answers that:
//! <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/CommonParameters.html> (DryRun).

use aws_sdk_ec2::types::{DomainType, InstanceType, VolumeType};
use futures_util::future::join4;
use lh_kind::{CloudError, ErrorKind};

use crate::{Clients, error::Named};

/// The operations that are rehearsed, each with `DryRun` and never without.
pub const REHEARSED: &[&str] =
    &["ec2:AllocateAddress", "ec2:CreateSecurityGroup", "ec2:CreateVolume", "ec2:RunInstances"];

/// What a stack would make.
#[derive(Clone, Debug)]
pub struct Rehearsal {
    /// The VPC.
    pub vpc: String,
    /// The subnet.
    pub subnet: String,
    /// Its zone.
    pub zone: String,
    /// The image.
    pub image: String,
    /// The instance type.
    pub instance_type: String,
    /// GiB of the data volume.
    pub volume_size: i32,
}

/// What a dry run said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Allowed {
    /// It would have succeeded.
    Yes,
    /// These credentials may not: AWS's words.
    No(String),
    /// It would have failed for another reason, or was not answered.
    Unsure(String),
}

impl Rehearsal {
    /// Tries each of [`REHEARSED`], in that order. Nothing is made, whatever the answers are.
    pub async fn run(&self, clients: &Clients) -> Vec<(&'static str, Allowed)> {
        let ec2 = &clients.ec2;
        let address = ec2.allocate_address().domain(DomainType::Vpc).dry_run(true);
        let group = ec2.create_security_group().group_name("lhctl-doctor").description("lhctl doctor");
        let group = group.vpc_id(&self.vpc).dry_run(true);
        let volume = ec2.create_volume().availability_zone(&self.zone).size(self.volume_size);
        let volume = volume.volume_type(VolumeType::Gp3).encrypted(true).dry_run(true);
        let instance = ec2.run_instances().image_id(&self.image).subnet_id(&self.subnet);
        let instance = instance.instance_type(InstanceType::from(self.instance_type.as_str()));
        let instance = instance.min_count(1).max_count(1).dry_run(true);
        let answers = join4(address.send(), group.send(), volume.send(), instance.send()).await;
        let [first, second, third, fourth] =
            [0, 1, 2, 3].map(|at| REHEARSED.get(at).copied().unwrap_or_default());
        vec![
            (first, allowed(answers.0.named(first).map(drop))),
            (second, allowed(answers.1.named(second).map(drop))),
            (third, allowed(answers.2.named(third).map(drop))),
            (fourth, allowed(answers.3.named(fourth).map(drop))),
        ]
    }
}

fn allowed(answer: Result<(), CloudError>) -> Allowed {
    match answer {
        Err(error) if error.code == "DryRunOperation" => Allowed::Yes,
        Err(error) if error.kind == ErrorKind::Denied => Allowed::No(error.message),
        Err(error) => Allowed::Unsure(error.to_string()),
        // An endpoint that does not know DryRun: an emulator.
        Ok(()) => Allowed::Unsure("it was answered as if it were no dry run".to_owned()),
    }
}
