//! Jobs: how a script runs on a host and tells of itself, whatever carries the questions.
//!
//! Run Command shows output only at the end and no more than 24,000 characters of it, and SSH
//! loses its connection. So a script is begun apart from what carries it, and its output is read
//! from a file by offset: [`Job`] writes the programs that do it on the host, [`Reader`]
//! understands what they print. Neither sends anything.

use std::time::Duration;

use base64::{Engine as _, engine::general_purpose::STANDARD};

use crate::{Script, Stream, Tell, template::one_line};

/// What the calls share, as the host's bash reads it.
const PROGRAM: &str = include_str!("host/job.sh");
/// What a line with an answer begins with.
const ANSWER: &str = "lhctl-job ";
/// Ends the script in the program that begins it, unless the script has such a line.
const END: &str = "LHCTL_END_OF_SCRIPT";
/// How long `cancel` waits for the job's last words.
const LAST_WORDS: Duration = Duration::from_secs(6);

/// One run of one script on one host, under an id of its own.
///
/// An id is begun once: sent again, because an answer was lost, the same program only looks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Job {
    id: String,
}

/// How far the output of a job was read, in bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Offsets {
    /// Standard output.
    pub out: u64,
    /// Standard error.
    pub err: u64,
}

/// How a job stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// It runs, and all that it wrote was read.
    Running,
    /// There is more to read already.
    More,
    /// It ended with this exit status, and all that it wrote was read.
    Ended(i32),
    /// It was ended at its deadline.
    Late,
    /// It was ended because somebody asked for that.
    Cancelled,
    /// It ended without a word: the host was rebooted hard, or ran out of memory.
    Lost,
    /// The host knows no such job: it never came, or was before the last boot.
    Gone,
}

/// An answer that cannot be understood.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the host's answer cannot be understood: {0:?}")]
pub struct Garbled(pub String);

impl Job {
    /// The job of this id, of which letters, digits and hyphens are kept.
    #[must_use]
    pub fn new(id: &str) -> Self {
        Self { id: crate::template::plain_id(id) }
    }

    /// Its id.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The program that begins `script` unless it was begun before, then waits up to `patience`
    /// for its end and prints one answer.
    #[must_use]
    pub fn begin(&self, script: &Script, patience: Duration) -> String {
        let look = self.look_line(Offsets::default(), patience);
        format!("{}{}{look}", head(&script.title), self.begin_lines(script))
    }

    /// The program that begins `script` unless it was begun before, and prints answers to its end.
    #[must_use]
    pub fn begin_and_follow(&self, script: &Script) -> String {
        // The first answer at once: from then on a lost connection can be taken up again.
        let follow = format!("look {0} 0 0 0 || follow {0} \"$out\" \"$err\"\n:\n", self.id);
        format!("{}{}{follow}", head(&script.title), self.begin_lines(script))
    }

    /// The program that prints one answer: at the job's end, soon after it wrote something, or
    /// when `patience` is over.
    #[must_use]
    pub fn look(&self, title: &str, from: Offsets, patience: Duration) -> String {
        format!("{}{}", head(title), self.look_line(from, patience))
    }

    /// The program that prints answers to the job's end.
    #[must_use]
    pub fn follow(&self, title: &str, from: Offsets) -> String {
        format!("{}follow {} {} {}\n:\n", head(title), self.id, from.out, from.err)
    }

    /// The program that ends the job, or keeps it from being begun later, and prints one answer.
    #[must_use]
    pub fn cancel(&self, title: &str, from: Offsets) -> String {
        format!("{}cancel {}\n{}", head(title), self.id, self.look_line(from, LAST_WORDS))
    }

    fn begin_lines(&self, script: &Script) -> String {
        let text = script.text.trim_end_matches('\n');
        let mut end = END.to_owned();
        while text.lines().any(|line| line == end) {
            end.push('_');
        }
        format!("begin {} {} <<'{end}'\n{text}\n{end}\n", self.id, script.deadline.as_secs().max(1))
    }

    fn look_line(&self, from: Offsets, patience: Duration) -> String {
        // The host counts quarters of a second.
        format!("look {} {} {} {}\n:\n", self.id, from.out, from.err, patience.as_millis() / 250)
    }
}

/// What each program begins with. The title is for those who read AWS's records.
fn head(title: &str) -> String {
    format!("#!/bin/bash\n# lhctl: {}\n{PROGRAM}", one_line(title))
}

/// Puts the answers of one job together.
#[derive(Clone, Debug, Default)]
pub struct Reader {
    offsets: Offsets,
    out: Vec<u8>,
    err: Vec<u8>,
}

impl Reader {
    /// How far it has read.
    #[must_use]
    pub fn offsets(&self) -> Offsets {
        self.offsets
    }

    /// Whether the line is an answer; a login may print others.
    #[must_use]
    pub fn is_answer(line: &str) -> bool {
        line.starts_with(ANSWER)
    }

