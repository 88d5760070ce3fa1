//! Checks of the workspace's own structure: `cargo xtask arch`, and `cargo xtask docs`, which
//! writes the generated part of the documentation. Not a place for anything that users run.

mod docs;
mod rules;
mod sources;
mod violation;
mod workspace;

use std::{
    io::{self, Write},
    path::{Path, PathBuf},
    process::ExitCode,
};

use sources::Source;
use violation::Violation;
use workspace::Workspace;

const USAGE: &str = "\
Usage: cargo xtask arch   check the laws of the architecture; exit 1 if one is broken
       cargo xtask docs   write the generated part of docs/errors.md";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let done = match arguments.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["arch"] => arch(),
        ["docs"] => docs::write(&root()).map(|()| true),
        _ => Err(USAGE.to_owned()),
    };
    match done {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(message) => {
            let _ = writeln!(io::stderr(), "{message}");
            ExitCode::FAILURE
        }
    }
}

/// The workspace's directory: two above this crate's, as cargo tells it at run time. At build time
/// it may have been another copy of the workspace, with the same target directory.
fn root() -> PathBuf {
    let here = std::env::var_os("CARGO_MANIFEST_DIR").map(PathBuf::from).unwrap_or_default();
    here.ancestors().nth(2).unwrap_or(Path::new(".")).to_owned()
}

/// Checks every rule and prints what is broken; true if nothing is.
fn arch() -> Result<bool, String> {
    let root = root();
    let workspace = Workspace::load(&root)?;
    let sources = sources::all(&root)?;
    let errors = docs::read(&root)?;
    let mut found = Vec::new();
    found.extend(rules::floors::check(&workspace));
    found.extend(rules::purity::check_reach(&workspace));
    found.extend(rules::purity::check_sources(&sources));
    found.extend(rules::purity::check_clippy(&root));
    found.extend(rules::libraries::check(&workspace));
    found.extend(rules::sdk::check(&sources));
    found.extend(rules::size::check(&sources));
    found.extend(rules::headers::check(&sources));
    found.extend(rules::codes::check(&sources, &errors));
    found.extend(docs::check(&sources, &errors));
    report(&found, &rules::size::near(&sources)).map_err(|error| error.to_string())?;
    Ok(found.is_empty())
}

fn report(found: &[Violation], near: &[&Source]) -> io::Result<()> {
    let mut out = io::stdout().lock();
    for violation in found {
        writeln!(out, "{violation}\n")?;
    }
    if !near.is_empty() {
        writeln!(
            out,
            "Over {} lines, and to be divided before {}:",
            rules::size::NEAR,
            rules::size::CEILING
        )?;
        for source in near {
            writeln!(out, "  {} ({} lines)", source.path, source.lines())?;
        }
    }
    match found.len() {
        0 => writeln!(out, "arch: every law holds."),
        1 => writeln!(out, "arch: 1 violation."),
        n => writeln!(out, "arch: {n} violations."),
    }
}
