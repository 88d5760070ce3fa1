//! `${VAR}` and `${VAR:-default}` in scalars, and `$$` for a dollar sign. A variable gives
//! text, never structure: it cannot bring keys or list items into a stack.

use lh_model::{Diagnostic, Origin};

use crate::{
    codes,
    findings::Findings,
    yaml::{Entry, Node, Scalar, Yaml},
};

type Env<'a> = &'a dyn Fn(&str) -> Option<String>;

/// `node` with all its variables filled in. A scalar with one that is missing is reported
/// and becomes [`Yaml::Broken`].
pub(crate) fn fill(node: Node, env: Env, findings: &Findings) -> Node {
    let Node { origin, value } = node;
    let value = match value {
        Yaml::Scalar(scalar) if !scalar.verbatim && scalar.text.contains('$') => {
            match fill_text(&scalar, &origin, env) {
                Ok(text) => Yaml::Scalar(Scalar { text, verbatim: true, ..scalar }),
                Err(finding) => {
                    findings.push(*finding);
                    Yaml::Broken
                }
            }
        }
        Yaml::List(items) => Yaml::List(items.into_iter().map(|item| fill(item, env, findings)).collect()),
        Yaml::Map(entries) => {
            let each = |entry: Entry| Entry { node: fill(entry.node, env, findings), ..entry };
            Yaml::Map(entries.into_iter().map(each).collect())
        }
        other => other,
    };
    Node { origin, value }
}

fn fill_text(scalar: &Scalar, origin: &Origin, env: Env) -> Result<String, Box<Diagnostic>> {
    let mut filled = String::new();
    let mut rest = scalar.text.as_str();
    while let Some(dollar) = rest.find('$') {
        filled.push_str(&rest[..dollar]);
        let from = &rest[dollar..];
        if let Some(after) = from.strip_prefix("$$") {
            filled.push('$');
            rest = after;
        } else if from.starts_with("${") {
            let end = from.find('}').map_or(from.len(), |end| end + 1);
            let written = &from[..end];
            let place = place(scalar, origin, scalar.text.len() - from.len(), written);
            filled.push_str(&value_of(written, place, env)?);
            rest = &from[end..];
        } else {
            filled.push('$');
            rest = &from[1..];
        }
    }
    filled.push_str(rest);
    Ok(filled)
}

/// The value of `${…}`, as written with its braces.
fn value_of(written: &str, place: Origin, env: Env) -> Result<String, Box<Diagnostic>> {
    let Some(inner) = written.strip_prefix("${").and_then(|w| w.strip_suffix('}')) else {
        return Err(malformed(written, "The closing brace is missing", place));
    };
    let (name, default) = match inner.split_once(":-") {
        Some((name, default)) => (name, Some(default)),
        None => (inner, None),
    };
    let fits = |(i, c): (usize, char)| c == '_' || c.is_ascii_alphabetic() || (i > 0 && c.is_ascii_digit());
    if name.is_empty() || !name.chars().enumerate().all(fits) {
        let reason = "A variable's name has letters, digits and underscores, and does not start with a digit";
        return Err(malformed(written, reason, place));
    }
    // As in a shell, `:-` also replaces a variable that is set to nothing.
    match (env(name), default) {
        (Some(value), None) => Ok(value),
        (Some(value), Some(_)) if !value.is_empty() => Ok(value),
        (_, Some(default)) => Ok(default.to_owned()),
        (None, None) => Err(unset(name, place)),
    }
}

/// Where `written`, `offset` bytes into the text, stands in the file. In a text with escapes
/// or several lines the offsets differ, and the whole value is pointed at.
fn place(scalar: &Scalar, origin: &Origin, offset: usize, written: &str) -> Origin {
    let quotes = usize::from(!scalar.plain);
    let same = scalar.text.chars().count() + 2 * quotes == origin.length;
    if !same {
        return origin.clone();
    }
    let before = scalar.text[..offset].chars().count() + quotes;
    Origin { column: origin.column + before, length: written.chars().count().max(1), ..origin.clone() }
}

fn malformed(written: &str, reason: &str, place: Origin) -> Box<Diagnostic> {
    Box::new(
        Diagnostic::error(codes::VARIABLE_SYNTAX, format!("`{written}` is not a variable"))
            .at(place)
            .because(reason)
            .fix("Write `${NAME}` or `${NAME:-default}`; for a dollar sign itself write `$$`."),
    )
}

fn unset(name: &str, place: Origin) -> Box<Diagnostic> {
    Box::new(
        Diagnostic::error(codes::VARIABLE_UNSET, format!("The environment variable {name} is not set"))
            .at(place)
            .because("The value is read from the environment, and there is no default")
            .fix(format!("Set it (`export {name}=…`), or give a default: `${{{name}:-default}}`.")),
    )
}
