//! The simulated world of a folder, as a whole: to show it, and to begin anew.

use std::path::PathBuf;

use lh_sim::{Region, Sim};

use crate::Error;

/// The simulated world in one folder.
pub struct LocalWorld {
    folder: PathBuf,
}

/// Something that exists in the simulated world.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LocalRow {
    /// What it is, such as `instance`.
    pub kind: &'static str,
    /// Its id or name.
    pub id: String,
    /// Its state and what else tells it apart.
    pub detail: String,
}

impl LocalRow {
    fn new(kind: &'static str, id: &str, detail: String) -> Self {
        Self { kind, id: id.to_owned(), detail }
    }
}

impl LocalWorld {
    /// The world in `folder`, which need not exist yet.
    pub fn new(folder: impl Into<PathBuf>) -> Self {
        Self { folder: folder.into() }
    }

    /// Whether anything was ever done in it.
    pub fn exists(&self) -> bool {
        self.folder.join("world.json").exists()
    }

    /// What exists in it, a row each; no secret's value is among them.
    ///
    /// # Errors
    /// When its file is damaged.
    pub fn show(&self) -> Result<Vec<LocalRow>, Error> {
        let world = Sim::open(&self.folder)?.snapshot();
        let account = format!("account {}, {} s into its time", world.account, world.now / 1000);
        let mut rows = vec![LocalRow::new("world", "simulated AWS", account)];
        for (name, region) in &world.regions {
            rows.push(LocalRow::new("region", name, format!("{} zones", region.zones.len())));
            rows.extend(regional(region));
        }
        for (name, bucket) in &world.s3.buckets {
            let objects = bucket.keys();
            let detail = format!("{}, {} objects", bucket.region, objects.len());
            rows.push(LocalRow::new("bucket", name, detail));
            for key in objects {
                let versions = bucket.objects.get(key).map_or(0, Vec::len);
                let size = bucket.current(key).map_or(0, |version| version.bytes().len());
                let detail = format!("{size} bytes, {versions} versions");
                rows.push(LocalRow::new("object", &format!("{name}/{key}"), detail));
            }
        }
        rows.extend(world.iam.roles.keys().map(|role| LocalRow::new("IAM role", role, String::new())));
        rows.extend(
            world.iam.profiles.keys().map(|name| LocalRow::new("instance profile", name, String::new())),
        );
        Ok(rows)
    }

    /// Forgets the world and the states of all stacks in it.
    ///
    /// # Errors
    /// When the folder cannot be removed.
    pub fn reset(&self) -> Result<(), Error> {
        match std::fs::remove_dir_all(&self.folder) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                Err(Error::File { path: self.folder.display().to_string(), reason: error.to_string() })
            }
            _ => Ok(()),
        }
    }
}

fn regional(region: &Region) -> Vec<LocalRow> {
    let mut rows = Vec::new();
    for (id, instance) in &region.instances {
        let detail = format!("{:?}, {}, {}", instance.state, instance.launch.instance_type, instance.zone);
        rows.push(LocalRow::new("instance", id, detail.to_lowercase()));
    }
    for (id, volume) in &region.volumes {
        let detail = format!("{:?}, {} GiB, {}", volume.state, volume.size, volume.zone);
        rows.push(LocalRow::new("volume", id, detail));
    }
    for (id, snapshot) in &region.snapshots {
        rows.push(LocalRow::new("snapshot", id, format!("of {}", snapshot.volume_id)));
    }
    for (id, address) in &region.addresses {
        rows.push(LocalRow::new("elastic IP", id, address.public_ip.clone()));
    }
    for (id, group) in &region.groups {
        rows.push(LocalRow::new("security group", id, group.name.clone()));
    }
    rows.extend(
        region.parameters.keys().map(|name| LocalRow::new("parameter", name, "value hidden".to_owned())),
    );
    for (name, table) in &region.tables {
        rows.push(LocalRow::new("table", name, format!("{} items", table.items.len())));
    }
    rows.extend(region.key_pairs.keys().map(|name| LocalRow::new("key pair", name, String::new())));
    rows
}
