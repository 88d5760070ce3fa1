//! Laws of the lexer, over texts nobody wrote by hand.

use lh_db::sql::statements;
use proptest::prelude::*;

proptest! {
    #[test]
    fn any_text_is_divided_without_a_panic(text in "\\PC*") {
        let (found, _) = statements(&text);
        for statement in found {
            prop_assert!(text.get(statement.span.clone()).is_some());
        }
    }

    #[test]
    fn signs_of_sql_in_any_order_are_divided_into_spans_in_order(
        parts in prop::collection::vec(prop::sample::select(vec![
            "'", "\"", "$$", "$a$", ";", "--", "\n", "/*", "*/", "E'", "\\", "a", "BEGIN ATOMIC", "END", "CASE", " ", "é",
        ]), 0..40)
    ) {
        let text = parts.concat();
        let (found, _) = statements(&text);
        let mut last = 0;
        for statement in found {
            prop_assert!(statement.span.start >= last && statement.span.end <= text.len());
            last = statement.span.end;
        }
    }

    #[test]
    fn strings_hide_what_they_hold(inner in "[a-z;$\\-*/ ]*") {
        let text = format!("SELECT '{inner}'; SELECT 2");
        prop_assert_eq!(statements(&text).0.len(), 2);
    }
}

/// As PostgreSQL's lexer has it; else the rest of the file would be part of the comment.
#[test]
fn a_comment_ends_with_its_line_whatever_ends_that() {
    for end in ["\n", "\r\n", "\r"] {
        let text = format!("CREATE TABLE a();{end}-- second{end}CREATE TABLE b();{end}");
        assert_eq!(statements(&text).0.len(), 2, "{text:?}");
    }
}
