//! Layers: a file, and the files it extends, merged into one tree of nodes.
//! Maps merge; scalars and lists replace; each value keeps the place it came from.

use std::cell::RefCell;

use lh_model::{Diagnostic, Origin};

use crate::{
    Files, Sources, codes,
    findings::Findings,
    interpolate, path, set,
    yaml::{self, Entry, Node, Place, Yaml},
};

const MAX_FILES: usize = 16;

/// What reading layers needs.
pub(crate) struct Layers<'a> {
    pub files: &'a dyn Files,
    pub env: &'a dyn Fn(&str) -> Option<String>,
    pub findings: &'a Findings,
    /// The files as they stand, each by itself, the undermost first.
    pub each: RefCell<Vec<Node>>,
}

impl Layers<'_> {
    /// Reads the file at `path` and all it extends. `None` when one cannot be used, which was
    /// reported: half a stack would only bring findings that are not true of the whole.
    pub(crate) fn read(&self, path: &str, sources: &mut Sources) -> Option<Node> {
        let text =
            self.files.read(path).map_err(|reason| self.findings.push(unreadable(path, &reason))).ok()?;
        self.layer(path, text, sources, &mut Vec::new())
    }

    fn layer(
        &self,
        path: &str,
        text: String,
        sources: &mut Sources,
        above: &mut Vec<String>,
    ) -> Option<Node> {
        above.push(path.to_owned());
        let text = text.strip_prefix('\u{feff}').map(str::to_owned).unwrap_or(text);
        let root = yaml::parse(&Place::start_of(path), &text, self.findings);
        sources.insert(path.to_owned(), text);
        let mut root = self.mapping(path, root?)?;
        let base = match take(&mut root, "extends") {
            Some(extends) if !extends.node.is_null() => Some(self.base(path, &extends, sources, above)?),
            _ => None,
        };
        self.each.borrow_mut().push(root.clone());
        let merged = match base {
            Some(base) => Some(merge(base, root)),
            None => Some(root),
        };
        above.pop();
        merged
    }

    fn base(
        &self,
        path: &str,
        extends: &Entry,
        sources: &mut Sources,
        above: &mut Vec<String>,
    ) -> Option<Node> {
        let node = interpolate::fill(extends.node.clone(), self.env, self.findings);
        let name = match &node.value {
            Yaml::Scalar(scalar) => path::join(path::directory(path), &scalar.text),
            Yaml::Broken => return None,
            _ => {
                self.findings.push(not_a_file(node.origin));
                return None;
            }
        };
        if above.contains(&name) || above.len() >= MAX_FILES {
            self.findings.push(circle(above, &name, node.origin));
            return None;
        }
        match self.files.read(&name) {
            Ok(text) => self.layer(&name, text, sources, above),
            Err(reason) => {
                self.findings.push(base_unreadable(&name, &reason, node.origin));
                None
            }
        }
    }

    fn mapping(&self, path: &str, root: Node) -> Option<Node> {
        match root.value {
            Yaml::Map(_) => Some(root),
            Yaml::Broken => None,
            _ => {
                self.findings.push(empty(path, &root));
                None
            }
        }
    }
}

fn take(root: &mut Node, key: &str) -> Option<Entry> {
    let Yaml::Map(entries) = &mut root.value else { return None };
    let index = entries.iter().position(|entry| entry.key == key)?;
    Some(entries.remove(index))
}

/// `over` laid on `base`.
pub(crate) fn merge(base: Node, over: Node) -> Node {
    match (base.value, over.value) {
        (Yaml::Map(below), Yaml::Map(above)) => {
            let value = Yaml::Map(merge_entries(below, above));
            // One value from the command line does not move the section that it stands in.
            let origin = if set::is_from_set(&over.origin) { base.origin } else { over.origin };
            Node { origin, value }
        }
        (_, value) => Node { origin: over.origin, value },
    }
}

fn merge_entries(mut below: Vec<Entry>, above: Vec<Entry>) -> Vec<Entry> {
    for entry in above {
        match below.iter().position(|old| old.key == entry.key) {
            Some(index) => {
                let old = below.remove(index);
                let both_maps = matches!((&old.node.value, &entry.node.value), (Yaml::Map(_), Yaml::Map(_)));
                let stays = both_maps && set::is_from_set(&entry.origin);
                let origin = if stays { old.origin } else { entry.origin };
                below.insert(index, Entry { key: entry.key, origin, node: merge(old.node, entry.node) });
            }
            None => below.push(entry),
        }
    }
    below
}

