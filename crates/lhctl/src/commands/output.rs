//! `lhctl output`: what the stack offers. A secret is fetched only when asked for by name.

use std::path::PathBuf;

use crate::{
    args::Global,
    context,
    failure::{Code, Failure},
    render::style,
};

/// Arguments of `output`.
#[derive(clap::Args)]
pub(crate) struct OutputArgs {
    /// The stack file
    #[arg(value_name = "STACK")]
    stack: PathBuf,
    /// One output's name; without it, all are shown and secrets left out
    name: Option<String>,
    /// Print the value alone
    #[arg(long, requires = "name", conflicts_with = "json")]
    raw: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

impl OutputArgs {
    pub async fn run(&self, global: &Global) -> Result<Code, Failure> {
        let work = context::open(&self.stack, global)?;
        match &self.name {
            Some(name) => {
                let value = work.ask(work.deployment.output(name)).await?;
                let text = value.expose();
                if self.json {
                    crate::say::outln!("{}", serde_json::json!(text));
                } else {
                    crate::say::outln!("{text}");
                }
            }
            None => self.all(work.ask(work.deployment.outputs()).await?)?,
        }
        Ok(Code::Done)
    }

    fn all(&self, outputs: Vec<lh::OutputValue>) -> Result<(), Failure> {
        if self.json {
            let map: serde_json::Map<String, serde_json::Value> = outputs
                .into_iter()
                .map(|o| (o.name, serde_json::json!({ "sensitive": o.value.is_none(), "value": o.value })))
                .collect();
            crate::say::outln!("{:#}", serde_json::Value::Object(map));
            return Ok(());
        }
        if outputs.is_empty() {
            return Err(Failure::plain("The stack has no outputs yet.").fix("Apply it first."));
        }
        crate::say::out(format_args!("{}", render(&outputs)));
        Ok(())
    }
}

/// All outputs, a line each.
pub(crate) fn render(outputs: &[lh::OutputValue]) -> String {
    let width = outputs.iter().map(|output| output.name.len()).max().unwrap_or(0);
    let value = |output: &lh::OutputValue| match &output.value {
        Some(value) => value.clone(),
        None => style::dim("(sensitive; ask for it by name)"),
    };
    outputs.iter().map(|output| format!("{:width$} = {}\n", output.name, value(output))).collect()
}
