//! `lhctl validate`: every mistake of the stack files at once, offline.

use lh::Severity;

use crate::{
    args::{Global, Stacks},
    context,
    failure::{Code, Failure},
    render::{diagnostic, style},
};

/// Arguments of `validate`.
#[derive(clap::Args)]
pub(crate) struct Validate {
    #[command(flatten)]
    stacks: Stacks,
    /// Print the findings as JSON
    #[arg(long)]
    json: bool,
}

impl Validate {
    pub fn run(&self, global: &Global) -> Result<Code, Failure> {
        let mut code = Code::Done;
        let mut report = Vec::new();
        for file in context::stack_files(&self.stacks.files)? {
            let name = file.display().to_string();
            let found = lh::validate(&name, &global.set);
            let errors = found.findings.iter().filter(|f| f.severity == Severity::Error).count();
            if errors > 0 {
                code = Code::Invalid;
            }
            if self.json {
                report.push(
                    serde_json::json!({ "file": name, "valid": errors == 0, "findings": found.findings }),
                );
                continue;
            }
            if !found.findings.is_empty() {
                crate::say::errln!("{}", diagnostic::render(&found.findings, &found.sources));
            }
            match errors {
                0 => crate::say::outln!("{} {name}: valid", style::good("✓")),
                1 => crate::say::outln!("{} {name}: 1 error", style::error("✗")),
                n => crate::say::outln!("{} {name}: {n} errors", style::error("✗")),
            }
        }
        if self.json {
            crate::say::outln!("{}", serde_json::json!(report));
        }
        Ok(code)
    }
}
