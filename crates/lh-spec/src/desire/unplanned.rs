//! What a stack file may say, and this version validates, but cannot plan yet.

use lh_model::{Diagnostic, Origin, SecretRef};

use crate::{
    checks::names,
    codes,
    stack::{Placed, Source, Stack},
};

/// A finding for each such thing in `stack`, in the order of the file.
pub(super) fn find(stack: &Stack) -> Vec<Diagnostic> {
    let sections = [
        (stack.dns.as_ref().map(|dns| &dns.origin), "`dns`"),
        (stack.ssh.public_key.as_ref().map(|key| &key.origin), "Importing `ssh.public_key`"),
    ];
    let mut found: Vec<Diagnostic> = sections
        .into_iter()
        .filter_map(|(origin, what)| origin.map(|origin| unplanned(what, "Remove it", origin)))
        .collect();
    found.extend(groups(&stack.network.allow_postgres_from));
    found.extend(groups(&stack.ssh.allow_from));
    found.extend(named_groups(&stack.network.security_groups));
    if let SecretRef::Secret(_) = stack.database.password.store.value {
        let instead = "Keep the password in SSM Parameter Store (`ssm: /path, generate: true`)";
        found.push(unplanned(
            "A password in Secrets Manager",
            instead,
            &stack.database.password.store.origin,
        ));
    }
    found.sort_by(|a, b| a.origin.cmp(&b.origin));
    found
}

fn groups(sources: &[Placed<Source>]) -> impl Iterator<Item = Diagnostic> {
    sources.iter().filter(|source| matches!(source.value, Source::SecurityGroup(_))).map(|source| {
        unplanned("A security group as a source", "Name a network, such as `10.0.0.0/16`", &source.origin)
    })
}

fn named_groups(groups: &[Placed<String>]) -> impl Iterator<Item = Diagnostic> {
    let named = groups.iter().filter(|group| !names::is_id(&group.value, "sg-"));
    named.map(|group| unplanned("A security group by its name", "Write its `sg-…` id", &group.origin))
}

fn unplanned(what: &str, instead: &str, origin: &Origin) -> Diagnostic {
    Diagnostic::error(codes::NOT_PLANNED, format!("{what} cannot be planned by this version"))
        .at(origin.clone())
        .because("It is valid, and checked, but this version of lhctl cannot create it yet")
        .fix(format!("{instead}, or use a newer version of lhctl."))
}
