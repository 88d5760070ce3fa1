//! The AWS SDK is named in two crates only: the one that calls AWS and the one that simulates it.

use crate::{sources::Source, violation::Violation};

/// Where the SDK may be named. This crate names it to look for it.
const ALLOWED: [&str; 3] = ["lh-aws", "lh-sim", "xtask"];

/// How names from the SDK begin.
const NAMES: [&str; 5] = ["aws_sdk_", "aws_smithy", "aws_config", "aws_credential_types", "aws_types"];

/// Sources that name it elsewhere, tests included.
pub(crate) fn check(sources: &[Source]) -> Vec<Violation> {
    let others = sources.iter().filter(|source| !ALLOWED.contains(&source.krate()));
    others.filter_map(check_one).collect()
}

fn check_one(source: &Source) -> Option<Violation> {
    let mut lines = source.text.lines().enumerate();
    let (line, name) =
        lines.find_map(|(i, text)| Some((i + 1, NAMES.iter().find(|name| text.contains(**name))?)))?;
    Some(Violation::new(
        format!("{}:{line}", source.path),
        format!("{name}… is named outside lh-aws and lh-sim."),
        "Put what is needed behind a port in lh-kind or a function of lh-aws, and use that.",
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sources::tests::source;

    #[test]
    fn the_sdk_is_found_outside_its_two_crates() {
        let text = "//! Doc.\nuse aws_sdk_ec2::Client;\n";
        let of = |path| check(&[source(path, text)]);
        assert_eq!(of("crates/lh/src/cloud.rs")[0].place, "crates/lh/src/cloud.rs:2");
        assert_eq!(of("examples/embed.rs").len(), 1);
        assert_eq!(of("crates/lh-aws/src/clients.rs"), []);
        assert_eq!(of("crates/lh-sim/tests/a.rs"), []);
    }
}
