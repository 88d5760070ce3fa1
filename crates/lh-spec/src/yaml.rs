//! YAML text to nodes that know their place. Structure only: what a scalar means is decided
//! by the key it stands under, so `24.04` may be a text and `no` is never a boolean by surprise.

use lh_model::{Diagnostic, Origin};
use saphyr_parser::{Event, Parser, ScalarStyle, ScanError, Span, StrInput};

use crate::{codes, findings::Findings};

/// Largest text read, in bytes: far above any stack file, low enough to be read at once.
const MAX_BYTES: usize = 256 * 1024;
const MAX_NODES: usize = 20_000;
const MAX_DEPTH: usize = 32;

/// A value and where it stands.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Node {
    pub origin: Origin,
    pub value: Yaml,
}

/// A value's structure.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Yaml {
    Scalar(Scalar),
    List(Vec<Node>),
    Map(Vec<Entry>),
    /// Something that was reported already; nothing more is said about it.
    Broken,
}

/// A text, and how it was written.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Scalar {
    pub text: String,
    /// Without quotes: an empty one is null.
    pub plain: bool,
    /// `${…}` in it is text, not a variable.
    pub verbatim: bool,
}

/// A key and its value.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Entry {
    pub key: String,
    pub origin: Origin,
    pub node: Node,
}

impl Node {
    /// Whether the value says "nothing": `null`, `~`, or no text at all.
    pub(crate) fn is_null(&self) -> bool {
        match &self.value {
            Yaml::Scalar(s) => s.plain && matches!(s.text.as_str(), "" | "~" | "null" | "Null" | "NULL"),
            _ => false,
        }
    }
}

/// Where a text begins: its file, and what precedes it there.
#[derive(Clone, Debug)]
pub(crate) struct Place {
    pub file: String,
    /// Lines before the text.
    pub lines: usize,
    /// Characters before the text on its first line.
    pub columns: usize,
}

impl Place {
    /// The start of a file.
    pub(crate) fn start_of(file: &str) -> Self {
        Self { file: file.to_owned(), lines: 0, columns: 0 }
    }

    /// `length` characters at `line` and `column`, both from 1 and within the text.
    pub(crate) fn origin(&self, line: usize, column: usize, length: usize) -> Origin {
        let column = if line == 1 { column + self.columns } else { column };
        Origin { file: self.file.clone(), line: line + self.lines, column, length: length.max(1) }
    }
}

/// Reads `text`. `None` when it was reported as unreadable; an empty text is a null node.
pub(crate) fn parse(place: &Place, text: &str, findings: &Findings) -> Option<Node> {
    if text.len() > MAX_BYTES {
        let size = format!("The file has {} bytes", text.len());
        findings.push(too_large(size, place.origin(1, 1, 1)));
        return None;
    }
    let masked = mask(text);
    let events = Parser::new_from_str(&masked);
    let lines = text.lines().map(|line| line.chars().collect()).collect();
    Builder { events, lines, place, findings, nodes: 0 }.document().ok()
}

fn too_large(message: String, origin: Origin) -> Diagnostic {
    Diagnostic::error(codes::TOO_LARGE, message)
        .at(origin)
        .because("A stack file is limited to 256 KiB, 20,000 values and 32 levels")
        .fix("Check that this is the right file; a stack file is a page long.")
}

/// Where masked characters go: a plane of Unicode that is set aside for private use.
const MASK: u32 = 0xF_0000;

/// `text` with every `${…}` masked, so that its braces and colons mean nothing to YAML and it
/// may stand without quotes inside `{ }` and `[ ]`. No place in the text changes by it.
pub(crate) fn mask(text: &str) -> String {
    let mut masked = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find("${") {
        let end = rest[start..].find(['}', '\n', '\r']).map_or(rest.len(), |end| start + end + 1);
        let (before, variable) = (&rest[..start], &rest[start..end]);
        masked.push_str(before);
        if variable.ends_with('}') {
            let hide =
                |c: char| if c.is_ascii() { char::from_u32(MASK + u32::from(c)).unwrap_or(c) } else { c };
            masked.extend(variable.chars().map(hide));
        } else {
            masked.push_str(variable);
        }
        rest = &rest[end..];
    }
    masked.push_str(rest);
    masked
}

pub(crate) fn unmask(text: &str) -> String {
    let show = |c: char| {
        u32::from(c).checked_sub(MASK).filter(|code| *code < 0x80).and_then(char::from_u32).unwrap_or(c)
    };
    text.chars().map(show).collect()
}

