//! `lhctl db retention`: what goes and when, or another age.

use lh::day2::Age;

use crate::{
    args::Global,
    context::Target,
    failure::{Code, Failure},
    render::database as human,
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
        let mut policies = database.retention(self.drop_after.as_ref()).await?;
        if let Some(table) = &self.table {
            let named =
                |name: &str| name == table || name.split_once('.').is_some_and(|(_, name)| name == table);
            policies.retain(|policy| named(&policy.hypertable));
        }
        if self.json && self.drop_after.is_none() {
            anstream::println!("{:#}", serde_json::json!(policies));
        } else if !self.json {
            anstream::println!("{}", human::retention(&policies, self.drop_after.as_ref()));
        }
        let Some(after) = &self.drop_after else { return Ok(Code::Done) };
        if policies.is_empty() {
            return Err(Failure::plain("There is no retention policy to change.")
                .fix("Make one in a migration: SELECT add_retention_policy('TABLE', INTERVAL '90 days')."));
        }
        let question = format!("Drop chunks after {after}? Only `yes` does it:");
        super::approved(self.auto_approve, "db retention --drop-after", &question)?;
        database.set_retention(&policies, after).await?;
        if self.json {
            anstream::println!("{:#}", serde_json::json!(database.retention(None).await?));
        } else {
            anstream::println!("Chunks go after {after} from now on.");
        }
        Ok(Code::Done)
    }
}
