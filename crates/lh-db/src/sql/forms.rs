//! What a statement is, as far as rules and runner ask: which index it makes, whether it fills an
//! aggregate, and whether it can be repeated.

use super::lex::{Statement, Token, begins, calls, has};

/// An index that is made while its table is written to.
pub struct ConcurrentIndex {
    /// Its name, as the catalog has it.
    pub name: String,
    /// Its table, as it is written.
    pub table: String,
    /// Its table's name without a schema, as the catalog has it.
    pub bare: String,
    /// Whether it may be there already.
    pub if_not_exists: bool,
}

/// The index that `CREATE INDEX CONCURRENTLY` makes; its name is empty where the server chooses it.
pub fn concurrent_index(statement: &Statement) -> Option<ConcurrentIndex> {
    let tokens = &statement.tokens;
    let head: &[&str] = match tokens.get(1)?.is("UNIQUE") {
        true => &["CREATE", "UNIQUE", "INDEX", "CONCURRENTLY"],
        false => &["CREATE", "INDEX", "CONCURRENTLY"],
    };
    if !begins(tokens, head) {
        return None;
    }
    let rest = &tokens[head.len()..];
    let if_not_exists = begins(rest, &["IF", "NOT", "EXISTS"]);
    let rest = if if_not_exists { &rest[3..] } else { rest };
    let on = rest.iter().position(|token| token.is("ON"))?;
    let name = rest[..on].first().map(Token::name).unwrap_or_default();
    let table = &rest[on + 1..];
    let table = if begins(table, &["ONLY"]) { &table[1..] } else { table };
    // NAME, SCHEMA.NAME or DATABASE.SCHEMA.NAME.
    let mut length = 1;
    while table.get(length).is_some_and(|token| token.is(".")) {
        length += 2;
    }
    let table = table.get(..length)?;
    Some(ConcurrentIndex {
        name,
        table: table.iter().map(|token| token.text).collect(),
        bare: table.last()?.name(),
        if_not_exists,
    })
}

/// Whether an option of TimescaleDB is given, and not as `false`.
pub(super) fn is_set(tokens: &[Token], option: &str) -> bool {
    let named = |three: &[Token]| {
        matches!(three[0].name().as_str(), "timescaledb" | "tsdb")
            && three[1].is(".")
            && three[2].name() == option
    };
    let off = |after: &[Token]| {
        let value = after.get(1).filter(|_| after[0].is("=")).map(Token::name);
        matches!(value.as_deref(), Some("false" | "off" | "no" | "0"))
    };
    (0..tokens.len().saturating_sub(2)).any(|at| {
        let after = &tokens[at + 3..];
        named(&tokens[at..at + 3]) && (after.is_empty() || !off(after))
    })
}

/// Whether a statement makes a continuous aggregate and fills it.
pub(super) fn fills_aggregate(tokens: &[Token]) -> bool {
    begins(tokens, &["CREATE", "MATERIALIZED", "VIEW"])
        && is_set(tokens, "continuous")
        && !has(tokens, &["WITH", "NO", "DATA"])
}

/// Whether running the statement twice does no more than running it once, also where the first run
/// was cut off.
pub fn is_repeatable(statement: &Statement) -> bool {
    let tokens = &statement.tokens;
    let always = ["VACUUM", "ANALYZE", "REINDEX", "CLUSTER"];
    let is_absent = tokens.windows(3).position(|three| begins(three, &["IF", "NOT", "EXISTS"]));
    // Filled, an aggregate is there before it is full: the second run would find it and leave it so.
    let creates = begins(tokens, &["CREATE"])
        // `CREATE UNIQUE INDEX CONCURRENTLY` has the most words in front of it.
        && is_absent.is_some_and(|at| at <= 4)
        && !fills_aggregate(tokens);
    let alters = begins(tokens, &["ALTER"]) && is_absent.is_some() && !has_two_actions(tokens);
    always.iter().any(|word| begins(tokens, &[word]))
        || begins(tokens, &["ALTER", "SYSTEM"])
        || calls(tokens, "refresh_continuous_aggregate")
        || creates
        || alters
        || (begins(tokens, &["DROP"]) && has(tokens, &["IF", "EXISTS"]))
}

/// Whether an ALTER does several things, which commas outside parentheses divide.
fn has_two_actions(tokens: &[Token]) -> bool {
    let mut depth = 0_usize;
    tokens.iter().any(|token| {
        match token.text {
            "(" => depth += 1,
            ")" => depth = depth.saturating_sub(1),
            _ => {}
        }
        token.text == "," && depth == 0
    })
}
