//! The findings a stack file can have: their stable codes, as data, so that the reference
//! in the documentation is generated from here. Not the place of the rules themselves.

/// One kind of finding.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Code {
    /// `E0120`: errors start with `E`, warnings with `W`. Never reused for something else.
    pub code: &'static str,
    /// A few words.
    pub title: &'static str,
    /// What it means and what to do, for the reference.
    pub text: &'static str,
}

macro_rules! codes {
    ($($name:ident = $code:literal, $title:literal, $text:literal;)*) => {
        $(pub(crate) const $name: &str = $code;)*

        /// All codes, ascending by number.
        pub const TABLE: &[Code] = &[$(Code { code: $code, title: $title, text: $text }),*];
    };
}

codes! {
    UNREADABLE = "E0101", "the stack file cannot be read",
        "The file does not exist or may not be read. Check the path and its permissions.";
    SYNTAX = "E0102", "the file is not valid YAML",
        "The text breaks YAML's rules at this place. Most often the indentation is uneven, a tab is used to indent, the space after a colon is missing, or a quote is not closed.";
    EMPTY = "E0103", "the file holds no stack",
        "The file is empty, has only comments, or is no mapping of keys to values. `lhctl init NAME` writes one to start from.";
    DOCUMENTS = "E0104", "the file holds more than one document",
        "One file is one environment. Move what follows the second `---` to a file of its own.";
    ALIAS = "E0105", "aliases are not used in stack files",
        "`*name` repeats a value from elsewhere in the file. Stack files refuse it, so that every value has one place. Write the value out, or share it through `extends`.";
    TAG = "E0106", "YAML tags are not used in stack files",
        "`!name` and `!!str` give a value a type. Stack files refuse them: the type is given by the key. Quote a text that looks like something else.";
    DUPLICATE_KEY = "E0107", "a key stands twice in one mapping",
        "Only one of the two values could hold. Remove one.";
    KEY_SHAPE = "E0108", "a key is not a text",
        "Keys are plain words; a list or mapping cannot be one.";
    TOO_LARGE = "E0109", "the file is too large or nested too deep",
        "A stack file is limited to 256 KiB, 20,000 values and 32 levels, far above any real one.";
    EXTENDS_CIRCLE = "E0110", "files extend each other in a circle",
        "`extends` leads back to a file that is already being read, or through more than 16 files.";
    EXTENDS_UNREADABLE = "E0111", "the extended file cannot be read",
        "`extends` names a file, relative to the file it stands in, that does not exist or may not be read.";
    VARIABLE_UNSET = "E0112", "an environment variable is not set",
        "`${VAR}` needs the variable; `${VAR:-default}` has a value without it.";
    VARIABLE_SYNTAX = "E0113", "a `${…}` is malformed",
        "Write `${NAME}` or `${NAME:-default}`, with letters, digits and underscores; `$$` is a dollar sign.";
    SET_SYNTAX = "E0114", "a --set argument is malformed",
        "Write `--set path.to.key=value`, the value as in YAML.";
    UNKNOWN_KEY = "E0120", "a key is not known",
        "The section has no such key. The nearest known one is suggested.";
    MISSING_KEY = "E0121", "a required key is missing",
        "The section cannot do without this key.";
    WRONG_TYPE = "E0122", "a value has the wrong type",
        "A number, text, list or section was expected and something else found.";
    NOT_A_CHOICE = "E0123", "a value is not among the allowed ones",
        "The key takes one of a few words.";
    OUT_OF_RANGE = "E0124", "a number is out of range",
        "The value lies outside what the key or AWS allows.";
    EXCLUSIVE = "E0125", "two keys exclude each other",
        "Keep one of them. Where a base file sets the other, write `key: null` to drop it.";
    NEEDS_KEY = "E0126", "a key needs another",
        "The key means nothing without the other one.";
    VERSION = "E0127", "the file's version is not supported",
        "This lhctl reads `version: 1`.";
    IDLE_SPOT = "W0128", "options of spot instances are given for an on-demand one",
        "They are passed over.";
    STACK_NAME = "E0201", "a stack's name or environment has characters it cannot have",
        "Both become part of AWS names: lower-case letters, digits and single hyphens, starting with a letter.";
    STACK_NAME_LENGTH = "E0202", "the stack's name is too long",
        "`<name>-<environment>` is at most 40 characters, so that every AWS name made from it fits.";
    REGION_SHAPE = "E0203", "this is not a region",
        "A region looks like `us-east-1`.";
    REGION_UNKNOWN = "W0204", "the region is not known to this lhctl",
        "It may be new, or a typing mistake; the nearest known one is named.";
    ACCOUNT = "E0205", "this is not an AWS account",
        "An account is 12 digits, in quotes.";
    BUCKET = "E0206", "this is not an S3 bucket name",
        "3 to 63 lower-case letters, digits, hyphens and dots, starting and ending with a letter or digit.";
    PARAMETER_NAME = "E0207", "this is not an SSM parameter path",
        "A path such as `/lighthouse/dev/db/password`: letters, digits, `_ . -` between slashes, at most 15 levels.";
    SECRET_NAME = "E0208", "this is not a Secrets Manager name",
        "1 to 512 letters, digits and `/ _ + = . @ -`, or the secret's ARN.";
    DATABASE_NAME = "E0209", "this is not a database name",
        "A PostgreSQL identifier that needs no quotes: a letter or underscore, then letters, digits, underscores, at most 63, lower-case.";
    KEY_NAME = "E0210", "this is not a key pair name",
        "1 to 255 printable ASCII characters, without spaces at the ends.";
    TABLE_NAME = "E0211", "this is not a DynamoDB table name",
        "3 to 255 letters, digits and `_ - .`.";
    VAULT = "E0212", "this is not a backup vault name",
        "2 to 50 letters, digits, hyphens and underscores.";
    TOPIC = "E0213", "this is not an SNS topic",
        "A name of 1 to 256 letters, digits, hyphens and underscores, or the topic's ARN.";
    DOMAIN = "E0214", "this is not a domain name",
        "Labels of letters, digits and hyphens between dots, such as `db.example.com`; a zone may also be given by its id.";
    RECORD_OUTSIDE = "E0215", "the record is not in the zone",
        "A hosted zone holds the names that end in its own.";
    EMAIL = "E0216", "this is not an e-mail address",
        "An address such as `ops@example.com`.";
    TAGS = "E0217", "a tag cannot be used",
        "Keys: at most 128 characters, not starting with `aws:` or `lhctl:`, and not `Name`. Values: at most 256. Both: letters, digits, spaces and `_ . : / = + - @`.";
    TAG_COUNT = "E0218", "there are too many tags",
        "AWS allows 50 on a resource; lhctl keeps 10 for itself, so a stack may set 40.";
    RESOURCE_NAME = "E0219", "this is neither an id nor a name",
        "An id has its prefix and 8 or 17 hexadecimal digits; a name is 1 to 255 characters.";
    KMS_KEY = "E0220", "this is not a KMS key",
        "A key id, `alias/…`, or the ARN of either.";
    OBJECT_KEY = "E0221", "this is not an S3 object key",
        "1 to 1,024 bytes, not starting with a slash.";
    PUBLIC_KEY = "E0222", "this is not a public key that EC2 takes",
        "EC2 imports `ssh-ed25519` and `ssh-rsa` keys; write the key, or the path of its `.pub` file.";
    PATH = "E0223", "this is not a file path",
        "A path relative to the stack file, or an absolute one.";
    BASTION = "E0224", "this is not a bastion host",
        "`host`, `user@host` or `user@host:port`.";
    CIDR = "E0301", "this is not a CIDR block",
        "An IPv4 network such as `203.0.113.7/32`.";
    HOST_BITS = "E0302", "the CIDR block has host bits set",
        "The address names a host inside the network. Write either the network, or the one host with `/32`.";
    PUBLIC = "E0303", "a port is open to the Internet",
        "The database and SSH ports are for known addresses. `allow_public: true` beside the list says that it is meant.";
    DUPLICATE_SOURCE = "E0304", "a source stands twice in one list",
        "Each source becomes one rule. Remove one.";
    IPV6 = "E0305", "IPv6 sources cannot reach the server",
        "The server has an IPv4 address only, so a rule for IPv6 would never match.";
    INSTANCE_TYPE = "E0401", "the instance type is not known",
        "Only Graviton types that this lhctl knows the memory of can be used, since the database's settings follow from it.";
    X86 = "E0402", "the instance type is not arm64",
        "The image is built for arm64: choose a Graviton type such as `t4g.small`.";
    IMAGE_ID = "E0403", "this is not a machine image",
        "An `ami-…` id, or the path of an SSM parameter that holds one.";
    LITTLE_MEMORY = "W0404", "the instance has little memory",
        "TimescaleDB with half a GiB runs out of memory under light use.";
    FLOATING_IMAGE = "W0405", "the database image is not pinned",
        "`latest`, and an image without a tag, mean another version tomorrow. Name the version.";
    IMAGE_REFERENCE = "E0406", "this is not a container image",
        "A reference such as `timescale/timescaledb:2.17.2-pg16`.";
    IMAGE_WITHOUT_PG = "E0407", "the image's tag does not say its PostgreSQL version",
        "Tags of the official images end in `-pgNN`; upgrades and dumps are checked by it.";
    VOLUME_SIZE = "E0501", "the volume's size is out of range",
        "gp3 volumes have 1 to 65,536 GiB.";
    VOLUME_IOPS = "E0502", "the volume's IOPS are out of range",
        "gp3 volumes have 3,000 to 80,000 IOPS.";
    VOLUME_IOPS_RATIO = "E0503", "the volume is too small for its IOPS",
        "Above the 3,000 that each has, gp3 allows 500 IOPS for each GiB.";
    VOLUME_THROUGHPUT = "E0504", "the volume's throughput is out of range",
        "gp3 volumes have 125 to 2,000 MiB/s.";
    VOLUME_THROUGHPUT_RATIO = "E0505", "the volume has too few IOPS for its throughput",
        "Above the 125 MiB/s that each has, gp3 allows 0.25 MiB/s for each IOPS.";
    SCHEDULE = "E0701", "this is not a schedule",
        "`cron(minutes hours day-of-month month day-of-week year)` with a `?` for one of the days, or `rate(N unit)`, as AWS writes them. AWS Backup takes cron expressions alone: a rate must be one that a cron expression can say, hours that divide a day, 1 day or 7 days. Dumps follow a systemd timer, which knows no nearest weekday (`W`).";
    COLD_STORAGE = "E0702", "backups leave cold storage too early",
        "AWS Backup keeps what it moved to cold storage there for at least 90 days.";
    LOG_RETENTION = "E0801", "CloudWatch Logs has no such retention",
        "CloudWatch Logs keeps logs for one of a fixed list of days.";
    SILENT_ALARMS = "W0802", "alarms reach nobody",
        "Alarms without a topic and without e-mail addresses only change colour in the console.";
    TOPIC_REGION = "E0803", "the topic is in another region",
        "An alarm can only tell a topic of its own region: name one of the stack's region.";
}

#[cfg(test)]
mod tests {
    use super::TABLE;

    #[test]
    fn codes_ascend_and_are_explained() {
        for pair in TABLE.windows(2) {
            assert!(pair[0].code[1..] < pair[1].code[1..], "{} {}", pair[0].code, pair[1].code);
        }
        assert!(TABLE.iter().all(|c| c.text.ends_with('.') && !c.title.ends_with('.')));
    }
}
