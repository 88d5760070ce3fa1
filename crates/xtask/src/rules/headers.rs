//! Every file says on its first line what it is.

use crate::{sources::Source, violation::Violation};

/// Files that do not.
pub(crate) fn check(sources: &[Source]) -> Vec<Violation> {
    let silent = sources.iter().filter(|source| !source.text.starts_with("//! "));
    silent
        .map(|source| {
            Violation::new(
                format!("{}:1", source.path),
                "The first line does not say what the file is.",
                "Begin with `//! ` and a sentence: what it is, and what it is not for.",
            )
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sources::tests::source;

    #[test]
    fn a_file_that_does_not_say_what_it_is_is_found() {
        let of = |text| check(&[source("crates/lh/tests/a.rs", text)]).len();
        assert_eq!(of("//! What it is.\n"), 0);
        assert_eq!(of("#![allow(dead_code)]\n//! What it is.\n"), 1);
        assert_eq!(of("//!\n//! What it is.\n"), 1);
        assert_eq!(of(""), 1);
    }
}
