//! `lhctl db retention`: what goes and when, or another age.

use lh::{
    day2::{self, Age},
    db,
};

use crate::{
    args::Global,
    context::Target,
    failure::{Code, Failure},
    render::{database as human, style},
};

/// Arguments of `db retention`.
#[derive(clap::Args)]
pub(super) struct Retention {
    #[command(flatten)]
    target: Target,
    /// Drop chunks after this age from now on, as in 90d
    #[arg(long, value_name = "AGE")]
    drop_after: Option<Age>,
    /// Only the policy of this hypertable
    #[arg(long, value_name = "HYPERTABLE")]
    table: Option<String>,
    /// Do not ask
    #[arg(long, requires = "drop_after")]
    auto_approve: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

impl Retention {
    pub async fn run(&self, global: &Global) -> Result<Code, Failure> {
        let database = super::database(&self.target, global).await?;
        let policies = self.chosen(database.retention(self.drop_after.as_ref()).await?)?;
        if self.json && self.drop_after.is_none() {
            crate::say::outln!("{:#}", serde_json::json!(policies));
        } else if !self.json {
            crate::say::outln!("{}", human::retention(&policies, self.drop_after.as_ref()));
        }
        let Some(after) = &self.drop_after else { return Ok(Code::Done) };
        if policies.is_empty() {
            return Err(Failure::plain("There is no retention policy to change.").fix(MAKE));
        }
        if self.of_reference(global)?
            && let Some(warning) = unwanted(&policies, after)
        {
            crate::say::errln!("{} {warning}", style::change("warning:"));
        }
        let question = format!("Drop chunks after {after}? Only `yes` does it:");
        super::approved(self.auto_approve, "db retention --drop-after", &question)?;
        database.set_retention(&policies, after).await.map_err(|error| refused(error, after))?;
        if self.json {
            crate::say::outln!("{:#}", serde_json::json!(database.retention(None).await?));
        } else {
            crate::say::outln!("Chunks go after {after} from now on.");
        }
        Ok(Code::Done)
    }

    /// Those of the table that was named; all without one.
    fn chosen(&self, policies: Vec<day2::Retention>) -> Result<Vec<day2::Retention>, Failure> {
        let Some(table) = &self.table else { return Ok(policies) };
        let (named, others): (Vec<_>, Vec<_>) = policies
            .into_iter()
            .partition(|policy| policy.hypertable == *table || bare(&policy.hypertable) == table);
        if !named.is_empty() {
            return Ok(named);
        }
        let have: Vec<&str> = others.iter().map(|policy| policy.hypertable.as_str()).collect();
        let failure = Failure::plain(format!("The table {table} has no retention policy."));
        Err(match have.as_slice() {
            [] => failure.fix(MAKE),
            have => failure.fix(format!("Name one that has: {}.", have.join(", "))),
        })
    }

    /// Whether the database has the reference stack's migrations, whose ages `verify` knows.
    fn of_reference(&self, global: &Global) -> Result<bool, Failure> {
        let stack = self.target.stack(global)?;
        Ok(lh::migrations(stack.as_ref(), None).is_ok_and(|migrations| migrations.reference))
    }
}

const MAKE: &str = "Make one in a migration: SELECT add_retention_policy('TABLE', INTERVAL '90 days').";

/// A table without its schema.
fn bare(name: &str) -> &str {
    name.split_once('.').map_or(name, |(_, name)| name)
}

/// What `verify` will say of this age, if it will not like it.
fn unwanted(policies: &[day2::Retention], after: &Age) -> Option<String> {
    let wanted = db::RETENTION;
    let judged = policies.iter().filter(|policy| db::HYPERTABLES.contains(&bare(&policy.hypertable)));
    let tables: Vec<&str> = judged.map(|policy| policy.hypertable.as_str()).collect();
    if tables.is_empty() || hours(&after.to_string()) == hours(wanted) {
        return None;
    }
    Some(format!(
        "`lhctl verify` wants {wanted} for {}: with {after} its check `retention` fails; `lhctl verify STACK --skip retention` leaves that out.",
        tables.join(" and ")
    ))
}

/// An age in hours, with PostgreSQL's months of 30 days and years of 12 months.
fn hours(age: &str) -> Option<u64> {
    let (number, unit) = age.split_once(' ')?;
    let each = match unit {
        "hours" => 1,
        "days" => 24,
        "weeks" => 7 * 24,
        "months" => 30 * 24,
        "years" => 360 * 24,
        _ => return None,
    };
    number.parse::<u64>().ok()?.checked_mul(each)
}

/// A change that would delete rows from an aggregate, with the way to it.
fn refused(error: lh::Error, after: &Age) -> Failure {
    let unfit = matches!(error, lh::Error::Script { refused: true, .. });
    let failure = Failure::from(error);
    if !unfit {
        return failure;
    }
    failure.fix(format!(
        "Ask for a greater age; or let the refresh begin less than {after} back first, in a migration: SELECT alter_job(job_id, config => jsonb_set(config, '{{start_offset}}', '\"3 days\"')) FROM timescaledb_information.jobs WHERE proc_name = 'policy_refresh_continuous_aggregate' AND …"
    ))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn policy(hypertable: &str) -> day2::Retention {
        day2::Retention {
            job: 1,
            hypertable: hypertable.to_owned(),
            after: Some("90 days".to_owned()),
            scheduled: true,
            goes: Vec::new(),
            refreshes: Vec::new(),
        }
    }

    #[test]
    fn an_age_that_verify_does_not_want_is_told_and_the_same_age_in_other_words_is_not() {
        let both = [policy("public.alert_history"), policy("public.check_history"), policy("public.mine")];
        let told = |age: &str| unwanted(&both, &age.parse().unwrap());
        for fits in ["90d", "3mo", "2160h"] {
            assert_eq!(told(fits), None, "{fits}");
        }
        for age in ["30d", "12w", "13w", "1y"] {
            let warning = told(age).unwrap();
            assert!(warning.contains("wants 90 days for public.alert_history and public.check_history: "));
        }
        assert_eq!(unwanted(&both[2..], &"30d".parse().unwrap()), None, "verify does not judge it");
    }
}
