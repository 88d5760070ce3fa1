//! The nearest known word to a mistyped one.

/// The candidate nearest to `word`, where one is near enough to be what was meant.
pub(crate) fn nearest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    // The distance is quadratic: nobody meant a key of a thousand characters.
    if word.len() > 64 {
        return None;
    }
    let lower = word.to_lowercase().replace('-', "_");
    let distance = |c: &str| strsim::osa_distance(&lower, &c.to_lowercase().replace('-', "_"));
    let ranked = candidates.into_iter().map(|c| (distance(c), c));
    let (distance, nearest) = ranked.min_by_key(|(distance, _)| *distance)?;
    (distance <= (word.chars().count() / 3).max(2)).then_some(nearest)
}

/// `a`, `b` and `c`, each in backticks.
pub(crate) fn listed(words: &[&str]) -> String {
    let quoted: Vec<String> = words.iter().map(|word| format!("`{word}`")).collect();
    match quoted.split_last() {
        Some((last, rest)) if !rest.is_empty() => format!("{} and {last}", rest.join(", ")),
        _ => quoted.concat(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_typing_mistake_finds_its_word_and_nonsense_finds_none() {
        let keys = ["size", "iops", "throughput"];
        assert_eq!(nearest("trougput", keys), Some("throughput"));
        assert_eq!(nearest("Size", keys), Some("size"));
        assert_eq!(nearest("kubernetes", keys), None);
    }
}