fn unreadable(path: &str, reason: &str) -> Diagnostic {
    Diagnostic::error(codes::UNREADABLE, format!("The stack file {path} cannot be read"))
        .because(reason)
        .fix("Check the path; `lhctl init NAME` writes a new stack file.")
}

fn base_unreadable(path: &str, reason: &str, origin: Origin) -> Diagnostic {
    Diagnostic::error(codes::EXTENDS_UNREADABLE, format!("The extended file {path} cannot be read"))
        .at(origin)
        .because(reason)
        .fix("Write the path relative to this file, such as `extends: base.yaml`.")
}

fn not_a_file(origin: Origin) -> Diagnostic {
    Diagnostic::error(codes::WRONG_TYPE, "`extends` is not one file name")
        .at(origin)
        .because("A stack file extends one file, which may extend another")
        .fix("Write `extends: base.yaml`.")
}

fn circle(above: &[String], name: &str, origin: Origin) -> Diagnostic {
    let way = above.iter().map(String::as_str).chain([name]).collect::<Vec<_>>().join(" → ");
    Diagnostic::error(codes::EXTENDS_CIRCLE, "Files extend each other in a circle, or too many of them")
        .at(origin)
        .because(format!("The way so far is {way}; at most {MAX_FILES} files may follow each other"))
        .fix("Remove one of the `extends` lines.")
}

fn empty(path: &str, root: &Node) -> Diagnostic {
    let reason = if root.is_null() {
        "It is empty, or has comments only"
    } else {
        "Its top level is not a mapping of keys such as `name` and `region` to values"
    };
    Diagnostic::error(codes::EMPTY, format!("{path} holds no stack"))
        .at(root.origin.clone())
        .because(reason)
        .fix("Write a stack, starting with `version: 1`; `lhctl init NAME` gives you one with every option explained.")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::yaml::Scalar;

    fn node(value: Yaml) -> Node {
        Node { origin: Place::start_of("t").origin(1, 1, 1), value }
    }

    fn map_of(nodes: impl Strategy<Value = Node>) -> impl Strategy<Value = Node> {
        prop::collection::btree_map("[a-d]", nodes, 0..4).prop_map(|nodes| {
            let origin = Place::start_of("t").origin(1, 1, 1);
            let entry = |(key, node)| Entry { key, origin: origin.clone(), node };
            node(Yaml::Map(nodes.into_iter().map(entry).collect()))
        })
    }

    fn trees() -> impl Strategy<Value = Node> {
        let scalar = |text| node(Yaml::Scalar(Scalar { text, plain: false, verbatim: false }));
        "[a-c]{0,2}".prop_map(scalar).prop_recursive(3, 24, 4, |inner| {
            let list = prop::collection::vec(inner.clone(), 0..3).prop_map(|items| node(Yaml::List(items)));
            prop_oneof![map_of(inner), list]
        })
    }

    fn maps() -> impl Strategy<Value = Node> {
        map_of(trees())
    }

    fn is_map(node: &Node) -> bool {
        matches!(node.value, Yaml::Map(_))
    }

    proptest! {
        #[test]
        fn laying_an_empty_map_on_a_map_or_under_it_changes_nothing(tree in maps()) {
            let nothing = || node(Yaml::Map(Vec::new()));
            prop_assert_eq!(merge(tree.clone(), nothing()), tree.clone());
            prop_assert_eq!(merge(nothing(), tree.clone()), tree);
        }

        #[test]
        fn laying_a_tree_on_itself_changes_nothing(tree in trees()) {
            prop_assert_eq!(merge(tree.clone(), tree.clone()), tree);
        }

        #[test]
        fn scalars_and_lists_of_the_last_layer_win(base in trees(), over in trees()) {
            prop_assume!(!is_map(&over));
            prop_assert_eq!(merge(base, over.clone()), over);
        }

        #[test]
        fn layers_of_maps_merge_in_any_grouping(a in maps(), b in maps(), c in maps()) {
            let left = merge(merge(a.clone(), b.clone()), c.clone());
            // Grouping may matter where a scalar in the middle cuts off what is below it.
            prop_assume!(!cuts(&a, &b) && !cuts(&b, &c) && !cuts(&a, &c));
            prop_assert_eq!(left, merge(a, merge(b, c)));
        }
    }

    fn cuts(base: &Node, over: &Node) -> bool {
        match (&base.value, &over.value) {
            (Yaml::Map(below), Yaml::Map(above)) => above
                .iter()
                .any(|entry| below.iter().any(|old| old.key == entry.key && cuts(&old.node, &entry.node))),
            (Yaml::Map(_), _) | (_, Yaml::Map(_)) => true,
            _ => false,
        }
    }
}