    /// Reads the last answer in `text` and tells the output in it.
    ///
    /// # Errors
    /// When there is no answer in it, or one that does not go on where the last one ended.
    pub fn read(&mut self, text: &str, tell: &mut Tell<'_>) -> Result<Standing, Garbled> {
        let garbled = || Garbled(text.chars().take(200).collect());
        let line = text.lines().rev().find(|line| Self::is_answer(line)).ok_or_else(garbled)?;
        let fields: Vec<&str> = line.trim_start_matches(ANSWER).split_whitespace().collect();
        let [word, status, out_from, err_from, out, err] = fields[..] else { return Err(garbled()) };
        let standing = standing(word, status).ok_or_else(garbled)?;
        let from = Offsets {
            out: out_from.parse().map_err(|_| garbled())?,
            err: err_from.parse().map_err(|_| garbled())?,
        };
        let (out, err) = (bytes(out).ok_or_else(garbled)?, bytes(err).ok_or_else(garbled)?);
        if from != self.offsets {
            return Err(garbled());
        }
        self.offsets = Offsets { out: from.out + out.len() as u64, err: from.err + err.len() as u64 };
        let is_last = !matches!(standing, Standing::Running | Standing::More);
        for (stream, held, new) in [(Stream::Out, &mut self.out, out), (Stream::Err, &mut self.err, err)] {
            held.extend(new);
            let text = characters(held, is_last);
            if !text.is_empty() {
                tell(stream, &text);
            }
        }
        Ok(standing)
    }
}

fn standing(word: &str, status: &str) -> Option<Standing> {
    Some(match word {
        "running" => Standing::Running,
        "more" => Standing::More,
        "ended" => Standing::Ended(status.parse().ok()?),
        "late" => Standing::Late,
        "cancelled" => Standing::Cancelled,
        "lost" => Standing::Lost,
        "gone" => Standing::Gone,
        _ => return None,
    })
}

fn bytes(field: &str) -> Option<Vec<u8>> {
    if field == "-" { Some(Vec::new()) } else { STANDARD.decode(field).ok() }
}

/// Takes the whole characters out of `held`; what may be the beginning of one stays, unless
/// nothing follows. What is no UTF-8 is replaced.
fn characters(held: &mut Vec<u8>, is_last: bool) -> String {
    let cut = match std::str::from_utf8(held) {
        // Without a length it is a beginning only, at the very end.
        Err(error) if !is_last && error.error_len().is_none() => error.valid_up_to(),
        Err(_) if !is_last => held.len() - beginning(held),
        _ => held.len(),
    };
    let rest = held.split_off(cut);
    let text = String::from_utf8_lossy(held).into_owned();
    *held = rest;
    text
}

/// How many bytes at the end of `held`, which has faults before them, may begin a character.
fn beginning(held: &[u8]) -> usize {
    (1..=3.min(held.len()))
        .find(|n| {
            let tail = &held[held.len() - n..];
            tail[0] >= 0xC2 && std::str::from_utf8(tail).is_err_and(|error| error.error_len().is_none())
        })
        .unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(reader: &mut Reader, answer: &str) -> (Result<Standing, Garbled>, String) {
        let mut told = String::new();
        let standing = reader.read(answer, &mut |stream, text: &str| {
            told.push_str(&format!("{}{text}", if stream == Stream::Out { "" } else { "!" }));
        });
        (standing, told)
    }

    #[test]
    fn characters_that_an_offset_cuts_are_told_whole() {
        let all = "a→\u{1F600}é".as_bytes();
        for at in 0..=all.len() {
            let mut reader = Reader::default();
            let first = format!("lhctl-job more 0 0 0 {} -", encoded(&all[..at]));
            let second = format!("lhctl-job ended 0 {at} 0 {} -", encoded(&all[at..]));
            let (first, second) = (read(&mut reader, &first), read(&mut reader, &second));
            assert_eq!((first.0, second.0), (Ok(Standing::More), Ok(Standing::Ended(0))));
            assert_eq!(format!("{}{}", first.1, second.1), "a→\u{1F600}é", "cut at {at}");
        }
    }

    #[test]
    fn what_is_no_utf8_is_replaced_and_hides_no_beginning() {
        let mut reader = Reader::default();
        let (_, told) =
            read(&mut reader, &format!("lhctl-job running 0 0 0 {} -", encoded(b"\xFFab\xE2\x86")));
        assert_eq!(told, "\u{FFFD}ab");
        let (_, told) = read(&mut reader, &format!("lhctl-job ended 3 5 0 {} -", encoded(b"\x92")));
        assert_eq!(told, "→");
    }

    #[test]
    fn both_streams_are_told_and_noise_is_passed_over() {
        let mut reader = Reader::default();
        let answer = format!("Welcome!\nlhctl-job ended 7 0 0 {} {}\n", encoded(b"x\n"), encoded(b"y\n"));
        assert_eq!(read(&mut reader, &answer), (Ok(Standing::Ended(7)), "x\n!y\n".to_owned()));
        assert_eq!(reader.offsets(), Offsets { out: 2, err: 2 });
    }

    #[test]
    fn an_answer_that_does_not_go_on_is_refused() {
        let mut reader = Reader::default();
        for answer in ["", "bash: not found", "lhctl-job ended 0 5 0 - -", "lhctl-job ended x 0 0 - -"] {
            assert!(read(&mut reader, answer).0.is_err(), "{answer}");
        }
    }

    #[test]
    fn no_script_ends_the_text_it_stands_in() {
        let text = format!("echo a\n{END}\n{END}_");
        let script = Script { title: "try\nit".into(), text, deadline: Duration::from_secs(9) };
        let program = Job::new("a;b").begin(&script, Duration::from_secs(2));
        assert!(program.contains(&format!("begin ab 9 <<'{END}__'\necho a\n")), "{program}");
        assert!(program.starts_with("#!/bin/bash\n# lhctl: tryit\n"), "{program}");
    }

    fn encoded(bytes: &[u8]) -> String {
        if bytes.is_empty() { "-".to_owned() } else { STANDARD.encode(bytes) }
    }
}
