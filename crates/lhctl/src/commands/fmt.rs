//! `lhctl fmt`: formats stack files; comments and what the files say stay as they are.

use std::{fs, path::Path};

use crate::{
    args::Stacks,
    context,
    failure::{Code, Failure},
    render::{diagnostic, style},
};

/// Arguments of `fmt`.
#[derive(clap::Args)]
pub(crate) struct Fmt {
    #[command(flatten)]
    stacks: Stacks,
    /// Write nothing; end with 1 if a file is not formatted
    #[arg(long)]
    check: bool,
}

impl Fmt {
    pub fn run(&self) -> Result<Code, Failure> {
        let mut code = Code::Done;
        for file in context::stack_files(&self.stacks.files)? {
            let name = file.display().to_string();
            let failed = |what: &str, error: &std::io::Error| {
                Failure::plain(format!("{name} cannot be {what}: {error}."))
            };
            let text = fs::read_to_string(&file).map_err(|error| failed("read", &error))?;
            match lh::format_stack_file(&name, &text) {
                Err(findings) => {
                    let sources = lh::Sources::from([(name.clone(), text)]);
                    crate::say::errln!("{}", diagnostic::render(&findings, &sources));
                    crate::say::outln!("{} {name}: left as it is", style::error("✗"));
                    code = Code::Invalid;
                }
                Ok(formatted) if formatted == text => {}
                Ok(_) if self.check => {
                    crate::say::outln!("{} {name}: not formatted", style::change("✗"));
                    if code == Code::Done {
                        code = Code::Error;
                    }
                }
                Ok(formatted) => {
                    write(&file, &formatted).map_err(|error| failed("written", &error))?;
                    crate::say::outln!("{} {name}: formatted", style::good("✓"));
                }
            }
        }
        Ok(code)
    }
}

/// Puts the text in the file's place: the old one or the new one is there, and never a part.
fn write(file: &Path, text: &str) -> std::io::Result<()> {
    // A link stays a link, and the file keeps its permissions.
    let file = fs::canonicalize(file)?;
    let mut name = file.file_name().unwrap_or_default().to_owned();
    name.push(".fmt");
    let fresh = file.with_file_name(name);
    fs::write(&fresh, text)?;
    fs::set_permissions(&fresh, fs::metadata(&file)?.permissions())?;
    fs::rename(&fresh, &file)
}
