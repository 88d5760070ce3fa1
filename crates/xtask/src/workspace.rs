//! What `cargo metadata` says of the workspace, cut down to what the rules ask.

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    path::Path,
};

use cargo_metadata::{DependencyKind, Metadata, MetadataCommand, PackageId, camino::Utf8Path};

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
        let metadata = MetadataCommand::new()
            .current_dir(root)
            .other_options(vec!["--locked".to_owned()])
            .exec()
            .map_err(|error| format!("cargo metadata failed: {error}"))?;
        let mut members: Vec<Member> = metadata
            .workspace_packages()
            .into_iter()
            .map(|package| Member {
                name: package.name.to_string(),
                manifest: relative(&package.manifest_path, &metadata.workspace_root),
                is_library: package.targets.iter().any(|target| target.is_lib()),
                normal: named(package, |kind| kind != DependencyKind::Development),
                dev: named(package, |kind| kind == DependencyKind::Development),
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

fn relative(path: &Utf8Path, root: &Utf8Path) -> String {
    path.strip_prefix(root).unwrap_or(path).as_str().replace('\\', "/")
}

fn named(package: &cargo_metadata::Package, wanted: impl Fn(DependencyKind) -> bool) -> BTreeSet<String> {
    package.dependencies.iter().filter(|it| wanted(it.kind)).map(|it| it.name.clone()).collect()
}

/// Breadth first, so that the way told is a shortest one.
fn reach(metadata: &Metadata, from: &PackageId) -> BTreeMap<String, Vec<String>> {
    let Some(resolve) = &metadata.resolve else { return BTreeMap::new() };
    let nodes: BTreeMap<&PackageId, _> = resolve.nodes.iter().map(|node| (&node.id, node)).collect();
    let mut found: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let mut seen: BTreeSet<&PackageId> = BTreeSet::from([from]);
    let mut queue: VecDeque<(&PackageId, Vec<String>)> = VecDeque::from([(from, Vec::new())]);
    while let Some((id, way)) = queue.pop_front() {
        let Some(node) = nodes.get(id) else { continue };
        for next in &node.deps {
            let is_normal = next.dep_kinds.iter().any(|kind| kind.kind == DependencyKind::Normal);
            if !is_normal || !seen.insert(&next.pkg) {
                continue;
            }
            let mut way = way.clone();
            way.push(metadata[&next.pkg].name.to_string());
            found.entry(metadata[&next.pkg].name.to_string()).or_insert_with(|| way.clone());
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
