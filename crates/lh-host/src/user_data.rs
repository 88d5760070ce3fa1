//! Cloud-init user data with one late value, the data volume's id.

use crate::template::{indent, pack, plain_id};
use crate::{Host, install, scripts};

/// AWS takes up to 16 KB of user data, counted before its base64 encoding:
/// <https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/user-data.html>.
pub const MAX_USER_DATA: usize = 16_384;

/// `vol-` and 17 hexadecimal digits.
const VOLUME_ID_LEN: usize = 21;

/// Text with one late value: the data volume's id, unknown until the volume exists.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UserData {
    /// The parts, in order.
    pub parts: Vec<Part>,
}

/// A part of [`UserData`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Part {
    /// Text that is known.
    Text(String),
    /// Here goes the id of the data volume.
    VolumeId,
}

impl UserData {
    /// The text for the volume `volume_id` (`vol-…`). Of the id only letters,
    /// digits and dashes are written, so that it cannot become anything else.
    #[must_use]
    pub fn render(&self, volume_id: &str) -> String {
        let id = plain_id(volume_id);
        self.parts
            .iter()
            .map(|part| match part {
                Part::Text(text) => text.as_str(),
                Part::VolumeId => id.as_str(),
            })
            .collect()
    }

    /// The most bytes that it renders to; AWS refuses [`MAX_USER_DATA`] and more.
    #[must_use]
    pub fn max_len(&self) -> usize {
        self.parts
            .iter()
            .map(|part| match part {
                Part::Text(text) => text.len(),
                Part::VolumeId => VOLUME_ID_LEN,
            })
            .sum()
    }
}

/// Before everything else, at every boot.
const AGAIN: &str = "bootcmd:\n\
    - 'test -e /etc/systemd/system/multi-user.target.wants/lhctl-host.service || \
    rm -f /var/lib/cloud/instance/sem/config_write* /var/lib/cloud/instance/sem/config_scripts_user \
    /var/lib/cloud/instance/sem/config_runcmd'\n";

/// The user data of `host`.
///
/// Cloud-init writes two files at the first boot of an instance: what the host
/// must become, in plain text, and the installer of everything else, compressed
/// (see [`install::installer`] for its text). Then it starts the unit that every
/// later boot starts too. What a first boot did that was cut off before that is
/// done again at the next: cloud-init itself would not, since it notes that a
/// module ran before it does.
#[must_use]
pub fn user_data(host: &Host) -> UserData {
    let (before, after) = install::conf_around(host);
    let head = format!(
        "#cloud-config\n# What lhctl makes of this host; its log is {log}.\n{AGAIN}\
         write_files:\n- path: {path}\n  content: |\n{before}",
        log = crate::LOG_FILE,
        path = scripts::CONF,
        before = indent(&before, 4).trim_end(),
    );
    let tail = format!(
        "{after}- path: {install}\n  permissions: '0755'\n  encoding: gz+b64\n  content: {packed}\n\
         runcmd:\n- [{install}]\n- [systemctl, start, lhctl-host.service]\n",
        after = indent(&after, 4),
        install = scripts::INSTALL,
        packed = pack(&install::installer(host)),
    );
    UserData { parts: vec![Part::Text(head), Part::VolumeId, Part::Text(tail)] }
}
