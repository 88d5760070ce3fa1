//! One file: in a transaction with the note that it was done; one that must be outside a
//! transaction is noted before and after, so that a crash in between is seen.

use std::time::{Duration, Instant};

use sqlx::{
    AssertSqlSafe, Connection, PgConnection,
    postgres::{PgDatabaseError, PgErrorPosition},
};

use super::{Migration, note::Table};
use crate::connect::scalar;
use crate::{DbError, error::words, sql};

/// A file in one transaction with its note.
pub(super) async fn together(
    session: &mut PgConnection,
    table: &Table,
    migration: &Migration,
) -> Result<(), DbError> {
    let failed = |error: &sqlx::Error| DbError::sql(format!("The migration {}", migration.version), error);
    let began = Instant::now();
    let mut transaction = session.begin().await.map_err(|error| failed(&error))?;
    let (found, _) = sql::statements(&migration.sql);
    for statement in &found {
        let text = &migration.sql[statement.span.clone()];
        if let Err(error) = sqlx::raw_sql(AssertSqlSafe(text.to_owned())).execute(&mut *transaction).await {
            let left = "Nothing of this file was kept, and those before it were. Mend it and run again: the run goes on from here.";
            let error = refused(migration, statement.span.start, text, &error, left);
            transaction.rollback().await.map_err(|error| failed(&error))?;
            return Err(error);
        }
    }
    table.note(&mut transaction, migration, true, began.elapsed()).await?;
    transaction.commit().await.map_err(|error| failed(&error))
}

/// A file outside a transaction: noted as begun, run, noted as done.
pub(super) async fn alone(
    session: &mut PgConnection,
    table: &Table,
    migration: &Migration,
    again: bool,
) -> Result<(), DbError> {
    let began = Instant::now();
    if !again {
        table.note(session, migration, false, Duration::ZERO).await?;
    }
    let (found, _) = sql::statements(&migration.sql);
    for statement in &found {
        drop_invalid_index(session, statement).await?;
        let text = &migration.sql[statement.span.clone()];
        let Err(error) = sqlx::raw_sql(AssertSqlSafe(text.to_owned())).execute(&mut *session).await else {
            continue;
        };
        let answered = error.as_database_error().is_some();
        let left =
            "It ran outside a transaction: see whether it left something behind. Mend it and run again.";
        let refused = refused(migration, statement.span.start, text, &error, left);
        if answered {
            // The server said no: that is an end, and no reason to ask anybody at the next run.
            table.forget(session, migration.version).await?;
        }
        return Err(refused);
    }
    table.note_done(session, migration, began.elapsed()).await
}

/// CREATE INDEX CONCURRENTLY that was interrupted leaves an invalid index, which IF NOT EXISTS
/// would take for the index.
async fn drop_invalid_index(
    session: &mut PgConnection,
    statement: &sql::Statement<'_>,
) -> Result<(), DbError> {
    let words: Vec<String> = statement.tokens.iter().map(|token| token.text.to_uppercase()).collect();
    let Some(at) = words.windows(4).position(|w| w == ["CONCURRENTLY", "IF", "NOT", "EXISTS"]) else {
        return Ok(());
    };
    let Some(name) = statement.tokens.get(at + 4) else { return Ok(()) };
    let failed = |error: sqlx::Error| DbError::sql(format!("The index {}", name.text), &error);
    let invalid: Option<String> = scalar(
        "SELECT indexrelid::regclass::text FROM pg_index WHERE indexrelid = to_regclass($1) AND NOT indisvalid",
    )
    .bind(name.text)
    .fetch_optional(&mut *session)
    .await
    .map_err(failed)?;
    if let Some(index) = invalid {
        let drop = format!("DROP INDEX CONCURRENTLY {index}");
        sqlx::raw_sql(AssertSqlSafe(drop)).execute(session).await.map_err(failed)?;
    }
    Ok(())
}

/// The server's no, at its place in the file.
fn refused(
    migration: &Migration,
    start: usize,
    text: &str,
    error: &sqlx::Error,
    left: &'static str,
) -> DbError {
    let pg = error.as_database_error().and_then(|db| db.try_downcast_ref::<PgDatabaseError>());
    let place = pg.and_then(|pg| match pg.position() {
        Some(PgErrorPosition::Original(position)) => {
            text.char_indices().nth(position.saturating_sub(1)).map(|(at, _)| at)
        }
        _ => None,
    });
    let span = match place {
        Some(at) => {
            start + at
                ..start
                    + text[at..].find(|c: char| c.is_whitespace()).map_or(text.len(), |length| at + length)
        }
        None => start..start + text.find('\n').unwrap_or(text.len()),
    };
    DbError::Migration {
        version: migration.version,
        origin: migration.origin(span),
        reason: words(error),
        left,
    }
}
