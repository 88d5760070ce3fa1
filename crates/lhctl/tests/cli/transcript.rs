//! Transcripts: commands, their exit codes and their whole output, as kept files.
//!
//! A transcript that differs fails; `LHCTL_BLESS=1 cargo test` writes the kept files anew, and
//! the change shows in review.

use std::{fs, path::Path};

use crate::place::Place;

/// Runs `commands` one after another and compares all that a user saw with `texts/<name>.txt`.
#[track_caller]
pub fn check(name: &str, place: &Place, commands: &[&str]) {
    let seen: String = commands.iter().map(|command| one(place, command)).collect();
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/cli/texts/{name}.txt"));
    if std::env::var_os("LHCTL_BLESS").is_some() {
        fs::write(&file, &seen).unwrap();
        return;
    }
    let kept = fs::read_to_string(&file).unwrap_or_default();
    assert!(kept == seen, "{} differs.\n--- kept\n{kept}\n--- seen\n{seen}", file.display());
}

fn one(place: &Place, command: &str) -> String {
    let ended = place.run(command);
    let mut text = format!("$ lhctl {command}\n");
    for (title, stream) in [("out", &ended.out), ("err", &ended.err)] {
        for line in steady(stream).lines() {
            text.push_str(format!("{title}| {line}").trim_end());
            text.push('\n');
        }
    }
    let end = ended.code.map_or("ended by a signal".to_owned(), |code| format!("exit {code}"));
    format!("{text}{end}\n\n")
}

/// The text without what differs from run to run: ids of AWS, times, and UUIDs.
fn steady(text: &str) -> String {
    let mut steady = String::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let taken =
            [uuid(rest), identity(rest), id(rest), address(rest), seconds(rest)].into_iter().flatten().next();
        match taken {
            Some((length, replacement)) => {
                steady.push_str(replacement);
                rest = &rest[length..];
            }
            None => {
                steady.push(first);
                rest = &rest[first.len_utf8()..];
            }
        }
    }
    steady
}

fn hex(text: &str) -> usize {
    text.bytes().take_while(u8::is_ascii_hexdigit).count()
}

/// `-` and 17 hexadecimal digits, as in `vol-0123456789abcdef0`.
fn id(text: &str) -> Option<(usize, &'static str)> {
    (hex(text.strip_prefix('-')?) == 17).then_some((18, "-…"))
}

fn uuid(text: &str) -> Option<(usize, &'static str)> {
    let groups: Vec<&str> = text.get(..36)?.split('-').collect();
    let fits = groups.iter().map(|group| (group.len(), hex(group))).eq([8, 4, 4, 4, 12].map(|n| (n, n)));
    fits.then_some((36, "(uuid)"))
}

/// 32 hexadecimal digits, as ownership tags have them.
fn identity(text: &str) -> Option<(usize, &'static str)> {
    (hex(text) == 32).then_some((32, "(identity)"))
}

/// A public address, from the block that the simulated AWS takes them from.
fn address(text: &str) -> Option<(usize, &'static str)> {
    let rest = text.strip_prefix("198.51.")?;
    let length = rest.bytes().take_while(|byte| byte.is_ascii_digit() || *byte == b'.').count();
    Some((text.len() - rest.len() + length, "(address)"))
}

/// `[3s]`, the time a step took.
fn seconds(text: &str) -> Option<(usize, &'static str)> {
    let digits = text.strip_prefix('[')?.bytes().take_while(u8::is_ascii_digit).count();
    (digits > 0 && text[1 + digits..].starts_with("s]")).then_some((digits + 3, "[…s]"))
}
