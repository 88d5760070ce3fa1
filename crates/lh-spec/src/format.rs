//! Formatting of stack files: indentation, spaces, blank lines and line ends, nothing else.
//!
//! Comments stay, and so does the order and the notation of values. What is written over several
//! lines (texts, and lists in brackets) is left as it stands. That the meaning stays is not
//! believed but looked at: the result is read again and compared, and where it would say
//! something else, the text is left as it was.

mod line;
mod shape;

use lh_model::Diagnostic;

use crate::{
    findings::Findings,
    yaml::{Node, Place, Yaml, mask, parse, unmask},
};

/// Formatting what is formatted changes nothing after so many rounds at most.
const ROUNDS: usize = 4;

/// The text of a stack file, formatted. `file` is its name, for findings.
///
/// # Errors
/// What keeps the text from being read as YAML.
pub fn format(file: &str, text: &str) -> Result<String, Vec<Diagnostic>> {
    let findings = Findings::default();
    let read = |text: &str| parse(&Place::start_of(file), text, &findings);
    let Some(meant) = read(text).filter(|_| !findings.has_errors()) else {
        return Err(findings.into_sorted());
    };
    let mut now = text.to_owned();
    for _ in 0..ROUNDS {
        let next = once(&now);
        if next == now {
            return Ok(now);
        }
        if !read(&next).is_some_and(|node| same(&node, &meant)) {
            break;
        }
        now = next;
    }
    Ok(text.to_owned())
}

/// Whether two nodes say the same, wherever they stand.
fn same(a: &Node, b: &Node) -> bool {
    match (&a.value, &b.value) {
        (Yaml::List(a), Yaml::List(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b)),
        (Yaml::Map(a), Yaml::Map(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| a.key == b.key && same(&a.node, &b.node))
        }
        (a, b) => a == b,
    }
}

/// One round.
fn once(text: &str) -> String {
    let text = text.replace("\r\n", "\n");
    let masked = mask(&text);
    let lines: Vec<&str> = masked.lines().collect();
    let fixed = shape::fixed_lines(&masked);
    let mut out: Vec<String> = Vec::new();
    let mut levels = shape::Levels::default();
    for (number, raw) in lines.iter().enumerate() {
        if fixed.contains(&number) {
            // The first of them stands where its key does; its text is its own.
            out.push((*raw).to_owned());
            continue;
        }
        let line = line::Line::of(raw);
        if line.is_blank() {
            if out.last().is_some_and(|last| !last.is_empty()) {
                out.push(String::new());
            }
            continue;
        }
        let indent = match line.content.is_empty() {
            true => levels.of_comment(line.indent, next_indent(&lines[number + 1..])),
            false => levels.enter(line.indent, &line.dashes()),
        };
        out.push(line.formatted(indent));
    }
    while out.last().is_some_and(String::is_empty) {
        out.pop();
    }
    let mut text = unmask(&out.join("\n"));
    if !text.is_empty() {
        text.push('\n');
    }
    text
}

/// The indentation of the next line with content.
fn next_indent(rest: &[&str]) -> Option<usize> {
    rest.iter().map(|raw| line::Line::of(raw)).find(|line| !line.content.is_empty()).map(|line| line.indent)
}

#[cfg(test)]
mod tests;
