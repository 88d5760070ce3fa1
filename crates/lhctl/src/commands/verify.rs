//! `lhctl verify`: whether the database is as it should be, check by check.

use std::path::PathBuf;

use lh::db::{self, VerifyOptions};

use crate::{
    args::Global,
    context::Target,
    failure::{Code, Failure},
    render::verification,
};

/// Arguments of `verify`.
#[derive(clap::Args)]
pub(crate) struct Verify {
    #[command(flatten)]
    target: Target,
    /// Time three queries over 10,000 rows in a scratch schema, which leaves no trace
    #[arg(long)]
    bench: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
    /// Skip a check; may be given more than once
    #[arg(long, value_name = "NAME")]
    skip: Vec<String>,
    /// The folder of migrations; else migrations/ beside stacks/, else those inside lhctl
    #[arg(long, value_name = "DIR")]
    migrations: Option<PathBuf>,
}

impl Verify {
    pub async fn run(&self, global: &Global) -> Result<Code, Failure> {
        let names: Vec<&str> = db::CHECKS.iter().map(|(name, _)| *name).collect();
        if let Some(unknown) = self.skip.iter().find(|skip| !names.contains(&skip.as_str())) {
            return Err(Failure::plain(format!("There is no check `{unknown}`."))
                .fix(format!("The checks are: {}.", names.join(", "))));
        }
        let stack = self.target.stack(global)?;
        let migrations = lh::migrations(stack.as_ref(), self.migrations.as_deref())?;
        let database = self.target.find(stack, global).await?;
        let options = VerifyOptions { skip: self.skip.clone(), bench: self.bench };
        let report = db::verify(&database.url, &migrations, &options).await;
        let stack = database.stack.as_ref().map(lh::Stack::name);
        if self.json {
            anstream::println!("{:#}", verification::json(&report, stack, database.url.place()));
        } else {
            anstream::println!("{}", verification::table(&report, stack, database.url.place()));
        }
        Ok(if report.holds() { Code::Done } else { Code::Error })
    }
}
