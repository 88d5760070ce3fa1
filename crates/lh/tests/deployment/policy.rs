//! The policy of a plan allows what the plan lists and nothing else, as narrowly as AWS can.

use std::collections::{BTreeMap, BTreeSet};

use lh::{Cloud, Mode, Plan};
use serde_json::{Value, json};

use crate::{apply, deployment};

/// What AWS asks for beside the operations of the dev stack.
const BESIDE: [&str; 6] = [
    "ec2:CreateTags",
    "iam:CreateServiceLinkedRole",
    "iam:PassRole",
    "iam:TagInstanceProfile",
    "iam:TagRole",
    "ssm:AddTagsToResource",
];

async fn policy(cloud: &Cloud, set: &[&str], mode: Mode) -> (Plan, Value) {
    let deployment = deployment(cloud, set);
    let plan = deployment.plan(mode).await.unwrap();
    let policy = deployment.policy(&plan).await.unwrap();
    (plan, policy)
}

fn texts(value: &Value) -> BTreeSet<String> {
    value.as_array().unwrap().iter().map(|one| one.as_str().unwrap().to_owned()).collect()
}

fn statements(policy: &Value) -> &Vec<Value> {
    policy["Statement"].as_array().unwrap()
}

/// The ARNs and conditions under which each action is allowed.
fn allowed(policy: &Value) -> BTreeMap<String, Vec<(BTreeSet<String>, Value)>> {
    let mut allowed: BTreeMap<String, Vec<_>> = BTreeMap::new();
    for statement in statements(policy) {
        for action in texts(&statement["Action"]) {
            allowed
                .entry(action)
                .or_default()
                .push((texts(&statement["Resource"]), statement["Condition"].clone()));
        }
    }
    allowed
}

#[track_caller]
fn assert_exact(plan: &Plan, policy: &Value) {
    let allowed: BTreeSet<String> = allowed(policy).into_keys().collect();
    let planned = plan.calls();
    let missing: Vec<_> = planned.difference(&allowed).collect();
    assert!(missing.is_empty(), "planned and not allowed: {missing:?}");
    let others: Vec<_> =
        allowed.difference(&planned).filter(|action| !BESIDE.contains(&action.as_str())).collect();
    assert!(others.is_empty(), "allowed and not planned: {others:?}");
    let sids: BTreeSet<&str> = statements(policy).iter().map(|s| s["Sid"].as_str().unwrap()).collect();
    assert_eq!(sids.len(), statements(policy).len(), "a Sid stands twice");
    for sid in sids {
        assert!(sid.chars().all(|c| c.is_ascii_alphanumeric()), "IAM takes no Sid such as {sid}");
        assert!(!sid.starts_with("WithoutResourceLevel"), "an operation is in no table: {policy:#}");
    }
}

#[tokio::test]
async fn each_plan_is_allowed_exactly() {
    let cloud = Cloud::simulated();
    let (plan, first) = policy(&cloud, &[], Mode::Apply).await;
    assert_exact(&plan, &first);
    apply(&cloud, &[]).await;
    for set in [
        [].as_slice(),
        &["volume.size=30", "network.allow_postgres_from=[198.51.100.0/24]", "tags={Team: lighthouse}"],
        &["instance.type=t4g.small"],
        &["instance.purchase=on-demand", "instance.spot=null"],
    ] {
        let (plan, policy) = policy(&cloud, set, Mode::Apply).await;
        assert_exact(&plan, &policy);
    }
    let (plan, policy) = policy(&cloud, &[], Mode::Destroy { retain_data: false }).await;
    assert_exact(&plan, &policy);
}

