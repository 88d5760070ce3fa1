//! Where a value of a stack file comes from: every layer that gives it, the last one wins.

use std::cell::RefCell;

use lh_model::{Diagnostic, Origin};

use crate::{
    Files, LoadOptions, Sources, codes,
    findings::Findings,
    interpolate,
    layer::Layers,
    set,
    yaml::{Entry, Node, Yaml},
};

/// A layer that gives the value.
#[derive(Clone, Debug, PartialEq)]
pub struct Given {
    /// Where it stands.
    pub origin: Origin,
    /// As it is written there.
    pub written: String,
    /// With its variables filled in, where that makes a difference.
    pub filled: Option<String>,
    /// Whether it is a mapping: then it is merged with those before it, and does not replace them.
    pub merges: bool,
}

/// What came of asking for a value.
#[derive(Clone, Debug, PartialEq)]
pub struct Explained {
    /// The layers that give it, the last one wins; none where the default applies.
    pub layers: Vec<Given>,
    /// What is wrong with the files, and whether there is such a key at all.
    pub diagnostics: Vec<Diagnostic>,
    /// The texts that were read.
    pub sources: Sources,
}

/// Every layer of the stack file at `path` that gives the value at `key`, such as `volume.size`.
pub fn explain(files: &dyn Files, path: &str, options: &LoadOptions, key: &str) -> Explained {
    let findings = Findings::default();
    let mut sources = Sources::new();
    let layers = Layers { files, env: options.env, findings: &findings, each: RefCell::default() };
    let read = layers.read(path, &mut sources);
    let mut roots = layers.each.take();
    roots.extend(set::each(options.set, &mut sources, &findings));
    let keys: Vec<&str> = set::keys(key).into_iter().map(|(_, key)| key).collect();
    let given =
        roots.iter().filter_map(|root| find(root, &keys)).map(|entry| given(entry, options, &findings));
    let layers: Vec<Given> = given.collect();
    if layers.is_empty() && read.is_some() {
        findings.extend(unknown(files, path, options, key));
    }
    Explained { layers, diagnostics: findings.into_sorted(), sources }
}

fn find<'n>(root: &'n Node, keys: &[&str]) -> Option<&'n Entry> {
    let (first, rest) = keys.split_first()?;
    let Yaml::Map(entries) = &root.value else { return None };
    let entry = entries.iter().find(|entry| entry.key == *first)?;
    if rest.is_empty() { Some(entry) } else { find(&entry.node, rest) }
}

fn given(entry: &Entry, options: &LoadOptions, findings: &Findings) -> Given {
    let written = text(&entry.node);
    let filled = text(&interpolate::fill(entry.node.clone(), options.env, findings));
    let merges = matches!(entry.node.value, Yaml::Map(_));
    let origin = if merges { entry.origin.clone() } else { entry.node.origin.clone() };
    Given { origin, filled: (filled != written).then_some(filled), written, merges }
}

/// A value on one line.
fn text(node: &Node) -> String {
    match &node.value {
        Yaml::Scalar(scalar) if scalar.plain && scalar.text.is_empty() => "null".to_owned(),
        Yaml::Scalar(scalar) => scalar.text.clone(),
        Yaml::List(items) => format!("[{}]", items.iter().map(text).collect::<Vec<_>>().join(", ")),
        Yaml::Map(entries) => {
            let each = |entry: &Entry| format!("{}: {}", entry.key, text(&entry.node));
            format!("{{ {} }}", entries.iter().map(each).collect::<Vec<_>>().join(", "))
        }
        Yaml::Broken => "?".to_owned(),
    }
}

/// A key that nobody gives may be one that nobody knows: laid over the file, the sections tell.
fn unknown(files: &dyn Files, path: &str, options: &LoadOptions, key: &str) -> Vec<Diagnostic> {
    let mut set = options.set.to_vec();
    set.push(format!("{key}=null"));
    let tried = crate::load(files, path, &LoadOptions { set: &set, ..*options });
    let by_key = |finding: &Diagnostic| {
        finding.code == codes::UNKNOWN_KEY && finding.origin.as_ref().is_some_and(set::is_from_set)
    };
    let told = tried.diagnostics.into_iter().filter(by_key);
    told.map(|finding| Diagnostic { origin: None, ..finding }).collect()
}
