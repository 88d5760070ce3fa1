//! Libraries have one error enum each: no crate that erases what went wrong.

use crate::{violation::Violation, workspace::Workspace};

/// Crates that make any error of any other.
const ERASERS: [&str; 4] = ["anyhow", "eyre", "color-eyre", "failure"];

/// Libraries that depend on one of them.
pub(crate) fn check(workspace: &Workspace) -> Vec<Violation> {
    let libraries = workspace.members.iter().filter(|member| member.is_library);
    let of_one = libraries.flat_map(|member| {
        ERASERS.iter().filter(|name| member.normal.contains(**name)).map(|name| {
            Violation::new(
                member.manifest.clone(),
                format!("The library {} uses {name}.", member.name),
                "Give what can go wrong a variant in the crate's own error enum.",
            )
        })
    });
    of_one.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workspace::{Member, tests::member};

    #[test]
    fn anyhow_in_a_library_is_found_and_elsewhere_not() {
        let library = member("lh-plan", &["anyhow", "thiserror"], &[]);
        let program = Member { is_library: false, ..library.clone() };
        let for_tests = member("lh-spec", &[], &["anyhow"]);
        let found = check(&Workspace { members: vec![library, program, for_tests] });
        assert_eq!(found.len(), 1);
        assert!(found[0].what.contains("lh-plan uses anyhow"));
    }
}
