//! What `cargo metadata` says of the workspace, cut down to what the rules ask.

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    path::{Path, PathBuf},
    process::Command,
};

use serde::Deserialize;

/// The parts of `cargo metadata --format-version 1` that are read here; the layout is
/// <https://doc.rust-lang.org/cargo/commands/cargo-metadata.html#json-format>.
///
/// The crate `cargo_metadata` would do this too, but turns on features of serde and serde_json
/// that lhctl does not have: every SDK would then be built twice, for `cargo run` and for the
/// tests.
#[derive(Deserialize)]
struct Metadata {
    packages: Vec<Package>,
    workspace_members: Vec<String>,
    workspace_root: PathBuf,
    resolve: Resolve,
}

#[derive(Deserialize)]
struct Package {
    id: String,
    name: String,
    manifest_path: PathBuf,
    targets: Vec<Target>,
    dependencies: Vec<Dependency>,
}

#[derive(Deserialize)]
struct Target {
    kind: Vec<String>,
}

#[derive(Deserialize)]
struct Dependency {
    name: String,
    /// `dev`, `build`, or null for a normal one.
    kind: Option<String>,
}

#[derive(Deserialize)]
struct Resolve {
    nodes: Vec<Node>,
}

#[derive(Deserialize)]
struct Node {
    id: String,
    deps: Vec<Edge>,
}

#[derive(Deserialize)]
struct Edge {
    pkg: String,
    dep_kinds: Vec<EdgeKind>,
}

#[derive(Deserialize)]
struct EdgeKind {
    kind: Option<String>,
}

/// A crate of the workspace.
#[derive(Clone, Debug, Default)]
pub(crate) struct Member {
    /// Its name.
    pub name: String,
    /// Its manifest, relative to the workspace, for messages.
    pub manifest: String,
    /// Whether it has a library.
    pub is_library: bool,
    /// The packages it names as dependencies, build dependencies among them.
    pub normal: BTreeSet<String>,
    /// The packages it names as dependencies of its tests.
    pub dev: BTreeSet<String>,
    /// Every package that it reaches through normal dependencies, with the way there.
    pub reach: BTreeMap<String, Vec<String>>,
}

/// All crates of the workspace.
#[derive(Clone, Debug, Default)]
pub(crate) struct Workspace {
    /// By name.
    pub members: Vec<Member>,
}

impl Workspace {
    /// Asks cargo. The lock file must be up to date.
    pub fn load(root: &Path) -> Result<Self, String> {
        let metadata = ask(root)?;
        let is_member = |package: &&Package| metadata.workspace_members.contains(&package.id);
        let mut members: Vec<Member> = metadata
            .packages
            .iter()
            .filter(is_member)
            .map(|package| Member {
                name: package.name.clone(),
                manifest: relative(&package.manifest_path, &metadata.workspace_root),
                is_library: package.targets.iter().any(|target| target.kind.iter().any(|kind| kind == "lib")),
                normal: named(package, |kind| kind != Some("dev")),
                dev: named(package, |kind| kind == Some("dev")),
                reach: reach(&metadata, &package.id),
            })
            .collect();
        members.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(Self { members })
    }

    /// Whether a crate of the workspace has this name.
    pub fn has(&self, name: &str) -> bool {
        self.members.iter().any(|member| member.name == name)
    }
}

fn ask(root: &Path) -> Result<Metadata, String> {
    // Within `cargo run`, the cargo that runs this.
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(cargo)
        .args(["metadata", "--format-version", "1", "--locked"])
        .current_dir(root)
        .output()
        .map_err(|error| format!("cargo metadata did not start: {error}"))?;
    if !output.status.success() {
        return Err(format!("cargo metadata failed: {}", String::from_utf8_lossy(&output.stderr)));
    }
    serde_json::from_slice(&output.stdout)
        .map_err(|error| format!("cargo metadata cannot be understood: {error}"))
}

fn relative(path: &Path, root: &Path) -> String {
    path.strip_prefix(root).unwrap_or(path).to_string_lossy().replace('\\', "/")
}

fn named(package: &Package, wanted: impl Fn(Option<&str>) -> bool) -> BTreeSet<String> {
    package.dependencies.iter().filter(|it| wanted(it.kind.as_deref())).map(|it| it.name.clone()).collect()
}

/// Breadth first, so that the way told is a shortest one.
fn reach(metadata: &Metadata, from: &str) -> BTreeMap<String, Vec<String>> {
    let nodes: BTreeMap<&str, &Node> =
        metadata.resolve.nodes.iter().map(|node| (node.id.as_str(), node)).collect();
    let names: BTreeMap<&str, &str> =
        metadata.packages.iter().map(|package| (package.id.as_str(), package.name.as_str())).collect();
    let mut found: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let mut seen: BTreeSet<&str> = BTreeSet::from([from]);
    let mut queue: VecDeque<(&str, Vec<String>)> = VecDeque::from([(from, Vec::new())]);
    while let Some((id, way)) = queue.pop_front() {
        let Some(node) = nodes.get(id) else { continue };
        for next in &node.deps {
            let is_normal = next.dep_kinds.iter().any(|kind| kind.kind.is_none());
            let Some(name) = names.get(next.pkg.as_str()).filter(|_| is_normal) else { continue };
            if !seen.insert(&next.pkg) {
                continue;
            }
            let mut way = way.clone();
            way.push((*name).to_owned());
            found.entry((*name).to_owned()).or_insert_with(|| way.clone());
            queue.push_back((&next.pkg, way));
        }
    }
    found
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// A crate for the tests of rules.
    pub(crate) fn member(name: &str, normal: &[&str], dev: &[&str]) -> Member {
        let set = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        Member {
            name: name.to_owned(),
            manifest: format!("crates/{name}/Cargo.toml"),
            is_library: true,
            normal: set(normal),
            dev: set(dev),
            ..Member::default()
        }
    }

    #[test]
    fn cargo_tells_what_a_crate_reaches_and_how() {
        let workspace = Workspace::load(&crate::root()).unwrap();
        let engine = workspace.members.iter().find(|member| member.name == "lh-engine").unwrap();
        assert_eq!(engine.reach["lh-model"].last().map(String::as_str), Some("lh-model"));
        assert!(engine.reach.contains_key("tokio"));
        assert!(!engine.reach.contains_key("lh-testkit"), "a dependency of tests is no normal one");
    }
}
