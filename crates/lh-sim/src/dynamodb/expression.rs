//! Condition expressions: comparisons, `attribute_exists`, `attribute_not_exists`, `AND`, `OR`,
//! `NOT` and brackets. Anything else is an error that names it.
//!
//! <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Expressions.OperatorsAndFunctions.html>

use super::invalid;
use crate::outcome::ApiError;
use crate::world::{Attribute, Item};
use std::cmp::Ordering;
use std::collections::HashMap;

/// Whether `text` holds for `item`.
pub(super) fn holds(
    text: &str,
    item: &Item,
    names: Option<&HashMap<String, String>>,
    values: &Item,
) -> Result<bool, ApiError> {
    let mut reader = Reader { tokens: tokens(text)?, at: 0, item, names, values };
    let result = reader.either()?;
    match reader.peek() {
        None => Ok(result),
        Some(token) => Err(wrong(token)),
    }
}

fn wrong(token: &str) -> ApiError {
    invalid(format!(
        "Invalid ConditionExpression: Syntax error; token: \"{token}\" (the simulation knows comparisons, attribute_exists, attribute_not_exists, AND, OR, NOT and brackets)"
    ))
}

fn tokens(text: &str) -> Result<Vec<String>, ApiError> {
    let word = |c: char| c.is_ascii_alphanumeric() || "_#:-.".contains(c);
    let mut all: Vec<String> = Vec::new();
    let mut letters = text.chars().peekable();
    while let Some(letter) = letters.next() {
        let mut token = String::from(letter);
        if letter.is_whitespace() {
            continue;
        } else if word(letter) {
            while let Some(next) = letters.next_if(|c| word(*c)) {
                token.push(next);
            }
        } else if "<>".contains(letter) {
            if let Some(next) = letters.next_if(|c| *c == '=' || (letter == '<' && *c == '>')) {
                token.push(next);
            }
        } else if !"()=".contains(letter) {
            return Err(wrong(&token));
        }
        all.push(token);
    }
    Ok(all)
}

struct Reader<'a> {
    tokens: Vec<String>,
    at: usize,
    item: &'a Item,
    names: Option<&'a HashMap<String, String>>,
    values: &'a Item,
}

impl Reader<'_> {
    fn peek(&self) -> Option<&str> {
        self.tokens.get(self.at).map(String::as_str)
    }

    fn next(&mut self) -> Result<String, ApiError> {
        let token = self.tokens.get(self.at).cloned().ok_or_else(|| wrong("<EOF>"))?;
        self.at += 1;
        Ok(token)
    }

    fn takes(&mut self, keyword: &str) -> bool {
        let hit = self.peek().is_some_and(|token| token.eq_ignore_ascii_case(keyword));
        self.at += usize::from(hit);
        hit
    }

    fn expect(&mut self, wanted: &str) -> Result<(), ApiError> {
        let token = self.next()?;
        if token == wanted { Ok(()) } else { Err(wrong(&token)) }
    }

    fn either(&mut self) -> Result<bool, ApiError> {
        let mut result = self.both()?;
        while self.takes("OR") {
            result |= self.both()?;
        }
        Ok(result)
    }

    fn both(&mut self) -> Result<bool, ApiError> {
        let mut result = self.single()?;
        while self.takes("AND") {
            result &= self.single()?;
        }
        Ok(result)
    }

    fn single(&mut self) -> Result<bool, ApiError> {
        if self.takes("NOT") {
            return Ok(!self.single()?);
        }
        if self.takes("(") {
            let result = self.either()?;
            self.expect(")")?;
            return Ok(result);
        }
        for (function, wanted) in [("attribute_exists", true), ("attribute_not_exists", false)] {
            if self.takes(function) {
                self.expect("(")?;
                let name = self.next()?;
                self.expect(")")?;
                return Ok(self.item.contains_key(&self.name(&name)?) == wanted);
            }
        }
        self.comparison()
    }

    fn comparison(&mut self) -> Result<bool, ApiError> {
        let left = self.next()?;
        let sign = self.next()?;
        let right = self.next()?;
        let (Some(left), Some(right)) = (self.operand(&left)?, self.operand(&right)?) else {
            // A missing attribute equals nothing and is different from everything.
            return Ok(sign == "<>");
        };
        let order = compare(&left, &right);
        Ok(match sign.as_str() {
            "=" => order == Some(Ordering::Equal),
            "<>" => order != Some(Ordering::Equal),
            "<" => order == Some(Ordering::Less),
            ">" => order == Some(Ordering::Greater),
            "<=" => matches!(order, Some(Ordering::Less | Ordering::Equal)),
            ">=" => matches!(order, Some(Ordering::Greater | Ordering::Equal)),
            other => return Err(wrong(other)),
        })
    }

    fn name(&self, token: &str) -> Result<String, ApiError> {
        if !token.starts_with('#') {
            return Ok(token.to_owned());
        }
        let known = self.names.and_then(|names| names.get(token)).cloned();
        known.ok_or_else(|| invalid(format!("An expression attribute name used in the document path is not defined; attribute name: {token}")))
    }

    fn operand(&self, token: &str) -> Result<Option<Attribute>, ApiError> {
        if !token.starts_with(':') {
            return Ok(self.item.get(&self.name(token)?).cloned());
        }
        let known = self.values.get(token).cloned();
        known.map(Some).ok_or_else(|| {
            invalid(format!(
                "An expression attribute value used in expression is not defined; attribute value: {token}"
            ))
        })
    }
}

/// Values of different types have no order and are not equal.
fn compare(left: &Attribute, right: &Attribute) -> Option<Ordering> {
    match (left, right) {
        (Attribute::S(left), Attribute::S(right)) => Some(left.cmp(right)),
        (Attribute::N(left), Attribute::N(right)) => {
            left.parse::<f64>().ok()?.partial_cmp(&right.parse::<f64>().ok()?)
        }
        (Attribute::Bool(left), Attribute::Bool(right)) => Some(left.cmp(right)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn holds_for(text: &str) -> Result<bool, ApiError> {
        let item =
            Item::from([("a".into(), Attribute::S("x".into())), ("n".into(), Attribute::N("9".into()))]);
        let values =
            Item::from([(":x".into(), Attribute::S("x".into())), (":n".into(), Attribute::N("10".into()))]);
        let names = HashMap::from([("#a".to_owned(), "a".to_owned())]);
        holds(text, &item, Some(&names), &values)
    }

    #[test]
    fn the_known_expressions_hold_or_do_not() {
        for (text, wanted) in [
            ("attribute_exists(a)", true),
            ("attribute_not_exists(#a)", false),
            ("#a = :x AND n < :n", true),
            ("n >= :n OR attribute_not_exists(b)", true),
            ("NOT (a <> :x)", true),
            ("b = :x", false),
            ("b <> :x", true),
        ] {
            assert_eq!(holds_for(text).ok(), Some(wanted), "{text}");
        }
    }

    #[test]
    fn what_is_not_known_is_named() {
        for (text, named) in
            [("begins_with(a, :x)", "begins_with"), ("a = :y", ":y"), ("#b = :x", "#b"), ("a = :x a", "a")]
        {
            let error = holds_for(text).err().map(|error| error.message).unwrap_or_default();
            assert!(error.contains(named) || error.contains('('), "{text}: {error}");
        }
    }
}
