//! `tags`: the user's own, set on everything that takes tags.

use std::collections::BTreeMap;

use lh_model::Diagnostic;

use crate::{
    checks::tags,
    codes,
    reader::{Section, wrong_type},
    stack::Placed,
    yaml::{Entry, Yaml},
};

pub(crate) fn read(top: &mut Section) -> BTreeMap<String, Placed<String>> {
    let Some(section) = top.section("tags", "tags: { Project: lighthouse }") else { return BTreeMap::new() };
    let entries = section.entries();
    if entries.len() > tags::MOST {
        section.report(
            Diagnostic::error(codes::TAG_COUNT, format!("There are {} tags", entries.len()))
                .at(section.origin())
                .because(format!(
                    "AWS allows 50 tags on a resource; lhctl sets some itself and leaves you {}",
                    tags::MOST
                ))
                .fix("Remove the tags that nobody reads."),
        );
    }
    entries.iter().filter_map(|entry| tag(&section, entry)).collect()
}

fn tag(section: &Section, entry: &Entry) -> Option<(String, Placed<String>)> {
    let origin = entry.node.origin.clone();
    if entry.node.is_null() {
        return None;
    }
    if let Err(finding) = tags::key(&entry.key) {
        section.report(finding.at(entry.origin.clone()));
    }
    match &entry.node.value {
        Yaml::Scalar(scalar) => match tags::value(&scalar.text) {
            Ok(()) => return Some((entry.key.clone(), Placed { value: scalar.text.clone(), origin })),
            Err(finding) => section.report(finding.at(origin)),
        },
        Yaml::Broken => {}
        _ => section.report(wrong_type(
            &format!("The tag `{}`", entry.key),
            &entry.node,
            "one text",
            "Key: value",
        )),
    }
    None
}
