//! `lhctl release`: gives up one resource, to be kept unmanaged or to be deleted.

use std::path::PathBuf;

use lh::{Address, Plan, Release};

use crate::{
    args::Global,
    commands::apply::carry_out,
    context::{self, Work},
    failure::{Code, Failure},
    render::plan as human,
};

/// Arguments of `release`.
#[derive(clap::Args)]
#[command(group = clap::ArgGroup::new("how").required(true).args(["keep", "delete"]))]
pub(crate) struct ReleaseArgs {
    /// The stack file
    #[arg(value_name = "STACK")]
    stack: PathBuf,
    /// The address of the resource, as in `volume.data`
    #[arg(value_name = "ADDR")]
    address: Address,
    /// Keep it in AWS, without the tags of this stack, and forget it
    #[arg(long)]
    keep: bool,
    /// Delete it, if there is a complete backup of it
    #[arg(long)]
    delete: bool,
    /// Delete it though it has no complete backup
    #[arg(long, requires = "delete")]
    without_backup: bool,
    /// The answers to what a deletion asks for, to give them without a terminal
    #[arg(long, requires = "delete", value_name = "ACCOUNT/ENVIRONMENT/ID")]
    confirm: Option<String>,
    /// Do not ask; a deletion needs --confirm instead
    #[arg(long, conflicts_with = "delete")]
    auto_approve: bool,
}

impl ReleaseArgs {
    pub async fn run(&self, global: &Global) -> Result<Code, Failure> {
        if !self.auto_approve && self.confirm.is_none() && !context::can_ask() {
            let fix = match self.delete {
                true => "Add --confirm ACCOUNT/ENVIRONMENT/ID, with the id of the resource.",
                false => "Add --auto-approve.",
            };
            return Err(context::not_approved("release").fix(fix));
        }
        let work = context::open(&self.stack, global)?;
        let Self { address, delete, without_backup, .. } = self;
        let release = Release { address: address.clone(), delete: *delete, without_backup: *without_backup };
        carry_out(&work, "Release", work.deployment.release(&release, |plan| self.approve(&work, plan))).await
    }

    fn approve(&self, work: &Work, plan: &Plan) -> bool {
        work.progress.clear();
        crate::say::outln!("{}", human::render(plan));
        if plan.is_empty() {
            return true;
        }
        if !self.delete {
            return self.auto_approve || context::ask("Give it up? Only `yes` does it:", "yes");
        }
        let id = plan.steps.iter().find_map(|step| step.cloud_id.as_ref()).map(ToString::to_string);
        let (Some(account), Some(id)) = (plan.account.as_deref(), id.as_deref()) else { return false };
        let environment = work.deployment.stack().environment();
        match &self.confirm {
            Some(given) => {
                let wanted = format!("{account}/{environment}/{id}");
                if *given != wanted {
                    crate::say::errln!("--confirm says {given}; this is {wanted}.");
                }
                *given == wanted
            }
            None => {
                context::ask("To delete it for good, type the number of the account:", account)
                    && context::ask("the environment:", environment)
                    && context::ask("and the id of the resource:", id)
            }
        }
    }
}
