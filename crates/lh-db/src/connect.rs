//! One session with the server, and the reason when there is none.

use std::{io, time::Duration};

use sqlx::{
    ConnectOptions, FromRow, PgConnection, Postgres, SqlSafeStr,
    postgres::{PgArguments, PgRow},
    query::{Query, QueryScalar},
};

use crate::{ConnectProblem, DatabaseUrl, DbError, error::words};

/// How long a session may take to begin.
const PATIENCE: Duration = Duration::from_secs(10);

/// Begins a session.
pub(crate) async fn connect(url: &DatabaseUrl) -> Result<PgConnection, DbError> {
    let place = || url.place().to_owned();
    attempt(url, PATIENCE).await?.map_err(|problem| DbError::Connect { place: place(), problem })
}

/// Tries once. The outer error is one that no waiting mends: the URL.
pub(crate) async fn attempt(
    url: &DatabaseUrl,
    patience: Duration,
) -> Result<Result<PgConnection, ConnectProblem>, DbError> {
    let options =
        url.options()?.application_name("lhctl").statement_cache_capacity(0).disable_statement_logging();
    let connecting = tokio::time::timeout(patience, options.connect());
    Ok(match connecting.await {
        Ok(connected) => connected.map_err(|error| sort(&error)),
        Err(_) => Err(ConnectProblem::Silent(patience.as_secs().max(1))),
    })
}

/// A query whose statement has no name on the server: behind a pooler, or on the engine of
/// `lhctl local database` whose clients share one session, names of several clients would clash.
pub(crate) fn query<'q>(text: impl SqlSafeStr) -> Query<'q, Postgres, PgArguments> {
    sqlx::query(text).persistent(false)
}

/// The same, for a single value.
pub(crate) fn scalar<'q, T>(text: impl SqlSafeStr) -> QueryScalar<'q, Postgres, T, PgArguments>
where
    (T,): for<'r> FromRow<'r, PgRow>,
{
    sqlx::query_scalar(text).persistent(false)
}

/// What an error of the driver means for whoever wants a session.
fn sort(error: &sqlx::Error) -> ConnectProblem {
    let text = words(error);
    match error {
        sqlx::Error::Io(error) => match error.kind() {
            io::ErrorKind::ConnectionRefused => ConnectProblem::Refused("connection refused".to_owned()),
            io::ErrorKind::ConnectionReset | io::ErrorKind::UnexpectedEof | io::ErrorKind::BrokenPipe => {
                ConnectProblem::Closed(error.to_string())
            }
            io::ErrorKind::InvalidData => ConnectProblem::Tls(error.to_string()),
            _ => ConnectProblem::Unreachable(error.to_string()),
        },
        sqlx::Error::Tls(error) => ConnectProblem::Tls(error.to_string()),
        sqlx::Error::Database(error) => match error.code().as_deref().unwrap_or_default() {
            "28000" if text.contains("SSL") || text.contains("encryption") => ConnectProblem::Tls(text),
            "28000" | "28P01" => ConnectProblem::Password(text),
            "3D000" => ConnectProblem::Database(text),
            "53300" => ConnectProblem::Full(text),
            code if code.starts_with("57P") => ConnectProblem::Starting(text),
            _ => ConnectProblem::Other(text),
        },
        _ => ConnectProblem::Other(text),
    }
}
