//! Colours, by meaning. Where colour is not wanted, the streams strip it.

use anstyle::{AnsiColor, Style};

fn paint(style: Style, text: &str) -> String {
    format!("{style}{text}{style:#}")
}

fn colour(colour: AnsiColor) -> Style {
    Style::new().fg_color(Some(colour.into()))
}

/// Something that is wrong or goes away.
pub(crate) fn error(text: &str) -> String {
    paint(colour(AnsiColor::Red).bold(), text)
}

/// Something that is added or right.
pub(crate) fn good(text: &str) -> String {
    paint(colour(AnsiColor::Green), text)
}

/// Something that changes.
pub(crate) fn change(text: &str) -> String {
    paint(colour(AnsiColor::Yellow), text)
}

/// Something that stays on purpose.
pub(crate) fn keep(text: &str) -> String {
    paint(colour(AnsiColor::Cyan), text)
}

/// What the eye should meet first.
pub(crate) fn bold(text: &str) -> String {
    paint(Style::new().bold(), text)
}

/// What the eye may skip.
pub(crate) fn dim(text: &str) -> String {
    paint(Style::new().dimmed(), text)
}
