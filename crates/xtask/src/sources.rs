//! The Rust files of the workspace as texts, for rules that read them.

use std::{fs, path::Path};

/// One Rust file.
#[derive(Clone, Debug)]
pub(crate) struct Source {
    /// Relative to the workspace, with `/`.
    pub path: String,
    /// All of it.
    pub text: String,
}

impl Source {
    /// The crate it belongs to; empty for `examples/` at the top.
    pub fn krate(&self) -> &str {
        self.path.strip_prefix("crates/").and_then(|rest| rest.split('/').next()).unwrap_or_default()
    }

    /// Whether all of it is compiled for tests only.
    pub fn is_test(&self) -> bool {
        self.path.contains("/tests/") || self.path.ends_with("/tests.rs")
    }

    /// How many lines it has.
    pub fn lines(&self) -> usize {
        self.text.lines().count()
    }

    /// The lines outside tests and comments, numbered from 1. Tests in a file stand at its end,
    /// so what follows the first `#[cfg(test)]` before a `mod … {` is left out.
    pub fn code(&self) -> impl Iterator<Item = (usize, &str)> {
        let lines: Vec<&str> = self.text.lines().collect();
        let opens =
            |i: usize| lines.get(i + 1).is_some_and(|next| next.contains("mod ") && next.ends_with('{'));
        let tests = (0..lines.len()).find(|i| lines[*i].trim() == "#[cfg(test)]" && opens(*i));
        let end = if self.is_test() { 0 } else { tests.unwrap_or(lines.len()) };
        let numbered = lines.into_iter().take(end).enumerate().map(|(i, line)| (i + 1, line));
        numbered.filter(|(_, line)| !line.trim_start().starts_with("//"))
    }
}

/// Every Rust file under `crates/` and `examples/`, by path.
pub(crate) fn all(root: &Path) -> Result<Vec<Source>, String> {
    let mut found = Vec::new();
    for folder in ["crates", "examples"].map(|folder| root.join(folder)) {
        if folder.is_dir() {
            walk(root, &folder, &mut found)?;
        }
    }
    found.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(found)
}

fn walk(root: &Path, folder: &Path, found: &mut Vec<Source>) -> Result<(), String> {
    let failed = |error: std::io::Error| format!("{} cannot be read: {error}.", folder.display());
    for entry in fs::read_dir(folder).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        if path.is_dir() {
            if path.file_name().is_none_or(|name| name != "target") {
                walk(root, &path, found)?;
            }
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let relative = path.strip_prefix(root).unwrap_or(&path).to_string_lossy().replace('\\', "/");
            found.push(Source { path: relative, text: fs::read_to_string(&path).map_err(failed)? });
        }
    }
    Ok(())
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// A file for the tests of rules.
    pub(crate) fn source(path: &str, text: &str) -> Source {
        Source { path: path.to_owned(), text: text.to_owned() }
    }

    #[test]
    fn code_is_what_stands_before_the_tests_and_is_no_comment() {
        let text =
            "//! Doc.\nfn a() {}\n#[cfg(test)]\npub(crate) use b;\nfn c() {}\n#[cfg(test)]\nmod tests {\n}\n";
        let file = source("crates/lh-model/src/a.rs", text);
        let code: Vec<usize> = file.code().map(|(line, _)| line).collect();
        assert_eq!(code, [2, 3, 4, 5]);
        assert_eq!(source("crates/lh-host/src/tests.rs", "fn a() {}\n").code().count(), 0);
        assert_eq!(file.krate(), "lh-model");
    }

    #[test]
    fn the_files_of_this_workspace_are_found() {
        let found = all(&crate::root()).unwrap();
        assert!(found.iter().any(|file| file.path == "crates/xtask/src/sources.rs"));
    }
}
