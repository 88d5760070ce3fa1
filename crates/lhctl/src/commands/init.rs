//! `lhctl init NAME`: a commented stack file to start from.

use std::{fs::OpenOptions, io::Write, path::Path};

use crate::failure::{Code, Failure};

/// The schema that the first line of a new stack file names, beside it.
const SCHEMA: &str = "lhctl.schema.json";

/// Arguments of `init`.
#[derive(clap::Args)]
pub(crate) struct Init {
    /// The stack's name, as in `lighthouse`
    name: String,
}

impl Init {
    pub fn run(&self) -> Result<Code, Failure> {
        let text = lh::new_stack_file(&self.name).map_err(|finding| {
            let message = "No file was written.".to_owned();
            Failure::findings(Code::Invalid, message, vec![finding], lh::Sources::new())
        })?;
        let path = Path::new("stacks").join(format!("{}.yaml", self.name));
        let failed = |error: std::io::Error| match error.kind() {
            std::io::ErrorKind::AlreadyExists => {
                Failure::plain(format!("{} exists already, and was left as it is.", path.display()))
                    .code(Code::Refused)
                    .fix("Choose another name, or remove the file first.")
            }
            _ => Failure::plain(format!("{} cannot be written: {error}.", path.display())),
        };
        std::fs::create_dir_all("stacks").map_err(failed)?;
        let mut file = OpenOptions::new().write(true).create_new(true).open(&path).map_err(failed)?;
        file.write_all(text.as_bytes()).map_err(failed)?;
        let schema = path.with_file_name(SCHEMA);
        let written = std::fs::write(&schema, format!("{:#}\n", lh::stack_file_schema()));
        written
            .map_err(|error| Failure::plain(format!("{} cannot be written: {error}.", schema.display())))?;
        crate::say::outln!("Wrote {}, and {} for editors.", path.display(), schema.display());
        crate::say::errln!(
            "Next: edit it, then `lhctl validate {0}` and `lhctl plan {0} --local`.",
            path.display()
        );
        Ok(Code::Done)
    }
}
