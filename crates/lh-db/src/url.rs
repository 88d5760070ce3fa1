//! The URL of a database: it may hold a password, so it cannot be printed; its place can.

use std::str::FromStr;

use lh_model::Plaintext;
use sqlx::postgres::PgConnectOptions;

use crate::DbError;

/// Where a database is and how to log in.
pub struct DatabaseUrl {
    url: Plaintext,
    place: String,
    database: String,
    loopback: bool,
}

impl DatabaseUrl {
    /// Checks the URL, `postgres://…` or `postgresql://…`.
    ///
    /// # Errors
    /// [`DbError::Url`], which does not repeat the URL.
    pub fn new(url: Plaintext) -> Result<Self, DbError> {
        let scheme = url.expose().split_once("://").map(|(scheme, _)| scheme);
        if !matches!(scheme, Some("postgres" | "postgresql")) {
            return Err(DbError::Url("it does not begin with postgresql://".to_owned()));
        }
        let options = parse(&url)?;
        let database = options.get_database().unwrap_or_else(|| options.get_username()).to_owned();
        let host = options
            .get_socket()
            .map_or_else(|| options.get_host().to_owned(), |folder| folder.display().to_string());
        let loopback = options.get_socket().is_some()
            || matches!(host.as_str(), "localhost" | "::1" | "[::1]")
            || host.starts_with("127.");
        let place = format!("{host}:{}/{database}", options.get_port());
        Ok(Self { url, place, database, loopback })
    }

    /// Host, port and database; never the password.
    pub fn place(&self) -> &str {
        &self.place
    }

    /// The name of the database.
    pub fn database(&self) -> &str {
        &self.database
    }

    /// Whether the server is on this machine, so that no network sees what is said.
    pub fn is_loopback(&self) -> bool {
        self.loopback
    }

    /// The URL with its password, for the one who asked for it.
    pub fn secret(&self) -> &Plaintext {
        &self.url
    }

    /// The driver's options. Their `Debug` would show the password: never print them.
    pub(crate) fn options(&self) -> Result<PgConnectOptions, DbError> {
        parse(&self.url)
    }
}

fn parse(url: &Plaintext) -> Result<PgConnectOptions, DbError> {
    // The driver's own message may repeat a part of the URL that is a piece of the password.
    let unreadable = "it cannot be parsed; a `/`, `@`, `:`, `#` or `%` in user or password must be percent-encoded, and `sslmode` be one that PostgreSQL knows";
    PgConnectOptions::from_str(url.expose()).map_err(|_| DbError::Url(unreadable.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(text: &str) -> Result<DatabaseUrl, DbError> {
        DatabaseUrl::new(Plaintext::new(text.to_owned()))
    }

    #[test]
    fn the_place_has_no_password() {
        let url =
            url("postgresql://postgres:s3cr%2Ft@db.example.com:5433/lighthouse?sslmode=require").unwrap();
        assert_eq!(url.place(), "db.example.com:5433/lighthouse");
        assert!(!url.is_loopback());
    }

    #[test]
    fn an_unusable_url_is_told_without_its_secret() {
        for text in [
            "mysql://u:hunter2@h/d",
            "postgres://u:hun/ter2@h:x/d",
            "postgres://u:hunter2@h/d?sslmode=hunter2",
        ] {
            let error = url(text).err().unwrap().to_string();
            assert!(!error.contains("hunter2") && !error.contains("ter2"), "{error}");
        }
    }

    #[test]
    fn loopback_is_this_machine_only() {
        assert!(url("postgres://u@127.0.0.1/d").unwrap().is_loopback());
        assert!(url("postgres://u@localhost/d").unwrap().is_loopback());
        assert!(!url("postgres://u@10.0.0.1/d").unwrap().is_loopback());
    }
}
