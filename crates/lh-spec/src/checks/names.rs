//! Characters and lengths of names, by the documents of the services that hold them.

use super::wrong;
use crate::{
    codes,
    reader::{Checked, clip},
};

/// Characters of `text` that are neither ASCII letters or digits nor among `others`.
fn strange(text: &str, others: &str) -> Option<char> {
    text.chars().find(|c| !c.is_ascii_alphanumeric() && !others.contains(*c))
}

fn not_a(code: &str, text: &str, what: &str, rule: &str, example: &str) -> Checked<()> {
    wrong(code, format!("`{}` is not {what}", clip(text)), rule, format!("Write it like `{example}`."))
}

/// A stack's name or environment: it becomes part of every AWS name.
pub(crate) fn stack_word(text: &str) -> Checked<()> {
    let fits = text.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-')
        && text.starts_with(|c: char| c.is_ascii_lowercase())
        && !text.ends_with('-')
        && !text.contains("--");
    if fits {
        return Ok(());
    }
    let fixed = text.to_lowercase().replace(|c: char| !c.is_ascii_alphanumeric(), "-");
    let fixed = fixed.split('-').filter(|part| !part.is_empty()).collect::<Vec<_>>().join("-");
    let fixed = fixed.trim_start_matches(|c: char| !c.is_ascii_lowercase()).to_owned();
    let rule =
        "It becomes part of AWS names: lower-case letters, digits and single hyphens, starting with a letter";
    not_a(
        codes::STACK_NAME,
        text,
        "a name for a stack or environment",
        rule,
        if fixed.is_empty() { "lighthouse" } else { &fixed },
    )
}

/// An AWS account.
pub(crate) fn account(text: &str) -> Checked<()> {
    if text.len() == 12 && text.chars().all(|c| c.is_ascii_digit()) {
        return Ok(());
    }
    not_a(
        codes::ACCOUNT,
        text,
        "an AWS account",
        "An account's id is 12 digits, without hyphens",
        "account: \"123456789012\"",
    )
}

/// A general purpose S3 bucket.
/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html>
pub(crate) fn bucket(text: &str) -> Checked<()> {
    let edge = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    let fits = (3..=63).contains(&text.len())
        && text.chars().all(|c| edge(c) || c == '-' || c == '.')
        && text.starts_with(edge)
        && text.ends_with(edge)
        && !text.contains("..")
        && text.parse::<std::net::Ipv4Addr>().is_err()
        && !["xn--", "sthree-", "amzn-s3-demo-"].iter().any(|p| text.starts_with(p))
        && !["-s3alias", "--ol-s3", ".mrap", "--x-s3", "--table-s3"].iter().any(|s| text.ends_with(s));
    if fits {
        return Ok(());
    }
    let rule = "A bucket's name has 3 to 63 lower-case letters, digits, hyphens and single dots, starts and ends with a letter or digit, is no IP address, and has none of S3's reserved prefixes and suffixes";
    not_a(codes::BUCKET, text, "an S3 bucket name", rule, "lighthouse-backups-prod")
}

/// An S3 object key.
pub(crate) fn object_key(text: &str) -> Checked<()> {
    if (1..=1024).contains(&text.len()) && !text.starts_with('/') && !text.chars().any(char::is_control) {
        return Ok(());
    }
    not_a(
        codes::OBJECT_KEY,
        text,
        "an S3 object key",
        "A key has 1 to 1,024 bytes, no control characters, and no slash at its start",
        "prod.json",
    )
}

/// An SSM parameter by its full path.
/// <https://docs.aws.amazon.com/systems-manager/latest/userguide/sysman-paramstore-su-create.html>
pub(crate) fn parameter(text: &str) -> Checked<()> {
    let levels: Vec<&str> = text.split('/').skip(1).collect();
    let first = levels.first().map(|level| level.to_lowercase()).unwrap_or_default();
    let fits = text.starts_with('/')
        && text.len() <= 900
        && levels.len() <= 15
        && levels.iter().all(|level| !level.is_empty())
        && strange(text, "/_.-").is_none()
        && !first.starts_with("aws")
        && !first.starts_with("ssm");
    if fits {
        return Ok(());
    }
    let rule = "A parameter is named by its full path: a slash first, at most 15 levels of letters, digits and `_ . -`, the first not starting with `aws` or `ssm`";
    not_a(codes::PARAMETER_NAME, text, "an SSM parameter path", rule, "/lighthouse/dev/db/password")
}

