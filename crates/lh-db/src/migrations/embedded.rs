//! The migrations of the reference stack, in the binary: `migrations/` at the top of the source.

use super::{Migration, Migrations, files};

macro_rules! embed {
    ($($name:literal),* $(,)?) => {
        &[$(($name, include_str!(concat!("../../../../migrations/", $name)))),*]
    };
}

/// File name and text of each.
const FILES: &[(&str, &str)] = embed![
    "20241001000001_extensions.sql",
    "20241001000002_accounts.sql",
    "20241001000003_history.sql",
    "20241001000004_hourly_metrics.sql",
    "20241001000005_daily_metrics.sql",
    "20241001000006_policies.sql",
];

impl Migrations {
    /// Those of the reference stack.
    pub fn embedded() -> Self {
        let one = |(name, text): &(&str, &str)| {
            let (version, description) = files::name(name).ok()??;
            Some(Migration::new(version, description, format!("migrations/{name}"), (*text).to_owned()))
        };
        let all = FILES.iter().filter_map(one).collect();
        Self { all, place: "inside lhctl".to_owned(), reference: true, guessed: false, shared: false }
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    #[test]
    fn every_file_of_the_folder_is_embedded() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../migrations");
        let on_disk = Migrations::folder(&folder).unwrap();
        let embedded = Migrations::embedded();
        assert_eq!(embedded.all.len(), FILES.len());
        let texts =
            |all: &[Migration]| -> Vec<_> { all.iter().map(|m| (m.version, m.checksum.clone())).collect() };
        assert_eq!(texts(&on_disk.all), texts(&embedded.all));
        assert!(on_disk.reference, "the same files in a folder are the reference stack's too");
    }
}
