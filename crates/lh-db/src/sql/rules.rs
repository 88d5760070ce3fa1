//! The rules of the linter, one statement at a time. Each says its source.

use std::collections::BTreeSet;

use lh_model::Diagnostic;

use super::{
    jobs::replaced_config,
    lex::{Statement, begins, has, statements},
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
    concurrent_index,
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
        return name.rsplit('.').next().map(str::to_owned);
    }
    let hyper = has(tokens, &["TIMESCALEDB", ".", "HYPERTABLE"]) || has(tokens, &["TSDB", ".", "HYPERTABLE"]);
    if !(begins(tokens, &["CREATE", "TABLE"]) && hyper) {
        return None;
    }
    let before = tokens.iter().position(|token| token.is("("))?;
    before.checked_sub(1).map(|at| tokens[at].name())
}

/// What makes a file leave its transaction.
const LEAVE: &str = "Move it to a migration of its own whose first line is `-- no-transaction`.";

/// <https://docs.timescale.com/api/latest/continuous-aggregates/create_materialized_view/>
fn filled_aggregate(statement: &Statement, context: &Context) -> Option<Diagnostic> {
    let tokens = &statement.tokens;
    let continuous =
        has(tokens, &["TIMESCALEDB", ".", "CONTINUOUS"]) || has(tokens, &["TSDB", ".", "CONTINUOUS"]);
    let filled = begins(tokens, &["CREATE", "MATERIALIZED", "VIEW"])
        && continuous
        && !has(tokens, &["WITH", "NO", "DATA"]);
    (context.transaction && filled).then(|| {
        Diagnostic::error("E0851", "A continuous aggregate WITH DATA cannot be created in a transaction")
            .because("WITH DATA, which is also the default, refreshes the view in transactions of its own")
            .fix("End it with WITH NO DATA, and let a refresh policy fill it.")
    })
}

/// <https://docs.timescale.com/api/latest/continuous-aggregates/refresh_continuous_aggregate/>
fn refresh(statement: &Statement, context: &Context) -> Option<Diagnostic> {
    let calls = statement.tokens.iter().any(|token| token.is("REFRESH_CONTINUOUS_AGGREGATE"));
    (context.transaction && calls).then(|| {
        Diagnostic::error("E0852", "refresh_continuous_aggregate cannot run in a transaction")
            .because("It commits on its way, so that readers see each part as it is ready")
            .fix(LEAVE)
    })
}

/// A job of a refresh policy is the same refresh; of the others nothing forbids it, but a
/// migration cannot know which job a number means.
fn run_job(statement: &Statement, context: &Context) -> Option<Diagnostic> {
    (context.transaction && has(&statement.tokens, &["CALL", "RUN_JOB"])).then(|| {
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
    &["REINDEX", "DATABASE"],
    &["REINDEX", "SYSTEM"],
    &["DROP", "INDEX", "CONCURRENTLY"],
    &["REINDEX", "INDEX", "CONCURRENTLY"],
    &["REINDEX", "TABLE", "CONCURRENTLY"],
    &["CREATE", "INDEX", "CONCURRENTLY"],
    &["CREATE", "UNIQUE", "INDEX", "CONCURRENTLY"],
];

fn outside_transactions(statement: &Statement, context: &Context) -> Option<Diagnostic> {
    let words = OUTSIDE.iter().find(|words| begins(&statement.tokens, words))?;
    // On a hypertable leaving the transaction would not help; the rule for that says so.
    if !context.transaction || indexed(statement).is_some_and(|table| context.hypertables.contains(&table)) {
        return None;
    }
    Some(
        Diagnostic::error("E0854", format!("{} cannot run in a transaction", words.join(" ")))
            .because("PostgreSQL refuses it in a transaction block, and migrations run in one")
            .fix(LEAVE),
    )
}

/// <https://docs.timescale.com/api/latest/hypertable/create_index/>
fn concurrent_index(statement: &Statement, context: &Context) -> Option<Diagnostic> {
    let table = indexed(statement).filter(|table| context.hypertables.contains(table))?;
    Some(
        Diagnostic::error("E0855", format!("CREATE INDEX CONCURRENTLY is not supported on the hypertable {table}"))
            .because("The index is made chunk by chunk, which CONCURRENTLY cannot do")
            .fix("Leave CONCURRENTLY out; with `WITH (timescaledb.transaction_per_chunk)` in a file of its own that begins with `-- no-transaction`, one chunk at a time is locked."),
    )
}

/// The table that is indexed concurrently, without its schema.
fn indexed(statement: &Statement) -> Option<String> {
    let tokens = &statement.tokens;
    let creates = begins(tokens, &["CREATE", "INDEX", "CONCURRENTLY"])
        || begins(tokens, &["CREATE", "UNIQUE", "INDEX", "CONCURRENTLY"]);
    if !creates {
        return None;
    }
    let on = tokens.iter().position(|token| token.is("ON"))?;
    let mut names = tokens[on + 1..].iter().skip_while(|token| token.is("ONLY"));
    let mut table = names.next()?.name();
    while names.next().is_some_and(|token| token.is(".")) {
        table = names.next()?.name();
    }
    Some(table)
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

/// Whether running the statement twice does no more than running it once.
pub fn is_repeatable(statement: &Statement) -> bool {
    let tokens = &statement.tokens;
    let always: &[&[&str]] = &[
        &["VACUUM"],
        &["ANALYZE"],
        &["REINDEX"],
        &["CLUSTER"],
        &["ALTER", "SYSTEM"],
        &["CALL", "REFRESH_CONTINUOUS_AGGREGATE"],
        &["CALL", "PUBLIC", ".", "REFRESH_CONTINUOUS_AGGREGATE"],
        &["SELECT", "1"],
    ];
    always.iter().any(|words| begins(tokens, words))
        || has(tokens, &["IF", "NOT", "EXISTS"])
        || (begins(tokens, &["DROP"]) && has(tokens, &["IF", "EXISTS"]))
}
