//! The server: version, latency, encryption, the extension, statistics of statements.

use std::time::{Duration, Instant};

use sqlx::{PgConnection, Row};

use super::check::{Problem, Verdict};
use crate::DatabaseUrl;
use crate::connect::{query, scalar};

/// How often the round trip is measured.
const ROUND_TRIPS: usize = 5;

pub(super) async fn connection(session: &mut PgConnection, url: &DatabaseUrl) -> Verdict {
    let version: String = scalar("SELECT version()").fetch_one(&mut *session).await?;
    let mut times = Vec::new();
    for _ in 0..ROUND_TRIPS {
        let began = Instant::now();
        query("SELECT 1").execute(&mut *session).await?;
        times.push(began.elapsed());
    }
    times.sort();
    let version = version.split(" on ").next().unwrap_or_default().to_owned();
    Ok(vec![url.place().to_owned(), version, format!("round trip {}", milliseconds(times[ROUND_TRIPS / 2]))])
}

/// `1.2 ms`.
pub(crate) fn milliseconds(duration: Duration) -> String {
    format!("{:.1} ms", duration.as_secs_f64() * 1000.0)
}

pub(super) async fn encryption(session: &mut PgConnection, url: &DatabaseUrl) -> Verdict {
    let row = query("SELECT coalesce(version, '') AS version, coalesce(cipher, '') AS cipher FROM pg_stat_ssl WHERE pid = pg_backend_pid() AND ssl")
        .fetch_optional(session)
        .await?;
    match row {
        Some(row) => {
            Ok(vec![format!("{} {}", row.get::<String, _>("version"), row.get::<String, _>("cipher"))])
        }
        None if url.is_loopback() => Ok(vec!["not encrypted, within this machine".to_owned()]),
        None => Err(Problem::failed(
            "The session is not encrypted, and it leaves this machine",
            "Add `sslmode=require` to the URL; the server must have `ssl = on`.",
        )),
    }
}

pub(super) async fn extension(session: &mut PgConnection) -> Verdict {
    let row = query(
        "SELECT e.extversion AS version, coalesce(a.default_version, e.extversion) AS carried \
         FROM pg_extension e LEFT JOIN pg_available_extensions a ON a.name = e.extname WHERE e.extname = 'timescaledb'",
    )
    .fetch_optional(&mut *session)
    .await?;
    let Some(row) = row else {
        return Err(Problem::failed(
            "The database has no extension timescaledb",
            "Run the migrations with `lhctl migrate STACK`, on an image that carries TimescaleDB.",
        ));
    };
    let (version, carried): (String, String) = (row.get("version"), row.get("carried"));
    let license: Option<String> =
        scalar("SELECT current_setting('timescaledb.license', true)").fetch_one(session).await?;
    let evidence = vec![format!("timescaledb {version}"), format!("licence {}", license.unwrap_or_default())];
    if version != carried {
        return Err(Problem::Failed(
            format!("The database has timescaledb {version}, and the server's image carries {carried}"),
            "Run `ALTER EXTENSION timescaledb UPDATE` as the first statement of a session (psql -X), in every database that has it.".to_owned(),
            evidence,
        ));
    }
    Ok(evidence)
}

/// Whether this is the engine of `lhctl local database`, which is compiled to WebAssembly.
async fn is_embedded(session: &mut PgConnection) -> Result<bool, sqlx::Error> {
    let version: String = scalar("SELECT version()").fetch_one(session).await?;
    Ok(version.contains("emcc") || version.contains("Emscripten"))
}

pub(super) async fn statements(session: &mut PgConnection) -> Verdict {
    let created: bool =
        scalar("SELECT EXISTS (SELECT FROM pg_extension WHERE extname = 'pg_stat_statements')")
            .fetch_one(&mut *session)
            .await?;
    if !created {
        if is_embedded(session).await? {
            let reason = "The engine of `lhctl local database` has no pg_stat_statements";
            return Err(Problem::Skipped(reason.to_owned()));
        }
        return Err(Problem::failed(
            "The database has no extension pg_stat_statements",
            "Run CREATE EXTENSION pg_stat_statements; the server must have it in shared_preload_libraries.",
        ));
    }
    let counted = scalar::<i64>("SELECT count(*) FROM pg_stat_statements").fetch_one(session).await;
    match counted {
        Ok(count) => Ok(vec![format!("pg_stat_statements knows {count} statements")]),
        Err(error) => Err(Problem::failed(
            format!("pg_stat_statements is created and does not work: {}", crate::error::words(&error)),
            "Set shared_preload_libraries = 'timescaledb,pg_stat_statements' and restart the server.",
        )),
    }
}
