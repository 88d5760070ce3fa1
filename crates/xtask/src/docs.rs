//! The generated part of `docs/errors.md`: the codes of a stack file's findings, from the table
//! in `lh-spec`. The other codes are explained there by hand.

use std::{fs, path::Path};

use crate::{sources::Source, violation::Violation};

/// The reference of codes.
pub(crate) const ERRORS: &str = "docs/errors.md";

/// The table it is written from.
pub(crate) const CODES: &str = "crates/lh-spec/src/codes.rs";

const BEGIN: &str = "<!-- begin: written by `cargo xtask docs` from crates/lh-spec/src/codes.rs -->";
const END: &str = "<!-- end -->";

/// The text of the reference.
pub(crate) fn read(root: &Path) -> Result<String, String> {
    fs::read_to_string(root.join(ERRORS)).map_err(|error| format!("{ERRORS} cannot be read: {error}."))
}

/// Writes the generated part anew.
pub(crate) fn write(root: &Path) -> Result<(), String> {
    let codes = fs::read_to_string(root.join(CODES)).map_err(|error| format!("{CODES}: {error}."))?;
    let fresh = renewed(&read(root)?, &codes)?;
    fs::write(root.join(ERRORS), fresh).map_err(|error| format!("{ERRORS} cannot be written: {error}."))
}

/// Whether the generated part is what it would be now.
pub(crate) fn check(sources: &[Source], errors: &str) -> Option<Violation> {
    let codes = sources.iter().find(|source| source.path == CODES)?;
    let what = match renewed(errors, &codes.text) {
        Ok(fresh) if fresh == errors => return None,
        Ok(_) => format!("The codes of stack files are not those of {CODES}."),
        Err(why) => why,
    };
    Some(Violation::new(ERRORS, what, "Run `cargo xtask docs`."))
}

fn renewed(errors: &str, codes: &str) -> Result<String, String> {
    let parts = errors.split_once(BEGIN).and_then(|(head, rest)| Some((head, rest.split_once(END)?.1)));
    let (head, tail) = parts.ok_or_else(|| format!("{ERRORS} lacks the lines `{BEGIN}` and `{END}`."))?;
    let table = table(codes);
    if table.is_empty() {
        return Err(format!("No code was found in {CODES}."));
    }
    let entry = |[code, title, text]: &[String; 3]| format!("**{code}**: {title}. {text}\n\n");
    let entries: String = table.iter().map(entry).collect();
    Ok(format!("{head}{BEGIN}\n\n{entries}{END}{tail}"))
}

/// The code, title and text of each entry of the `codes!` table.
fn table(codes: &str) -> Vec<[String; 3]> {
    let Some((_, rest)) = codes.split_once("\ncodes! {\n") else { return Vec::new() };
    let body = rest.split_once("\n}\n").map_or(rest, |(body, _)| body);
    let literals = literals(body);
    literals.chunks_exact(3).map(|entry| [entry[0].clone(), entry[1].clone(), entry[2].clone()]).collect()
}

/// The string literals of a text, in order; `\"` and `\\` stand for themselves.
fn literals(text: &str) -> Vec<String> {
    let (mut found, mut open): (Vec<String>, Option<String>) = (Vec::new(), None);
    let mut letters = text.chars();
    while let Some(letter) = letters.next() {
        match (&mut open, letter) {
            (None, '"') => open = Some(String::new()),
            (None, _) => {}
            (Some(literal), '\\') => literal.extend(letters.next()),
            (Some(_), '"') => found.extend(open.take()),
            (Some(literal), other) => literal.push(other),
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sources::tests::source;

    const TABLE: &str = "//! Codes.\ncodes! {\n    A = \"E0101\", \"a title\",\n        \"Says \\\"so\\\".\";\n}\n\"E9999\"\n";

    #[test]
    fn the_table_is_read() {
        assert_eq!(table(TABLE), [["E0101", "a title", "Says \"so\"."].map(str::to_owned)]);
    }

    #[test]
    fn what_stands_around_the_generated_part_stays() {
        let errors = format!("# Errors\n{BEGIN}\nold\n{END}\n## By hand\n");
        let fresh = renewed(&errors, TABLE).unwrap();
        let wanted = "**E0101**: a title. Says \"so\".";
        assert_eq!(fresh, format!("# Errors\n{BEGIN}\n\n{wanted}\n\n{END}\n## By hand\n"));
        assert_eq!(renewed(&fresh, TABLE), Ok(fresh.clone()));
    }

    #[test]
    fn an_old_generated_part_is_found() {
        let sources = [source(CODES, TABLE)];
        let old = format!("{BEGIN}\n{END}\n");
        assert!(check(&sources, &old).is_some());
        assert!(check(&sources, "no marks").is_some());
        assert_eq!(check(&sources, &renewed(&old, TABLE).unwrap()), None);
    }
}
