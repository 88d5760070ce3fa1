//! `lhctl db upgrade`: the host follows the stack file's image, and the extension follows it.

use std::path::PathBuf;

use crate::{
    args::Global,
    failure::{Code, Failure},
    render::database as human,
};

/// Arguments of `db upgrade`.
#[derive(clap::Args)]
pub(super) struct Upgrade {
    /// The stack file, whose `database.image` names the image
    #[arg(value_name = "STACK")]
    stack: PathBuf,
    /// Show what would be done, and do nothing
    #[arg(long)]
    plan: bool,
    /// Do not ask
    #[arg(long)]
    auto_approve: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

impl Upgrade {
    pub async fn run(&self, global: &Global) -> Result<Code, Failure> {
        let work = crate::context::load(&self.stack, global)?;
        if let Some(image) = work.database_image().filter(|image| !is_pinned(image)) {
            return Err(Failure::plain(format!("The image {image} is not pinned: what it is can change by itself."))
                .code(Code::Refused)
                .fix("Name a whole version in `database.image`, as in timescale/timescaledb:2.17.2-pg16, or a digest."));
        }
        let (work, host) = super::host(&self.stack, global).await?;
        let plan = host.plan_upgrade(&mut super::say).await?;
        let text = human::upgrade_plan(&plan);
        match (self.json, self.plan || !plan.needed) {
            (true, true) => crate::say::outln!("{:#}", serde_json::json!(plan)),
            (true, false) => crate::say::errln!("{text}"),
            (false, _) => crate::say::outln!("{text}"),
        }
        if !plan.misfits.is_empty() {
            return Err(
                Failure::plain(format!("{} does not fit. Nothing was changed.", plan.to)).code(Code::Refused)
            );
        }
        if self.plan {
            return Ok(Code::Done);
        }
        if !plan.needed {
            work.ask(work.deployment.note_host(false)).await?;
            return Ok(Code::Done);
        }
        super::approved(
            self.auto_approve,
            "db upgrade",
            "Dump the database, begin a snapshot of its volume, and upgrade it? Only `yes` does it:",
        )?;
        let backup = host.backup(&mut super::say).await?;
        super::say(&format!("dumped to {}", backup.file));
        // After the dump, so that the copy holds it too.
        let what = format!("upgrade to {}", plan.to);
        let copy = work.ask(work.deployment.copy_data_volume(&what)).await?;
        super::say(&format!("snapshot {copy} of the data volume begun; it stays until you delete it"));
        let done = host.upgrade(&mut super::say).await?;
        work.ask(work.deployment.note_host(true)).await?;
        if self.json {
            crate::say::outln!("{:#}", serde_json::json!(done));
        } else {
            crate::say::outln!("{}", human::upgraded(&done));
        }
        Ok(Code::Done)
    }
}

/// Whether the image is always the same: a digest, or a tag with a version of three numbers.
fn is_pinned(image: &str) -> bool {
    if image.contains("@sha256:") {
        return true;
    }
    let tag = image.rsplit('/').next().and_then(|name| name.split_once(':')).map_or("", |(_, tag)| tag);
    let parts = |word: &str| {
        word.split('.').filter(|part| part.bytes().all(|b| b.is_ascii_digit()) && !part.is_empty()).count()
    };
    tag.split('-').any(|word| parts(word) == 3)
}

#[cfg(test)]
mod tests {
    use super::is_pinned;

    #[test]
    fn guide_defect_03_floating_tags_are_refused() {
        for image in
            ["timescale/timescaledb:2.17.2-pg16", "r:5000/timescaledb-ha:pg16-ts2.17-2.17.2", "a/b@sha256:00"]
        {
            assert!(is_pinned(image), "{image}");
        }
        for image in [
            "timescale/timescaledb",
            "timescale/timescaledb:latest-pg16",
            "a:2.17-pg16",
            "h:5000/a",
            "a:pg16",
        ] {
            assert!(!is_pinned(image), "{image}");
        }
    }
}