/// The text cannot be read on; why was reported.
struct Stop;

struct Builder<'a> {
    events: Parser<'a, StrInput<'a>>,
    /// Characters, since places are counted in them.
    lines: Vec<Vec<char>>,
    place: &'a Place,
    findings: &'a Findings,
    nodes: usize,
}

impl<'a> Builder<'a> {
    fn document(&mut self) -> Result<Node, Stop> {
        let mut root = None;
        loop {
            let (event, span) = self.next()?;
            match event {
                Event::StreamEnd => break,
                Event::DocumentStart(_) if root.is_some() => {
                    self.findings.push(several_documents(self.origin(span)));
                    return Err(Stop);
                }
                Event::Nothing | Event::StreamStart | Event::DocumentStart(_) | Event::DocumentEnd => {}
                event => root = Some(self.node(event, span, 0, None)?),
            }
        }
        Ok(root.unwrap_or_else(|| self.null(self.place.origin(1, 1, 1))))
    }

    fn next(&mut self) -> Result<(Event<'a>, Span), Stop> {
        match self.events.next_event() {
            Some(Ok(event)) => Ok(event),
            Some(Err(error)) => Err(self.report_syntax(&error)),
            None => Ok((Event::StreamEnd, Span::default())),
        }
    }

    fn node(
        &mut self,
        event: Event<'a>,
        span: Span,
        depth: usize,
        key: Option<&Origin>,
    ) -> Result<Node, Stop> {
        self.nodes += 1;
        if self.nodes > MAX_NODES || depth > MAX_DEPTH {
            self.findings.push(too_large("The file holds too much".into(), self.origin(span)));
            return Err(Stop);
        }
        let (tag, node) = match event {
            Event::Scalar(text, style, _, tag) => (tag, self.scalar(&text, style, span, key)),
            Event::SequenceStart(_, tag) => (tag, self.list(span, depth)?),
            Event::MappingStart(_, tag) => (tag, self.map(span, depth)?),
            Event::Alias(_) => {
                self.findings.push(alias(self.origin(span)));
                (None, Node { origin: self.origin(span), value: Yaml::Broken })
            }
            _ => {
                self.findings.push(syntax("the text ends too early", self.origin(span), &[]));
                return Err(Stop);
            }
        };
        if tag.is_some() {
            self.findings.push(tagged(node.origin.clone()));
            return Ok(Node { value: Yaml::Broken, ..node });
        }
        Ok(node)
    }

    fn scalar(&self, text: &str, style: ScalarStyle, span: Span, key: Option<&Origin>) -> Node {
        let plain = style == ScalarStyle::Plain;
        // The place of a value that is not there is its key's.
        let origin = match key {
            Some(key) if plain && text.is_empty() => key.clone(),
            _ => self.origin(span),
        };
        Node { origin, value: Yaml::Scalar(Scalar { text: unmask(text), plain, verbatim: false }) }
    }

    fn null(&self, origin: Origin) -> Node {
        let scalar = Scalar { text: String::new(), plain: true, verbatim: false };
        Node { origin, value: Yaml::Scalar(scalar) }
    }

    fn list(&mut self, start: Span, depth: usize) -> Result<Node, Stop> {
        let mut items = Vec::new();
        loop {
            let (event, span) = self.next()?;
            if event == Event::SequenceEnd {
                return Ok(Node { origin: self.across(start, span), value: Yaml::List(items) });
            }
            items.push(self.node(event, span, depth + 1, None)?);
        }
    }

    fn map(&mut self, start: Span, depth: usize) -> Result<Node, Stop> {
        let mut entries: Vec<Entry> = Vec::new();
        loop {
            let (event, span) = self.next()?;
            if event == Event::MappingEnd {
                return Ok(Node { origin: self.across(start, span), value: Yaml::Map(entries) });
            }
            let key = self.node(event, span, depth + 1, None)?;
            let (event, span) = self.next()?;
            let node = self.node(event, span, depth + 1, Some(&key.origin))?;
            self.enter(key, node, &mut entries);
        }
    }

