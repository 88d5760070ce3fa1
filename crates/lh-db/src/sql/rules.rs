//! The rules of the linter, one statement at a time. Each says its source.

use std::collections::BTreeSet;

use lh_model::Diagnostic;

use super::{
    forms::{concurrent_index, fills_aggregate, is_set},
    jobs::replaced_config,
    lex::{Statement, Token, begins, block, calls, has, statements},
};

/// What a rule knows besides the statement.
pub(super) struct Context<'c> {
    /// Whether the file is run in a transaction.
    pub transaction: bool,
    /// Tables that some migration makes hypertables, without their schemas.
    pub hypertables: &'c BTreeSet<String>,
}

type Rule = fn(&Statement, &Context) -> Option<Diagnostic>;

const RULES: &[Rule] = &[
    filled_aggregate,
    refresh,
    run_job,
    outside_transactions,
    index_of_hypertable,
    transaction_control,
    |statement, _| replaced_config(statement),
    client_command,
];

/// What is wrong with one statement.
pub(super) fn check<'s>(
    statement: &'s Statement<'s>,
    context: &'s Context<'s>,
) -> impl Iterator<Item = Diagnostic> + 's {
    RULES.iter().filter_map(move |rule| rule(statement, context))
}

/// The tables that `text` makes hypertables, by `create_hypertable` or `WITH (tsdb.hypertable)`.
pub(super) fn hypertables(text: &str) -> Vec<String> {
    let (found, _) = statements(text);
    found.iter().filter_map(made_hypertable).collect()
}

fn made_hypertable(statement: &Statement) -> Option<String> {
    let tokens = &statement.tokens;
    if let Some(at) = tokens.iter().position(|token| token.is("CREATE_HYPERTABLE")) {
        let name = tokens[at..].iter().find(|token| token.text.starts_with('\''))?.name();
        // The text of a string is a name in its turn.
        return statements(&name).0.first()?.tokens.last().map(Token::name);
    }
    if !(begins(tokens, &["CREATE", "TABLE"]) && is_set(tokens, "hypertable")) {
        return None;
    }
    let before = tokens.iter().position(|token| token.is("("))?;
    before.checked_sub(1).map(|at| tokens[at].name())
}

/// Whether the procedure is called, by the statement or in its `DO` block.
fn is_called(statement: &Statement, procedure: &str) -> bool {
    calls(&statement.tokens, procedure)
        || block(statement).iter().any(|inner| calls(&inner.tokens, procedure))
}

/// What makes a file leave its transaction.
const LEAVE: &str = "Move it to a migration of its own whose first line is `-- no-transaction`.";

/// <https://docs.timescale.com/api/latest/continuous-aggregates/create_materialized_view/>
fn filled_aggregate(statement: &Statement, context: &Context) -> Option<Diagnostic> {
    (context.transaction && fills_aggregate(&statement.tokens)).then(|| {
        Diagnostic::error("E0851", "A continuous aggregate WITH DATA cannot be created in a transaction")
            .because("WITH DATA, which is also the default, refreshes the view in transactions of its own")
            .fix("End it with WITH NO DATA, and let a refresh policy fill it.")
    })
}

/// <https://docs.timescale.com/api/latest/continuous-aggregates/refresh_continuous_aggregate/>
fn refresh(statement: &Statement, context: &Context) -> Option<Diagnostic> {
    let is_called = is_called(statement, "refresh_continuous_aggregate");
    (context.transaction && is_called).then(|| {
        Diagnostic::error("E0852", "refresh_continuous_aggregate cannot run in a transaction")
            .because("It commits on its way, so that readers see each part as it is ready")
            .fix(LEAVE)
    })
}

/// A job of a refresh policy is the same refresh; of the others nothing forbids it, but a
/// migration cannot know which job a number means.
fn run_job(statement: &Statement, context: &Context) -> Option<Diagnostic> {
    (context.transaction && is_called(statement, "run_job")).then(|| {
        Diagnostic::error("E0853", "run_job cannot run a refresh policy in a transaction")
            .because("The job refreshes a continuous aggregate, which commits on its way")
            .fix(LEAVE)
    })
}

/// Statements that PostgreSQL refuses in a transaction block, each by its own page.
const OUTSIDE: &[&[&str]] = &[
    &["VACUUM"],
    &["CREATE", "DATABASE"],
    &["DROP", "DATABASE"],
    &["CREATE", "TABLESPACE"],
    &["DROP", "TABLESPACE"],
    &["ALTER", "SYSTEM"],
    &["CREATE", "SUBSCRIPTION"],
    &["DROP", "SUBSCRIPTION"],
    &["DISCARD", "ALL"],
    &["DROP", "INDEX", "CONCURRENTLY"],
    &["CREATE", "INDEX", "CONCURRENTLY"],
    &["CREATE", "UNIQUE", "INDEX", "CONCURRENTLY"],
];

