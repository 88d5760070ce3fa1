//! Readiness: whether the database answers over the network, with authentication, and has its
//! extension.
//!
//! A server that is being set up listens on a socket of its own machine only, and restarts when
//! it is done: `pg_isready` there would say yes too early. Over TCP it is simply not there yet.

use std::time::{Duration, Instant};

use sqlx::{Connection, Row};

use crate::{ConnectProblem, DatabaseUrl, DbError, connect::attempt};

/// How long one attempt may take: this when there is time, and never less than the other.
const ATTEMPT: Duration = Duration::from_secs(5);
const LEAST: Duration = Duration::from_secs(2);

/// The pauses between attempts: short at first, then half a minute's worth of patience.
const PAUSES: [Duration; 4] =
    [Duration::from_millis(200), Duration::from_millis(500), Duration::from_secs(1), Duration::from_secs(2)];

/// How far a database has come, from the first to the last.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stage {
    /// There is no session yet, for this reason.
    Waiting(ConnectProblem),
    /// It is ready: a session with authentication found the extension, at this version.
    Ready {
        /// The version of the extension.
        extension: String,
    },
}

/// Waits until the database at `url` is ready and returns the version of its extension. Each new
/// stage is told once. What no waiting mends (a wrong password, TLS that does not fit) ends it at
/// once.
///
/// # Errors
/// [`DbError::Connect`] with the last reason when `deadline` has passed; an attempt that is under
/// way then gets two seconds more.
pub async fn ready(
    url: &DatabaseUrl,
    deadline: Duration,
    tell: &mut (dyn FnMut(&Stage) + Send),
) -> Result<String, DbError> {
    let began = Instant::now();
    let mut pauses = PAUSES.into_iter().chain(std::iter::repeat(PAUSES[PAUSES.len() - 1]));
    let mut last = None;
    loop {
        let left = deadline.saturating_sub(began.elapsed());
        // Ending an attempt at the deadline to the millisecond would tell a slow server as silent.
        let patience = left.clamp(LEAST, ATTEMPT);
        let problem = match once(url, patience).await? {
            Ok(extension) => {
                tell(&Stage::Ready { extension: extension.clone() });
                return Ok(extension);
            }
            Err(problem) => problem,
        };
        if last.as_ref() != Some(&problem) {
            tell(&Stage::Waiting(problem.clone()));
        }
        let pause = pauses.next().unwrap_or_default();
        if !problem.may_pass() || began.elapsed() + pause >= deadline {
            return Err(DbError::Connect { place: url.place().to_owned(), problem });
        }
        last = Some(problem);
        tokio::time::sleep(pause).await;
    }
}

/// Asks once: the version of the extension, or what is in the way. For whoever looks at other
/// things between two questions, and so cannot wait in [`ready`].
///
/// # Errors
/// What no waiting mends: a URL that cannot be used.
pub async fn probe(url: &DatabaseUrl) -> Result<Result<String, ConnectProblem>, DbError> {
    once(url, ATTEMPT).await
}

async fn once(url: &DatabaseUrl, patience: Duration) -> Result<Result<String, ConnectProblem>, DbError> {
    let mut session = match attempt(url, patience).await? {
        Ok(session) => session,
        Err(problem) => return Ok(Err(problem)),
    };
    // The simple protocol leaves nothing on the server: the host may ask in the same moment, and on
    // the engine of `lhctl local database` all clients share one session.
    let asking = sqlx::raw_sql("SELECT extversion FROM pg_extension WHERE extname = 'timescaledb'")
        .fetch_optional(&mut session);
    let answer = match tokio::time::timeout(patience, asking).await {
        Ok(Ok(Some(row))) => row.try_get(0).map_err(|error| ConnectProblem::Other(error.to_string())),
        Ok(Ok(None)) => Err(ConnectProblem::Extension),
        Ok(Err(error)) => Err(ConnectProblem::Closed(crate::error::words(&error))),
        Err(_) => Err(ConnectProblem::Silent(patience.as_secs().max(1))),
    };
    let _ = tokio::time::timeout(patience, session.close()).await;
    Ok(answer)
}
