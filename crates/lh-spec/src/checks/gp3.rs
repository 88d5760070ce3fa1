//! Limits of gp3 volumes, as data: AWS raised them late in 2025 and may again.
//! <https://docs.aws.amazon.com/ebs/latest/userguide/general-purpose.html>

use super::wrong;
use crate::{codes, reader::Checked};

/// GiB.
pub(crate) const SIZE: (u32, u32) = (1, 65_536);
/// Operations a second. The lower end is free and has any size.
pub(crate) const IOPS: (u32, u32) = (3_000, 80_000);
const IOPS_PER_GIB: u32 = 500;
/// MiB a second. The lower end is free.
pub(crate) const THROUGHPUT: (u32, u32) = (125, 2_000);
/// IOPS needed for each MiB a second: 0.25 MiB/s an operation.
const IOPS_PER_MIB: u32 = 4;

pub(crate) fn size(gib: u32) -> Checked<()> {
    within(codes::VOLUME_SIZE, "volume.size", "size", gib, SIZE, "GiB")
}

pub(crate) fn iops(iops: u32) -> Checked<()> {
    within(codes::VOLUME_IOPS, "volume.iops", "iops", iops, IOPS, "IOPS")
}

pub(crate) fn throughput(mib: u32) -> Checked<()> {
    within(codes::VOLUME_THROUGHPUT, "volume.throughput", "throughput", mib, THROUGHPUT, "MiB/s")
}

fn within(code: &str, name: &str, key: &str, value: u32, (low, high): (u32, u32), unit: &str) -> Checked<()> {
    if (low..=high).contains(&value) {
        return Ok(());
    }
    let near = value.clamp(low, high);
    wrong(
        code,
        format!("`{name}` cannot be {value}"),
        format!("gp3 volumes have {low} to {high} {unit}"),
        format!("Write `{key}: {near}`, the nearest that is possible."),
    )
}

/// Whether a volume of this size may have so many IOPS.
pub(crate) fn iops_for_size(iops: u32, gib: u32) -> Checked<()> {
    let most = gib.saturating_mul(IOPS_PER_GIB).max(IOPS.0);
    if iops <= most {
        return Ok(());
    }
    let needed = iops.div_ceil(IOPS_PER_GIB);
    wrong(
        codes::VOLUME_IOPS_RATIO,
        format!("A volume of {gib} GiB cannot have {iops} IOPS"),
        format!("Above {} IOPS, gp3 allows {IOPS_PER_GIB} for each GiB: {most} here", IOPS.0),
        format!("Write `iops: {most}`, or grow the volume to {needed} GiB."),
    )
}

/// Whether a volume with so many IOPS may have this throughput.
pub(crate) fn throughput_for_iops(mib: u32, iops: u32) -> Checked<()> {
    let most = (iops / IOPS_PER_MIB).max(THROUGHPUT.0);
    if mib <= most {
        return Ok(());
    }
    wrong(
        codes::VOLUME_THROUGHPUT_RATIO,
        format!("A volume with {iops} IOPS cannot have a throughput of {mib} MiB/s"),
        format!("gp3 allows 0.25 MiB/s for each IOPS: {most} here"),
        format!("Write `throughput: {most}`, or `iops: {}`.", mib * IOPS_PER_MIB),
    )
}
