//! PostgreSQL's settings for the size of the machine, and the image's user.
//!
//! The formulas are timescaledb-tune's (`pkg/pgtune` in its repository), which
//! the image runs only on an empty data directory. `host/setup.sh` repeats them
//! at each boot, so that a scaled instance is retuned without a new user data;
//! `tests/scripts.rs` keeps the two equal.

/// timescaledb-tune's default for `timescaledb.max_background_workers`.
const BACKGROUND_WORKERS: u32 = 16;
/// Processes that PostgreSQL itself needs: checkpointer, WAL writer, vacuum.
const BUILT_IN_WORKERS: u32 = 3;
/// PostgreSQL's limit for `maintenance_work_mem` on some systems.
const MAINTENANCE_LIMIT_MIB: f64 = 2047.0;

/// The settings that follow from memory (GiB) and CPUs, in the order in which
/// they are written, as PostgreSQL spells names and values.
///
/// On a machine of 1 GiB and 2 CPUs: 256MB of shared buffers, 16MB of work
/// memory, 25 connections. A size of zero or less counts as 0.5 GiB, no CPU as one.
#[must_use]
pub fn memory_settings(memory_gib: f64, vcpus: u32) -> Vec<(&'static str, String)> {
    let gib = if memory_gib > 0.0 { memory_gib } else { 0.5 };
    let cpus = vcpus.max(1);
    let half_cpus = cpus.div_ceil(2);
    let connections = connections(gib);
    let work = gib * 400.0 / f64::from(connections) / f64::from(half_cpus);
    vec![
        ("shared_buffers", size(gib * 256.0)),
        ("effective_cache_size", size(gib * 768.0)),
        ("maintenance_work_mem", size((gib * 128.0).min(MAINTENANCE_LIMIT_MIB))),
        ("work_mem", size(work)),
        ("max_connections", connections.to_string()),
        ("max_wal_size", "1GB".to_owned()),
        ("timescaledb.max_background_workers", BACKGROUND_WORKERS.to_string()),
        ("max_worker_processes", (BUILT_IN_WORKERS + BACKGROUND_WORKERS + cpus).to_string()),
        ("max_parallel_workers", cpus.to_string()),
        ("max_parallel_workers_per_gather", half_cpus.to_string()),
        ("max_locks_per_transaction", locks(gib).to_string()),
    ]
}

/// How much of the memory, in MiB, the container may use as shared memory: a parallel VACUUM keeps
/// `maintenance_work_mem` there, and Docker's own limit is 64. It takes nothing until it is used.
pub(crate) fn shared_memory(memory_gib: f64) -> u32 {
    let gib = if memory_gib > 0.0 { memory_gib } else { 0.5 };
    // As awk's `int` has it, in the same order.
    let mib = 256.0 + (gib * 128.0).min(MAINTENANCE_LIMIT_MIB) * 1.25;
    mib.floor() as u32
}

/// The numeric user and group that own the data directory inside `image`.
///
/// `timescale/timescaledb` is built on Alpine, where postgres is 70:70 (not
/// Debian's 999); the `-ha` images are built on Ubuntu with 1000:1000.
#[must_use]
pub fn container_user(image: &str) -> (u32, u32) {
    let name = image.split('@').next().unwrap_or(image);
    let last = name.rsplit('/').next().unwrap_or(name);
    let (repository, tag) = last.split_once(':').unwrap_or((last, ""));
    if repository.ends_with("-ha") || tag.ends_with("-ha") || tag.contains("-ha-") {
        (1000, 1000)
    } else {
        (70, 70)
    }
}

fn connections(gib: f64) -> u32 {
    match gib {
        g if g <= 2.0 => 25,
        g if g <= 4.0 => 50,
        g if g <= 6.0 => 75,
        _ => 100,
    }
}

/// Each chunk that a statement touches takes a lock.
fn locks(gib: f64) -> u32 {
    match gib {
        g if g < 8.0 => 128,
        g if g < 16.0 => 256,
        g if g < 32.0 => 512,
        _ => 1024,
    }
}

/// MiB in the largest unit that holds them without a fraction.
fn size(mib: f64) -> String {
    let whole = mib.floor();
    if (mib - whole).abs() > f64::EPSILON {
        format!("{:.0}kB", (mib * 1024.0).floor())
    } else if whole >= 1024.0 && whole % 1024.0 == 0.0 {
        format!("{:.0}GB", whole / 1024.0)
    } else {
        format!("{whole:.0}MB")
    }
}
