//! The folder of one simulated host: where its files are, what its scripts run on, and how it gets
//! them from its user data. It starts one program, the host's own installer.
//!
//! The host's scripts speak of absolute paths. They are shown the sandbox by replacing a fixed list
//! of them in each text before bash reads it, which needs no root, no container and no kernel's
//! help. `docs/decisions/0027-sandbox.md` says what else was tried.

use std::{
    fs, io,
    os::unix::fs::{PermissionsExt as _, symlink},
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use super::user_data::{Content, assigned, files};
use crate::hosts::HostFacts;

/// The paths of a host that lie in its sandbox, with all below them.
const MAPPED: [&str; 14] = [
    "/etc/lhctl",
    "/etc/logrotate.d",
    "/etc/systemd/system",
    "/etc/fstab",
    "/mnt/timescaledb-data",
    "/opt/docker-compose.yml",
    "/opt/aws",
    "/run/lhctl",
    "/swapfile",
    "/usr/local/bin",
    "/usr/local/lib",
    "/usr/local/sbin",
    "/var/lib/lhctl",
    "/var/log",
];

/// Programs of the host that a sandbox stands for: they would look for disks and packages.
const STOOD_FOR: &str = "/usr/local/sbin/(lhctl-host-setup|lhctl-host-disk)";

const CONF: &str = "/etc/lhctl/host.conf";
const INSTALL: &str = "/usr/local/sbin/lhctl-host-install";
const MOUNT_POINT: &str = "/mnt/timescaledb-data";

/// Programs before all others on the host's PATH.
const PROGRAMS: [(&str, &str); 8] = [
    ("bash", include_str!("stand_ins/bash.sh")),
    ("docker", include_str!("stand_ins/docker.sh")),
    ("aws", include_str!("stand_ins/aws.sh")),
    ("systemctl", include_str!("stand_ins/systemctl.sh")),
    ("mountpoint", include_str!("stand_ins/mountpoint.sh")),
    ("df", include_str!("stand_ins/df.sh")),
    ("lhctl-host-setup", include_str!("stand_ins/setup.sh")),
    ("lhctl-host-disk", include_str!("stand_ins/disk.sh")),
];

/// What would touch the machine that the sandbox is on.
const REFUSED: [&str; 20] = [
    "apt-get",
    "blkid",
    "blockdev",
    "dpkg",
    "fallocate",
    "growpart",
    "mkfs.ext4",
    "mkswap",
    "mount",
    "poweroff",
    "reboot",
    "resize2fs",
    "shutdown",
    "snap",
    "sudo",
    "swapon",
    "umount",
    "wipefs",
    "xfs_growfs",
    "yum",
];

/// Programs inside the container.
const CONTAINER: [(&str, &str); 5] = [
    ("psql", include_str!("stand_ins/container.sh")),
    ("pg_dump", include_str!("stand_ins/container.sh")),
    ("pg_isready", include_str!("stand_ins/container.sh")),
    ("postgres", include_str!("stand_ins/image.sh")),
    ("pg_config", include_str!("stand_ins/image.sh")),
];

/// The folder of one host.
#[derive(Clone, Debug)]
pub(super) struct Root {
    top: PathBuf,
    folder: PathBuf,
}

impl Root {
    /// The host `instance` of the simulated world in `top`, which is absolute.
    pub fn new(top: &Path, instance: &str) -> Self {
        Self { top: top.to_owned(), folder: top.join("hosts").join(instance) }
    }

    /// Where the command of this id is kept. Of the id only what can be in a file's name is used.
    pub fn command(&self, id: &str) -> PathBuf {
        let plain = |c: &char| c.is_ascii_alphanumeric() || *c == '-';
        self.sandbox().join("commands").join(id.chars().filter(plain).collect::<String>())
    }

    /// A program that runs the script of a command in `folder`.
    pub fn runner(&self, folder: &Path) -> Command {
        let mut command = self.bash();
        command.arg(self.sandbox().join("run")).arg(folder);
        command
    }

    /// A script for bash that is a terminal in the folder.
    pub fn terminal(&self) -> PathBuf {
        self.sandbox().join("terminal")
    }

    /// Makes the host what its user data and its volumes say, as its first boot does; again, it
    /// changes only what is different.
    ///
    /// # Errors
    /// Why it cannot, a sentence.
    pub fn prepare(&self, host: &HostFacts) -> Result<(), String> {
        self.check()?;
        fs::create_dir_all(self.sandbox().join("bin")).map_err(|e| failed(&self.folder, &e))?;
        let lock = self.sandbox().join("lock");
        let held = fs::File::create(&lock).and_then(|file| file.lock().map(|()| file));
        let _held = held.map_err(|error| failed(&lock, &error))?;
        self.programs().map_err(|error| failed(&self.sandbox(), &error))?;
        let conf = self.at(CONF);
        if !conf.is_file() {
            self.install(&host.user_data)?;
        }
        let conf = fs::read_to_string(&conf).map_err(|error| failed(&conf, &error))?;
        let volume = assigned(&conf, "VOLUME_ID").unwrap_or_default();
        let attached = host.volumes.iter().find(|(id, _)| id == volume);
        self.attach(attached).map_err(|error| failed(&self.at(MOUNT_POINT), &error))
    }

    /// Scripts write paths unquoted, as they may on a host.
    fn check(&self) -> Result<(), String> {
        let text = self.folder.to_str();
        let plain = |c: char| c.is_ascii_alphanumeric() || "/._-+@".contains(c);
        if text.is_some_and(|text| text.chars().all(plain)) {
            return Ok(());
        }
        Err(format!(
            "The scripts of the simulated instance cannot run in {}: its path has characters that they would trip over. Run lhctl in a folder whose path has only letters, digits and . _ - + @.",
            self.folder.display()
        ))
    }

    fn sandbox(&self) -> PathBuf {
        self.folder.join(".sandbox")
    }

    /// Where a path of the host is.
    fn at(&self, path: &str) -> PathBuf {
        self.folder.join(path.trim_start_matches('/'))
    }

    fn bash(&self) -> Command {
        let mut command = Command::new("/bin/bash");
        let path = std::env::var("PATH").unwrap_or_else(|_| "/usr/bin:/bin".to_owned());
        command.env_clear().stdin(Stdio::null());
        // As Ubuntu's root has it: the host's programs are found by name.
        let own = [self.sandbox().join("bin"), self.at("/usr/local/sbin"), self.at("/usr/local/bin")];
        let own = own.map(|folder| folder.display().to_string()).join(":");
        command.env("PATH", format!("{own}:{path}"));
        command.env("HOME", self.folder.join("root")).env("LANG", "C.UTF-8");
        command
    }

    /// The stand-ins, the list of mapped paths, and the folders that every Ubuntu has.
    fn programs(&self) -> io::Result<()> {
        let sandbox = self.sandbox();
        put(&sandbox.join("run"), include_str!("stand_ins/run.sh"))?;
        put(&sandbox.join("terminal"), include_str!("stand_ins/terminal.sh"))?;
        put(&sandbox.join("map.sed"), &self.map())?;
        for (name, text) in PROGRAMS {
            put(&sandbox.join("bin").join(name), text)?;
        }
        for name in REFUSED {
            put(&sandbox.join("bin").join(name), include_str!("stand_ins/refused.sh"))?;
        }
        for (name, text) in CONTAINER {
            put(&sandbox.join("container").join(name), text)?;
        }
        for folder in ["root", "mnt", "opt", "run/lhctl", "var/log", "var/lib/lhctl", ".sandbox/commands"] {
            fs::create_dir_all(self.folder.join(folder))?;
        }
        Ok(())
    }

    /// For `sed -E`: what is written anew stays as it is, so mapping a text twice changes nothing.
    fn map(&self) -> String {
        let root = self.folder.display();
        let mut lines = format!("/^put /!s#(^|[^A-Za-z0-9_.}}/-]){STOOD_FOR}#\\1{root}/.sandbox/bin/\\2#g\n");
        for path in MAPPED {
            let pattern = path.replace('.', "\\.");
            lines.push_str(&format!("s#(^|[^A-Za-z0-9_.}}/-]){pattern}#\\1{root}{path}#g\n"));
        }
        lines
    }

    /// Writes the files of the user data, runs the installer among them, and goes through the
    /// stages of the setup.
    fn install(&self, user_data: &[u8]) -> Result<(), String> {
        let files = files(user_data)
            .ok_or("The instance's user data is not lhctl's, so that nothing is known to run on it.")?;
        let mut conf = None;
        for file in files {
            let path = self.at(&file.path);
            match file.content {
                Content::Plain(text) if file.path == CONF => conf = Some(text),
                Content::Plain(text) => put(&path, &text).map_err(|error| failed(&path, &error))?,
                Content::Packed(text) => {
                    let packed = path.with_extension("packed");
                    put(&packed, &text).map_err(|error| failed(&packed, &error))?;
                    let script = "base64 -d \"$1\" | gzip -d >\"$2\" && rm \"$1\"";
                    self.done(self.bash().args(["-c", script, "unpack"]).arg(&packed).arg(&path))?;
                }
            }
        }
        let bin = self.sandbox().join("bin");
        self.done(self.bash().arg(bin.join("bash")).arg(self.at(INSTALL)))?;
        // The last to be written: with it, the host is installed.
        let conf = conf.ok_or("The instance's user data says nothing of what it must become.")?;
        self.done(self.bash().arg(bin.join("lhctl-host-setup")))?;
        put(&self.at(CONF), &conf).map_err(|error| failed(&self.at(CONF), &error))
    }

    fn done(&self, command: &mut Command) -> Result<(), String> {
        let output = command.current_dir(&self.folder).output();
        let output = output.map_err(|error| format!("bash cannot be run: {error}."))?;
        if output.status.success() {
            return Ok(());
        }
        let said = String::from_utf8_lossy(&output.stderr);
        Err(format!("The simulated instance could not be set up: {}", said.trim()))
    }

    /// The data volume is a folder of its own, which stays when the instance goes.
    fn attach(&self, volume: Option<&(String, i32)>) -> io::Result<()> {
        let mount = self.at(MOUNT_POINT);
        let Some((id, size)) = volume else {
            return match fs::remove_file(&mount) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
                _ => Ok(()),
            };
        };
        let folder = self.top.join("volumes").join(id);
        fs::create_dir_all(&folder)?;
        put(&self.sandbox().join("size"), &size.to_string())?;
        if fs::read_link(&mount).is_ok_and(|target| target == folder) {
            return Ok(());
        }
        // The setup of a host that gets a volume runs the disk program once.
        put(&self.sandbox().join("grown"), &size.to_string())?;
        let new = mount.with_extension("new");
        let _ = fs::remove_file(&new);
        symlink(&folder, &new)?;
        fs::rename(&new, &mount)
    }
}

