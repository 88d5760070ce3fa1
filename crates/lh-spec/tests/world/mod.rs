//! A file system and an environment in memory, and a stack to change.
#![allow(dead_code, missing_docs, clippy::unwrap_used)]

use std::collections::BTreeMap;

use lh_spec::{Files, LoadOptions, Loaded};

/// A valid stack of nine lines.
pub const BASE: &str = "\
version: 1
name: lighthouse
environment: dev
region: us-east-1
network: { vpc: default, public_ip: true, allow_postgres_from: [203.0.113.7/32] }
instance: { type: t4g.micro }
volume: { size: 20 }
database: { name: lighthouse_dev, image: 'timescale/timescaledb:2.17.2-pg16', password: { ssm: /lighthouse/dev/db/password, generate: true } }
ssh: { key_name: lighthouse-dev, allow_from: [203.0.113.7/32] }
";

/// The reference stack of this name, as it is in `stacks/`.
pub fn reference(name: &str) -> String {
    let path = format!("{}/../../stacks/{name}.yaml", env!("CARGO_MANIFEST_DIR"));
    std::fs::read_to_string(path).unwrap()
}

#[derive(Clone, Default)]
pub struct World {
    files: BTreeMap<String, String>,
    env: BTreeMap<String, String>,
}

impl Files for World {
    fn read(&self, path: &str) -> Result<String, String> {
        self.files.get(path).cloned().ok_or_else(|| "No such file".to_owned())
    }
}

impl World {
    pub fn new() -> Self {
        Self::default()
    }

    pub fn with(mut self, path: &str, text: impl Into<String>) -> Self {
        self.files.insert(path.to_owned(), text.into());
        self
    }

    pub fn env(mut self, name: &str, value: &str) -> Self {
        self.env.insert(name.to_owned(), value.to_owned());
        self
    }

    pub fn load(&self, path: &str) -> Loaded {
        self.load_with(path, &[])
    }

    pub fn load_with(&self, path: &str, set: &[&str]) -> Loaded {
        let set: Vec<String> = set.iter().map(|s| (*s).to_owned()).collect();
        let env = |name: &str| self.env.get(name).cloned();
        lh_spec::load(self, path, &LoadOptions { set: &set, env: &env })
    }
}
