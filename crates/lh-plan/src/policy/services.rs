//! Permissions of all services but EC2: Service Authorization Reference, a page each. Where names
//! are part of ARNs, they say on what an operation is allowed.

use super::rule::{Guard, Rule};

const ROLE: &str = "arn:{partition}:iam::{account}:role/{role|name}";
const PROFILE: &str = "arn:{partition}:iam::{account}:instance-profile/{name}";
const PARAMETER: &str = "arn:{partition}:ssm:{region}:{account}:parameter/{name}";
const INSTANCE: &str = "arn:{partition}:ec2:{region}:{account}:instance/{instance_id}";
const SHELL_SCRIPT: &str = "arn:{partition}:ssm:{region}::document/AWS-RunShellScript";
const FORWARDING: &str = "arn:{partition}:ssm:{region}::document/AWS-StartPortForwardingSession";
const OWN_SESSION: &str = "arn:{partition}:ssm:{region}:{account}:session/{aws:userid}-*";
const TOPIC: &str = "arn:{partition}:sns:{region}:{account}:{topic_arn|name}";
const LOG_GROUP: &str = "arn:{partition}:logs:{region}:{account}:log-group:{name}";
const LOG_GROUP_ALL: &str = "arn:{partition}:logs:{region}:{account}:log-group:{name}:*";
const ALARM: &str = "arn:{partition}:cloudwatch:{region}:{account}:alarm:{name}";
const DASHBOARD: &str = "arn:{partition}:cloudwatch::{account}:dashboard/{name}";
const BUCKET: &str = "arn:{partition}:s3:::{bucket|name}";
const SECRET: &str = "arn:{partition}:secretsmanager:{region}:{account}:secret:{name}-??????";
const VAULT: &str = "arn:{partition}:backup:{region}:{account}:backup-vault:{vault|name}";
const BACKUP_PLAN: &str = "arn:{partition}:backup:{region}:{account}:backup-plan:*";
const ZONE: &str = "arn:{partition}:route53:::hostedzone/{zone_id}";

