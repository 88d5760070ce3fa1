//! The ceiling on the size of files: one that outgrows it holds more than one thing.

use crate::{sources::Source, violation::Violation};

/// Lines that no file outside tests may have more of.
pub(crate) const CEILING: usize = 500;

/// Lines from which on a file is told of.
pub(crate) const NEAR: usize = 400;

/// Files over the ceiling.
pub(crate) fn check(sources: &[Source]) -> Vec<Violation> {
    let over = sources.iter().filter(|source| !source.is_test() && source.lines() > CEILING);
    over.map(|source| {
        Violation::new(
            source.path.clone(),
            format!("The file has {} lines; the ceiling is {CEILING}.", source.lines()),
            "Divide it by what its parts are; a file aims at 200 lines.",
        )
    })
    .collect()
}

/// Files that come near it.
pub(crate) fn near(sources: &[Source]) -> Vec<&Source> {
    let is_near = |source: &&Source| !source.is_test() && (NEAR + 1..=CEILING).contains(&source.lines());
    sources.iter().filter(is_near).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sources::tests::source;

    #[test]
    fn the_ceiling_and_the_warning_below_it() {
        let of = |path, lines: usize| source(path, &"x\n".repeat(lines));
        let path = "crates/lh/src/a.rs";
        assert_eq!(check(&[of(path, CEILING)]), []);
        assert_eq!(check(&[of(path, CEILING + 1)]).len(), 1);
        assert_eq!(check(&[of("crates/lh/tests/a.rs", 900), of("crates/lh-host/src/tests.rs", 900)]), []);
        assert_eq!(near(&[of(path, NEAR)]).len(), 0);
        assert_eq!(near(&[of(path, NEAR + 1), of(path, CEILING), of(path, CEILING + 1)]).len(), 2);
    }
}
