//! A new, empty migration file.

use std::{fs, io::Write, path::Path};

use super::Migrations;
use crate::DbError;

const TEMPLATE: &str = "\
-- What this changes, and why.
--
-- It runs in one transaction. A statement that must not (VACUUM, refresh_continuous_aggregate,
-- CREATE INDEX CONCURRENTLY) goes into a file of its own that begins with `-- no-transaction`.
";

impl Migrations {
    /// Writes `folder/VERSION_NAME.sql` and returns its path. `version` is a time, as in
    /// 20250131120000; it is raised where the folder already has a newer one.
    ///
    /// # Errors
    /// When the name has other characters than letters, digits, `_` and `-`, the folder's files
    /// are misnamed, or nothing can be written.
    pub fn create(folder: &Path, name: &str, version: i64) -> Result<String, DbError> {
        let fits = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
        let name = name.trim().replace(' ', "_");
        if name.is_empty() || !name.chars().all(fits) {
            return Err(DbError::File {
                path: folder.join(name).display().to_string(),
                reason: "the name of a migration is made of letters, digits, `_` and `-`".to_owned(),
            });
        }
        let failed = |path: &Path, error: std::io::Error| DbError::File {
            path: path.display().to_string(),
            reason: error.to_string(),
        };
        fs::create_dir_all(folder).map_err(|error| failed(folder, error))?;
        let newest = Self::folder(folder)?.all.last().map_or(0, |last| last.version);
        let Some(next) = newest.checked_add(1) else {
            return Err(DbError::File {
                path: folder.display().to_string(),
                reason: format!("no version comes after {newest}, which the newest migration has"),
            });
        };
        let path = folder.join(format!("{}_{name}.sql", version.max(next)));
        let mut file = fs::OpenOptions::new()
            .write(true)
            .create_new(true)
            .open(&path)
            .map_err(|error| failed(&path, error))?;
        file.write_all(TEMPLATE.as_bytes()).map_err(|error| failed(&path, error))?;
        Ok(path.display().to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_one_comes_after_all_others() {
        let folder = tempfile::tempdir().unwrap();
        let create = |name, version| Migrations::create(folder.path(), name, version);
        assert!(
            create("add regions", 20_250_131_120_000).unwrap().ends_with("/20250131120000_add_regions.sql")
        );
        assert!(create("more", 20_240_101_000_000).unwrap().ends_with("/20250131120001_more.sql"));
        assert!(create("../x", 1).is_err() && create("", 1).is_err());
        fs::write(folder.path().join(format!("{}_last.sql", i64::MAX)), "SELECT 1;").unwrap();
        assert!(create("later", 1).err().unwrap().to_string().contains("no version comes after"));
    }
}
