//! `lhctl graph`: the resources of a stack and what they need, as a drawing.

use std::path::PathBuf;

use clap::ValueEnum;

use crate::{
    args::Global,
    context,
    failure::{Code, Failure},
    render::graph,
};

/// Arguments of `graph`.
#[derive(clap::Args)]
pub(crate) struct Graph {
    /// The stack file
    #[arg(value_name = "STACK")]
    stack: PathBuf,
    /// In which language
    #[arg(long, value_enum, default_value_t = Format::Dot)]
    format: Format,
}

/// The languages.
#[derive(Clone, Copy, ValueEnum)]
enum Format {
    /// For Graphviz
    Dot,
    /// For Markdown pages
    Mermaid,
    /// A picture that needs nothing else
    Svg,
}

impl Graph {
    pub fn run(&self, global: &Global) -> Result<Code, Failure> {
        let stack = context::load(&self.stack, global)?;
        let edges = stack.graph();
        crate::say::out(format_args!(
            "{}",
            match self.format {
                Format::Dot => graph::dot(stack.name(), &edges),
                Format::Mermaid => graph::mermaid(&edges),
                Format::Svg => graph::svg(stack.name(), &edges),
            }
        ));
        Ok(Code::Done)
    }
}