/// Writes a program or text if it differs, whole at any time.
fn put(path: &Path, text: &str) -> io::Result<()> {
    if fs::read(path).is_ok_and(|there| there == text.as_bytes()) {
        return Ok(());
    }
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    let new = path.with_extension("put");
    fs::write(&new, text)?;
    fs::set_permissions(&new, fs::Permissions::from_mode(0o755))?;
    fs::rename(&new, path)
}

fn failed(path: &Path, error: &io::Error) -> String {
    format!("The sandbox of the simulated instance cannot use {}: {error}.", path.display())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A file elsewhere would be written on the machine that the sandbox is on.
    #[test]
    fn every_file_of_a_host_lies_in_its_sandbox() {
        let host = lh_host::Host {
            stack: "lighthouse-prod".into(),
            region: "us-east-1".into(),
            memory_gib: 2.0,
            vcpus: 2,
            database: "lighthouse".into(),
            image: "timescale/timescaledb:2.17.2-pg16".into(),
            password: lh_host::PasswordSource::Secret("s".into()),
            dump: None,
            log_group: Some("g".into()),
            metrics: true,
            spot: true,
        };
        for file in lh_host::files(&host) {
            assert!(MAPPED.iter().any(|path| Path::new(file.path).starts_with(path)), "{}", file.path);
        }
    }
}
