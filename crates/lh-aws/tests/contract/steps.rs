//! The resources of dev in the order they are made, and the changes made to them.

use serde_json::{Value, json};

fn to(reference: &str) -> Value {
    json!({ "$ref": reference })
}

/// Kind and properties of each resource; references name `kind.main`.
pub fn stack(spot: bool) -> Vec<(&'static str, Value)> {
    let tags = json!({"Name": "contract-test", "Owner": "ops"});
    let spot = if spot { json!({"interruption": "stop"}) } else { Value::Null };
    let document = r#"{"Statement":[{"Action":"ssm:GetParameter","Effect":"Allow","Resource":"*"}],"Version":"2012-10-17"}"#;
    vec![
        (
            "security_group",
            json!({
                "name": "contract-test", "description": "Contract test",
                "vpc_id": to("lookup.network#vpc_id"), "tags": tags,
            }),
        ),
        (
            "security_group_rule",
            json!({
                "group_id": to("security_group.main#id"), "protocol": "tcp", "port": 5432,
                "cidr": "203.0.113.7/32", "source_group": null, "description": "PostgreSQL", "tags": tags,
            }),
        ),
        (
            "iam_role",
            json!({
                "name": "contract-test", "service": "ec2.amazonaws.com", "description": "Contract test", "tags": tags,
            }),
        ),
        ("iam_role_policy", json!({"role": "contract-test", "name": "read-secret", "document": document})),
        (
            "iam_policy_attachment",
            json!({
                "role": "contract-test", "policy_arn": "arn:aws:iam::aws:policy/AmazonSSMManagedInstanceCore",
            }),
        ),
        ("instance_profile", json!({"name": "contract-test", "role": "contract-test", "tags": tags})),
        (
            "parameter",
            json!({
                "name": "/contract/test/password", "generate": true, "kms_key": null, "tags": tags,
            }),
        ),
        (
            "volume",
            json!({
                "zone": to("lookup.network#zone"), "size": 20, "type": "gp3", "iops": 3000, "throughput": 125,
                "encrypted": true, "kms_key": null, "tags": tags,
            }),
        ),
        (
            "instance",
            json!({
                "type": "t4g.micro", "image_id": to("lookup.image#id"), "subnet_id": to("lookup.network#subnet_id"),
                "security_group_ids": [to("security_group.main#id")], "instance_profile": "contract-test",
                "key_name": "lighthouse-dev", "user_data": {"$join": ["#cloud-config\n# ", to("volume.main#id")]},
                "spot": spot, "root_volume": {"size": 8, "encrypted": true},
                "disable_api_termination": false, "tags": tags,
            }),
        ),
        (
            "volume_attachment",
            json!({
                "volume_id": to("volume.main#id"), "instance_id": to("instance.main#id"), "device": "/dev/sdf",
            }),
        ),
        ("elastic_ip", json!({"tags": tags})),
        (
            "elastic_ip_association",
            json!({
                "allocation_id": to("elastic_ip.main#id"), "instance_id": to("instance.main#id"),
            }),
        ),
        ("snapshot", json!({"source": to("volume.main#id"), "description": "Last copy", "tags": tags})),
    ]
}

/// Changes in place, one after the other: kind, and the properties that become different.
pub fn changes(spot: bool) -> Vec<(&'static str, Value)> {
    let tags = json!({"Name": "contract-test", "Team": "data"});
    let mut changes: Vec<_> = [
        "security_group",
        "security_group_rule",
        "iam_role",
        "instance_profile",
        "parameter",
        "volume",
        "instance",
        "elastic_ip",
        "snapshot",
    ]
    .into_iter()
    .map(|kind| (kind, json!({ "tags": tags })))
    .collect();
    changes.extend([
        ("security_group_rule", json!({"description": "Database"})),
        ("iam_role_policy", json!({"document": r#"{"Statement":[{"Action":"ssm:GetParameters","Effect":"Allow","Resource":"*"}],"Version":"2012-10-17"}"#})),
        ("volume", json!({"size": 50, "iops": 4000})),
        ("instance", json!({"disable_api_termination": true})),
        ("instance", json!({"disable_api_termination": false})),
    ]);
    if !spot {
        changes.push(("instance", json!({"type": "t4g.small"})));
    }
    changes
}
