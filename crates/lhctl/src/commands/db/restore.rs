//! `lhctl db restore`: a dump takes the database's place; or what it replaced is given up.

use std::path::PathBuf;

use lh::day2::{self, Origin};

use crate::{
    args::Global,
    failure::{Code, Failure},
    render::dumps as human,
};

/// Arguments of `db restore`.
#[derive(clap::Args)]
pub(super) struct Restore {
    /// The stack file
    #[arg(value_name = "STACK")]
    stack: PathBuf,
    /// The dump, as `lhctl db backups` names it
    #[arg(value_name = "NAME", required_unless_present = "release_old")]
    name: Option<String>,
    /// Restore into this database, not the stack's own; a dump of another database needs it
    #[arg(long, value_name = "DATABASE", value_parser = database)]
    into: Option<String>,
    /// Take the dump from here alone; otherwise the disk goes before the bucket
    #[arg(long, value_enum)]
    from: Option<super::drill::From>,
    /// Show what would be done, and do nothing
    #[arg(long)]
    plan: bool,
    /// Drop the databases that earlier restores of this stack replaced and kept
    #[arg(long, conflicts_with_all = ["name", "into", "from", "plan"])]
    release_old: bool,
    /// Do not ask
    #[arg(long)]
    auto_approve: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// The rule for `database.name` in a stack file.
fn database(text: &str) -> Result<String, String> {
    let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    let is_name = (1..=63).contains(&text.len())
        && text.chars().all(fits)
        && !text.starts_with(|c: char| c.is_ascii_digit());
    if is_name {
        return Ok(text.to_owned());
    }
    Err("a database's name has 1 to 63 lower-case letters, digits and underscores, and does not start with a digit".to_owned())
}

impl Restore {
    pub async fn run(&self, global: &Global) -> Result<Code, Failure> {
        let (_work, host) = super::host(&self.stack, global).await?;
        let Some(name) = &self.name else { return self.release(&host).await };
        let restore = day2::Restore {
            name: name.clone(),
            from: self.from.map(Origin::from),
            into: self.into.clone(),
            run: true,
        };
        let plan = host.plan_restore(&restore, &mut super::say).await?;
        if self.plan && self.json {
            crate::say::outln!("{:#}", serde_json::json!(plan));
        } else {
            let text = human::restore_plan(&plan);
            if self.json { crate::say::errln!("{text}") } else { crate::say::outln!("{text}") }
        }
        if !plan.misfits.is_empty() {
            return Err(Failure::plain(format!(
                "{name} does not fit, and is not restored. Nothing was changed."
            ))
            .code(Code::Refused)
            .fix("Choose another dump with `lhctl db backups STACK`."));
        }
        if self.plan {
            return Ok(Code::Done);
        }
        let question = format!("Restore {name} into {}? Only `yes` does it:", plan.into);
        super::approved(self.auto_approve, "db restore", &question)?;
        let restored = host.restore(&restore, &mut super::say).await?;
        if self.json {
            crate::say::outln!("{:#}", serde_json::json!(restored));
        } else {
            crate::say::outln!("{}", human::restored(&restored));
        }
        Ok(Code::Done)
    }

    async fn release(&self, host: &day2::Host) -> Result<Code, Failure> {
        let kept = host.retained(&mut super::say).await?;
        let dropped = |names: &[String]| crate::say::outln!("{:#}", serde_json::json!({ "dropped": names }));
        match (kept.is_empty(), self.json) {
            (true, true) => dropped(&[]),
            (true, false) => crate::say::outln!("No database is kept from an earlier restore."),
            (false, true) => crate::say::errln!("{}", human::released(&kept)),
            (false, false) => crate::say::outln!("{}", human::released(&kept)),
        }
        if kept.is_empty() {
            return Ok(Code::Done);
        }
        super::approved(
            self.auto_approve,
            "db restore --release-old",
            "Drop them for good? Only `yes` does it:",
        )?;
        let names: Vec<String> = kept.into_iter().map(|one| one.name).collect();
        host.release_retained(&names, &mut super::say).await?;
        match self.json {
            true => dropped(&names),
            false => crate::say::outln!("Dropped {}.", names.join(", ")),
        }
        Ok(Code::Done)
    }
}