    fn enter(&self, key: Node, node: Node, entries: &mut Vec<Entry>) {
        let origin = key.origin;
        match key.value {
            Yaml::Scalar(scalar) => match entries.iter().find(|entry| entry.key == scalar.text) {
                Some(first) => self.findings.push(duplicate(&scalar.text, origin, first.origin.line)),
                None => entries.push(Entry { key: scalar.text, origin, node }),
            },
            Yaml::Broken => {}
            Yaml::List(_) | Yaml::Map(_) => self.findings.push(key_shape(origin)),
        }
    }

    /// The origin of what stands at `span`, as far as it goes on its first line.
    fn origin(&self, span: Span) -> Origin {
        self.across(span, span)
    }

    /// The origin of what begins with `start` and ends with `end`. The parser's spans may go on
    /// to the next token, over white space that is no part of the value.
    fn across(&self, start: Span, end: Span) -> Origin {
        let (from, to) = (start.start, end.end);
        let line = self.line(from.line());
        let end = if to.line() == from.line() { to.col().min(line.len()) } else { line.len() };
        let covered = line.get(from.col()..end).unwrap_or_default();
        let length = covered.iter().rposition(|c| !c.is_whitespace()).map_or(0, |last| last + 1);
        self.place.origin(from.line().max(1), from.col() + 1, length)
    }

    fn report_syntax(&self, error: &ScanError) -> Stop {
        let marker = error.marker();
        let line = self.line(marker.line());
        // The end of the text is where its last line ends.
        let origin = match self.lines.last() {
            Some(last) if marker.line() > self.lines.len() => {
                self.place.origin(self.lines.len(), last.len().max(1), 1)
            }
            _ => self.place.origin(marker.line().max(1), marker.col() + 1, 1),
        };
        self.findings.push(syntax(error.info(), origin, line));
        Stop
    }

    /// The text of a line, counted from 1.
    fn line(&self, number: usize) -> &[char] {
        self.lines.get(number.saturating_sub(1)).map(Vec::as_slice).unwrap_or_default()
    }
}

fn syntax(info: &str, origin: Origin, line: &[char]) -> Diagnostic {
    let mut indent = line.iter().take_while(|c| c.is_whitespace());
    let (reason, fix) = if indent.any(|c| *c == '\t') {
        ("YAML does not allow tabs in indentation", "Indent this line with spaces.")
    } else if info.contains("mapping values") {
        (
            "A second `: ` on one line starts a mapping where none can be, or the line is indented unevenly",
            "Line this key up with its neighbours, or put a value that contains `: ` in quotes.",
        )
    } else if info.contains("quoted scalar") {
        ("A quote that is opened here is not closed", "Close the quote, or remove it.")
    } else if info.contains("anchor") {
        ("`*` starts an alias and `&` an anchor", "Put a text that starts with one of them in quotes.")
    } else {
        (
            "The text breaks YAML's rules here, or in the line before",
            "Check the indentation, the space after each colon, and that quotes and brackets are closed.",
        )
    };
    Diagnostic::error(codes::SYNTAX, format!("This is not valid YAML: {info}"))
        .at(origin)
        .because(reason)
        .fix(fix)
}

fn several_documents(origin: Origin) -> Diagnostic {
    Diagnostic::error(codes::DOCUMENTS, "A second document starts here")
        .at(origin)
        .because("One stack file describes one environment")
        .fix("Move what follows `---` to a file of its own, or remove the `---`.")
}

fn alias(origin: Origin) -> Diagnostic {
    Diagnostic::error(codes::ALIAS, "A value is repeated by an alias")
        .at(origin)
        .because("Stack files do not use YAML aliases, so that every value has one place")
        .fix("Write the value out, or share it between files with `extends: base.yaml`.")
}

fn tagged(origin: Origin) -> Diagnostic {
    Diagnostic::error(codes::TAG, "A value has a YAML tag")
        .at(origin)
        .because("The key decides a value's type in a stack file, so tags (`!…`) are not used")
        .fix("Remove the tag; put a text that looks like something else in quotes.")
}

fn duplicate(key: &str, origin: Origin, first: usize) -> Diagnostic {
    Diagnostic::error(codes::DUPLICATE_KEY, format!("`{key}` is given twice"))
        .at(origin)
        .because(format!("Line {first} gives it already, and only one value can hold"))
        .fix("Remove one of the two.")
}

fn key_shape(origin: Origin) -> Diagnostic {
    Diagnostic::error(codes::KEY_SHAPE, "A list or mapping stands where a key is expected")
        .at(origin)
        .because("Keys are plain words such as `region`")
        .fix("Write `key: value`, and put values that start with `[` or `{` in quotes.")
}
