//! What is said on standard output and standard error. A reader that has seen enough ends no run,
//! and a disk that is full neither: what could not be written is told at the end.

use std::{
    fmt::Arguments,
    io::{ErrorKind, Write},
    sync::{Mutex, PoisonError},
};

use crate::failure::Failure;

/// Why standard output could not be written, if it could not.
static UNWRITTEN: Mutex<Option<String>> = Mutex::new(None);

/// Says something on standard output.
pub(crate) fn out(text: Arguments<'_>) {
    let mut stream = anstream::stdout().lock();
    keep(stream.write_fmt(text).and_then(|()| stream.flush()));
}

fn keep(written: std::io::Result<()>) -> bool {
    let Err(error) = written else { return true };
    if error.kind() != ErrorKind::BrokenPipe {
        UNWRITTEN.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert_with(|| error.to_string());
    }
    false
}

/// Passes on what another program wrote; false if nobody reads it, or there is no room for it.
pub(crate) fn raw(text: &str) -> bool {
    let mut stream = std::io::stdout().lock();
    keep(stream.write_all(text.as_bytes()).and_then(|()| stream.flush()))
}

/// Says something on standard error. Where that is not read, nothing can be told of it either.
pub(crate) fn err(text: Arguments<'_>) {
    let _ = anstream::stderr().lock().write_fmt(text);
}

/// What is to be told at the end: that not all results could be written.
pub(crate) fn unwritten() -> Option<Failure> {
    let why = UNWRITTEN.lock().unwrap_or_else(PoisonError::into_inner).take()?;
    Some(Failure::plain(format!("Standard output could not be written: {why}.")))
}

/// Formats a line for standard output.
macro_rules! outln {
    ($($text:tt)*) => { $crate::say::out(format_args!("{}\n", format_args!($($text)*))) };
}

/// Formats a line for standard error.
macro_rules! errln {
    ($($text:tt)*) => { $crate::say::err(format_args!("{}\n", format_args!($($text)*))) };
}

pub(crate) use {errln, outln};
