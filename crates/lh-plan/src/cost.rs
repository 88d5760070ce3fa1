//! The monthly estimate: every resource's lines, and what has no known price.

use lh_kind::{Amount, Line, Price, PriceBook, RuleBook, Share};
use lh_model::{Address, Map};
use serde::{Deserialize, Serialize};

/// What a set of resources costs a month.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Estimate {
    /// Lines with their resource.
    pub lines: Vec<(Address, Line)>,
    /// Resources without a known price, and why; never counted as zero.
    pub unknown: Vec<(Address, String)>,
}

impl Estimate {
    /// Prices these resources.
    pub fn of<'a>(
        resources: impl Iterator<Item = (&'a Address, &'a Map)>,
        book: &dyn RuleBook,
        prices: &PriceBook,
    ) -> Self {
        let mut estimate = Self::default();
        for (address, props) in resources {
            match book.rules(address.kind()).map(|rules| rules.price(props, prices)) {
                Some(Price::Known(lines)) => {
                    estimate.lines.extend(lines.into_iter().map(|line| (address.clone(), line)));
                }
                Some(Price::Unknown(why)) => estimate.unknown.push((address.clone(), why)),
                None => estimate.unknown.push((address.clone(), "no such kind".to_owned())),
            }
        }
        estimate
    }

    /// The sum of all known lines.
    pub fn total(&self) -> Amount {
        self.lines.iter().map(|(_, line)| line.monthly).sum()
    }

    /// The sum of the lines that the guide's formula has.
    pub fn guide_total(&self) -> Amount {
        self.lines.iter().filter(|(_, line)| line.share == Share::Guide).map(|(_, line)| line.monthly).sum()
    }

    /// `7.83`, or `at least 7.83` where a price is unknown.
    pub fn text(&self) -> String {
        self.with_sign("")
    }

    /// `$7.83`, or `at least $7.83`.
    pub fn dollars(&self) -> String {
        self.with_sign("$")
    }

    fn with_sign(&self, sign: &str) -> String {
        let least = if self.unknown.is_empty() { "" } else { "at least " };
        format!("{least}{sign}{}", self.total())
    }
}
