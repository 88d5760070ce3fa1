//! What can go wrong with a database.

use lh_model::{Diagnostic, Origin};

/// Why something with a database did not end well.
#[derive(Debug, thiserror::Error)]
pub enum DbError {
    /// The URL cannot be used. The text never repeats the URL, which may hold a password.
    #[error("the database URL cannot be used: {0}")]
    Url(String),
    /// There is no session.
    #[error("no session with {place}: {problem}")]
    Connect {
        /// Host, port and database.
        place: String,
        /// What is in the way.
        problem: ConnectProblem,
    },
    /// The server refused a statement, or the connection broke.
    #[error("{what}: {reason}")]
    Sql {
        /// What was being done.
        what: String,
        /// The server's words, with detail and hint.
        reason: String,
    },
    /// A statement of a migration was refused.
    #[error("{origin}: the migration {version} failed: {reason}")]
    Migration {
        /// The migration.
        version: i64,
        /// The statement, or the place in it that the server names.
        origin: Origin,
        /// The server's words.
        reason: String,
        /// What became of what the migration had done before.
        left: &'static str,
    },
    /// The migrations cannot be run as they are.
    #[error("the migrations cannot be run")]
    Refused(Vec<Diagnostic>),
    /// Another runner is at work.
    #[error("another run of migrations holds the lock ({holder}); waited {seconds} s")]
    Locked {
        /// Who, as the server tells it.
        holder: String,
        /// How long it was waited for.
        seconds: u64,
    },
    /// The database of this machine runs already.
    #[error("a database runs there already, at {place}")]
    Runs {
        /// Host, port and database.
        place: String,
    },
    /// The database of this machine cannot be had.
    #[error("{0}")]
    Local(String),
    /// A file or folder.
    #[error("{path}: {reason}")]
    File {
        /// Which.
        path: String,
        /// Why not.
        reason: String,
    },
}

/// What keeps a client from having a session.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ConnectProblem {
    /// Nobody listens.
    #[error("nothing accepts connections there: {0}")]
    Refused(String),
    /// The host's name is not known, or there is no way to it.
    #[error("the host cannot be reached: {0}")]
    Unreachable(String),
    /// No answer in time.
    #[error("there was no answer within {0} s")]
    Silent(u64),
    /// The connection ended before the session began.
    #[error("the server closed the connection before the session began: {0}")]
    Closed(String),
    /// TLS failed, or one side wants it and the other does not.
    #[error("TLS: {0}")]
    Tls(String),
    /// The server is starting, stopping or recovering (SQLSTATE 57P01 to 57P03).
    #[error("the server takes no sessions now: {0}")]
    Starting(String),
    /// User or password (28000, 28P01).
    #[error("the server did not accept user and password: {0}")]
    Password(String),
    /// No such database (3D000).
    #[error("there is no such database: {0}")]
    Database(String),
    /// All connections are in use (53300).
    #[error("the server has no connection left: {0}")]
    Full(String),
    /// The extension `timescaledb` is not created in the database.
    #[error("the database answers, but has no extension timescaledb")]
    Extension,
    /// Anything else.
    #[error("{0}")]
    Other(String),
}

impl ConnectProblem {
    /// Whether waiting can help: a server that starts goes through these.
    pub fn may_pass(&self) -> bool {
        !matches!(self, Self::Password(_) | Self::Tls(_))
    }

    /// Whether nothing leads to the server from here, so that another way may: whatever else is
    /// wrong would be the same at the end of any other.
    pub fn is_remote(&self) -> bool {
        matches!(self, Self::Silent(_) | Self::Unreachable(_))
    }

    /// Whether no server of the database was heard: at the end of a way that claims to lead there, so
    /// that it does not.
    pub fn is_unheard(&self) -> bool {
        self.is_remote() || matches!(self, Self::Refused(_) | Self::Closed(_))
    }

    /// What to do about it, in a sentence.
    pub fn advice(&self) -> &'static str {
        match self {
            Self::Refused(_) => {
                "Check that the database runs and that host and port are right; a server that is being set up listens only when it is done."
            }
            Self::Unreachable(_) | Self::Silent(_) => {
                "Check the address, and that the security group or firewall lets this machine reach the port."
            }
            Self::Closed(_) => "Check that a PostgreSQL server listens there, then try again.",
            Self::Tls(_) => {
                "Set `sslmode` in the URL to what the server offers: `require` with TLS, `disable` without."
            }
            Self::Starting(_) => "Wait until it has started, then try again.",
            Self::Password(_) => {
                "Check user and password. The server keeps the password it was first set up with; a changed secret must be set there with ALTER ROLE too."
            }
            Self::Database(_) => "Create the database, or name one that is there in the URL.",
            Self::Full(_) => "Close sessions that are not needed, then try again.",
            Self::Extension => "Create it with CREATE EXTENSION timescaledb, or run the migrations.",
            Self::Other(_) => "Mend what the server says, then try again.",
        }
    }
}

impl DbError {
    /// An error of the driver, while `what` was being done.
    pub(crate) fn sql(what: impl Into<String>, error: &sqlx::Error) -> Self {
        Self::Sql { what: what.into(), reason: words(error) }
    }

    /// What to do about it, where there is one answer.
    pub fn advice(&self) -> Option<String> {
        match self {
            Self::Connect { problem, .. } => Some(problem.advice().to_owned()),
            Self::Url(_) => Some(
                "Write it as postgresql://USER:PASSWORD@HOST:5432/DATABASE?sslmode=require; letters such as / + = in the password are percent-encoded.".to_owned(),
            ),
            Self::Locked { .. } => Some(
                "Wait until it has ended, or raise --lock-timeout. The lock is the session's: it is free as soon as that session ends.".to_owned(),
            ),
            Self::Migration { left, .. } => Some((*left).to_owned()),
            Self::Runs { .. } => Some("Use it as it is: commands on an applied stack with --local reach it. `lhctl local database --stop` ends it, wherever it was started.".to_owned()),
            Self::Local(_) => Some("Everything else works without it; any other TimescaleDB serves too, by --database-url.".to_owned()),
            Self::Sql { .. } | Self::Refused(_) | Self::File { .. } => None,
        }
    }
}

/// The server's words for an error, with its detail, hint and code.
pub(crate) fn words(error: &sqlx::Error) -> String {
    let Some(db) = error.as_database_error() else { return error.to_string() };
    let mut text = db.message().trim_end_matches('.').to_owned();
    if let Some(pg) = db.try_downcast_ref::<sqlx::postgres::PgDatabaseError>() {
        for more in [pg.detail(), pg.hint()].into_iter().flatten() {
            text.push_str(&format!(" ({})", more.trim_end_matches('.')));
        }
        text.push_str(&format!(" [{}]", pg.code()));
    }
    text
}
