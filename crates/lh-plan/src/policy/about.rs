//! What an operation is called on: the values that fill templates of ARNs, and conditions.

use lh_model::{
    Lookup, Map, Reference,
    value::{is_late, resolve_map},
};
use serde_json::{Value, json};

use super::{Kept, Scene, rule::Guard};

/// The tag by which the stack's resources are told.
const STACK: &str = "lhctl:stack";

/// Kinds whose names stand in ARNs, so that the name serves for an id that is not known yet.
const NAMED: [&str; 6] = ["backup_vault", "bucket", "iam_role", "log_group", "secret", "topic"];

/// What a reference stands for as far as a policy can use it: what was found, else what is
/// recorded, else the name that a resource will have.
fn known(scene: &Scene<'_>, reference: &Reference) -> Option<Value> {
    let address = &reference.address;
    if address.kind() == "lookup" {
        let pin = scene.plan.pins.get(address.name()).or_else(|| scene.state.pins.get(address.name()))?;
        return pin.answer.get(&reference.attribute).cloned();
    }
    let named = || {
        let wanted = scene.desired.resources.iter().find(|resource| resource.address == *address);
        wanted
            .filter(|_| NAMED.contains(&address.kind()))
            .and_then(|wanted| wanted.props.get("name").cloned())
    };
    scene.state.value_of(reference).or_else(named)
}

/// One resource, lookup or state, as far as it is known.
#[derive(Clone, Debug)]
pub(super) struct About {
    partition: &'static str,
    region: String,
    account: String,
    stack: String,
    props: Map,
}

impl About {
    /// A resource with these properties.
    pub fn new(scene: &Scene<'_>, props: Map) -> Self {
        let mut props = resolve_map(&props, &|reference: &Reference| known(scene, reference));
        // The profile that an instance gets holds a role, and that is what is handed over.
        let profile = props.get("instance_profile").filter(|name| !name.is_null());
        let held = scene.desired.resources.iter().find(|resource| {
            resource.address.kind() == "instance_profile" && resource.props.get("name") == profile
        });
        if let (Some(_), Some(role)) = (profile, held.and_then(|profile| profile.props.get("role"))) {
            props.insert("role".to_owned(), role.clone());
        }
        let region = scene.desired.region.clone();
        let partition = match &region {
            region if region.starts_with("cn-") => "aws-cn",
            region if region.starts_with("us-gov-") => "aws-us-gov",
            _ => "aws",
        };
        let account = scene.plan.account.clone().or_else(|| scene.state.account.clone());
        let (account, stack) = (account.unwrap_or_else(|| "*".to_owned()), scene.desired.stack.to_string());
        Self { partition, region, account, stack, props }
    }

    /// A lookup's question.
    pub fn of_lookup(scene: &Scene<'_>, lookup: &Lookup) -> Self {
        let mut about = Self::new(scene, lookup.query.clone());
        let image =
            lookup.query.get("image").and_then(Value::as_str).filter(|image| !image.starts_with("ami-"));
        if let Some(path) = image {
            // Parameters that AWS and Canonical publish are in no account of the user's.
            let owner = if path.starts_with("/aws/") { "" } else { &about.account };
            let path = path.trim_start_matches('/');
            let arn = format!("arn:{}:ssm:{}:{owner}:parameter/{path}", about.partition, about.region);
            about.props.insert("public_parameter".to_owned(), arn.into());
        }
        about
    }

    /// The place where state is kept.
    pub fn of_state(scene: &Scene<'_>, kept: Kept<'_>) -> Self {
        let values = [("bucket", kept.bucket), ("key", kept.key), ("table", kept.table)];
        let props = values.map(|(name, value)| (name.to_owned(), Value::from(value))).into_iter().collect();
        Self { region: kept.region.to_owned(), ..Self::new(scene, props) }
    }

    /// Whether the property is there, known or not.
    pub fn has(&self, name: &str) -> bool {
        self.props.get(name).is_some_and(|value| !value.is_null())
    }

