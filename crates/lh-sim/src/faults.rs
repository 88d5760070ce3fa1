//! What can go wrong on purpose: throttling, server errors, lost answers, lag and the fuse.
//!
//! Faults belong to a process and not to the world: a later process starts without them.

use std::collections::BTreeSet;
use std::time::Duration;

/// The environment variable that [`Faults::from_env`] reads.
pub const FAULTS_VARIABLE: &str = "LHCTL_LOCAL_FAULTS";

/// The faults of this process. The default is none.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Faults {
    /// Where the process stops.
    pub fuse: Option<Fuse>,
    /// What the fuse does.
    pub on_fuse: OnFuse,
    /// Every Nth call is throttled, before any effect.
    pub throttle_every: Option<u32>,
    /// Every Nth call fails with HTTP 500, before any effect.
    pub server_error_every: Option<u32>,
    /// These mutating calls take effect, but their answer is lost.
    pub lose_answer_of: BTreeSet<u64>,
    /// These mutating calls never reach AWS: a connection error, and no effect.
    pub drop_request_of: BTreeSet<u64>,
    /// Operations, by name, that the caller is not allowed.
    pub deny: BTreeSet<String>,
    /// Operations, by name, that always fail with HTTP 500, before any effect.
    pub fail: BTreeSet<String>,
    /// To how many later reads a new object stays invisible.
    pub lag: u32,
    /// The largest page that any list operation gives.
    pub page: Option<u32>,
    /// How long each call takes in real time.
    pub latency: Duration,
    /// Every call is throttled.
    pub endless_throttle: bool,
    /// The seed of a world that does not exist yet; only [`Faults::from_env`] sets it, and who
    /// makes the world uses it.
    pub seed: Option<u64>,
}

/// The mutating call, counted from 1 in this process, at which the process stops.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fuse {
    /// The call was sent and had no effect.
    Before(u64),
    /// The effect was saved and the answer never read.
    After(u64),
}

/// How the process stops.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OnFuse {
    /// By `std::process::abort`, as a crash would.
    Abort,
    /// This call and all later ones fail as if the network were gone: for tests in one process.
    #[default]
    Fail,
}

impl Faults {
    /// The faults that `LHCTL_LOCAL_FAULTS` asks for; none if it is not set.
    ///
    /// # Errors
    /// A sentence that names the part that was not understood.
    pub fn from_env() -> Result<Faults, String> {
        match std::env::var(FAULTS_VARIABLE) {
            Ok(text) => Faults::parse(&text),
            Err(std::env::VarError::NotPresent) => Ok(Faults::default()),
            Err(error) => Err(format!("{FAULTS_VARIABLE} cannot be read: {error}.")),
        }
    }

    /// Reads the text of the variable; the crate's documentation lists the keys.
    ///
    /// # Errors
    /// A sentence that names the part that was not understood.
    pub fn parse(text: &str) -> Result<Faults, String> {
        let mut faults = Faults { on_fuse: OnFuse::Abort, ..Faults::default() };
        for part in text.split(',').map(str::trim).filter(|part| !part.is_empty()) {
            let (key, value) = part
                .split_once('=')
                .ok_or_else(|| format!("{FAULTS_VARIABLE}: `{part}` is not of the form key=value."))?;
            faults.set(key.trim(), value.trim())?;
        }
        Ok(faults)
    }

    fn set(&mut self, key: &str, value: &str) -> Result<(), String> {
        match key {
            "fuse" => self.fuse = Some(fuse(value)?),
            "on-fuse" => {
                self.on_fuse = match value {
                    "abort" => OnFuse::Abort,
                    "fail" => OnFuse::Fail,
                    _ => return Err(wrong(key, value, "`abort` or `fail`")),
                }
            }
            "throttle" if value == "always" => self.endless_throttle = true,
            "throttle" => self.throttle_every = Some(number(key, value)?),
            "server-error" => self.server_error_every = Some(number(key, value)?),
            "lose" => {
                self.lose_answer_of.insert(number(key, value)?);
            }
            "drop" => {
                self.drop_request_of.insert(number(key, value)?);
            }
            "deny" => {
                self.deny.insert(value.to_owned());
            }
            "fail" => {
                self.fail.insert(value.to_owned());
            }
            "lag" => self.lag = number(key, value)?,
            "page" => self.page = Some(number(key, value)?),
            "latency" => self.latency = duration(value)?,
            "seed" => self.seed = Some(number(key, value)?),
            _ => return Err(format!("{FAULTS_VARIABLE}: the key `{key}` is not known.")),
        }
        Ok(())
    }
}

fn fuse(value: &str) -> Result<Fuse, String> {
    match value.split_once(':') {
        Some(("before", n)) => Ok(Fuse::Before(number("fuse", n)?)),
        Some(("after", n)) => Ok(Fuse::After(number("fuse", n)?)),
        _ => Err(wrong("fuse", value, "`before:N` or `after:N`")),
    }
}

fn duration(value: &str) -> Result<Duration, String> {
    if let Some(ms) = value.strip_suffix("ms") {
        return Ok(Duration::from_millis(number("latency", ms)?));
    }
    match value.strip_suffix('s') {
        Some(s) => Ok(Duration::from_secs(number("latency", s)?)),
        None => Err(wrong("latency", value, "a number with `ms` or `s`")),
    }
}

fn number<N: std::str::FromStr>(key: &str, value: &str) -> Result<N, String> {
    value.parse().map_err(|_| wrong(key, value, "a whole number"))
}

fn wrong(key: &str, value: &str, wanted: &str) -> String {
    format!("{FAULTS_VARIABLE}: `{key}={value}` is not understood; the value is {wanted}.")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn the_documented_example_is_read() {
        let faults = Faults::parse("fuse=after:7, throttle=3,lag=2,latency=40ms,lose=4,seed=9").unwrap();
        assert_eq!(faults.fuse, Some(Fuse::After(7)));
        assert_eq!(faults.on_fuse, OnFuse::Abort);
        assert_eq!((faults.throttle_every, faults.lag), (Some(3), 2));
        assert_eq!(faults.latency, Duration::from_millis(40));
        assert!(faults.lose_answer_of.contains(&4));
        assert_eq!(faults.seed, Some(9));
    }

    #[test]
    fn what_is_not_understood_is_named() {
        for text in ["fuse=7", "lag=two", "latency=40", "colour=red", "lag"] {
            let error = Faults::parse(text).unwrap_err();
            assert!(error.contains(text.split('=').next().unwrap()), "{error}");
        }
    }
}
