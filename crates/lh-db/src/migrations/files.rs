//! A folder of migrations: names and texts, and what is wrong with the names.

use std::{collections::BTreeMap, fs, path::Path};

use lh_model::{Diagnostic, Origin};
use sha2::{Digest, Sha384};

use super::{Migration, Migrations};
use crate::DbError;

/// SHA-384, as sqlx takes it of a file's bytes.
pub(super) fn checksum(sql: &str) -> Vec<u8> {
    Sha384::digest(sql.as_bytes()).to_vec()
}

/// Version and description of a file name; none for a file that is no migration, and an error,
/// in words, for one that means to be.
pub(super) fn name(file: &str) -> Result<Option<(i64, String)>, &'static str> {
    let Some(stem) = file.strip_suffix(".sql") else { return Ok(None) };
    let Some((version, description)) = stem.split_once('_') else {
        return Err("it is not of the form VERSION_NAME.sql");
    };
    if stem.ends_with(".up") || stem.ends_with(".down") {
        return Err("migrations that can be taken back (.up.sql, .down.sql) are not supported");
    }
    match version.parse() {
        Ok(version) if version > 0 => Ok(Some((version, description.replace('_', " ")))),
        _ => Err("it does not begin with a number"),
    }
}

impl Migrations {
    /// Those in `folder`.
    ///
    /// # Errors
    /// When the folder or a file cannot be read ([`DbError::File`]), or names are wrong
    /// ([`DbError::Refused`]).
    pub fn folder(folder: &Path) -> Result<Self, DbError> {
        let failed = |path: &Path, error: std::io::Error| DbError::File {
            path: path.display().to_string(),
            reason: error.to_string(),
        };
        let (mut found, mut findings) = (BTreeMap::<i64, Migration>::new(), Vec::new());
        let mut paths = Vec::new();
        for entry in fs::read_dir(folder).map_err(|error| failed(folder, error))? {
            paths.push(entry.map_err(|error| failed(folder, error))?.path());
        }
        paths.sort();
        for path in paths.iter().filter(|path| path.is_file()) {
            let shown = path.display().to_string();
            let (version, description) = match name(&path.file_name().unwrap_or_default().to_string_lossy()) {
                Ok(Some(name)) => name,
                Ok(None) => continue,
                Err(why) => {
                    findings.push(misnamed(&shown, why));
                    continue;
                }
            };
            let sql = fs::read_to_string(path).map_err(|error| failed(path, error))?;
            if let Some(first) = found.get(&version) {
                findings.push(doubled(&shown, version, &first.file));
                continue;
            }
            found.insert(version, Migration::new(version, description, shown, sql));
        }
        if !findings.is_empty() {
            return Err(DbError::Refused(findings));
        }
        let all: Vec<Migration> = found.into_values().collect();
        let reference = begins_as_reference(&all);
        Ok(Self { all, place: format!("in {}", folder.display()), reference, guessed: false, shared: false })
    }

    /// The texts of the files, by name, for findings that point into them.
    pub fn sources(&self) -> BTreeMap<String, String> {
        self.all.iter().map(|one| (one.file.clone(), one.sql.clone())).collect()
    }
}

/// Whether the reference stack's migrations are among these, unchanged.
fn begins_as_reference(all: &[Migration]) -> bool {
    let have = |wanted: &Migration| {
        all.iter().any(|one| one.version == wanted.version && one.checksum == wanted.checksum)
    };
    Migrations::embedded().all.iter().all(have)
}

fn at(file: &str) -> Origin {
    Origin { file: file.to_owned(), line: 1, column: 1, length: 1 }
}

fn misnamed(file: &str, why: &str) -> Diagnostic {
    Diagnostic::error("E0865", format!("{file} cannot be a migration: {why}"))
        .at(at(file))
        .because("The number orders the migrations and is what the database remembers them by")
        .fix("Name it as in 20250131120000_add_regions.sql; `lhctl migrate STACK new NAME` does.")
}

fn doubled(file: &str, version: i64, first: &str) -> Diagnostic {
    Diagnostic::error("E0866", format!("Two migrations have the version {version}"))
        .at(at(file))
        .because(format!("{first} has it too, and the database remembers migrations by it"))
        .fix("Give the newer one another number.")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_as_sqlx_reads_them() {
        assert_eq!(
            name("20250101000000_add_regions.sql"),
            Ok(Some((20_250_101_000_000, "add regions".to_owned())))
        );
        assert_eq!(name("1_a.b.sql"), Ok(Some((1, "a.b".to_owned()))));
        assert_eq!(name("README.md"), Ok(None));
        assert!(name("first.sql").is_err() && name("x_first.sql").is_err() && name("0_zero.sql").is_err());
        assert!(name("1_a.up.sql").is_err());
    }

    #[test]
    fn wrong_names_are_all_told_at_once() {
        let folder = tempfile::tempdir().unwrap();
        for file in ["1_a.sql", "1_b.sql", "later.sql", "notes.txt"] {
            fs::write(folder.path().join(file), "SELECT 1;").unwrap();
        }
        let Err(DbError::Refused(findings)) = Migrations::folder(folder.path()) else {
            panic!("it was read")
        };
        let codes: Vec<&str> = findings.iter().map(|finding| finding.code.as_str()).collect();
        assert_eq!(codes, ["E0866", "E0865"]);
    }
}
