//! How a stack stands, for people: a line for each part.

use lh::{Standing, Status};

use crate::render::style;

/// One stack.
pub(crate) fn text(status: &Status) -> String {
    let width = lh::PARTS.iter().map(|part| part.len()).max().unwrap_or(0);
    let head = format!("{}  {}", style::bold(&status.stack), style::dim(&status.region));
    let lines = status.parts.iter().map(|part| {
        let (sign, text) = match part.standing {
            Standing::Fine => (style::good("✓"), part.text.clone()),
            Standing::Red => (style::error("✗"), style::error(&part.text)),
            Standing::Unknown => (style::change("?"), style::change(&part.text)),
            Standing::Absent => (style::dim("-"), style::dim(&part.text)),
        };
        format!("  {sign} {:width$}  {text}", part.part.replace('_', " "))
    });
    std::iter::once(head).chain(lines).collect::<Vec<_>>().join("\n")
}
