//! The least-privilege IAM policy of a plan: what it calls, on what, and nothing else.
//!
//! The plan says which operations it may call, for which resource; two tables, [`ec2`] and
//! [`services`], say on which ARNs and under which conditions AWS lets an operation be restricted,
//! and which permissions AWS asks for beside it. An operation that neither table knows is allowed
//! on everything, in a statement whose Sid says so.

mod about;
mod ec2;
mod rule;
mod services;

use std::collections::{BTreeMap, BTreeSet};

use lh_kind::RuleBook;
use lh_model::{Desired, Map};
use lh_state::State;
use serde_json::{Value, json};

use crate::Plan;
use about::About;
use rule::{Guard, Rule};

/// Statements that restrict nothing, as no table knows their operations.
const UNKNOWN: &str = "WithoutResourceLevel";

/// Where the state is kept in AWS.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Kept<'a> {
    /// The bucket.
    pub bucket: &'a str,
    /// The snapshot's key.
    pub key: &'a str,
    /// The lock table.
    pub table: &'a str,
    /// The region of both.
    pub region: &'a str,
}

/// What a policy is made from.
pub struct Scene<'a> {
    /// What is planned.
    pub plan: &'a Plan,
    /// What is wanted: it is looked at, whether it changes or not.
    pub desired: &'a Desired,
    /// What is recorded: it is looked at too.
    pub state: &'a State,
    /// The rules of all kinds.
    pub book: &'a dyn RuleBook,
    /// The operations that answering a lookup may call.
    pub lookup_calls: &'a dyn Fn(&str) -> &'static [&'static str],
    /// Where the state is, unless in a local file.
    pub kept: Option<Kept<'a>>,
}

/// Whether the tables know on what this operation, named as in IAM, can be allowed.
pub fn is_known(operation: &str) -> bool {
    rules().any(|rule| !rule.needed(operation).is_empty() && rule.beside.is_empty())
}

/// The policy, as the JSON that IAM takes.
/// <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html>
pub fn policy(scene: &Scene<'_>) -> Value {
    let planned = scene.plan.calls();
    let mut grants = Grants { creations: creations(&planned), ..Grants::default() };
    for (operation, about) in calls(scene) {
        grants.allow(rules(), &operation, &about);
    }
    // A plan may list reads for which nothing of the scene stands.
    for operation in planned.difference(&scene.plan.keeping) {
        if !grants.met.contains(operation) {
            grants.allow(rules(), operation, &About::new(scene, Map::new()));
        }
    }
    if let Some(kept) = scene.kept {
        let about = About::of_state(scene, kept);
        for operation in &scene.plan.keeping {
            grants.allow(services::STATE.iter(), operation, &about);
        }
    }
    json!({ "Version": "2012-10-17", "Statement": grants.statements() })
}

/// The names of the planned operations that write tags with what they make.
fn creations(planned: &BTreeSet<String>) -> Vec<String> {
    let tagging: Vec<&str> = rules()
        .filter(|rule| rule.guard == Guard::WithCreation)
        .flat_map(|rule| rule.beside.to_vec())
        .collect();
    let planned = planned.iter().filter(|call| tagging.contains(&call.as_str()));
    planned.filter_map(|call| call.split_once(':')).map(|(_, name)| name.to_owned()).collect()
}

fn rules() -> impl Iterator<Item = &'static Rule> {
    ec2::RULES.iter().chain(services::RULES)
}

/// Every operation with what it is called on: reads of all that is wanted and recorded, lookups,
/// and each step's own.
fn calls(scene: &Scene<'_>) -> Vec<(String, About)> {
    let mut calls = Vec::new();
    let wanted = scene.desired.resources.iter().map(|resource| (&resource.address, &resource.props));
    let recorded = scene.state.resources.iter().map(|(address, record)| (address, &record.inputs));
    for (address, props) in wanted.chain(recorded) {
        let Some(rules) = scene.book.rules(address.kind()) else { continue };
        let about = About::new(scene, props.clone());
        calls.extend(rules.calls().observe.iter().map(|call| ((*call).to_owned(), about.clone())));
    }
    for lookup in &scene.desired.lookups {
        let about = About::of_lookup(scene, lookup);
        let called = (scene.lookup_calls)(&lookup.name);
        calls.extend(called.iter().map(|call| ((*call).to_owned(), about.clone())));
    }
    for step in &scene.plan.steps {
        let mut props = step.props.clone();
        props.extend(
            step.facts.iter().filter(|(_, fact)| !fact.is_null()).map(|(k, v)| (k.clone(), v.clone())),
        );
        // Security groups may be those of before and those of after.
        let about = [About::new(scene, step.props.clone()), About::new(scene, props)];
        calls.extend(step.calls.iter().flat_map(|call| about.clone().map(|about| (call.clone(), about))));
    }
    calls
}

/// One permission: what for, on what, under which condition.
type Key = (&'static str, String, String);

/// Permissions, gathered so that each is as narrow as all others allow.
#[derive(Default)]
struct Grants {
    /// The planned operations that write tags with what they make.
    creations: Vec<String>,
    /// The operations met.
    met: BTreeSet<String>,
    /// The ARNs of each Sid, condition and action.
    on: BTreeMap<Key, BTreeSet<String>>,
}

impl Grants {
    fn allow<'r>(&mut self, rules: impl Iterator<Item = &'r Rule>, operation: &str, about: &About) {
        self.met.insert(operation.to_owned());
        let mut is_known = false;
        for rule in rules {
            let needed = rule.needed(operation);
            is_known |= rule.beside.is_empty() && !needed.is_empty();
            if needed.is_empty() || rule.only.is_some_and(|name| !about.has(name)) {
                continue;
            }
            let condition = about.condition(rule.guard, &self.creations);
            let arns: BTreeSet<String> = rule.on.iter().flat_map(|template| about.fill(template)).collect();
            for action in needed {
                let key = (rule.sid, condition.to_string(), (*action).to_owned());
                self.on.entry(key).or_default().extend(arns.iter().cloned());
            }
        }
        if !is_known {
            let key = (UNKNOWN, Value::Null.to_string(), operation.to_owned());
            self.on.entry(key).or_default().insert("*".to_owned());
        }
    }

    /// Statements: actions of the same purpose, condition and ARNs together; each Sid once.
    fn statements(self) -> Vec<Value> {
        let mut merged: BTreeMap<(&str, String, BTreeSet<String>), Vec<String>> = BTreeMap::new();
        for ((sid, condition, action), on) in self.on {
            merged.entry((sid, condition, shortest(on))).or_default().push(action);
        }
        let mut used: BTreeMap<&str, usize> = BTreeMap::new();
        let mut statements = Vec::new();
        for ((sid, condition, on), actions) in merged {
            let number = used.entry(sid).or_default();
            *number += 1;
            let sid = if *number == 1 { sid.to_owned() } else { format!("{sid}{number}") };
            let mut statement = json!({ "Sid": sid, "Effect": "Allow", "Action": actions, "Resource": on });
            match serde_json::from_str(&condition) {
                Ok(Value::Null) | Err(_) => {}
                Ok(condition) => statement["Condition"] = condition,
            }
            statements.push(statement);
        }
        statements
    }
}

/// Without what another one covers.
fn shortest(on: BTreeSet<String>) -> BTreeSet<String> {
    let covers = |wide: &str, narrow: &str| {
        wide != narrow && wide.strip_suffix('*').is_some_and(|start| narrow.starts_with(start))
    };
    on.iter().filter(|one| !on.iter().any(|other| covers(other, one))).cloned().collect()
}
