//! Divides a file into statements as PostgreSQL's lexer would: quotes, dollar quotes, comments
//! that nest, and bodies of functions in SQL (`BEGIN ATOMIC … END`).
//!
//! <https://www.postgresql.org/docs/current/sql-syntax-lexical.html>

use std::ops::Range;

/// A word, a number, a string or a sign of a statement; comments are none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Token<'t> {
    /// As it is written.
    pub text: &'t str,
    /// Where it begins, in bytes of the file.
    pub at: usize,
}

impl Token<'_> {
    /// Whether it is this word, in any case; `word` is in capitals.
    pub fn is(&self, word: &str) -> bool {
        self.text.eq_ignore_ascii_case(word)
    }

    /// What a string or a quoted name holds; a bare word in small letters.
    pub fn name(&self) -> String {
        let quoted = |quote: char| self.text.strip_prefix(quote).and_then(|rest| rest.strip_suffix(quote));
        match quoted('\'').or_else(|| quoted('"')) {
            Some(inner) => inner.to_owned(),
            None => self.text.to_lowercase(),
        }
    }
}

/// Whether `tokens` begin with these words, which are in capitals.
pub(super) fn begins(tokens: &[Token], words: &[&str]) -> bool {
    tokens.len() >= words.len() && words.iter().zip(tokens).all(|(word, token)| token.is(word))
}

/// Whether these words, which are in capitals, stand one after the other somewhere.
pub(super) fn has(tokens: &[Token], words: &[&str]) -> bool {
    tokens.windows(words.len()).any(|window| begins(window, words))
}

/// Whether `tokens` call the procedure of this name, in small letters, with or without its schema.
pub(super) fn calls(tokens: &[Token], procedure: &str) -> bool {
    let named = |token: &Token| !token.text.starts_with('\'') && token.name() == procedure;
    let call = |rest: &[Token]| match rest {
        [call, name, ..] if call.is("CALL") && named(name) => true,
        [call, _, dot, name, ..] => call.is("CALL") && dot.is(".") && named(name),
        _ => false,
    };
    (0..tokens.len()).any(|at| call(&tokens[at..]))
}

/// The statements of the body of a `DO` block; none of any other statement.
pub(super) fn block<'t>(statement: &Statement<'t>) -> Vec<Statement<'t>> {
    let tokens = &statement.tokens;
    let quoted = tokens.iter().find(|token| token.text.starts_with('$')).filter(|_| begins(tokens, &["DO"]));
    let body = quoted.and_then(|token| {
        let tag = token.text[1..].find('$')? + 2;
        token.text.get(tag..token.text.len().checked_sub(tag)?)
    });
    body.map(|body| statements(body).0).unwrap_or_default()
}

/// One statement, without its semicolon.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Statement<'t> {
    /// Its bytes in the file, from the first token to the last.
    pub span: Range<usize>,
    /// What it is made of.
    pub tokens: Vec<Token<'t>>,
}

/// Something that is open at the end of the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Flaw {
    /// Where it was opened, in bytes.
    pub at: usize,
    /// What it is.
    pub what: &'static str,
}

/// The statements of `text`, and what is left open at its end.
pub fn statements(text: &str) -> (Vec<Statement<'_>>, Option<Flaw>) {
    let mut lexer = Lexer { text, at: 0 };
    let (mut found, mut tokens) = (Vec::new(), Vec::<Token>::new());
    // Within BEGIN ATOMIC … END, and within the parentheses of a rule's actions, semicolons do not
    // end the statement.
    let (mut depth, mut open) = (0_usize, 0_usize);
    loop {
        let token = match lexer.next() {
            Ok(Some(token)) => token,
            Ok(None) => break,
            Err(flaw) => {
                close(&mut found, &mut tokens);
                return (found, Some(flaw));
            }
        };
        match token.text {
            ";" if depth == 0 && open == 0 => {
                close(&mut found, &mut tokens);
                continue;
            }
            "(" => open += 1,
            ")" => open = open.saturating_sub(1),
            _ if token.is("ATOMIC") && tokens.last().is_some_and(|last| last.is("BEGIN")) => depth += 1,
            _ if token.is("CASE") && depth > 0 => depth += 1,
            // As a name it ends nothing.
            _ if token.is("END")
                && depth > 0
                && !tokens.last().is_some_and(|it| it.is("AS") || it.is(".")) =>
            {
                depth -= 1;
            }
            _ => {}
        }
        tokens.push(token);
    }
    close(&mut found, &mut tokens);
    (found, None)
}

fn close<'t>(found: &mut Vec<Statement<'t>>, tokens: &mut Vec<Token<'t>>) {
    if let (Some(first), Some(last)) = (tokens.first(), tokens.last()) {
        let span = first.at..last.at + last.text.len();
        found.push(Statement { span, tokens: std::mem::take(tokens) });
    }
}

struct Lexer<'t> {
    text: &'t str,
    at: usize,
}

