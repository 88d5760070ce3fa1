//! `lhctl explain`: where a value of a stack file comes from.

use std::path::PathBuf;

use lh::{Explained, Given};

use crate::{
    args::Global,
    failure::{Code, Failure},
    render::style,
};

/// Arguments of `explain`.
#[derive(clap::Args)]
pub(crate) struct Explain {
    /// The stack file
    #[arg(value_name = "STACK")]
    stack: PathBuf,
    /// The value's path, such as volume.size
    #[arg(value_name = "PATH")]
    path: String,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

impl Explain {
    pub fn run(&self, global: &Global) -> Result<Code, Failure> {
        let Explained { layers, diagnostics, sources } =
            lh::explain(&self.stack.to_string_lossy(), &global.set, &self.path);
        if !diagnostics.is_empty() {
            let message = format!("`{}` of {} cannot be explained.", self.path, self.stack.display());
            return Err(Failure::findings(Code::Invalid, message, diagnostics, sources));
        }
        if self.json {
            crate::say::outln!("{:#}", self.as_json(&layers));
        } else {
            crate::say::out(format_args!("{}", self.as_text(&layers)));
        }
        Ok(Code::Done)
    }

    fn as_json(&self, layers: &[Given]) -> serde_json::Value {
        let layer = |(at, given): (usize, &Given)| {
            serde_json::json!({
                "file": given.origin.file, "line": given.origin.line, "column": given.origin.column,
                "written": given.written, "value": value(given), "applies": applies(layers, at),
            })
        };
        let layers: Vec<_> = layers.iter().enumerate().map(layer).collect();
        serde_json::json!({ "path": self.path, "default": layers.is_empty(), "layers": layers })
    }

    fn as_text(&self, layers: &[Given]) -> String {
        let Some(last) = layers.last() else {
            return format!(
                "{} is given nowhere: its default applies. docs/stack-file.md has them all.\n",
                style::bold(&self.path)
            );
        };
        let mut text = match last.merges {
            true => format!("{}, merged from:\n", style::bold(&self.path)),
            false => format!("{} = {}\n", style::bold(&self.path), value(last)),
        };
        let width = layers.iter().map(|given| given.origin.to_string().len()).max().unwrap_or(0);
        for (at, given) in layers.iter().enumerate() {
            let place = format!("{:width$}", given.origin.to_string());
            let filled = given.filled.as_ref().map(|filled| format!(" → {filled}")).unwrap_or_default();
            let line = format!("  {place}  {}{filled}", given.written);
            text += &match applies(layers, at) {
                true => format!("{line}\n"),
                false => format!("{}\n", style::dim(&format!("{line}   (replaced)"))),
            };
        }
        text
    }
}

fn value(given: &Given) -> &str {
    given.filled.as_ref().unwrap_or(&given.written)
}

/// Whether a layer has a part in the value: nothing above it replaces it.
fn applies(layers: &[Given], at: usize) -> bool {
    let above = &layers[at + 1..];
    above.is_empty() || layers[at].merges && above.iter().all(|given| given.merges)
}
