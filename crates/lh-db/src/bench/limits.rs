//! The queries of the benchmark, and what is held against their limits.

use std::time::Duration;

use crate::verify::{
    check::{Problem, Verdict},
    server_milliseconds as milliseconds,
};

/// One of the three queries.
pub struct Query {
    /// What it asks for.
    pub name: &'static str,
    /// It must take less.
    pub limit: Duration,
    /// Rows by construction.
    pub(super) rows: i64,
    /// `$end` stands for the midnight before which all rows are, `$one` for a subscription.
    pub(super) text: &'static str,
}

/// The queries, with their limits.
pub const QUERIES: [Query; 3] = [
    Query {
        name: "a day of one subscription by hours",
        limit: Duration::from_millis(10),
        rows: 24,
        text: "SELECT hour, uptime_ratio, avg_latency_ms FROM hourly_metrics \
               WHERE subscription_id = $one AND hour >= $end - INTERVAL '24 hours' ORDER BY hour DESC",
    },
    Query {
        name: "a month of all subscriptions by days",
        limit: Duration::from_millis(20),
        rows: 280,
        text: "SELECT day, subscription_id, uptime_ratio FROM daily_metrics \
               WHERE day >= $end - INTERVAL '30 days' ORDER BY day DESC, subscription_id",
    },
    Query {
        name: "a week of checks of one subscription",
        limit: Duration::from_millis(50),
        rows: 252,
        text: "SELECT time, status, http_status, latency_ms FROM check_history \
               WHERE subscription_id = $one AND time >= $end - INTERVAL '7 days' ORDER BY time DESC",
    },
];

/// Holds what was measured against the limits: each query must take less than its own. What was
/// seen before is told too.
///
/// # Errors
/// [`Problem::Failed`] when one does not, with the names of all that do not.
pub fn judge(took: &[(&Query, Duration)], mut evidence: Vec<String>) -> Verdict {
    evidence.extend(took.iter().map(|(query, took)| {
        let (took, limit) = (milliseconds(*took), milliseconds(query.limit));
        format!("{}: {took} of {} rows, limit {limit}", query.name, query.rows)
    }));
    let slow: Vec<&str> =
        took.iter().filter(|(query, took)| *took >= query.limit).map(|(query, _)| query.name).collect();
    if slow.is_empty() {
        return Ok(evidence);
    }
    Err(Problem::Failed(
        format!("Slower than the limit: {}", slow.join("; ")),
        "See whether the server is busy or short of memory; `EXPLAIN ANALYZE` of the query says where the time goes.".to_owned(),
        evidence,
    ))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on fails")]
    use super::*;
    use crate::{Check, Report};

    /// The verdict when each query takes so many microseconds.
    fn verdict(took: [u64; 3]) -> Verdict {
        let took: Vec<_> = QUERIES.iter().zip(took.map(Duration::from_micros)).collect();
        judge(&took, vec!["seen before".to_owned()])
    }

    #[test]
    fn a_query_must_take_less_than_10_20_and_50_milliseconds() {
        let within = verdict([9_999, 19_999, 49_999]).unwrap();
        assert_eq!(within.len(), 4, "{within:?}");
        assert_eq!(within[0], "seen before");
        assert!(within[1].ends_with("10.0 ms of 24 rows, limit 10.0 ms"), "{within:?}");
        for (which, limits) in [[10_000, 0, 0], [0, 20_000, 0], [0, 0, 50_000]].into_iter().enumerate() {
            let Err(Problem::Failed(reason, fix, evidence)) = verdict(limits) else { panic!("{limits:?}") };
            assert_eq!(reason, format!("Slower than the limit: {}", QUERIES[which].name));
            assert!(fix.contains("EXPLAIN ANALYZE") && evidence.len() == 4, "{fix} {evidence:?}");
        }
        let Err(Problem::Failed(reason, ..)) = verdict([60_000; 3]) else { panic!() };
        assert!(QUERIES.iter().all(|query| reason.contains(query.name)), "{reason}");
    }

    #[test]
    fn a_report_with_a_slow_query_does_not_hold() {
        let report = |took| Report { checks: vec![Check::of("benchmark", "benchmark", verdict(took))] };
        assert!(report([9_999, 19_999, 49_999]).holds());
        assert!(!report([9_999, 20_000, 49_999]).holds());
    }
}
