//! One line: its indentation, dashes, key, value and comment, and the spaces between them.

/// A line's parts, as they stand.
pub(super) struct Line<'a> {
    pub indent: usize,
    /// What is no comment, without spaces around it.
    pub content: &'a str,
    /// The comment with its `#`; and the column it stands in.
    comment: Option<(&'a str, usize)>,
}

impl<'a> Line<'a> {
    pub(super) fn of(raw: &'a str) -> Self {
        let indent = raw.chars().take_while(|c| *c == ' ').count();
        let text = raw.trim_end();
        let (content, comment) = match comment_at(text) {
            Some(at) => (&text[..at], Some((&text[at..], text[..at].chars().count()))),
            None => (text, None),
        };
        Self { indent, content: content.trim(), comment }
    }

    pub(super) fn is_blank(&self) -> bool {
        self.content.is_empty() && self.comment.is_none()
    }

    /// How many characters each dash at the beginning takes, with the spaces after it, where
    /// something follows it.
    pub(super) fn dashes(&self) -> Vec<usize> {
        let (mut widths, mut rest) = (Vec::new(), self.content);
        while let Some((width, after)) = dash(rest) {
            widths.push(width);
            rest = after;
        }
        widths
    }

    /// The line at this indentation.
    pub(super) fn formatted(&self, indent: usize) -> String {
        let mut text = " ".repeat(indent);
        let mut rest = self.content;
        while let Some((_, after)) = dash(rest) {
            text.push_str("- ");
            rest = after;
        }
        text.push_str(&entry(rest));
        if let Some((comment, column)) = self.comment {
            if !self.content.is_empty() {
                // A comment keeps its column, so that those below each other stay so.
                let length = text.chars().count();
                text.push_str(&" ".repeat(column.saturating_sub(length).max(1)));
            }
            text.push_str(&spaced(comment));
        }
        text
    }
}

/// A dash that begins an item which goes on in the line: its width, and what follows.
fn dash(text: &str) -> Option<(usize, &str)> {
    let after = text.strip_prefix("- ")?;
    let rest = after.trim_start_matches(' ');
    (!rest.is_empty()).then(|| (2 + after.len() - rest.len(), rest))
}

/// `#word` becomes `# word`.
fn spaced(comment: &str) -> String {
    match comment.strip_prefix('#') {
        Some(rest) if rest.starts_with(char::is_alphanumeric) => format!("# {rest}"),
        _ => comment.to_owned(),
    }
}

/// Steps over a text, with the quotes it is in.
struct Steps<'a> {
    letters: std::iter::Peekable<std::str::CharIndices<'a>>,
    quote: Option<char>,
    before: char,
}

impl<'a> Steps<'a> {
    fn over(text: &'a str) -> Self {
        Self { letters: text.char_indices().peekable(), quote: None, before: ' ' }
    }
}

/// A letter outside quotes, with what stands before and after it.
struct Step {
    at: usize,
    letter: char,
    before: char,
    after: Option<char>,
}

impl Iterator for Steps<'_> {
    type Item = Step;

    fn next(&mut self) -> Option<Step> {
        loop {
            let (at, letter) = self.letters.next()?;
            let before = std::mem::replace(&mut self.before, letter);
            match self.quote {
                Some('"') if letter == '\\' => {
                    self.letters.next();
                }
                Some(quote) if letter == quote => self.quote = None,
                Some(_) => {}
                // A quote within a word is a letter like others.
                None if matches!(letter, '"' | '\'') && (before == ' ' || "[{,:".contains(before)) => {
                    self.quote = Some(letter);
                }
                None => {
                    let after = self.letters.peek().map(|(_, after)| *after);
                    return Some(Step { at, letter, before, after });
                }
            }
        }
    }
}

/// Where the comment begins.
fn comment_at(text: &str) -> Option<usize> {
    Steps::over(text).find(|step| step.letter == '#' && step.before.is_whitespace()).map(|step| step.at)
}

/// `key: value` with one space between, or a value alone.
fn entry(text: &str) -> String {
    if text.starts_with(['{', '[']) {
        return flow(text);
    }
    let colon = Steps::over(text).find(|step| step.letter == ':' && step.after.is_none_or(|c| c == ' '));
    match colon {
        Some(Step { at, .. }) => {
            let (key, value) = (text[..at].trim_end(), text[at + 1..].trim_start());
            let value = if value.starts_with(['{', '[']) { flow(value) } else { value.to_owned() };
            format!("{key}: {value}").trim_end().to_owned()
        }
        None => text.to_owned(),
    }
}

/// `{ a: b, c: [d, e] }`.
fn flow(text: &str) -> String {
    let mut out = String::new();
    let mut word = 0;
    let push_word = |out: &mut String, word: &str| {
        let word = word.trim();
        if !word.is_empty() {
            if out.ends_with([',', ':', '{']) {
                out.push(' ');
            }
            out.push_str(word);
        }
    };
    for Step { at, letter, after, .. } in Steps::over(text) {
        let separates = letter != ':' || after.is_none_or(|c| c == ' ' || "[]{},".contains(c));
        if !"{}[],:".contains(letter) || !separates {
            continue;
        }
        push_word(&mut out, &text[word..at]);
        word = at + letter.len_utf8();
        match letter {
            '{' | '[' => {
                if out.ends_with([',', ':', '{']) {
                    out.push(' ');
                }
                out.push(letter);
            }
            '}' if out.ends_with('{') => out.push('}'),
            '}' => out.push_str(" }"),
            other => out.push(other),
        }
    }
    push_word(&mut out, &text[word..]);
    out
}
