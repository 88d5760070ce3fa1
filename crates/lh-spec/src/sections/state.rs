//! `state`: where the stack's state is kept.

use crate::{
    checks::{names, region},
    path,
    reader::Section,
    stack::{Placed, StateConfig},
};

pub(crate) fn read(
    top: &mut Section,
    file: &str,
    environment: Option<&Placed<String>>,
) -> Option<StateConfig> {
    let local = |path: &str| StateConfig::Local { path: path::join(path::directory(file), path) };
    let default = || environment.map(|environment| local(&format!(".lhctl/{}.json", environment.value)));
    let Some(mut section) = top.section("state", "state: { path: .lhctl/dev.json }") else {
        return default();
    };
    let path = section.text("path", names::file_path);
    let bucket = section.text("bucket", names::bucket);
    let key = section.text("key", names::object_key);
    let lock_table = section.text("lock_table", names::table);
    let region = section.text("region", region::shape);
    section.exclude("path", "bucket", "The state is in a local file or in S3, not in both");
    let remote = ["bucket", "key", "lock_table", "region"].iter().any(|key| section.has(key));
    if remote && !section.has("path") {
        section.require("bucket", "State in S3 is one object of a bucket", "bucket: lighthouse-state");
        section.require("key", "State in S3 is one object of a bucket", "key: dev.json");
        section.require(
            "lock_table",
            "A DynamoDB table keeps two runs from writing at once",
            "lock_table: lighthouse-locks",
        );
    } else if remote && !section.has("bucket") {
        for key in ["key", "lock_table", "region"].into_iter().filter(|key| section.has(key)) {
            let fix = format!("Remove `{key}`, or write `bucket: NAME` in the place of `path`.");
            super::needs(&section, key, "It is for state in S3, and `path` keeps it in a local file", &fix);
        }
    }
    section.finish();
    if !remote {
        return path.map_or_else(default, |path| Some(local(&path.value)));
    }
    Some(StateConfig::S3 {
        bucket: bucket?.value,
        key: key?.value,
        lock_table: lock_table?.value,
        region: region.map(|region| region.value),
    })
}
