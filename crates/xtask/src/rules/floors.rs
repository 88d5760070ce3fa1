//! The floors: which crate of the workspace may depend on which other.

use std::collections::BTreeSet;

use crate::{
    violation::Violation,
    workspace::{Member, Workspace},
};

/// A crate's place: what it may use, and what its tests may use besides.
struct Floor {
    name: &'static str,
    uses: &'static [&'static str],
    tests_use: &'static [&'static str],
}

const fn floor(
    name: &'static str,
    uses: &'static [&'static str],
    tests_use: &'static [&'static str],
) -> Floor {
    Floor { name, uses, tests_use }
}

/// Lowest first; docs/architecture.md draws the same.
const FLOORS: &[Floor] = &[
    // 0
    floor("lh-model", &[], &[]),
    // 1
    floor("lh-kind", &["lh-model"], &[]),
    floor("lh-state", &["lh-model"], &[]),
    floor("lh-host", &[], &[]),
    // 2
    floor("lh-spec", &["lh-model", "lh-host"], &[]),
    floor("lh-plan", &["lh-model", "lh-kind", "lh-state"], &["lh-testkit", "lh-engine"]),
    // 3
    floor("lh-engine", &["lh-model", "lh-kind", "lh-state", "lh-plan"], &["lh-testkit"]),
    floor("lh-aws", &["lh-model", "lh-kind", "lh-state", "lh-host"], &["lh-sim", "lh-testkit"]),
    // Its sandbox runs what lh-host writes.
    floor("lh-sim", &[], &["lh-host"]),
    floor("lh-db", &["lh-model"], &["lh-testkit"]),
    // 4
    floor(
        "lh",
        &[
            "lh-model",
            "lh-kind",
            "lh-state",
            "lh-host",
            "lh-spec",
            "lh-plan",
            "lh-engine",
            "lh-aws",
            "lh-sim",
            "lh-db",
        ],
        &["lh-testkit"],
    ),
    // 5
    floor("lhctl", &["lh"], &["lh-sim", "lh-testkit"]),
    // The examples, which use what any other program can.
    floor("embed", &["lh"], &["lh"]),
    // Not shipped.
    floor("lh-testkit", &["lh-model", "lh-kind", "lh-state", "lh-plan", "lh-engine"], &[]),
    floor("xtask", &[], &[]),
];

/// Edges that no floor allows, and crates that stand on none.
pub(crate) fn check(workspace: &Workspace) -> Vec<Violation> {
    workspace.members.iter().flat_map(|member| check_one(workspace, member)).collect()
}

fn check_one(workspace: &Workspace, member: &Member) -> Vec<Violation> {
    let Some(floor) = FLOORS.iter().find(|floor| floor.name == member.name) else {
        return vec![Violation::new(
            member.manifest.clone(),
            format!("The crate {} stands on no floor.", member.name),
            "Give it a line in FLOORS in crates/xtask/src/rules/floors.rs and a place in docs/architecture.md.",
        )];
    };
    let for_tests: Vec<&str> = [floor.uses, floor.tests_use].concat();
    let wrong = |named: &BTreeSet<String>, allowed: &[&str], whose: &str| -> Vec<Violation> {
        let ours = named.iter().filter(|name| workspace.has(name));
        let outside = ours.filter(|name| !allowed.contains(&name.as_str()));
        outside.map(|name| forbidden(member, name, allowed, whose)).collect()
    };
    let mut found = wrong(&member.normal, floor.uses, "");
    found.extend(wrong(&member.dev, &for_tests, " tests of"));
    found
}

fn forbidden(member: &Member, name: &str, allowed: &[&str], whose: &str) -> Violation {
    let may = if allowed.is_empty() { "no crate of ours".to_owned() } else { allowed.join(", ") };
    Violation::new(
        member.manifest.clone(),
        format!("The{whose} crate {} may not use {name}; it may use {may}.", member.name),
        "Move what is needed to a floor below both, or put a port between them.",
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workspace::tests::member as make;

    fn check_with(member: Member) -> Vec<Violation> {
        let others = ["lh-model", "lh-aws", "lh-plan", "lh-testkit", "lh-engine"];
        let mut members: Vec<Member> =
            others.iter().filter(|name| **name != member.name).map(|name| make(name, &[], &[])).collect();
        members.push(member);
        check(&Workspace { members })
    }

    #[test]
    fn an_edge_upwards_is_found() {
        let found = check_with(make("lh-plan", &["lh-model", "lh-aws", "serde"], &[]));
        assert_eq!(found.len(), 1);
        assert!(found[0].what.contains("may not use lh-aws"), "{}", found[0]);
        assert_eq!(found[0].place, "crates/lh-plan/Cargo.toml");
    }

    #[test]
    fn tests_may_use_more_but_not_everything() {
        assert_eq!(check_with(make("lh-plan", &[], &["lh-testkit", "lh-engine", "lh-model"])), []);
        assert_eq!(check_with(make("lh-plan", &["lh-testkit"], &["lh-aws"])).len(), 2);
    }

    #[test]
    fn a_crate_without_a_floor_is_found() {
        let found = check_with(make("lh-utils", &[], &[]));
        assert!(found[0].what.contains("stands on no floor"));
    }

    #[test]
    fn every_floor_uses_only_floors_before_it_except_for_tests() {
        for (i, floor) in FLOORS.iter().enumerate() {
            for name in floor.uses {
                assert!(FLOORS[..i].iter().any(|lower| lower.name == *name), "{} uses {name}", floor.name);
            }
        }
    }
}
