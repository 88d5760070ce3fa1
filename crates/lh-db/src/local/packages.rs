//! The programs of the local engine: its own, which are inside lhctl, and the npm packages that
//! they stand on, fetched once.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Stdio,
};

use tokio::process::Command;

use super::file;
use crate::DbError;

/// What is installed, by version and checksum.
const PACKAGE: &str = include_str!("../../timescaledb/package.json");
const LOCK: &str = include_str!("../../timescaledb/package-lock.json");

/// What is written beside the database at each start, so that it fits this lhctl.
const PROGRAMS: [(&str, &str); 9] = [
    ("server.mjs", include_str!("../../timescaledb/server.mjs")),
    ("session.mjs", include_str!("../../timescaledb/session.mjs")),
    ("prepared.mjs", include_str!("../../timescaledb/prepared.mjs")),
    ("engine.mjs", include_str!("../../timescaledb/engine.mjs")),
    ("wire.mjs", include_str!("../../timescaledb/wire.mjs")),
    ("client.mjs", include_str!("../../timescaledb/client.mjs")),
    ("statements.mjs", include_str!("../../timescaledb/statements.mjs")),
    ("psql.mjs", include_str!("../../timescaledb/psql.mjs")),
    ("tool.mjs", include_str!("../../timescaledb/tool.mjs")),
];

/// What shows that the packages are there.
const WITNESSES: [&str; 2] = [
    "node_modules/@electric-sql/pglite/dist/timescaledb.tar.gz",
    "node_modules/@electric-sql/pglite-tools/dist/pg_dump.wasm",
];

/// A folder in which the packages are installed already; named by this variable, nothing is
/// fetched.
pub const INSTALLED: &str = "LHCTL_TIMESCALEDB";

/// The folder with the packages, installed in `home` where they are not yet.
pub(super) async fn packages(home: &Path, tell: &mut (dyn FnMut(&str) + Send)) -> Result<PathBuf, DbError> {
    tool("node").await?;
    if let Some(folder) = std::env::var_os(INSTALLED) {
        return whole(PathBuf::from(folder));
    }
    let folder = home.join("packages");
    let lock = folder.join("package-lock.json");
    if fs::read_to_string(&lock).is_ok_and(|text| text == LOCK) && whole(folder.clone()).is_ok() {
        return whole(folder);
    }
    tool("npm").await?;
    tell("Fetching TimescaleDB from the npm registry, once (25 MB).");
    fs::create_dir_all(&folder).map_err(|error| file(&folder, &error))?;
    for (name, text) in [("package.json", PACKAGE), ("package-lock.json", LOCK)] {
        let path = folder.join(name);
        fs::write(&path, text).map_err(|error| file(&path, &error))?;
    }
    let output = Command::new("npm")
        .args(["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"])
        .current_dir(&folder)
        .stdin(Stdio::null())
        .output()
        .await
        .map_err(|error| DbError::Local(format!("npm cannot be run: {error}")))?;
    if output.status.success() {
        return whole(folder);
    }
    let _ = fs::remove_file(&lock);
    let said = String::from_utf8_lossy(&output.stderr);
    Err(DbError::Local(format!("npm could not fetch TimescaleDB: {}", said.trim())))
}

/// The folder, absolute, if all is in it.
fn whole(folder: PathBuf) -> Result<PathBuf, DbError> {
    match WITNESSES.iter().map(|witness| folder.join(witness)).find(|path| !path.is_file()) {
        Some(missing) => Err(DbError::Local(format!("{} is missing", missing.display()))),
        None => fs::canonicalize(&folder).map_err(|error| file(&folder, &error)),
    }
}

/// Writes the engine's programs into `folder`.
pub(super) fn programs(folder: &Path) -> Result<(), DbError> {
    fs::create_dir_all(folder).map_err(|error| file(folder, &error))?;
    for (name, text) in PROGRAMS {
        let path = folder.join(name);
        fs::write(&path, text).map_err(|error| file(&path, &error))?;
    }
    Ok(())
}

/// Makes sure that a program is there.
async fn tool(name: &str) -> Result<(), DbError> {
    let asked = Command::new(name).arg("--version").stdin(Stdio::null()).output().await;
    if asked.is_ok_and(|output| output.status.success()) {
        return Ok(());
    }
    Err(DbError::Local(format!(
        "{name} is missing: the database of `lhctl local database` runs on Node.js 20 or newer, which comes with npm"
    )))
}