/// A secret in Secrets Manager, by name or ARN.
pub(crate) fn secret(text: &str) -> Checked<()> {
    let arn = text.starts_with("arn:aws") && text.contains(":secretsmanager:") && text.contains(":secret:");
    let name = (1..=512).contains(&text.len()) && strange(text, "/_+=.@-").is_none();
    if arn || name {
        return Ok(());
    }
    let rule = "A secret's name has 1 to 512 letters, digits and `/ _ + = . @ -`";
    not_a(codes::SECRET_NAME, text, "a Secrets Manager secret", rule, "lighthouse/prod/db/password")
}

/// A PostgreSQL identifier that needs no quotes, and no database that PostgreSQL keeps for itself.
pub(crate) fn database(text: &str) -> Checked<()> {
    let fits = (1..=63).contains(&text.len())
        && text.starts_with(|c: char| c.is_ascii_lowercase() || c == '_')
        && text.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
        && !["template0", "template1"].contains(&text);
    if fits {
        return Ok(());
    }
    let fixed = text.to_lowercase().replace(|c: char| !c.is_ascii_alphanumeric(), "_");
    let fits = fixed.starts_with(|c: char| c.is_ascii_lowercase()) && fixed.len() <= 63 && fixed != text;
    let rule = "A database's name has 1 to 63 lower-case letters, digits and underscores, does not start with a digit, and is not `template0` or `template1`";
    not_a(codes::DATABASE_NAME, text, "a database name", rule, if fits { &fixed } else { "lighthouse" })
}

/// An EC2 key pair.
pub(crate) fn key_pair(text: &str) -> Checked<()> {
    let printable = text.chars().all(|c| c.is_ascii_graphic() || c == ' ');
    if (1..=255).contains(&text.len()) && printable && text.trim() == text {
        return Ok(());
    }
    not_a(
        codes::KEY_NAME,
        text,
        "a key pair's name",
        "A key pair's name has 1 to 255 printable ASCII characters and no space at its ends",
        "lighthouse-dev",
    )
}

/// A DynamoDB table.
pub(crate) fn table(text: &str) -> Checked<()> {
    if (3..=255).contains(&text.len()) && strange(text, "_-.").is_none() {
        return Ok(());
    }
    not_a(
        codes::TABLE_NAME,
        text,
        "a DynamoDB table name",
        "A table's name has 3 to 255 letters, digits and `_ - .`",
        "lighthouse-locks",
    )
}

/// An AWS Backup vault.
pub(crate) fn vault(text: &str) -> Checked<()> {
    if (2..=50).contains(&text.len()) && strange(text, "-_").is_none() {
        return Ok(());
    }
    not_a(
        codes::VAULT,
        text,
        "a backup vault name",
        "A vault's name has 2 to 50 letters, digits, hyphens and underscores",
        "lighthouse-prod-vault",
    )
}

/// An SNS topic, by name or ARN.
pub(crate) fn topic(text: &str) -> Checked<()> {
    let name = match text.strip_prefix("arn:") {
        Some(arn) if arn.contains(":sns:") => arn.rsplit(':').next().unwrap_or_default(),
        _ => text,
    };
    if (1..=256).contains(&name.len()) && strange(name, "-_").is_none() {
        return Ok(());
    }
    not_a(
        codes::TOPIC,
        text,
        "an SNS topic",
        "A topic's name has 1 to 256 letters, digits, hyphens and underscores",
        "lighthouse-prod-alerts",
    )
}

