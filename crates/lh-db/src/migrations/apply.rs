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
            // Where the server went away, there is nothing to take back.
            let _ = transaction.rollback().await;
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
        drop_invalid_index(session, statement, again).await?;
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
            // Where it went away, too, the next run asks about this one.
            let _ = table.forget(session, migration.version).await;
        }
        return Err(refused);
    }
    table.note_done(session, migration, began.elapsed()).await
}

/// CREATE INDEX CONCURRENTLY that was interrupted leaves an invalid index, which IF NOT EXISTS
/// would take for the index, and which is in the way of another attempt without it.
async fn drop_invalid_index(
    session: &mut PgConnection,
    statement: &sql::Statement<'_>,
    again: bool,
) -> Result<(), DbError> {
    let Some(sql::ConcurrentIndex { name, table, .. }) =
        sql::concurrent_index(statement).filter(|index| index.if_not_exists || again)
    else {
        return Ok(());
    };
    let failed = |error: sqlx::Error| DbError::sql(format!("The index {name}"), &error);
    // It is where its table is.
    let invalid: Option<String> = scalar(
        "SELECT i.indexrelid::regclass::text FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid \
         WHERE c.relname = $1 AND i.indrelid = to_regclass($2) AND NOT i.indisvalid",
    )
    .bind(&name)
    .bind(&table)
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
