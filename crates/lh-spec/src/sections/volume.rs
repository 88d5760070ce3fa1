//! `volume`: the gp3 volume that holds the data.

use crate::{
    checks::{gp3, names},
    reader::Section,
    stack::{Placed, Volume},
};

pub(crate) fn read(top: &mut Section) -> Option<Volume> {
    top.require(
        "volume",
        "The data is on a volume of its own, apart from the instance",
        "volume: { size: 20 }",
    );
    let mut section = top.section("volume", "volume: { size: 20 }")?;
    let origin = section.origin();
    section.require("size", "A volume can grow later, but never shrink", "size: 20");
    let size = section.whole("size", "GiB", gp3::size);
    let iops = section.whole("iops", "operations a second", gp3::iops);
    let throughput = section.whole("throughput", "MiB a second", gp3::throughput);
    let encrypted = section.flag("encrypted");
    let kms_key = section.text("kms_key", names::kms_key);
    if encrypted.as_ref().is_some_and(|encrypted| !encrypted.value) && section.has("kms_key") {
        super::needs(
            &section,
            "kms_key",
            "The volume is not encrypted",
            "Remove `kms_key`, or write `encrypted: true`.",
        );
    }
    check_ratios(&section, size.as_ref(), iops.as_ref(), throughput.as_ref());
    section.finish();
    let number = |value| Placed { value, origin: origin.clone() };
    Some(Volume {
        size: size?,
        iops: iops.unwrap_or_else(|| number(gp3::IOPS.0)),
        throughput: throughput.unwrap_or_else(|| number(gp3::THROUGHPUT.0)),
        encrypted: encrypted.unwrap_or(Placed { value: true, origin: origin.clone() }),
        kms_key,
        origin,
    })
}

fn check_ratios(
    section: &Section,
    size: Option<&Placed<u32>>,
    iops: Option<&Placed<u32>>,
    throughput: Option<&Placed<u32>>,
) {
    if let (Some(size), Some(iops)) = (size, iops)
        && let Err(finding) = gp3::iops_for_size(iops.value, size.value)
    {
        section.report(finding.at(iops.origin.clone()));
    }
    // IOPS that were refused say nothing about the throughput.
    if iops.is_none() && section.has("iops") {
        return;
    }
    if let Some(throughput) = throughput
        && let Err(finding) =
            gp3::throughput_for_iops(throughput.value, iops.map_or(gp3::IOPS.0, |iops| iops.value))
    {
        section.report(finding.at(throughput.origin.clone()));
    }
}