#[tokio::test]
async fn what_can_be_narrowed_is_narrowed() {
    let cloud = Cloud::simulated();
    let (_, first) = policy(&cloud, &[], Mode::Apply).await;
    let first = allowed(&first);
    let made = json!({ "StringEquals": { "aws:RequestTag/lhctl:stack": "lighthouse-dev" } });
    assert_eq!(
        first["ec2:CreateVolume"],
        [(["arn:aws:ec2:us-east-1:123456789012:volume/*".to_owned()].into(), made.clone())]
    );
    assert_eq!(
        first["iam:CreateRole"],
        [(["arn:aws:iam::123456789012:role/lighthouse-dev-timescaledb".to_owned()].into(), Value::Null)]
    );
    assert_eq!(
        first["iam:PassRole"],
        [(
            ["arn:aws:iam::123456789012:role/lighthouse-dev-timescaledb".to_owned()].into(),
            json!({ "StringEquals": { "iam:PassedToService": "ec2.amazonaws.com" } })
        )]
    );
    assert_eq!(
        first["ssm:PutParameter"][0].0,
        ["arn:aws:ssm:us-east-1:123456789012:parameter/lighthouse/dev/db/password".to_owned()].into()
    );
    let policies: Vec<&Value> =
        first["iam:AttachRolePolicy"].iter().map(|(_, c)| &c["ArnLike"]["iam:PolicyARN"]).collect();
    assert_eq!(policies.len(), 2);
    assert!(policies.contains(&&json!("arn:aws:iam::aws:policy/AmazonSSMManagedInstanceCore")));
    let launched: BTreeSet<&str> =
        first["ec2:RunInstances"].iter().flat_map(|(on, _)| on).map(String::as_str).collect();
    assert!(launched.contains("arn:aws:ec2:us-east-1:123456789012:key-pair/lighthouse-dev"));
    assert!(launched.iter().any(|arn| arn.contains("::image/ami-")), "{launched:?}");

    apply(&cloud, &[]).await;
    let (_, destroy) = policy(&cloud, &[], Mode::Destroy { retain_data: false }).await;
    let owned = json!({ "StringEquals": { "aws:ResourceTag/lhctl:stack": "lighthouse-dev" } });
    for action in ["ec2:DeleteVolume", "ec2:TerminateInstances", "ec2:ReleaseAddress"] {
        assert!(allowed(&destroy)[action].iter().all(|(_, condition)| *condition == owned), "{action}");
    }
    // Only reading is allowed on everything.
    for (action, on) in allowed(&destroy) {
        let is_read = ["Describe", "Get", "List"].iter().any(|verb| action.contains(&format!(":{verb}")));
        assert!(is_read || on.iter().all(|(on, _)| !on.contains("*")), "{action} is allowed on everything");
    }
}

#[tokio::test]
async fn a_plan_without_changes_needs_reading_alone() {
    let cloud = Cloud::simulated();
    apply(&cloud, &[]).await;
    let (_, idle) = policy(&cloud, &[], Mode::Apply).await;
    for action in allowed(&idle).into_keys() {
        let is_read = ["Describe", "Get", "List"].iter().any(|verb| action.contains(&format!(":{verb}")));
        assert!(is_read, "{action} changes something");
    }
}

#[test]
fn every_operation_of_every_kind_is_known() {
    for (kind, calls) in lh::operations() {
        for call in calls {
            assert!(lh::policy_knows(call), "{call} of {kind} is in no table of permissions");
        }
    }
    for call in lh::shell_operations() {
        assert!(lh::policy_knows(call), "{call} is in no table of permissions");
    }
}

#[tokio::test]
async fn scripts_and_ports_are_allowed_on_the_stacks_own_instance_alone() {
    let cloud = Cloud::simulated();
    apply(&cloud, &[]).await;
    let deployment = deployment(&cloud, &[]);
    let mut plan = deployment.plan(Mode::Apply).await.unwrap();
    plan.reads.extend(lh::shell_operations().into_iter().map(str::to_owned));
    let allowed = allowed(&deployment.policy(&plan).await.unwrap());
    let document = "arn:aws:ssm:us-east-1::document/AWS-RunShellScript".to_owned();
    let instances = "arn:aws:ec2:us-east-1:123456789012:instance/*".to_owned();
    let owned = json!({ "StringEquals": { "ssm:resourceTag/lhctl:stack": "lighthouse-dev" } });
    let sending = &allowed["ssm:SendCommand"];
    assert!(sending.contains(&([document].into(), Value::Null)), "{sending:?}");
    assert!(sending.contains(&([instances.clone()].into(), owned.clone())), "{sending:?}");
    assert_eq!(sending.len(), 2);
    // Session Manager, for a port of the same instance and nothing else.
    let forwarding = "arn:aws:ssm:us-east-1::document/AWS-StartPortForwardingSession".to_owned();
    let opening = &allowed["ssm:StartSession"];
    assert!(opening.contains(&([forwarding].into(), Value::Null)), "{opening:?}");
    assert!(opening.contains(&([instances].into(), owned)), "{opening:?}");
    assert_eq!(opening.len(), 2);
    let own = "arn:aws:ssm:us-east-1:123456789012:session/${aws:userid}-*".to_owned();
    for action in ["ssm:ResumeSession", "ssm:TerminateSession"] {
        assert_eq!(allowed[action], [([own.clone()].into(), Value::Null)], "{action}");
    }
    for read in ["ssm:GetCommandInvocation", "ssm:DescribeInstanceInformation", "ec2:DescribeInstanceStatus"]
    {
        assert_eq!(allowed[read], [(["*".to_owned()].into(), Value::Null)], "{read}");
    }
}
