//! Day 2: the scripts that are sent to a host when they are needed, and what they answer.
//!
//! They are not part of the user data, which is small, and bring along what they share with the
//! installed ones, so that a host which was set up by an older lhctl runs them as well. Each ends
//! with one line of JSON on standard output, writes its progress as lines to standard error, and
//! exits with 5 where it refused and changed nothing, and with [`BUSY`] where another one runs that it
//! must not meet. None holds a secret.

mod answers;
mod changes;
mod dumps;
mod host;
pub mod queries;

pub use answers::{
    Backup, Backups, BucketDump, Checksum, DiskDump, Drill, DrillResult, RestorePlan, Restored, Retained,
    kept,
};
pub use changes::{
    ChunkToCompress, Compressed, DiskReport, Inside, Refresh, Retention, SlowQueries, SlowQuery, Table,
    Upgrade, Upgraded, Vanishing,
};
pub use dumps::{Origin, Restore, backup, backups, drill, release_retained, restore, retained};
pub use host::{Logs, disk, logs, psql, upgrade};

use crate::template::shell_word;

/// The exit status of a script that found the host's lock held, and changed nothing.
pub const BUSY: i32 = 16;

/// The line by which an installed program takes in what all share.
const SOURCING: &str = ". /usr/local/lib/lhctl-host.sh\n";

/// A script that brings its library along: assignments first, then `parts` in order.
fn sent(values: &[(&str, &str)], parts: &[&str]) -> String {
    let mut text = format!("#!/bin/bash\n{}", include_str!("../host/lib.sh"));
    for (name, value) in values {
        text.push_str(&format!("{name}={}\n", shell_word(value)));
    }
    for part in parts {
        text.push_str(part);
    }
    text
}

/// An installed program, as it is today, to be sent.
fn carried(program: &str) -> String {
    program.replacen(SOURCING, include_str!("../host/lib.sh"), 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_sent_needs_no_file_of_the_host_but_its_configuration() {
        let all = [backup(), backups(true), drill(None), retained(), release_retained(&[])];
        for text in all {
            assert!(!text.contains("lhctl-host.sh"), "{text}");
            assert_eq!(text.matches("set -euo pipefail").count(), 1);
            assert_eq!(text.matches(". /etc/lhctl/host.conf").count(), 1);
        }
    }

    #[test]
    fn values_are_words_and_nothing_that_a_shell_would_run() {
        let text = restore(&Restore { name: "a';reboot;'.sql.gz".into(), ..Restore::default() });
        assert!(text.contains("NAME='a'\\'';reboot;'\\''.sql.gz'\n"), "{text}");
    }
}
