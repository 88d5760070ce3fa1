//! The rule about `alter_job`: it replaces the whole configuration of a job.
//!
//! <https://docs.timescale.com/api/latest/jobs-automation/alter_job/>

use lh_model::Diagnostic;

use super::lex::{Statement, Token, block, has};

/// Where `config` stands among the arguments, in TimescaleDB 2.0 as in 2.29.
const CONFIG: usize = 6;

/// Whether a statement, or one in a `DO` block, replaces it.
pub(super) fn replaced_config(statement: &Statement) -> Option<Diagnostic> {
    // A name in a block may be a variable, which nothing here follows.
    let replaces = replaces(statement, false) || block(statement).iter().any(|inner| replaces(inner, true));
    replaces.then(|| {
        Diagnostic::error("E0857", "alter_job replaces the whole configuration of the job")
            .because("What `config` does not name, such as the hypertable's id, is gone, and the job fails from then on")
            .fix("Change one key: SELECT alter_job(job_id, config => jsonb_set(config, '{drop_after}', '\"90 days\"')) FROM timescaledb_information.jobs WHERE …")
    })
}

fn replaces(statement: &Statement, trusts_names: bool) -> bool {
    let tokens = &statement.tokens;
    let calls = || calls(tokens);
    // A column of a subquery is taken on trust if the rest of the statement builds one upon what
    // is there: `config => n.new` with `SELECT jsonb_set(config, …) AS new`.
    let elsewhere = || {
        let outside = |at: usize| !calls().any(|call| call.contains(&at));
        (0..tokens.len()).any(|at| outside(at) && is_built(&tokens[at..tokens.len().min(at + 3)]))
    };
    let replaces = |value: &[Token]| {
        let is_trusted = is_column(value) && (trusts_names || elsewhere());
        !(is_null(value) || value.iter().any(is_config) || is_trusted)
    };
    calls().filter_map(|call| config(&tokens[call])).any(replaces)
}

/// The tokens between the parentheses of each call.
fn calls<'t>(tokens: &'t [Token]) -> impl Iterator<Item = std::ops::Range<usize>> + 't {
    let named = |at: &usize| !tokens[*at].text.starts_with('\'') && tokens[*at].name() == "alter_job";
    let opened = |at: &usize| tokens.get(at + 1).is_some_and(|next| next.text == "(");
    (0..tokens.len()).filter(named).filter(opened).map(|at| {
        let inner = &tokens[at + 2..];
        at + 2..at + 2 + split(inner, |_| false).first().map_or(0, |whole| whole.len())
    })
}

/// `tokens` up to the parenthesis that closes them, divided where `divides` at their own depth.
fn split<'t, 'a>(tokens: &'a [Token<'t>], divides: impl Fn(&str) -> bool) -> Vec<&'a [Token<'t>]> {
    let (mut parts, mut begin, mut depth) = (Vec::new(), 0, 0_usize);
    for (at, token) in tokens.iter().enumerate() {
        match token.text {
            "(" | "[" => depth += 1,
            ")" | "]" if depth == 0 => {
                parts.push(&tokens[begin..at]);
                return parts;
            }
            ")" | "]" => depth -= 1,
            text if depth == 0 && divides(text) => {
                parts.push(&tokens[begin..at]);
                begin = at + 1;
            }
            _ => {}
        }
    }
    parts.push(&tokens[begin..]);
    parts
}

/// The value that a call gives for `config`, by its name or by its place.
fn config<'t, 'a>(arguments: &'a [Token<'t>]) -> Option<&'a [Token<'t>]> {
    let parts = split(arguments, |text| text == ",");
    let is_named = |part: &[Token]| {
        let arrow = part.get(1..3).map(|two| (two[0].text, two[1].text));
        matches!(arrow, Some(("=", ">") | (":", "=")))
    };
    let named = parts.iter().find(|part| is_named(part) && part[0].name() == "config");
    match named {
        Some(part) => Some(&part[3..]),
        None => parts.get(CONFIG).copied().filter(|part| !is_named(part)),
    }
}

/// `NULL`, perhaps with its type: the configuration stays.
fn is_null(value: &[Token]) -> bool {
    value.first().is_some_and(|token| token.is("NULL"))
}

/// The column that holds what is there.
fn is_config(token: &Token) -> bool {
    !token.text.starts_with('\'') && token.name() == "config"
}

/// Nothing but a name.
fn is_column(value: &[Token]) -> bool {
    let is_name = |token: &Token| token.text.starts_with(|c: char| c.is_alphabetic() || "._\"".contains(c));
    !value.is_empty() && value.iter().all(is_name)
}

/// Whether these tokens build upon a configuration: `jsonb_set(config`, or `config ||`.
fn is_built(tokens: &[Token]) -> bool {
    has(tokens, &["JSONB_SET", "("]) || (tokens.first().is_some_and(is_config) && has(tokens, &["|", "|"]))
}