/// The name, or the id with this prefix (`vpc-`), of something that exists.
pub(crate) fn id_or_name(text: &str, prefix: &str) -> Checked<()> {
    let control = text.chars().any(char::is_control);
    let length = text.chars().count();
    let digits = text.strip_prefix(prefix).filter(|rest| rest.chars().all(|c| c.is_ascii_hexdigit()));
    let whole = digits.is_none_or(|digits| digits.len() == 8 || digits.len() == 17);
    if !control && (1..=255).contains(&length) && text.trim() == text && whole {
        return Ok(());
    }
    let rule = format!(
        "An id is `{prefix}` and 8 or 17 hexadecimal digits; a name has 1 to 255 characters and no space at its ends"
    );
    not_a(codes::RESOURCE_NAME, text, "an id or a name", &rule, &format!("{prefix}0123456789abcdef0"))
}

/// Whether `text` is an id with this prefix.
pub(crate) fn is_id(text: &str, prefix: &str) -> bool {
    let hex = |rest: &str| matches!(rest.len(), 8 | 17) && rest.chars().all(|c| c.is_ascii_hexdigit());
    text.strip_prefix(prefix).is_some_and(hex)
}

/// A KMS key: id, alias, or the ARN of either.
pub(crate) fn kms_key(text: &str) -> Checked<()> {
    let key = match text.strip_prefix("arn:") {
        Some(arn) if arn.contains(":kms:") => arn.rsplit(':').next().unwrap_or_default(),
        _ => text,
    };
    let id = key.strip_prefix("key/").unwrap_or(key);
    let groups: Vec<usize> = id.split('-').map(str::len).collect();
    let hex = id.chars().all(|c| c.is_ascii_hexdigit() || c == '-');
    let single = hex && groups == [8, 4, 4, 4, 12];
    let several_regions =
        id.strip_prefix("mrk-").is_some_and(|d| d.len() == 32 && d.chars().all(|c| c.is_ascii_hexdigit()));
    let alias = key
        .strip_prefix("alias/")
        .is_some_and(|a| (1..=250).contains(&a.len()) && strange(a, "/_-").is_none());
    if single || several_regions || alias {
        return Ok(());
    }
    not_a(
        codes::KMS_KEY,
        text,
        "a KMS key",
        "A key is named by its id, by `alias/…`, or by the ARN of either",
        "alias/lighthouse",
    )
}

/// A public key that EC2 imports, or the path of its file.
pub(crate) fn public_key(text: &str) -> Checked<()> {
    let mut words = text.split_whitespace();
    let kind = words.next().unwrap_or_default();
    let body = words.next().unwrap_or_default();
    let encoded = body.len() >= 64 && strange(body, "+/=").is_none();
    let fits = if kind.starts_with("ssh-") || kind.starts_with("ecdsa-") || kind.starts_with("sk-") {
        ["ssh-ed25519", "ssh-rsa"].contains(&kind) && encoded
    } else {
        !kind.starts_with("-----") && !text.trim().is_empty() && !text.contains('\n')
    };
    if fits {
        return Ok(());
    }
    not_a(
        codes::PUBLIC_KEY,
        text,
        "a public key",
        "EC2 imports `ssh-ed25519` and `ssh-rsa` public keys",
        "public_key: ~/.ssh/id_ed25519.pub",
    )
}

/// A file's path.
pub(crate) fn file_path(text: &str) -> Checked<()> {
    if !text.trim().is_empty()
        && !text.chars().any(char::is_control)
        && !text.ends_with('/')
        && text.len() <= 1024
    {
        return Ok(());
    }
    not_a(codes::PATH, text, "a file path", "A path names a file, in one line", ".lhctl/dev.json")
}

/// `host`, `user@host` or `user@host:port` of a bastion.
pub(crate) fn bastion(text: &str) -> Checked<()> {
    let (user, host) = text.split_once('@').unwrap_or(("ubuntu", text));
    let (host, port) = host.split_once(':').unwrap_or((host, "22"));
    let fits = !user.is_empty()
        && strange(user, "_-.").is_none()
        && !user.starts_with('-')
        && super::dns::is_domain(host)
        && port.parse::<u16>().is_ok_and(|port| port > 0);
    if fits {
        return Ok(());
    }
    not_a(
        codes::BASTION,
        text,
        "a bastion host",
        "A bastion is `host`, `user@host` or `user@host:port`",
        "ubuntu@bastion.example.com",
    )
}
