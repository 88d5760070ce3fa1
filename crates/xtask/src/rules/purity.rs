//! The core is pure: what its crates reach, what their sources name, and that clippy watches.

use std::path::Path;

use super::PURE;
use crate::{
    sources::Source,
    violation::Violation,
    workspace::{Member, Workspace},
};

/// Packages that bring I/O, time or chance, by name.
const IMPURE: [&str; 18] = [
    "async-std",
    "chrono",
    "fastrand",
    "getrandom",
    "gethostname",
    "hyper",
    "jiff",
    "lh-sim",
    "mio",
    "rand",
    "rand_core",
    "reqwest",
    "rustls",
    "smol",
    "tempfile",
    "time",
    "tokio",
    "uuid",
];

/// Texts that name I/O, time or chance of the standard library, and what each is.
const NAMES: [(&str, &str); 14] = [
    ("std::fs", "files"),
    ("fs::{", "files"),
    ("std::env::", "the environment"),
    ("std::process", "processes"),
    ("std::thread", "threads"),
    ("SystemTime", "the clock"),
    ("Instant::now", "the clock"),
    ("TcpStream", "the network"),
    ("TcpListener", "the network"),
    ("UdpSocket", "the network"),
    ("io::stdin", "standard input"),
    ("io::stdout", "standard output"),
    ("io::stderr", "standard error"),
    ("RandomState", "chance"),
];

/// Pure crates that reach an impure package through normal dependencies.
pub(crate) fn check_reach(workspace: &Workspace) -> Vec<Violation> {
    workspace.members.iter().filter(|member| PURE.contains(&member.name.as_str())).flat_map(reaches).collect()
}

fn is_impure(package: &str) -> bool {
    package.starts_with("aws-") || IMPURE.contains(&package)
}

fn reaches(member: &Member) -> Vec<Violation> {
    // What lies behind an impure package is not told again.
    let first = |way: &[String]| !way[..way.len() - 1].iter().any(|package| is_impure(package));
    let impure = member.reach.iter().filter(|(package, way)| is_impure(package) && first(way));
    let told = impure.map(|(package, way)| {
        Violation::new(
            member.manifest.clone(),
            format!(
                "The pure crate {} reaches {package}: {} → {}.",
                member.name,
                member.name,
                way.join(" → ")
            ),
            "Leave the dependency out, or its feature; what needs it belongs behind a port, on floor 3.",
        )
    });
    told.collect()
}

/// Sources of pure crates, outside tests, that name what is impure in the standard library.
pub(crate) fn check_sources(sources: &[Source]) -> Vec<Violation> {
    let pure = sources.iter().filter(|source| {
        PURE.contains(&source.krate()) && source.path.starts_with(&format!("crates/{}/src/", source.krate()))
    });
    pure.flat_map(|source| {
        let lines = source.code().filter_map(|(line, text)| {
            let (name, what) = NAMES.iter().find(|(name, _)| text.contains(name))?;
            Some(Violation::new(
                format!("{}:{line}", source.path),
                format!("The pure crate {} names {name}: {what}.", source.krate()),
                "Take the value as an argument, or through a port that floor 3 or above implements.",
            ))
        });
        lines.collect::<Vec<_>>()
    })
    .collect()
}

/// Pure crates without a list of methods that clippy refuses.
pub(crate) fn check_clippy(root: &Path) -> Vec<Violation> {
    PURE.iter()
        .filter_map(|name| judge_clippy(name, std::fs::read_to_string(root.join(clippy(name))).ok()))
        .collect()
}

fn clippy(name: &str) -> String {
    format!("crates/{name}/clippy.toml")
}

fn judge_clippy(name: &str, text: Option<String>) -> Option<Violation> {
    let bans = ["std::time::SystemTime::now", "std::time::Instant::now"];
    let text = text.unwrap_or_default();
    let missing = bans.iter().find(|ban| !text.contains(**ban))?;
    Some(Violation::new(
        clippy(name),
        format!("The list of disallowed methods of {name} lacks {missing}."),
        "Copy the list from crates/lh-model/clippy.toml.",
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{sources::tests::source, workspace::tests::member};

    fn reaching(name: &str, ways: &[&[&str]]) -> Workspace {
        let mut member = member(name, &[], &[]);
        for way in ways {
            let way: Vec<String> = way.iter().map(|step| (*step).to_owned()).collect();
            member.reach.insert(way[way.len() - 1].clone(), way);
        }
        Workspace { members: vec![member] }
    }

    #[test]
    fn an_impure_package_is_told_with_the_way_there() {
        let found = check_reach(&reaching("lh-plan", &[&["petgraph"], &["petgraph", "rand"]]));
        assert_eq!(found.len(), 1);
        assert!(found[0].what.contains("lh-plan → petgraph → rand"), "{}", found[0]);
        assert_eq!(check_reach(&reaching("lh-model", &[&["aws-smithy-types"]])).len(), 1);
    }

    #[test]
    fn what_lies_behind_an_impure_package_is_not_told_again() {
        let found = check_reach(&reaching("lh-kind", &[&["tokio"], &["tokio", "mio"]]));
        assert_eq!(found.len(), 1);
    }

    #[test]
    fn crates_above_may_reach_everything() {
        assert_eq!(check_reach(&reaching("lh-engine", &[&["tokio"]])), []);
    }

    #[test]
    fn a_clock_in_a_pure_source_is_found_but_not_in_its_tests_or_elsewhere() {
        let text = "//! Doc.\n// SystemTime is not for here\nlet now = SystemTime::now();\n#[cfg(test)]\nmod tests {\nuse std::fs;\n}\n";
        let of = |path| check_sources(&[source(path, text)]);
        let found = of("crates/lh-plan/src/a.rs");
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].place, "crates/lh-plan/src/a.rs:3");
        assert_eq!(of("crates/lh-plan/tests/a.rs"), []);
        assert_eq!(of("crates/lh-engine/src/a.rs"), []);
    }

    #[test]
    fn a_pure_crate_must_have_clippy_watch_its_clocks() {
        assert!(judge_clippy("lh-model", None).is_some());
        assert!(judge_clippy("lh-model", Some("std::time::SystemTime::now".to_owned())).is_some());
        assert_eq!(check_clippy(&crate::root()), []);
    }
}