/// Those of them that are told by more than their first words.
fn outside_by_more(tokens: &[Token]) -> Option<&'static str> {
    let chunkwise = || is_set(tokens, "transaction_per_chunk");
    let one_by_one = ["SCHEMA", "DATABASE", "SYSTEM"];
    match tokens.first()?.text.to_uppercase().as_str() {
        // What stands in parentheses are options.
        "REINDEX" if tokens.iter().any(|token| token.is("CONCURRENTLY")) => Some("REINDEX CONCURRENTLY"),
        "REINDEX"
            if after_options(&tokens[1..]).is_some_and(|what| one_by_one.iter().any(|it| what.is(it))) =>
        {
            Some("REINDEX of more than a table")
        }
        "CLUSTER"
            if after_options(&tokens[1..]).is_none_or(|what| what.is("VERBOSE") && tokens.len() == 2) =>
        {
            Some("CLUSTER of all tables")
        }
        "ALTER" if begins(tokens, &["ALTER", "DATABASE"]) && has(tokens, &["SET", "TABLESPACE"]) => {
            Some("ALTER DATABASE SET TABLESPACE")
        }
        "ALTER" if has(tokens, &["DETACH", "PARTITION"]) && tokens.last()?.is("CONCURRENTLY") => {
            Some("DETACH PARTITION CONCURRENTLY")
        }
        "CREATE" if chunkwise() => Some("CREATE INDEX with transaction_per_chunk"),
        _ => None,
    }
}

/// The first token behind options in parentheses, if there are any.
fn after_options<'a, 't>(tokens: &'a [Token<'t>]) -> Option<&'a Token<'t>> {
    match tokens.first() {
        Some(open) if open.is("(") => {
            let end = tokens.iter().position(|token| token.is(")"))?;
            tokens.get(end + 1)
        }
        first => first,
    }
}

fn outside_transactions(statement: &Statement, context: &Context) -> Option<Diagnostic> {
    let tokens = &statement.tokens;
    let words = OUTSIDE.iter().find(|words| begins(tokens, words)).map(|words| words.join(" "));
    let what = words.or_else(|| outside_by_more(tokens).map(str::to_owned))?;
    // On a hypertable leaving the transaction would not help; the rule for that says so.
    let on_hypertable =
        concurrent_index(statement).is_some_and(|index| context.hypertables.contains(&index.bare));
    if !context.transaction || on_hypertable {
        return None;
    }
    Some(
        Diagnostic::error("E0854", format!("{what} cannot run in a transaction"))
            .because("PostgreSQL refuses it in a transaction block, and migrations run in one")
            .fix(LEAVE),
    )
}

/// <https://docs.timescale.com/api/latest/hypertable/create_index/>
fn index_of_hypertable(statement: &Statement, context: &Context) -> Option<Diagnostic> {
    let table = concurrent_index(statement)?.bare;
    if !context.hypertables.contains(&table) {
        return None;
    }
    Some(
        Diagnostic::error("E0855", format!("CREATE INDEX CONCURRENTLY is not supported on the hypertable {table}"))
            .because("The index is made chunk by chunk, which CONCURRENTLY cannot do")
            .fix("Leave CONCURRENTLY out; with `WITH (timescaledb.transaction_per_chunk)` in a file of its own that begins with `-- no-transaction`, one chunk at a time is locked."),
    )
}

/// A file that ends its own transaction would be half done when the next statement fails.
fn transaction_control(statement: &Statement, _: &Context) -> Option<Diagnostic> {
    let words: &[&[&str]] = &[
        &["BEGIN"],
        &["START", "TRANSACTION"],
        &["COMMIT"],
        &["END"],
        &["ROLLBACK"],
        &["ABORT"],
        &["PREPARE", "TRANSACTION"],
    ];
    // ROLLBACK TO a savepoint stays within the transaction.
    let found = words.iter().find(|words| begins(&statement.tokens, words))?;
    if has(&statement.tokens, &["TO"]) {
        return None;
    }
    Some(
        Diagnostic::error("E0856", format!("A migration does not say {} itself", found.join(" ")))
            .because("Each file is run in one transaction together with the note that it was done; ending it earlier would break them apart")
            .fix("Leave it out."),
    )
}

/// Commands of psql and of its protocol for copying, which only a client can follow.
fn client_command(statement: &Statement, _: &Context) -> Option<Diagnostic> {
    let tokens = &statement.tokens;
    let copies =
        begins(tokens, &["COPY"]) && (has(tokens, &["FROM", "STDIN"]) || has(tokens, &["TO", "STDOUT"]));
    let slash = tokens.first().is_some_and(|token| token.text == "\\");
    (copies || slash).then(|| {
        Diagnostic::error("E0858", "This is for psql, not for the server")
            .because("Migrations are sent to the server as they are")
            .fix("Write it in SQL; rows with INSERT.")
    })
}
