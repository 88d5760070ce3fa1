//! The registry: one line a kind. Plans, prices, documents and permissions come from here.

use lh_kind::{AnyKind, AnyRules, Erased, RuleBook};

use crate::{
    clients::Clients,
    kinds::{
        backup::{plan::BackupPlan, selection::BackupSelection, vault::BackupVault},
        cloudwatch::{alarm::Alarm, dashboard::Dashboard},
        ec2::{
            elastic_ip::ElasticIp, elastic_ip_association::ElasticIpAssociation, instance::Instance,
            key_pair::KeyPair, security_group::SecurityGroup, security_group_rule::SecurityGroupRule,
            snapshot::Snapshot, volume::Volume, volume_attachment::VolumeAttachment,
        },
        iam::{
            iam_policy_attachment::IamPolicyAttachment, iam_role::IamRole, iam_role_policy::IamRolePolicy,
            instance_profile::InstanceProfile,
        },
        logs::log_group::LogGroup,
        route53::record::DnsRecord,
        s3::bucket::Bucket,
        secrets::secret::Secret,
        sns::{subscription::Subscription, topic::Topic},
        ssm::parameter::Parameter,
    },
};

static KINDS: &[&dyn AnyKind<Clients>] = &[
    &Erased::<Alarm>::new(),
    &Erased::<BackupPlan>::new(),
    &Erased::<BackupSelection>::new(),
    &Erased::<BackupVault>::new(),
    &Erased::<Bucket>::new(),
    &Erased::<Dashboard>::new(),
    &Erased::<DnsRecord>::new(),
    &Erased::<ElasticIp>::new(),
    &Erased::<ElasticIpAssociation>::new(),
    &Erased::<IamPolicyAttachment>::new(),
    &Erased::<IamRole>::new(),
    &Erased::<IamRolePolicy>::new(),
    &Erased::<Instance>::new(),
    &Erased::<InstanceProfile>::new(),
    &Erased::<KeyPair>::new(),
    &Erased::<LogGroup>::new(),
    &Erased::<Parameter>::new(),
    &Erased::<Secret>::new(),
    &Erased::<SecurityGroup>::new(),
    &Erased::<SecurityGroupRule>::new(),
    &Erased::<Snapshot>::new(),
    &Erased::<Subscription>::new(),
    &Erased::<Topic>::new(),
    &Erased::<Volume>::new(),
    &Erased::<VolumeAttachment>::new(),
];

/// All kinds.
#[derive(Clone, Copy, Debug, Default)]
pub struct Registry;

impl Registry {
    /// The kind of this name.
    pub(crate) fn kind(self, name: &str) -> Option<&'static dyn AnyKind<Clients>> {
        KINDS.iter().copied().find(|kind| kind.name() == name)
    }
}

impl RuleBook for Registry {
    fn rules(&self, kind: &str) -> Option<&dyn AnyRules> {
        self.kind(kind).map(|kind| kind as &dyn AnyRules)
    }

    fn kinds(&self) -> Vec<&'static str> {
        KINDS.iter().map(|kind| kind.name()).collect()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use lh_model::Address;

    use super::*;

    #[test]
    fn every_kind_has_a_name_of_its_own_and_names_its_calls_as_iam_does() {
        let names = Registry.kinds();
        assert_eq!(names.iter().collect::<BTreeSet<_>>().len(), names.len());
        for kind in KINDS {
            let address = Address::new(kind.name(), "main");
            assert_eq!(address.to_string().parse(), Ok(address), "{} fits no address", kind.name());
            let calls = kind.calls();
            let all = [calls.observe, calls.create, calls.update, calls.delete].concat();
            assert!(!calls.observe.is_empty() && !calls.create.is_empty() && !calls.delete.is_empty());
            for call in all {
                let service = call.split_once(':').map(|(service, _)| service);
                assert!(
                    matches!(
                        service,
                        Some(
                            "backup"
                                | "cloudwatch"
                                | "ec2"
                                | "iam"
                                | "kms"
                                | "logs"
                                | "route53"
                                | "s3"
                                | "secretsmanager"
                                | "sns"
                                | "ssm"
                                | "tag"
                        )
                    ),
                    "{}: {call}",
                    kind.name()
                );
            }
        }
    }

    #[test]
    fn what_holds_data_is_known() {
        let holding: Vec<_> = KINDS.iter().filter(|kind| kind.holds_data()).map(|kind| kind.name()).collect();
        assert_eq!(holding, ["backup_vault", "bucket", "parameter", "secret", "snapshot", "volume"]);
    }
}