    /// The ARNs that a template gives.
    pub fn fill(&self, template: &str) -> Vec<String> {
        let Some((before, rest)) = template.split_once('{') else { return vec![template.to_owned()] };
        let Some((name, after)) = rest.split_once('}') else { return vec![template.to_owned()] };
        let mut filled = Vec::new();
        for value in self.values(name) {
            if value.starts_with("arn:") {
                filled.push(value);
                continue;
            }
            let value = if before.ends_with('/') { value.trim_start_matches('/') } else { &value };
            filled.extend(self.fill(after).into_iter().map(|rest| match rest.starts_with("arn:") {
                true => rest,
                false => format!("{before}{value}{rest}"),
            }));
        }
        filled
    }

    fn values(&self, names: &str) -> Vec<String> {
        match names {
            "partition" => return vec![self.partition.to_owned()],
            "region" => return vec![self.region.clone()],
            "account" => return vec![self.account.clone()],
            // IAM puts in whoever asks.
            "aws:userid" => return vec!["${aws:userid}".to_owned()],
            _ => {}
        }
        let found = names.split('|').find_map(|name| self.props.get(name).filter(|value| !value.is_null()));
        let text = |value: &Value| match value {
            Value::String(text) if names.starts_with("kms_key") => self.key(text),
            Value::String(text) => text.clone(),
            _ => "*".to_owned(),
        };
        match found {
            Some(Value::Array(items)) => items.iter().map(text).collect(),
            Some(value) => vec![text(value)],
            None => vec!["*".to_owned()],
        }
    }

    /// A key is named by its ARN; an alias only by a condition on any key.
    fn key(&self, key: &str) -> String {
        let keys = format!("arn:{}:kms:{}:{}:key/", self.partition, self.region, self.account);
        match key {
            key if key.contains("alias/") => format!("{keys}*"),
            key if key.starts_with("arn:") => key.to_owned(),
            key => format!("{keys}{key}"),
        }
    }

    fn text(&self, name: &str) -> &str {
        self.props.get(name).filter(|value| !is_late(value)).and_then(Value::as_str).unwrap_or("*")
    }

    /// The condition; null for none. `creations` are the operations that tag what they make.
    /// <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition.html>
    pub fn condition(&self, guard: Guard, creations: &[String]) -> Value {
        match guard {
            Guard::None => Value::Null,
            Guard::Made => json!({ "StringEquals": { (format!("aws:RequestTag/{STACK}")): self.stack } }),
            Guard::Owned => json!({ "StringEquals": { (format!("aws:ResourceTag/{STACK}")): self.stack } }),
            Guard::Commanded => {
                json!({ "StringEquals": { (format!("ssm:resourceTag/{STACK}")): self.stack } })
            }
            Guard::WithCreation => json!({ "StringEquals": {
                "ec2:CreateAction": creations, (format!("aws:RequestTag/{STACK}")): self.stack } }),
            Guard::PassedTo(service) => json!({ "StringEquals": { "iam:PassedToService": service } }),
            Guard::LinkedTo(service) => json!({ "StringEquals": { "iam:AWSServiceName": service } }),
            Guard::Attached => json!({ "ArnLike": { "iam:PolicyARN": self.text("policy_arn") } }),
            Guard::Via(service) => {
                let through = format!("{service}.{}.amazonaws.com", self.region);
                let key = self.text("kms_key");
                match key.find("alias/") {
                    Some(start) => json!({
                        "StringEquals": { "kms:ViaService": through },
                        "ForAnyValue:StringEquals": { "kms:ResourceAliases": &key[start..] },
                    }),
                    None => json!({ "StringEquals": { "kms:ViaService": through } }),
                }
            }
            Guard::Within => {
                let key = self.text("key");
                json!({ "StringLike": { "s3:prefix": [format!("{key}.journal/*"), format!("{key}.runs/*")] } })
            }
            Guard::Lock => {
                let item = format!("{}/{}", self.text("bucket"), self.text("key"));
                json!({ "ForAllValues:StringEquals": { "dynamodb:LeadingKeys": item } })
            }
        }
    }
}
