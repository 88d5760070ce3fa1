//! The URL of a database: it may hold a password, so it cannot be printed; its place can.

use std::str::FromStr;

use lh_model::Plaintext;
use percent_encoding::percent_decode_str;
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
        if is_cut(url.expose()) {
            return Err(DbError::Url(UNREADABLE.to_owned()));
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

    /// The same database through a port of this machine that leads to its server. Its place stays what
    /// it was.
    ///
    /// # Errors
    /// [`DbError::Url`], as for a URL that cannot be used at all.
    pub fn through(&self, port: u16) -> Result<Self, DbError> {
        let unreadable = || DbError::Url(UNREADABLE.to_owned());
        let mut parsed = url::Url::parse(self.url.expose()).map_err(|_| unreadable())?;
        parsed.set_host(Some("127.0.0.1")).map_err(|_| unreadable())?;
        parsed.set_port(Some(port)).map_err(|()| unreadable())?;
        let url = Plaintext::new(parsed.into());
        Ok(Self { url, place: self.place.clone(), database: self.database.clone(), loopback: self.loopback })
    }

    /// What PostgreSQL's own programs read from their environment, so that they log in here; unlike
    /// their arguments, no other user of the machine sees it.
    /// <https://www.postgresql.org/docs/current/libpq-envars.html>
    ///
    /// # Errors
    /// [`DbError::Url`], as for a URL that cannot be used at all.
    pub fn environment(&self) -> Result<Vec<(&'static str, Plaintext)>, DbError> {
        let options = self.options()?;
        let parsed = url::Url::parse(self.url.expose()).map_err(|_| DbError::Url(UNREADABLE.to_owned()))?;
        let host = options.get_socket().map(|folder| folder.display().to_string());
        let mut all = vec![
            ("PGHOST", host.unwrap_or_else(|| options.get_host().to_owned())),
            ("PGPORT", options.get_port().to_string()),
            ("PGUSER", options.get_username().to_owned()),
            ("PGDATABASE", self.database.clone()),
        ];
        for (key, value) in parsed.query_pairs() {
            let name = ENVIRONMENT.iter().find(|(option, _)| *option == key);
            all.extend(name.map(|(_, variable)| (*variable, value.into_owned())));
        }
        if let Some(password) = parsed.password() {
            all.push(("PGPASSWORD", percent_decode_str(password).decode_utf8_lossy().into_owned()));
        }
        Ok(all.into_iter().map(|(name, value)| (name, Plaintext::new(value))).collect())
    }

    /// The driver's options. Their `Debug` would show the password: never print them.
    pub(crate) fn options(&self) -> Result<PgConnectOptions, DbError> {
        parse(&self.url)
    }
}

/// Parameters of a URL that have a variable of libpq's.
const ENVIRONMENT: [(&str, &str); 6] = [
    ("sslmode", "PGSSLMODE"),
    ("sslrootcert", "PGSSLROOTCERT"),
    ("sslcert", "PGSSLCERT"),
    ("sslkey", "PGSSLKEY"),
    ("options", "PGOPTIONS"),
    ("application_name", "PGAPPNAME"),
];

/// The driver's own message may repeat a part of the URL that is a piece of the password.
const UNREADABLE: &str = "it cannot be parsed; a `/`, `@`, `:`, `#` or `%` in user or password must be percent-encoded, and `sslmode` be one that PostgreSQL knows";

/// Whether a `/`, `?` or `#` ends the authority before its `@`: what is then taken for host and
/// database are pieces of a password.
fn is_cut(url: &str) -> bool {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    rest.split_once(['/', '?', '#']).is_some_and(|(_, after)| after.contains('@'))
}

/// Parameters that the driver knows; `options[…]` too.
const KNOWN: [&str; 18] = [
    "sslmode",
    "ssl-mode",
    "sslrootcert",
    "ssl-root-cert",
    "ssl-ca",
    "sslcert",
    "ssl-cert",
    "sslkey",
    "ssl-key",
    "statement-cache-capacity",
    "host",
    "hostaddr",
    "port",
    "dbname",
    "user",
    "password",
    "application_name",
    "options",
];

