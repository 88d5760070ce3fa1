//! The stack file: YAML text in, a typed [`Stack`] or diagnostics out, and from the stack
//! the resources it asks for.
//!
//! Pure: no I/O, no clock, no randomness. Files and environment variables come through
//! [`Files`] and [`LoadOptions`].

mod checks;
pub mod codes;
mod desire;
mod explain;
mod findings;
mod format;
pub mod instance_types;
mod interpolate;
mod layer;
mod path;
mod reader;
mod schedule;
mod schema;
mod sections;
mod set;
mod spelling;
mod stack;
mod template;
mod yaml;

use std::{cell::RefCell, collections::BTreeMap};

use lh_model::Diagnostic;

pub use crate::{
    desire::{desire, host},
    explain::{Explained, Given, explain},
    format::format,
    instance_types::InstanceType,
    schedule::last_due,
    schema::schema,
    stack::{
        Alarms, Backup, Database, Dns, Instance, Interruption, Monitoring, Network, Password, Placed,
        PublicKey, Purchase, RootVolume, Source, Ssh, Stack, StateConfig, Volume,
    },
    template::new_stack_file,
};
use crate::{findings::Findings, layer::Layers};

/// Texts by file name, as origins name them: for underlining what a diagnostic points at.
pub type Sources = BTreeMap<String, String>;

/// Where stack files are read from.
pub trait Files {
    /// The text of the file at `path`.
    ///
    /// # Errors
    /// The reason, as a text for the user, why it cannot be read.
    fn read(&self, path: &str) -> Result<String, String>;
}

/// What is laid over a stack file.
#[derive(Clone, Copy)]
pub struct LoadOptions<'a> {
    /// Arguments of `--set`, such as `instance.type=t4g.medium`.
    pub set: &'a [String],
    /// The environment variables that `${VAR}` reads.
    pub env: &'a dyn Fn(&str) -> Option<String>,
}

/// What came of reading a stack file.
#[derive(Clone, Debug, PartialEq)]
pub struct Loaded {
    /// The stack; `None` when there is any error.
    pub stack: Option<Stack>,
    /// Errors and warnings, in the order of the file.
    pub diagnostics: Vec<Diagnostic>,
    /// The texts that were read.
    pub sources: Sources,
}

/// Reads the stack file at `path` with all it extends, and checks all of it.
pub fn load(files: &dyn Files, path: &str, options: &LoadOptions) -> Loaded {
    let findings = Findings::default();
    let mut sources = Sources::new();
    let layers = Layers { files, env: options.env, findings: &findings, each: RefCell::default() };
    let stack = layers.read(path, &mut sources).and_then(|root| {
        let root = set::apply(root, options.set, &mut sources, &findings);
        let root = interpolate::fill(root, options.env, &findings);
        sections::read(path, &root, &findings)
    });
    let mut stack = stack;
    if let Some(stack) = &mut stack {
        sections::ssh::fetch_key(&mut stack.ssh, files, options, &findings);
    }
    let stack = stack.filter(|_| !findings.has_errors());
    Loaded { stack, diagnostics: findings.into_sorted(), sources }
}
