//! sqlx's table of what was applied.

use std::time::Duration;

use sqlx::{AssertSqlSafe, PgConnection};

use super::{Migration, TABLE};
use crate::DbError;
use crate::connect::{query, scalar};

/// sqlx's table, named with its schema: a migration may change the search path.
pub(super) struct Table(String);

impl Table {
    pub async fn find(session: &mut PgConnection) -> Result<Self, DbError> {
        let name = scalar(
            "SELECT format('%I.%I', n.nspname, c.relname) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace \
             WHERE c.oid = to_regclass($1)",
        );
        name.bind(TABLE)
            .fetch_one(session)
            .await
            .map(Self)
            .map_err(|error| DbError::sql(format!("The table {TABLE}"), &error))
    }

    pub async fn note(
        &self,
        session: &mut PgConnection,
        migration: &Migration,
        success: bool,
        elapsed: Duration,
    ) -> Result<(), DbError> {
        let insert = format!(
            "INSERT INTO {} (version, description, success, checksum, execution_time) VALUES ($1, $2, $3, $4, $5)",
            self.0
        );
        let insert = query(AssertSqlSafe(insert))
            .bind(migration.version)
            .bind(&migration.description)
            .bind(success)
            .bind(&migration.checksum)
            .bind(nanoseconds(elapsed));
        insert.execute(session).await.map_err(|error| self.failed(&error))?;
        Ok(())
    }

    pub async fn note_done(
        &self,
        session: &mut PgConnection,
        migration: &Migration,
        elapsed: Duration,
    ) -> Result<(), DbError> {
        let update = format!(
            "UPDATE {} SET success = true, checksum = $2, execution_time = $3 WHERE version = $1",
            self.0
        );
        let update = query(AssertSqlSafe(update))
            .bind(migration.version)
            .bind(&migration.checksum)
            .bind(nanoseconds(elapsed));
        update.execute(session).await.map_err(|error| self.failed(&error))?;
        Ok(())
    }

    pub async fn forget(&self, session: &mut PgConnection, version: i64) -> Result<(), DbError> {
        let delete = format!("DELETE FROM {} WHERE version = $1 AND NOT success", self.0);
        let delete = query(AssertSqlSafe(delete)).bind(version);
        delete.execute(session).await.map_err(|error| self.failed(&error))?;
        Ok(())
    }

    fn failed(&self, error: &sqlx::Error) -> DbError {
        DbError::sql(format!("The table {}", self.0), error)
    }
}

fn nanoseconds(elapsed: Duration) -> i64 {
    i64::try_from(elapsed.as_nanos()).unwrap_or(i64::MAX)
}
