//! `lhctl db slow-queries`: what takes the server's time.

use crate::{
    args::Global,
    context::Target,
    failure::{Code, Failure},
    render::database as human,
};

/// Arguments of `db slow-queries`.
#[derive(clap::Args)]
pub(super) struct SlowQueries {
    #[command(flatten)]
    target: Target,
    /// How many statements
    #[arg(long, value_name = "N", default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..=1000))]
    top: u32,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

impl SlowQueries {
    pub async fn run(&self, global: &Global) -> Result<Code, Failure> {
        let slow = super::database(&self.target, global).await?.slow_queries(self.top).await?;
        if self.json {
            crate::say::outln!("{:#}", serde_json::json!(slow));
        } else {
            crate::say::outln!("{}", human::slow_queries(&slow));
        }
        Ok(Code::Done)
    }
}