fn parse(url: &Plaintext) -> Result<PgConnectOptions, DbError> {
    let told = for_driver(url)?;
    PgConnectOptions::from_str(told.as_str()).map_err(|_| DbError::Url(UNREADABLE.to_owned()))
}

/// The driver tells of a parameter that it does not know, with its value, in a warning: such as
/// `sslpassword` do not reach it.
fn for_driver(url: &Plaintext) -> Result<url::Url, DbError> {
    let mut parsed = url::Url::parse(url.expose()).map_err(|_| DbError::Url(UNREADABLE.to_owned()))?;
    if parsed.query().is_some() {
        let is_known = |key: &str| KNOWN.contains(&key) || key.starts_with("options[");
        let pairs = parsed.query_pairs().filter(|(key, _)| is_known(key));
        let known: Vec<_> = pairs.map(|(key, value)| (key.into_owned(), value.into_owned())).collect();
        parsed.set_query(None);
        if !known.is_empty() {
            parsed.query_pairs_mut().extend_pairs(known);
        }
    }
    Ok(parsed)
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
    fn postgresqls_own_programs_log_in_by_their_environment() {
        let environment = |text: &str| {
            let all = url(text).unwrap().environment().unwrap();
            all.iter().map(|(name, value)| format!("{name}={}", value.expose())).collect::<Vec<_>>()
        };
        let all = environment("postgresql://me:s3cr%2Ft%40@db.example.com:5433/d?sslmode=require");
        let named = ["PGHOST=db.example.com", "PGPORT=5433", "PGUSER=me", "PGDATABASE=d"];
        assert_eq!(
            all,
            named.into_iter().chain(["PGSSLMODE=require", "PGPASSWORD=s3cr/t@"]).collect::<Vec<_>>()
        );
        let all = environment("postgres://me@%2Frun%2Fpg/d");
        assert_eq!(all, ["PGHOST=/run/pg", "PGPORT=5432", "PGUSER=me", "PGDATABASE=d"]);
    }

    #[test]
    fn a_port_of_this_machine_leads_to_the_same_place() {
        let there = url("postgresql://u:s3cr%2Ft@10.0.1.5:5432/d?sslmode=require").unwrap();
        let through = there.through(41_234).unwrap();
        assert_eq!(through.secret().expose(), "postgresql://u:s3cr%2Ft@127.0.0.1:41234/d?sslmode=require");
        assert_eq!(through.place(), there.place());
        assert!(!through.is_loopback());
    }

    #[test]
    fn an_unusable_url_is_told_without_its_secret() {
        for text in [
            "mysql://u:hunter2@h/d",
            "postgres://u:hun/ter2@h:x/d",
            "postgres://u:hunter2@h/d?sslmode=hunter2",
            "postgres://u:/hunter2@h/d",
            "postgres://u:12/hunter2@h/d",
            "postgres://u:1?hunter2@h/d",
            "postgres://u:1#hunter2@h/d",
            "postgres://u:hunter@2/hunter2@h/d",
        ] {
            let error = url(text).err().unwrap().to_string();
            assert!(!error.contains("hunter2") && !error.contains("ter2"), "{error}");
        }
    }

    /// Each would be in a log with its value.
    #[test]
    fn what_the_driver_does_not_know_does_not_reach_it() {
        let text =
            "postgres://u@h/d?sslpassword=hunter2&application_name=a%26b&passwd=hunter2&sslmode=disable";
        let told = for_driver(&Plaintext::new(text.to_owned())).unwrap();
        assert_eq!(told.as_str(), "postgres://u@h/d?application_name=a%26b&sslmode=disable");
        let told = for_driver(&Plaintext::new("postgres://u@h/d?passwd=hunter2".to_owned())).unwrap();
        assert_eq!(told.as_str(), "postgres://u@h/d");
    }

    #[test]
    fn loopback_is_this_machine_only() {
        assert!(url("postgres://u@127.0.0.1/d").unwrap().is_loopback());
        assert!(url("postgres://u@localhost/d").unwrap().is_loopback());
        assert!(!url("postgres://u@10.0.0.1/d").unwrap().is_loopback());
    }
}