pub(super) const RULES: &[Rule] = &[
    Rule::of(
        "LookAround",
        &[
            "sts:GetCallerIdentity",
            "tag:GetResources",
            "ssm:DescribeInstanceInformation",
            "ssm:DescribeParameters",
            "sns:ListTopics",
            "logs:DescribeLogGroups",
            "cloudwatch:DescribeAlarms",
            "cloudwatch:ListDashboards",
            "backup:ListBackupPlans",
            "backup:ListBackupVaults",
            "route53:ListHostedZones",
            "route53:ListHostedZonesByName",
            "secretsmanager:ListSecrets",
            "s3:ListAllMyBuckets",
            "kms:ListAliases",
        ],
        &["*"],
        Guard::None,
    ),
    // IAM.
    Rule::of(
        "RolesOfTheStack",
        &[
            "iam:GetRole",
            "iam:CreateRole",
            "iam:UpdateRole",
            "iam:UpdateAssumeRolePolicy",
            "iam:TagRole",
            "iam:UntagRole",
            "iam:DeleteRole",
            "iam:ListRoleTags",
            "iam:GetRolePolicy",
            "iam:PutRolePolicy",
            "iam:DeleteRolePolicy",
            "iam:ListRolePolicies",
            "iam:ListAttachedRolePolicies",
        ],
        &[ROLE],
        Guard::None,
    ),
    Rule::of(
        "ManagedPoliciesOfTheRoles",
        &["iam:AttachRolePolicy", "iam:DetachRolePolicy"],
        &[ROLE],
        Guard::Attached,
    ),
    Rule::beside("RolesOfTheStack", &["iam:CreateRole"], &["iam:TagRole"], &[ROLE], Guard::None),
    Rule::of(
        "InstanceProfilesOfTheStack",
        &[
            "iam:GetInstanceProfile",
            "iam:CreateInstanceProfile",
            "iam:DeleteInstanceProfile",
            "iam:AddRoleToInstanceProfile",
            "iam:RemoveRoleFromInstanceProfile",
            "iam:TagInstanceProfile",
            "iam:UntagInstanceProfile",
        ],
        &[PROFILE],
        Guard::None,
    ),
    Rule::beside(
        "InstanceProfilesOfTheStack",
        &["iam:CreateInstanceProfile"],
        &["iam:TagInstanceProfile"],
        &[PROFILE],
        Guard::None,
    ),
    Rule::beside(
        "HandTheRoleToTheInstance",
        &[
            "iam:AddRoleToInstanceProfile",
            "ec2:RunInstances",
            "ec2:AssociateIamInstanceProfile",
            "ec2:ReplaceIamInstanceProfileAssociation",
        ],
        &["iam:PassRole"],
        &["arn:{partition}:iam::{account}:role/{role}"],
        Guard::PassedTo("ec2.amazonaws.com"),
    )
    .only("role"),
    Rule::beside(
        "HandTheRoleToBackup",
        &["backup:CreateBackupSelection"],
        &["iam:PassRole"],
        &["arn:{partition}:iam::{account}:role/{role_arn}"],
        Guard::PassedTo("backup.amazonaws.com"),
    ),
    // Parameter Store. Parameters that AWS publishes belong to no account.
    Rule::of("ReadThePathOfTheImage", &["ssm:GetParameter"], &["{public_parameter}"], Guard::None)
        .only("public_parameter"),
    Rule::of(
        "ParametersOfTheStack",
        &[
            "ssm:PutParameter",
            "ssm:DeleteParameter",
            "ssm:ListTagsForResource",
            "ssm:AddTagsToResource",
            "ssm:RemoveTagsFromResource",
        ],
        &[PARAMETER],
        Guard::None,
    ),
    Rule::beside(
        "ParametersOfTheStack",
        &["ssm:PutParameter"],
        &["ssm:AddTagsToResource"],
        &[PARAMETER],
        Guard::None,
    ),
    Rule::beside(
        "EncryptParameters",
        &["ssm:PutParameter"],
        &["kms:Encrypt"],
        &["{kms_key}"],
        Guard::Via("ssm"),
    )
    .only("kms_key"),
    // Run Command. Whoever may run a document on an instance is root there: on the stack's own
    // alone, told by its tag, and by the one document that runs shell scripts. What commands
    // answered has no resource level.
    Rule::of("RunScriptsOnTheInstance", &["ssm:SendCommand"], &[INSTANCE], Guard::Commanded),
    Rule::of("RunScriptsOnTheInstance", &["ssm:SendCommand"], &[SHELL_SCRIPT], Guard::None),
    Rule::of("ReadWhatScriptsWrote", &["ssm:GetCommandInvocation"], &["*"], Guard::None),
    // Session Manager, for a port of the stack's own instance; the AWS CLI and its plugin take up and
    // end the sessions that they began.
    Rule::of("PortsOfTheInstance", &["ssm:StartSession"], &[INSTANCE], Guard::Commanded),
    Rule::of("PortsOfTheInstance", &["ssm:StartSession"], &[FORWARDING], Guard::None),
    Rule::beside(
        "SessionsOfOnesOwn",
        &["ssm:StartSession"],
        &["ssm:ResumeSession", "ssm:TerminateSession"],
        &[OWN_SESSION],
        Guard::None,
    ),
    // Secrets Manager appends a hyphen and six characters to a name.
    Rule::of(
        "SecretsOfTheStack",
        &[
            "secretsmanager:DescribeSecret",
            "secretsmanager:CreateSecret",
            "secretsmanager:UpdateSecret",
            "secretsmanager:PutSecretValue",
            "secretsmanager:RestoreSecret",
            "secretsmanager:DeleteSecret",
            "secretsmanager:TagResource",
            "secretsmanager:UntagResource",
        ],
        &[SECRET],
        Guard::None,
    ),
    Rule::beside(
        "SecretsOfTheStack",
        &["secretsmanager:CreateSecret"],
        &["secretsmanager:TagResource"],
        &[SECRET],
        Guard::None,
    ),
    Rule::beside(
        "EncryptSecrets",
        &["secretsmanager:CreateSecret", "secretsmanager:UpdateSecret", "secretsmanager:PutSecretValue"],
        &["kms:Decrypt", "kms:GenerateDataKey"],
        &["{kms_key}"],
        Guard::Via("secretsmanager"),
    )
    .only("kms_key"),
    // Monitoring.
    Rule::of(
        "TopicsOfTheStack",
        &[
            "sns:CreateTopic",
            "sns:DeleteTopic",
            "sns:GetTopicAttributes",
            "sns:SetTopicAttributes",
            "sns:ListTagsForResource",
            "sns:ListSubscriptionsByTopic",
            "sns:Subscribe",
            "sns:Unsubscribe",
            "sns:GetSubscriptionAttributes",
            "sns:TagResource",
            "sns:UntagResource",
        ],
        &[TOPIC],
        Guard::None,
    ),
    Rule::beside("TopicsOfTheStack", &["sns:CreateTopic"], &["sns:TagResource"], &[TOPIC], Guard::None),
    Rule::of(
        "LogGroupsOfTheStack",
        &[
            "logs:CreateLogGroup",
            "logs:DeleteLogGroup",
            "logs:PutRetentionPolicy",
            "logs:DeleteRetentionPolicy",
            "logs:AssociateKmsKey",
            "logs:DisassociateKmsKey",
            "logs:ListTagsForResource",
            "logs:TagResource",
            "logs:UntagResource",
        ],
        &[LOG_GROUP, LOG_GROUP_ALL],
        Guard::None,
    ),
    Rule::beside(
        "LogGroupsOfTheStack",
        &["logs:CreateLogGroup"],
        &["logs:TagResource"],
        &[LOG_GROUP, LOG_GROUP_ALL],
        Guard::None,
    ),
    Rule::of(
        "AlarmsOfTheStack",
        &[
            "cloudwatch:PutMetricAlarm",
            "cloudwatch:DeleteAlarms",
            "cloudwatch:SetAlarmState",
            "cloudwatch:ListTagsForResource",
            "cloudwatch:TagResource",
            "cloudwatch:UntagResource",
        ],
        &[ALARM],
        Guard::None,
    ),
    Rule::beside(
        "AlarmsOfTheStack",
        &["cloudwatch:PutMetricAlarm"],
        &["cloudwatch:TagResource"],
        &[ALARM],
        Guard::None,
    ),
    Rule::of(
        "DashboardsOfTheStack",
        &["cloudwatch:GetDashboard", "cloudwatch:PutDashboard", "cloudwatch:DeleteDashboards"],
        &[DASHBOARD],
        Guard::None,
    ),
    // Backups.
    Rule::of(
        "VaultsOfTheStack",
        &[
            "backup:CreateBackupVault",
            "backup:DeleteBackupVault",
            "backup:DescribeBackupVault",
            "backup:ListRecoveryPointsByBackupVault",
        ],
        &[VAULT],
        Guard::None,
    ),
    // A plan's id is known only once it is made: its tag tells whose it is.
    Rule::of(
        "LookAtBackupPlans",
        &["backup:GetBackupPlan", "backup:GetBackupSelection", "backup:ListBackupSelections"],
        &[BACKUP_PLAN],
        Guard::None,
    ),
    Rule::of("MakeBackupPlans", &["backup:CreateBackupPlan"], &[BACKUP_PLAN], Guard::Made),
    Rule::of(
        "ChangeBackupPlansOfTheStack",
        &[
            "backup:UpdateBackupPlan",
            "backup:DeleteBackupPlan",
            "backup:CreateBackupSelection",
            "backup:DeleteBackupSelection",
        ],
        &[BACKUP_PLAN],
        Guard::Owned,
    ),
    Rule::of(
        "TagsOfBackups",
        &["backup:ListTags", "backup:TagResource", "backup:UntagResource"],
        &[VAULT, BACKUP_PLAN],
        Guard::None,
    ),
    Rule::beside(
        "TagsOfBackups",
        &["backup:CreateBackupVault", "backup:CreateBackupPlan"],
        &["backup:TagResource"],
        &[VAULT, BACKUP_PLAN],
        Guard::None,
    ),
    Rule::beside(
        "StoreBackups",
        &["backup:CreateBackupVault"],
        &["backup-storage:MountCapsule"],
        &["*"],
        Guard::None,
    ),
    Rule::beside(
        "EncryptBackups",
        &["backup:CreateBackupVault"],
        &["kms:CreateGrant", "kms:Decrypt", "kms:DescribeKey", "kms:GenerateDataKey", "kms:RetireGrant"],
        &["{kms_key}"],
        Guard::Via("backup"),
    )
    .only("kms_key"),
    Rule::of(
        "BucketsOfTheStack",
        &[
            "s3:CreateBucket",
            "s3:DeleteBucket",
            "s3:ListBucket",
            "s3:ListBucketVersions",
            "s3:GetBucketLocation",
            "s3:GetBucketVersioning",
            "s3:PutBucketVersioning",
            "s3:GetEncryptionConfiguration",
            "s3:PutEncryptionConfiguration",
            "s3:GetBucketPublicAccessBlock",
            "s3:PutBucketPublicAccessBlock",
            "s3:GetBucketPolicy",
            "s3:PutBucketPolicy",
            "s3:DeleteBucketPolicy",
            "s3:GetLifecycleConfiguration",
            "s3:PutLifecycleConfiguration",
            "s3:GetBucketOwnershipControls",
            "s3:PutBucketOwnershipControls",
            "s3:GetBucketTagging",
            "s3:PutBucketTagging",
        ],
        &[BUCKET],
        Guard::None,
    ),
    Rule::beside("TagsOfBuckets", &["s3:CreateBucket"], &["s3:TagResource"], &[BUCKET], Guard::None),
    // Names and keys.
    Rule::of(
        "RecordsOfTheZone",
        &[
            "route53:ChangeResourceRecordSets",
            "route53:ListResourceRecordSets",
            "route53:GetHostedZone",
            "route53:ListTagsForResource",
        ],
        &[ZONE],
        Guard::None,
    ),
    Rule::of(
        "FollowChangesOfRecords",
        &["route53:GetChange"],
        &["arn:{partition}:route53:::change/*"],
        Guard::None,
    ),
    Rule::of("LookAtTheKey", &["kms:DescribeKey"], &["{kms_key|key}"], Guard::None),
];

/// What keeping the state needs.
pub(super) const STATE: &[Rule] = &[
    Rule::of(
        "KeepTheState",
        &["s3:GetObject", "s3:PutObject"],
        &[
            "arn:{partition}:s3:::{bucket}/{key}",
            "arn:{partition}:s3:::{bucket}/{key}.journal/*",
            "arn:{partition}:s3:::{bucket}/{key}.runs/*",
        ],
        Guard::None,
    ),
    Rule::of(
        "TrimTheJournal",
        &["s3:DeleteObject"],
        &["arn:{partition}:s3:::{bucket}/{key}.journal/*", "arn:{partition}:s3:::{bucket}/{key}.runs/*"],
        Guard::None,
    ),
    Rule::of("ListTheJournal", &["s3:ListBucket"], &["arn:{partition}:s3:::{bucket}"], Guard::Within),
    Rule::of(
        "LockTheState",
        &["dynamodb:GetItem", "dynamodb:PutItem"],
        &["arn:{partition}:dynamodb:{region}:{account}:table/{table}"],
        Guard::Lock,
    ),
];
