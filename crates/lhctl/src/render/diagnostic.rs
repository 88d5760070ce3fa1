//! Findings as people read them: the line, the place underlined, the reason, the fix.

use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet, renderer::DecorStyle};
use lh::{Diagnostic, Origin, Severity, Sources};

/// All findings, one after another.
pub(crate) fn render(findings: &[Diagnostic], sources: &Sources) -> String {
    let renderer = Renderer::styled().decor_style(DecorStyle::Ascii);
    let texts: Vec<String> =
        findings.iter().map(|finding| renderer.render(&[group(finding, sources)])).collect();
    texts.join("\n\n") + "\n"
}

fn group<'a>(finding: &'a Diagnostic, sources: &'a Sources) -> Group<'a> {
    let level = match finding.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
    };
    let title = level.primary_title(&finding.message).id(&finding.code);
    let mut group = match &finding.origin {
        Some(origin) => match sources.get(&origin.file) {
            Some(text) => {
                let place = AnnotationKind::Primary.span(span(text, origin));
                title.element(Snippet::source(text).path(&origin.file).annotation(place))
            }
            None => title.element(Level::NOTE.with_name("at").message(origin.to_string())),
        },
        None => Group::with_title(title),
    };
    if let Some(reason) = &finding.reason {
        group = group.element(Level::NOTE.with_name("reason").message(reason));
    }
    if let Some(fix) = &finding.fix {
        group = group.element(Level::HELP.with_name("fix").message(fix));
    }
    group
}

/// The bytes of `text` that `origin` means.
fn span(text: &str, origin: &Origin) -> std::ops::Range<usize> {
    let mut start = 0;
    for (index, line) in text.split_inclusive('\n').enumerate() {
        if index + 1 == origin.line {
            let byte =
                |chars: usize| line.char_indices().nth(chars).map_or(line.trim_end().len(), |(at, _)| at);
            let from = byte(origin.column.saturating_sub(1));
            let to = byte(origin.column.saturating_sub(1) + origin.length).min(line.trim_end().len());
            return start + from..start + to.max(from);
        }
        start += line.len();
    }
    text.len()..text.len()
}
