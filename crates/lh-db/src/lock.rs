//! One runner at a time: the advisory lock that sqlx's own tools take too.

use std::time::{Duration, Instant};

use sqlx::{PgConnection, Row};

use crate::connect::{query, scalar};
use crate::{DbError, Progress};

/// How often a held lock is asked for again.
const PAUSE: Duration = Duration::from_millis(250);

/// Takes the lock, waiting for at most `limit`. It is the session's: it ends with it.
pub(crate) async fn acquire(
    session: &mut PgConnection,
    limit: Duration,
    tell: &mut (dyn FnMut(Progress) + Send),
) -> Result<(), DbError> {
    let key = key(session).await?;
    let began = Instant::now();
    let mut told = false;
    loop {
        let taken: bool = scalar("SELECT pg_try_advisory_lock($1)")
            .bind(key)
            .fetch_one(&mut *session)
            .await
            .map_err(|error| DbError::sql("The lock of the migrations", &error))?;
        if taken {
            return Ok(());
        }
        let holder = holder(session, key).await?;
        if began.elapsed() >= limit {
            return Err(DbError::Locked { holder, seconds: limit.as_secs() });
        }
        if !told {
            tell(Progress::Waiting { holder, limit });
            told = true;
        }
        tokio::time::sleep(PAUSE).await;
    }
}

/// Gives the lock back.
pub(crate) async fn release(session: &mut PgConnection) -> Result<(), DbError> {
    let key = key(session).await?;
    let unlock = query("SELECT pg_advisory_unlock($1)").bind(key);
    unlock.execute(session).await.map_err(|error| DbError::sql("The lock of the migrations", &error))?;
    Ok(())
}

async fn key(session: &mut PgConnection) -> Result<i64, DbError> {
    let name: String = scalar("SELECT current_database()::text")
        .fetch_one(session)
        .await
        .map_err(|error| DbError::sql("The name of the database", &error))?;
    Ok(key_of(&name))
}

/// The key of sqlx: a number of its own times the CRC-32 of the database's name.
fn key_of(database: &str) -> i64 {
    0x3d32_ad9e * i64::from(crc32(database.as_bytes()))
}

/// CRC-32 as in ISO-HDLC, zip and PNG.
fn crc32(bytes: &[u8]) -> u32 {
    let step = |crc: u32, _: usize| if crc & 1 == 1 { (crc >> 1) ^ 0xedb8_8320 } else { crc >> 1 };
    !bytes.iter().fold(!0, |crc, byte| (0..8).fold(crc ^ u32::from(*byte), step))
}

/// Who holds the lock, as `pg_stat_activity` tells it.
async fn holder(session: &mut PgConnection, key: i64) -> Result<String, DbError> {
    let row = query(
        "SELECT a.pid, coalesce(nullif(a.application_name, ''), 'a program without a name') AS program, \
                coalesce(a.client_addr::text, 'this machine') AS client, \
                extract(epoch FROM now() - a.backend_start)::bigint AS age \
         FROM pg_locks l JOIN pg_stat_activity a USING (pid) \
         WHERE l.locktype = 'advisory' AND l.granted AND l.objsubid = 1 \
           AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database()) \
           AND ((l.classid::bigint << 32) | l.objid::bigint) = $1 LIMIT 1",
    )
    .bind(key)
    .fetch_optional(session)
    .await
    .map_err(|error| DbError::sql("The holder of the lock", &error))?;
    Ok(match row {
        Some(row) => format!(
            "{} from {}, session {}, since {} s",
            row.get::<String, _>("program"),
            row.get::<String, _>("client"),
            row.get::<i32, _>("pid"),
            row.get::<i64, _>("age")
        ),
        None => "a session that ended meanwhile".to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_checksum_is_the_one_of_the_standard() {
        assert_eq!(crc32(b"123456789"), 0xcbf4_3926);
    }
}
