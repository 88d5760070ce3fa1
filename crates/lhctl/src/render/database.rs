//! What else `lhctl db` tells, as people read it: upgrades, statements, chunks, policies, the disk.

use lh::day2::{Age, ChunkToCompress, Compressed, DiskReport, Retention, SlowQueries, Upgrade};

use crate::render::style;

/// A size in the largest unit that it fills.
pub(crate) fn size(bytes: u64) -> String {
    let mut value = bytes as f64;
    for unit in ["B", "KiB", "MiB", "GiB"] {
        if value < 1024.0 {
            return if unit == "B" { format!("{bytes} B") } else { format!("{value:.1} {unit}") };
        }
        value /= 1024.0;
    }
    format!("{value:.1} TiB")
}

/// Seconds in the largest unit that they fill.
pub(crate) fn span(seconds: u64) -> String {
    match seconds {
        s if s < 120 => format!("{s} s"),
        s if s < 7200 => format!("{} min", s / 60),
        s if s < 172_800 => format!("{} h", s / 3600),
        s => format!("{} days", s / 86_400),
    }
}

pub(crate) fn upgrade_plan(plan: &Upgrade) -> String {
    if !plan.needed {
        return format!("{} serves already, with TimescaleDB {}. Nothing to do.", plan.to, plan.timescaledb);
    }
    let way = |old: &str, new: &str| if old == new { old.to_owned() } else { format!("{old} → {new}") };
    let mut text = format!(
        "{}\n  image        {}\n  PostgreSQL   {}\n",
        style::bold("Upgrade"),
        way(&plan.from, &plan.to),
        way(&plan.server, &plan.new_server)
    );
    for one in &plan.databases {
        text += &format!("  TimescaleDB  {} in {}\n", way(&one.timescaledb, &plan.timescaledb), one.name);
    }
    text += "The database is dumped and a snapshot of its volume begun, then it is restarted with the new image: down for about a minute. The extension is updated in every database that has it. Until then a failure goes back to the old image; after it, the dump and the snapshot are the ways back.";
    for misfit in &plan.misfits {
        text += &format!("\n{} {misfit}.", style::error("✗"));
    }
    text
}

pub(crate) fn upgraded(done: &Upgrade) -> String {
    let names: Vec<&str> = done.databases.iter().map(|one| one.name.as_str()).collect();
    style::good(&format!(
        "{} serves, with TimescaleDB {} in {}: {} s.",
        done.to,
        done.timescaledb,
        names.join(", "),
        done.seconds
    ))
}

pub(crate) fn slow_queries(slow: &SlowQueries) -> String {
    let mut text = format!("{:>12} {:>10} {:>9} {:>11}  statement\n", "total ms", "mean ms", "calls", "rows");
    for one in &slow.queries {
        let query: String = one.query.chars().take(100).collect();
        let more = if query.len() < one.query.len() { "…" } else { "" };
        text += &format!(
            "{:>12.1} {:>10.2} {:>9} {:>11}  {query}{more}\n",
            one.total_ms, one.mean_ms, one.calls, one.rows
        );
    }
    let since = slow.since.as_deref().unwrap_or("the server's start");
    text + &style::dim(&format!("Counted since {since}; to begin anew: SELECT pg_stat_statements_reset()."))
}

pub(crate) fn chunks(chunks: &[ChunkToCompress]) -> String {
    if chunks.is_empty() {
        return "Every chunk that is older than its policy's age is compressed.".to_owned();
    }
    let line = |one: &ChunkToCompress| {
        let ends = one.ends.as_deref().unwrap_or_default();
        format!("{}  {}  until {ends}  {}", one.hypertable, one.name, size(one.bytes))
    };
    chunks.iter().map(line).collect::<Vec<_>>().join("\n")
}

pub(crate) fn compressed(done: &[Compressed]) -> String {
    if done.is_empty() {
        return "Nothing to compress: every chunk that is older than its policy's age is compressed."
            .to_owned();
    }
    let (before, after) = done.iter().fold((0, 0), |(before, after), one| {
        (before + one.before_bytes.unwrap_or(0), after + one.after_bytes.unwrap_or(0))
    });
    style::good(&format!("{} chunks compressed: {} → {}.", done.len(), size(before), size(after)))
}

pub(crate) fn retention(policies: &[Retention], set: Option<&Age>) -> String {
    let mut text = String::new();
    for policy in policies {
        let after = policy.after.as_deref().unwrap_or("no age");
        let change = set.map(|age| format!(" → {age}")).unwrap_or_default();
        let paused = if policy.scheduled { "" } else { ", paused" };
        text +=
            &format!("{}: chunks go after {after}{change} (job {}{paused})\n", policy.hypertable, policy.job);
        text += &match policy.goes.as_slice() {
            [] => "  no chunk is that old\n".to_owned(),
            goes @ [first, .., last] => format!(
                "  {} {} chunks go, {}: from {}, until {}, to {}, until {}\n",
                style::error("-"),
                goes.len(),
                size(goes.iter().map(|chunk| chunk.bytes).sum()),
                first.name,
                first.ends.as_deref().unwrap_or_default(),
                last.name,
                last.ends.as_deref().unwrap_or_default(),
            ),
            [one] => format!(
                "  {} {} goes, {}, until {}\n",
                style::error("-"),
                one.name,
                size(one.bytes),
                one.ends.as_deref().unwrap_or_default(),
            ),
        };
        for refresh in &policy.refreshes {
            let sign = if refresh.inside { style::good("✓") } else { style::error("✗") };
            let start = refresh.start.as_deref().unwrap_or("the beginning");
            text += &format!("  {sign} {} is refreshed from {start} back\n", refresh.view);
        }
    }
    if policies.is_empty() {
        text += "There is no retention policy.";
    }
    text.trim_end().to_owned()
}

pub(crate) fn disk(disk: &DiskReport) -> String {
    let percent = disk.used.saturating_mul(100).checked_div(disk.size).unwrap_or(0);
    let mut text = format!(
        "{:12} {} of {} used ({percent} %), {} free\n{:12} {}\n",
        "volume",
        size(disk.used),
        size(disk.size),
        size(disk.available),
        "dumps",
        size(disk.backups)
    );
    match &disk.inside {
        Some(inside) => {
            text += &format!("{:12} {}\n", "database", size(inside.database));
            text +=
                &format!("{:12} {}\n{:12} {}\n", "all", size(inside.all_databases), "WAL", size(inside.wal));
            for table in &inside.tables {
                text += &format!("  {:>10}  {}\n", size(table.bytes), table.name);
            }
        }
        None => text += "The database does not answer.\n",
    }
    // A file system keeps some of its device for itself.
    if disk.device.is_some_and(|device| device > disk.size.saturating_add(disk.size / 10)) {
        text += &style::change("The volume is larger than its file system: --grow lets it grow.");
    }
    text.trim_end().to_owned()
}
