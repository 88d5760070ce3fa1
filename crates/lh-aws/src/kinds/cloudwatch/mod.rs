//! Kinds of CloudWatch: alarms and dashboards.
