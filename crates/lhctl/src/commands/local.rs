//! `lhctl local`: the simulated AWS in `.lhctl/local/`.

use clap::Subcommand;
use lh::LocalWorld;

use crate::{
    context::LOCAL,
    failure::{Code, Failure},
};

/// Arguments of `local`.
#[derive(clap::Args)]
pub(crate) struct Local {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    /// Show what exists in the simulated AWS
    Show,
    /// Forget the simulated AWS and the states of all stacks in it
    Reset,
}

impl Local {
    pub fn run(&self) -> Result<Code, Failure> {
        let world = LocalWorld::new(LOCAL);
        match self.verb {
            Verb::Show if !world.exists() => {
                anstream::eprintln!(
                    "There is no simulated AWS here yet; any command with --local begins one."
                );
            }
            Verb::Show => {
                for row in world.show()? {
                    anstream::println!("{:<18} {:<24} {}", row.kind, row.id, row.detail);
                }
            }
            Verb::Reset => {
                world.reset()?;
                anstream::println!("The simulated AWS in {LOCAL}/ is forgotten.");
            }
        }
        Ok(Code::Done)
    }
}
