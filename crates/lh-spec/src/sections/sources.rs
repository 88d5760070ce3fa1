//! Lists of who may reach a port: networks and security groups.

use std::collections::BTreeMap;

use lh_model::{Diagnostic, Origin};

use crate::{
    checks::{cidr, names},
    codes,
    reader::{Section, wrong_type},
    stack::{Placed, Source},
    yaml::{Node, Yaml},
};

/// The sources under `key` that may reach `port`.
pub(crate) fn read(section: &mut Section, key: &'static str, port: u16) -> Vec<Placed<Source>> {
    let public = section.flag("allow_public").is_some_and(|flag| flag.value);
    let items = section.list(key).unwrap_or_default();
    let sources: Vec<_> = items.iter().filter_map(|item| source(section, key, item, port, public)).collect();
    report_duplicates(section, &sources);
    sources
}

fn source(section: &Section, key: &str, item: &Node, port: u16, public: bool) -> Option<Placed<Source>> {
    let origin = item.origin.clone();
    match &item.value {
        Yaml::Scalar(scalar) => match cidr::source(scalar.text.trim(), port, public) {
            Ok(cidr) => Some(Placed { value: Source::Cidr(cidr), origin }),
            Err(finding) => {
                section.report(finding.at(origin));
                None
            }
        },
        Yaml::Map(_) => group(section.inner(key, item)),
        Yaml::List(_) => {
            let name = format!("An item of `{}`", section.name_of(key));
            section.report(wrong_type(
                &name,
                item,
                "a network or a security group",
                &format!("{key}: [203.0.113.7/32]"),
            ));
            None
        }
        Yaml::Broken => None,
    }
}

fn group(mut item: Section) -> Option<Placed<Source>> {
    item.require("security_group", "A source that is no network is a security group", "security_group: NAME");
    let group = item.text("security_group", |text| names::id_or_name(text, "sg-"));
    item.finish();
    Some(group?.map(Source::SecurityGroup))
}

fn report_duplicates(section: &Section, sources: &[Placed<Source>]) {
    let mut seen: BTreeMap<&str, &Origin> = BTreeMap::new();
    for source in sources {
        let (Source::Cidr(text) | Source::SecurityGroup(text)) = &source.value;
        match seen.get(text.as_str()) {
            Some(first) => section.report(
                Diagnostic::error(codes::DUPLICATE_SOURCE, format!("`{text}` stands twice in the list"))
                    .at(source.origin.clone())
                    .because(format!("Each source becomes one rule; the first stands at {first}"))
                    .fix("Remove one of the two."),
            ),
            None => {
                seen.insert(text, &source.origin);
            }
        }
    }
}
