//! Values into text: placeholders, and the quoting of shell, YAML and systemd.
//!
//! A placeholder is `@NAME@`. What is put in is not looked at again, so that a
//! value which looks like a placeholder stays what it is.

use std::io::Write;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use flate2::{Compression, write::GzEncoder};

/// `template` with each `@NAME@` of `values` replaced, in one pass.
///
/// A name that is not in `values` stays as it stands, and fails the test that
/// looks for placeholders in everything rendered.
pub(crate) fn fill(template: &str, values: &[(&str, &str)]) -> String {
    let mut out = String::with_capacity(template.len());
    let mut rest = template;
    while let Some((before, after)) = rest.split_once('@') {
        out.push_str(before);
        let known = after.split_once('@').and_then(|(name, tail)| Some((value(values, name)?, tail)));
        if let Some((text, tail)) = known {
            out.push_str(text);
            rest = tail;
        } else {
            out.push('@');
            rest = after;
        }
    }
    out.push_str(rest);
    out
}

fn value<'v>(values: &[(&str, &'v str)], name: &str) -> Option<&'v str> {
    values.iter().find_map(|(known, text)| (*known == name).then_some(*text))
}

/// `text` without control characters: a value may not end the line it is on.
pub(crate) fn one_line(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).collect()
}

/// One word for a shell.
pub(crate) fn shell_word(text: &str) -> String {
    format!("'{}'", one_line(text).replace('\'', r"'\''"))
}

/// The letters, digits and dashes of an AWS id: nothing that a shell would read.
pub(crate) fn plain_id(text: &str) -> String {
    text.chars().filter(|c| c.is_ascii_alphanumeric() || *c == '-').collect()
}

/// A JSON string, which is a YAML double-quoted scalar as well.
pub(crate) fn json_string(text: &str) -> String {
    let escaped = one_line(text).replace('\\', r"\\").replace('"', r#"\""#);
    format!("\"{escaped}\"")
}

/// A YAML scalar in a compose file, where `$` would begin a variable.
pub(crate) fn compose_string(text: &str) -> String {
    json_string(text).replace('$', "$$")
}

/// The value of a systemd setting, where `%` would begin a specifier.
pub(crate) fn unit_value(text: &str) -> String {
    one_line(text).replace('%', "%%")
}

/// Each line of `text` indented by `spaces`, with a line feed at its end.
pub(crate) fn indent(text: &str, spaces: usize) -> String {
    let pad = " ".repeat(spaces);
    text.lines().fold(String::new(), |mut out, line| {
        if !line.is_empty() {
            out.push_str(&pad);
            out.push_str(line);
        }
        out.push('\n');
        out
    })
}

/// A script or configuration without the lines that are comments: user data has little room. The
/// line that names the interpreter stays.
pub(crate) fn without_comments(text: &str) -> String {
    let is_code = |(at, line): &(usize, &str)| {
        let line = line.trim_start();
        !line.starts_with('#') || (*at == 0 && line.starts_with("#!"))
    };
    text.lines().enumerate().filter(is_code).flat_map(|(_, line)| [line, "\n"]).collect()
}

/// gzip and base64, as cloud-init's `gz+b64`. The header carries no time and no
/// name, so that equal text gives equal bytes.
pub(crate) fn pack(text: &str) -> String {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    // Writing to memory does not fail; if it ever did, the text goes unpacked,
    // and cloud-init reports the encoding.
    match encoder.write_all(text.as_bytes()).and_then(|()| encoder.finish()) {
        Ok(bytes) => STANDARD.encode(bytes),
        Err(_) => STANDARD.encode(text),
    }
}
