//! The shape of a text: which lines cannot be formatted one by one, and how deep a line stands.

use std::collections::BTreeSet;

use saphyr_parser::{Event, Parser};

/// Spaces a level.
const STEP: usize = 2;

/// The lines, from 0, of values that are written over several lines.
pub(super) fn fixed_lines(text: &str) -> BTreeSet<usize> {
    let chars: Vec<char> = text.chars().collect();
    let mut fixed = BTreeSet::new();
    let mut open: Vec<usize> = Vec::new();
    let mut cover = |from: usize, to: usize| fixed.extend(from..=to);
    for event in Parser::new_from_str(text) {
        let Ok((event, span)) = event else { break };
        let (from, to) = (span.start.index(), span.end.index().min(chars.len()));
        let first = span.start.line().saturating_sub(1);
        match event {
            Event::Scalar(..) => {
                let raw = chars.get(from..to).unwrap_or_default();
                let end = raw.iter().rposition(|c| !c.is_whitespace()).map_or(0, |last| last + 1);
                let breaks = raw[..end].iter().filter(|c| **c == '\n').count();
                if breaks > 0 {
                    cover(first, first + breaks);
                }
            }
            Event::SequenceStart(..) | Event::MappingStart(..) => open.push(first),
            Event::SequenceEnd | Event::MappingEnd => {
                let start = open.pop().unwrap_or(first);
                let is_flow = to > 0 && matches!(chars.get(to - 1), Some('}' | ']')) && to > from;
                if is_flow && start < first {
                    cover(start, first);
                }
            }
            _ => {}
        }
    }
    fixed
}

/// The levels that are open at a line: how deep each was, and how deep it is to be.
#[derive(Default)]
pub(super) struct Levels(Vec<(usize, usize)>);

impl Levels {
    /// The indentation of a line whose own is `indent`; after each of its dashes a level of
    /// content begins, so many characters on.
    pub(super) fn enter(&mut self, indent: usize, dashes: &[usize]) -> usize {
        let new = self.level(indent);
        let (mut was, mut is) = (indent, new);
        for width in dashes {
            was += width;
            is += STEP;
            self.0.push((was, is));
        }
        new
    }

    fn level(&mut self, indent: usize) -> usize {
        while self.0.last().is_some_and(|(was, _)| *was > indent) {
            self.0.pop();
        }
        match self.0.last() {
            Some((was, is)) if *was == indent => *is,
            Some((_, is)) => {
                let is = is + STEP;
                self.0.push((indent, is));
                is
            }
            None => {
                self.0.push((indent, 0));
                0
            }
        }
    }

    /// The indentation of a line that is a comment: that of what follows, if it stands there, or
    /// of the level that it stands at.
    pub(super) fn of_comment(&self, indent: usize, next: Option<usize>) -> usize {
        if let Some(next) = next.filter(|next| *next == indent) {
            let mut levels = Self(self.0.clone());
            return levels.level(next);
        }
        let at = self.0.iter().rev().find(|(was, _)| *was <= indent);
        at.map_or(indent, |(was, is)| is + indent - was)
    }
}
