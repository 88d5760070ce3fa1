//! `lhctl db drill`: whether the latest dump restores.

use std::path::PathBuf;

use clap::ValueEnum;
use lh::day2::Origin;

use crate::{
    args::Global,
    failure::{Code, Failure},
    render::dumps as human,
};

/// Where a dump is taken from.
#[derive(Clone, Copy, ValueEnum)]
pub(super) enum From {
    /// The data volume
    Disk,
    /// The bucket
    Bucket,
}

impl std::convert::From<From> for Origin {
    fn from(from: From) -> Self {
        match from {
            From::Disk => Self::Disk,
            From::Bucket => Self::Bucket,
        }
    }
}

/// Arguments of `db drill`.
#[derive(clap::Args)]
pub(super) struct Drill {
    /// The stack file
    #[arg(value_name = "STACK")]
    stack: PathBuf,
    /// Where to take the dump from; otherwise the bucket, where the stack names one
    #[arg(long, value_enum)]
    from: Option<From>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

impl Drill {
    pub async fn run(&self, global: &Global) -> Result<Code, Failure> {
        let (_work, host) = super::host(&self.stack, global).await?;
        let drill = host.drill(self.from.map(Origin::from), &mut super::say).await?;
        if self.json {
            crate::say::outln!("{:#}", serde_json::json!(drill));
        } else {
            crate::say::outln!("{}", human::drill(&drill));
        }
        Ok(Code::Done)
    }
}
