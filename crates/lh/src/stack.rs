//! A stack, loaded from its file and turned into what it asks for.

use std::collections::{BTreeMap, BTreeSet};

use lh_model::{Address, Desired, Diagnostic};
use lh_spec::{Explained, LoadOptions, Loaded, Sources, StateConfig};

use crate::{Error, files::Disk, shell::SshAccess};

/// What checking a stack file found.
#[derive(Clone, Debug)]
pub struct Findings {
    /// Errors and warnings, in the order of the file.
    pub findings: Vec<Diagnostic>,
    /// The texts they point at.
    pub sources: Sources,
}

/// A valid stack file.
#[derive(Clone, Debug)]
pub struct Stack {
    file: String,
    pub(crate) desired: Desired,
    pub(crate) state: StateConfig,
    environment: String,
    pub(crate) ssh: SshAccess,
    pub(crate) dumps: Option<Dumps>,
    /// What its host must become; of a stack that a saved plan holds, nothing.
    pub(crate) host: Option<lh_host::Host>,
    warnings: Vec<Diagnostic>,
    sources: Sources,
}

/// Where a stack's dumps go, and when they are made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Dumps {
    /// The bucket.
    pub bucket: String,
    /// How the keys of the stack's dumps begin.
    pub prefix: String,
    /// `hourly`, `daily`, `weekly`, or `cron(…)`.
    pub schedule: String,
}

impl Dumps {
    fn of(stack: &lh_spec::Stack) -> Option<Self> {
        let backup = stack.backup.as_ref()?;
        Some(Self {
            bucket: backup.bucket.as_ref()?.value.clone(),
            prefix: format!("{}/", stack.id()),
            schedule: backup.dump_schedule.value.clone(),
        })
    }
}

fn read(path: &str, set: &[String]) -> Loaded {
    let env = |name: &str| std::env::var(name).ok();
    lh_spec::load(&Disk, path, &LoadOptions { set, env: &env })
}

/// Checks the stack file at `path` without any access to AWS.
pub fn validate(path: &str, set: &[String]) -> Findings {
    let Loaded { diagnostics, sources, .. } = read(path, set);
    Findings { findings: diagnostics, sources }
}

/// Every layer of the stack file at `path` that gives the value at `key`, such as `volume.size`.
pub fn explain(path: &str, set: &[String], key: &str) -> Explained {
    let env = |name: &str| std::env::var(name).ok();
    lh_spec::explain(&Disk, path, &LoadOptions { set, env: &env }, key)
}

impl Stack {
    /// Loads the file at `path`, with `key=value` overrides.
    ///
    /// # Errors
    /// [`Error::Spec`] with every error of the file at once.
    pub fn load(path: &str, set: &[String]) -> Result<Self, Error> {
        let Loaded { stack, diagnostics, sources } = read(path, set);
        let Some(stack) = stack else {
            return Err(Error::Spec { file: path.to_owned(), findings: diagnostics, sources });
        };
        let desired = lh_spec::desire(&stack);
        let ssh = SshAccess::of(&stack.ssh);
        let dumps = Dumps::of(&stack);
        let host = Some(lh_spec::host(&stack));
        let environment = stack.environment.value;
        Ok(Self {
            file: path.to_owned(),
            desired,
            state: stack.state,
            environment,
            ssh,
            dumps,
            host,
            warnings: diagnostics,
            sources,
        })
    }

    /// The file it was loaded from.
    pub fn file(&self) -> &str {
        &self.file
    }

    /// `<name>-<environment>`.
    pub fn name(&self) -> &str {
        &self.desired.stack.0
    }

    /// The environment; of a stack that a saved plan holds, nothing.
    pub fn environment(&self) -> &str {
        &self.environment
    }

    /// The image that the database shall run from, as the file names it.
    pub fn database_image(&self) -> Option<&str> {
        self.host.as_ref().map(|host| host.image.as_str())
    }

    /// AWS region.
    pub fn region(&self) -> &str {
        &self.desired.region
    }

    /// Every resource that it asks for, with those that it needs.
    pub fn graph(&self) -> BTreeMap<Address, BTreeSet<Address>> {
        self.desired.resources.iter().map(|one| (one.address.clone(), one.needs())).collect()
    }

    /// What is doubtful in the file, though valid.
    pub fn warnings(&self) -> &[Diagnostic] {
        &self.warnings
    }

    /// The texts that origins point at.
    pub fn sources(&self) -> &Sources {
        &self.sources
    }
}

impl Stack {
    /// A stack as a saved plan holds it.
    pub(crate) fn of(file: String, desired: Desired, state: StateConfig) -> Self {
        Self {
            file,
            desired,
            state,
            environment: String::new(),
            ssh: SshAccess::default(),
            dumps: None,
            host: None,
            warnings: Vec::new(),
            sources: Sources::new(),
        }
    }
}