impl<'t> Lexer<'t> {
    fn rest(&self) -> &'t str {
        &self.text[self.at..]
    }

    fn next(&mut self) -> Result<Option<Token<'t>>, Flaw> {
        self.skip()?;
        let (at, rest) = (self.at, self.rest());
        let Some(first) = rest.chars().next() else { return Ok(None) };
        let length = match first {
            '\'' => self.quoted(0, '\'', false)?,
            '"' => self.quoted(0, '"', false)?,
            'e' | 'E' if rest[1..].starts_with('\'') => self.quoted(1, '\'', true)?,
            'b' | 'B' | 'x' | 'X' | 'n' | 'N' if rest[1..].starts_with('\'') => {
                self.quoted(1, '\'', false)?
            }
            '$' => self.dollar_quoted()?.unwrap_or(1),
            _ if is_word(first) => rest.find(|c| !is_word(c) && c != '$').unwrap_or(rest.len()),
            _ => first.len_utf8(),
        };
        self.at += length;
        Ok(Some(Token { text: &self.text[at..self.at], at }))
    }

    /// Passes over white space and comments.
    fn skip(&mut self) -> Result<(), Flaw> {
        loop {
            let rest = self.rest();
            let white =
                rest.len() - rest.trim_start_matches(|c: char| c.is_whitespace() || c == '\u{feff}').len();
            self.at += white;
            let rest = self.rest();
            if rest.starts_with("--") {
                self.at += rest.find(['\n', '\r']).unwrap_or(rest.len());
            } else if rest.starts_with("/*") {
                self.at += block_comment(rest).ok_or(Flaw { at: self.at, what: "comment" })?;
            } else {
                return Ok(());
            }
        }
    }

    /// The length of a quoted token whose quote stands `prefix` bytes on; a doubled quote is one
    /// of the text, and with `escapes` so is one behind a backslash.
    fn quoted(&self, prefix: usize, quote: char, escapes: bool) -> Result<usize, Flaw> {
        let body = &self.rest()[prefix + 1..];
        let mut letters = body.char_indices().peekable();
        while let Some((i, letter)) = letters.next() {
            if escapes && letter == '\\' {
                letters.next();
            } else if letter == quote {
                match letters.peek() {
                    Some((_, next)) if *next == quote => {
                        letters.next();
                    }
                    _ => match continued(&body[i + 1..]).filter(|_| escapes) {
                        // Strings that a line feed divides are one, and keep their escapes.
                        Some(more) => {
                            let end = i + 1 + more;
                            while letters.next_if(|(at, _)| *at < end).is_some() {}
                        }
                        None => return Ok(prefix + 1 + i + 1),
                    },
                }
            }
        }
        let what = if quote == '"' { "quoted name" } else { "string" };
        Err(Flaw { at: self.at, what })
    }

    /// The length of a `$tag$ … $tag$`; none if this is another use of `$`.
    fn dollar_quoted(&self) -> Result<Option<usize>, Flaw> {
        let rest = self.rest();
        let Some(end) = rest[1..].find(|c| !is_word(c)) else { return Ok(None) };
        let is_tag = rest[1 + end..].starts_with('$') && !rest[1..].starts_with(|c: char| c.is_ascii_digit());
        if !is_tag {
            return Ok(None);
        }
        let tag = &rest[..end + 2];
        match rest[tag.len()..].find(tag) {
            Some(inner) => Ok(Some(tag.len() + inner + tag.len())),
            None => Err(Flaw { at: self.at, what: "dollar-quoted string" }),
        }
    }
}

/// How far on the quote is that continues a string; none where white space with a line feed and a
/// quote do not follow.
fn continued(rest: &str) -> Option<usize> {
    let white = rest.len() - rest.trim_start().len();
    (rest[..white].contains(['\n', '\r']) && rest[white..].starts_with('\'')).then_some(white + 1)
}

fn is_word(letter: char) -> bool {
    letter.is_alphanumeric() || letter == '_'
}

/// The length of a comment that may hold others; none if it does not end.
fn block_comment(text: &str) -> Option<usize> {
    let (mut depth, mut at) = (0_usize, 0);
    loop {
        let rest = &text[at..];
        if rest.starts_with("/*") {
            (depth, at) = (depth + 1, at + 2);
        } else if rest.starts_with("*/") {
            (depth, at) = (depth - 1, at + 2);
            if depth == 0 {
                return Some(at);
            }
        } else {
            at += rest.chars().next()?.len_utf8();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(text: &str) -> Vec<&str> {
        let (found, flaw) = statements(text);
        assert_eq!(flaw, None);
        found.into_iter().map(|statement| &text[statement.span]).collect()
    }

    #[test]
    fn statements_end_at_semicolons_that_are_no_part_of_something_else() {
        let text = "-- one; two\nSELECT ';', E'\\';', \"a;b\"; /* x; /* y; */ z; */ SELECT $$a;b$$, $t$ $$;$$ $t$, $1;\n;";
        assert_eq!(texts(text), ["SELECT ';', E'\\';', \"a;b\"", "SELECT $$a;b$$, $t$ $$;$$ $t$, $1"]);
    }

    #[test]
    fn a_body_in_sql_is_one_statement() {
        let text = "CREATE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT CASE WHEN true THEN 1 END; SELECT 2; END; SELECT 3";
        assert_eq!(texts(text).len(), 2);
    }

    #[test]
    fn what_does_not_end_is_told_with_its_place() {
        let flaw = |text| statements(text).1.map(|flaw| (flaw.at, flaw.what));
        assert_eq!(flaw("SELECT 'a"), Some((7, "string")));
        assert_eq!(flaw("SELECT 1; /* a /* b */"), Some((10, "comment")));
        assert_eq!(flaw("DO $x$ begin end $y$"), Some((3, "dollar-quoted string")));
        assert_eq!(flaw("SELECT \"a"), Some((7, "quoted name")));
    }

    #[test]
    fn letters_of_any_alphabet_do_no_harm() {
        assert_eq!(texts("SELECT 'ñ漢'; SELECT é$a"), ["SELECT 'ñ漢'", "SELECT é$a"]);
        assert_eq!(texts("\u{feff}SELECT 1"), ["SELECT 1"]);
    }
}
