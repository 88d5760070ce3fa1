//! `lhctl verify`: whether the database, and what AWS does for it, is as it should be, check by check.

use std::path::PathBuf;

use lh::{
    CloudOptions, Stack,
    db::{self, Migrations, Report, VerifyOptions},
};

use crate::{
    args::Global,
    context::{self, Target},
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
    /// Put one alarm into ALARM and back, which tells everybody who is subscribed
    #[arg(long)]
    test_alarm: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
    /// Skip a check; may be given more than once
    #[arg(long, value_name = "NAME")]
    skip: Vec<String>,
    /// Pass over migrations that were run and have no file, because others share the database
    #[arg(long)]
    ignore_missing: bool,
    /// The folder of migrations; else migrations/ beside stacks/, else those inside lhctl
    #[arg(long, value_name = "DIR")]
    migrations: Option<PathBuf>,
}

/// Where it was looked, and what was found.
struct Found {
    report: Report,
    stack: Option<Stack>,
    place: String,
}

impl Verify {
    pub async fn run(&self, global: &Global) -> Result<Code, Failure> {
        let all = db::CHECKS.iter().chain(lh::CLOUD_CHECKS);
        let names: Vec<&str> = all.map(|(name, _)| *name).collect();
        if let Some(unknown) = self.skip.iter().find(|skip| !names.contains(&skip.as_str())) {
            return Err(Failure::plain(format!("There is no check `{unknown}`."))
                .fix(format!("The checks are: {}.", names.join(", "))));
        }
        let looking = async {
            match self.target.is_by_url() {
                true => self.by_url(global).await,
                false => self.by_stack(global).await,
            }
        };
        let Found { report, stack, place } = tokio::select! {
            found = looking => found?,
            Ok(()) = tokio::signal::ctrl_c(), if !self.test_alarm => return Err(self.interrupted()),
        };
        let stack = stack.as_ref().map(Stack::name);
        if self.json {
            crate::say::outln!("{:#}", verification::json(&report, stack, &place));
        } else {
            crate::say::outln!("{}", verification::table(&report, &verification::title(stack, &place)));
        }
        Ok(code(&report))
    }

    fn interrupted(&self) -> Failure {
        let failure = Failure::plain("Interrupted: not all was looked at.").code(Code::Interrupted);
        match self.bench {
            true => failure.fix(format!(
                "The benchmark may have left its schema `{}`; the next one drops it.",
                db::bench::SCHEMA
            )),
            false => failure,
        }
    }

    /// What the database should have.
    fn migrations(&self, stack: Option<&Stack>) -> Result<Migrations, Failure> {
        let read = lh::migrations(stack, self.migrations.as_deref());
        let read = read.map_err(|error| super::migrate::unread(error, "The database was not verified"));
        Ok(Migrations { shared: self.ignore_missing, ..read? })
    }

    fn options(&self) -> VerifyOptions {
        VerifyOptions { skip: self.skip.clone(), bench: self.bench }
    }

    /// A database that a URL names: AWS is not asked.
    async fn by_url(&self, global: &Global) -> Result<Found, Failure> {
        if self.test_alarm {
            return Err(Failure::plain("--test-alarm tries an alarm in AWS, and a database URL was given.")
                .fix("Verify the stack, without --database-url and DATABASE_URL."));
        }
        let stack = self.target.stack(global)?;
        let migrations = self.migrations(stack.as_ref())?;
        let database = self.target.find(stack, global).await?;
        let mut report = db::verify(database.url(), &migrations, &self.options()).await;
        report.checks.extend(lh::without_cloud("A database URL was given, so AWS is not asked"));
        let place = database.url().place().to_owned();
        Ok(Found { report, stack: database.stack, place })
    }

    /// A stack: its database, and what AWS does for it. A database that cannot be reached does not
    /// keep the rest from being looked at.
    async fn by_stack(&self, global: &Global) -> Result<Found, Failure> {
        let Some(stack) = self.target.stack(global)? else { return Err(context::no_database()) };
        let migrations = self.migrations(Some(&stack))?;
        let work = context::connect(stack.clone(), global)?;
        let options = CloudOptions { skip: self.skip.clone(), test_alarm: self.test_alarm };
        let looked = context::watched(&work.progress, async {
            let (mut report, place) = match work.deployment.reach_database().await {
                Ok(reached) => {
                    let through = reached.tunnel.as_ref().map(|tunnel| format!(" through {}", tunnel.way()));
                    let place = format!("{}{}", reached.url.place(), through.unwrap_or_default());
                    (db::verify(&reached.url, &migrations, &self.options()).await, place)
                }
                Err(
                    error @ (lh::Error::Database(_) | lh::Error::NoLocalDatabase | lh::Error::Host { .. }),
                ) => {
                    let failure = Failure::from(error);
                    let (reason, fix) = failure.words();
                    let report = Report::without_session(&self.skip, reason.trim_end_matches('.'), fix);
                    (report, "no database".to_owned())
                }
                Err(error) => return Err(error),
            };
            report.checks.extend(work.deployment.verify_cloud(&options).await?);
            Ok((report, place))
        })
        .await;
        work.progress.clear();
        let (report, place) = looked?;
        Ok(Found { report, stack: Some(stack), place })
    }
}

/// 0 only where everything that was not skipped holds.
fn code(report: &Report) -> Code {
    if report.holds() { Code::Done } else { Code::Error }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use lh::db::{Check, bench};

    use super::*;

    #[test]
    fn a_query_that_is_as_slow_as_its_limit_ends_with_1() {
        let ended = |nearly: Duration| {
            let took: Vec<_> = bench::QUERIES.iter().map(|query| (query, query.limit - nearly)).collect();
            let check = Check::of("benchmark", "benchmark", bench::judge(&took, Vec::new()));
            code(&Report { checks: vec![Check::skipped("shell", "shell access", "not asked"), check] })
        };
        assert_eq!(ended(Duration::from_micros(1)).number(), 0);
        assert_eq!(ended(Duration::ZERO).number(), 1);
    }
}
