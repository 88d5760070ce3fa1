//! Statements whose answers are lines of text; for questions that others write.

use sqlx::{Row, ValueRef, postgres::PgRow};

use crate::{DatabaseUrl, DbError, connect::connect};

/// Runs `statements` one after another in one session, each in a transaction of its own, and gives
/// a line for each row: its columns as the server writes them, apart by a tab, NULL as nothing.
///
/// # Errors
/// At the first statement that the server refuses, with its words; `what` says what was being done.
pub async fn ask(url: &DatabaseUrl, what: &str, statements: &[String]) -> Result<Vec<String>, DbError> {
    let mut session = connect(url).await?;
    let mut lines = Vec::new();
    for statement in statements {
        // The simple protocol: values come as text, whatever their type.
        let rows = sqlx::raw_sql(sqlx::AssertSqlSafe(statement.as_str()));
        let rows = rows.fetch_all(&mut session).await.map_err(|error| DbError::sql(what, &error))?;
        for row in &rows {
            lines.push(line(row).map_err(|error| DbError::sql(what, &error))?);
        }
    }
    Ok(lines)
}

fn line(row: &PgRow) -> Result<String, sqlx::Error> {
    let mut columns = Vec::with_capacity(row.len());
    for index in 0..row.len() {
        let value = row.try_get_raw(index)?;
        let text = if value.is_null() { "" } else { value.as_str().map_err(sqlx::Error::Decode)? };
        columns.push(text.to_owned());
    }
    Ok(columns.join("\t"))
}
