//! One file a section: what its keys are, what they default to, and how they fit together.

use lh_model::Diagnostic;

use crate::{
    checks::{names, region, wrong},
    codes,
    findings::Findings,
    reader::{Checked, Section, clip},
    stack::{Placed, Stack},
    yaml::Node,
};

pub(crate) mod backup;
mod database;
mod dns;
mod instance;
pub(crate) mod monitoring;
mod network;
mod sources;
pub(crate) mod ssh;
mod state;
mod tags;
mod volume;

/// Longest `<name>-<environment>`: with `-timescaledb` it fits a role's 64 characters, and with
/// `-vault` the 50 of a backup vault.
pub(crate) const LONGEST_ID: usize = 40;

/// The stack that `root`, read from `file`, describes; `None` when something was reported.
pub(crate) fn read(file: &str, root: &Node, findings: &Findings) -> Option<Stack> {
    let mut top = Section::root(root, findings);
    let origin = top.origin();
    version(&mut top);
    top.require(
        "name",
        "The name begins every AWS name and is part of the tag that marks what the stack owns",
        "name: lighthouse",
    );
    let name = top.text("name", names::stack_word);
    top.require("environment", "Name and environment together tell stacks apart", "environment: dev");
    let environment = top.text("environment", names::stack_word);
    length(&top, name.as_ref(), environment.as_ref());
    let region = region(&mut top);
    let account = top.text("account", names::account);
    let protect = top.flag("protect").unwrap_or(Placed { value: false, origin: origin.clone() });
    top.entry("extends");
    let state = state::read(&mut top, file, environment.as_ref());
    let network = network::read(&mut top, region.as_ref());
    let instance = instance::read(&mut top, &protect);
    let volume = volume::read(&mut top);
    let database = database::read(&mut top);
    let backup = backup::read(&mut top, name.as_ref().zip(environment.as_ref()));
    let monitoring = monitoring::read(&mut top, region.as_ref());
    let dns = dns::read(&mut top);
    let ssh = ssh::read(&mut top, file);
    let tags = tags::read(&mut top);
    top.finish();
    if findings.has_errors() {
        return None;
    }
    Some(Stack {
        file: file.to_owned(),
        origin,
        name: name?,
        environment: environment?,
        region: region?,
        account,
        state: state?,
        network: network?,
        instance: instance?,
        volume: volume?,
        database: database?,
        backup,
        monitoring,
        dns,
        ssh: ssh?,
        protect,
        tags,
    })
}

fn version(top: &mut Section) {
    top.require("version", "The version says how the file is to be read", "version: 1");
    top.parsed("version", |text| match text {
        "1" => Ok(()),
        other => wrong(
            codes::VERSION,
            format!("`version: {}` is not supported", clip(other)),
            "This lhctl reads version 1",
            "Write `version: 1`, or use the lhctl that the file was written for.",
        ),
    });
}

fn region(top: &mut Section) -> Option<Placed<String>> {
    top.require("region", "All of the stack is in one AWS region", "region: us-east-1");
    let region = top.text("region", region::shape)?;
    if let Some(warning) = region::unknown(&region.value) {
        top.report(warning.at(region.origin.clone()));
    }
    Some(region)
}

fn length(top: &Section, name: Option<&Placed<String>>, environment: Option<&Placed<String>>) {
    let (Some(name), Some(environment)) = (name, environment) else { return };
    let length = name.value.len() + 1 + environment.value.len();
    if length > LONGEST_ID {
        top.report(
            Diagnostic::error(codes::STACK_NAME_LENGTH, format!("The stack's name has {length} characters"))
                .at(name.origin.clone())
                .because(format!("`<name>-<environment>` begins every AWS name; with {LONGEST_ID} characters all of them fit"))
                .fix(format!("Shorten `name` or `environment` by {}.", length - LONGEST_ID)),
        );
    }
}

/// A number from `low` to `high`.
pub(crate) fn between(
    name: &'static str,
    low: u32,
    high: u32,
    why: &'static str,
) -> impl FnOnce(u32) -> Checked<()> {
    move |value| {
        if (low..=high).contains(&value) {
            return Ok(());
        }
        let key = name.rsplit('.').next().unwrap_or(name);
        let (reason, fix) = if low == high {
            (format!("{why}: only {low} is possible"), format!("Write `{key}: {low}`, or remove it."))
        } else {
            let near = value.clamp(low, high);
            (
                format!("{why}: from {low} to {high}"),
                format!("Write `{key}: {near}`, the nearest that is possible."),
            )
        };
        wrong(codes::OUT_OF_RANGE, format!("`{name}` cannot be {value}"), reason, fix)
    }
}

/// The finding that `key` means nothing without `other`.
pub(crate) fn needs(section: &Section, key: &str, reason: &str, fix: &str) {
    let name = section.name_of(key);
    section.report(
        Diagnostic::error(codes::NEEDS_KEY, format!("`{name}` has no effect here"))
            .at(section.origin_of(key))
            .because(reason)
            .fix(fix),
    );
}
