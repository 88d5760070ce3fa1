//! Prices: what a resource costs a month, line by line, from a dated price list.

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// US dollars a month, in hundredths of a cent, so that sums are exact.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Amount(pub i64);

impl Amount {
    /// From dollars, rounded to the cent as the guide's worked examples are.
    #[allow(clippy::cast_possible_truncation)]
    pub fn dollars(dollars: f64) -> Self {
        Self((dollars * 100.0).round() as i64 * 100)
    }
}

impl std::ops::Add for Amount {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self(self.0 + other.0)
    }
}

impl std::iter::Sum for Amount {
    fn sum<I: Iterator<Item = Self>>(amounts: I) -> Self {
        amounts.fold(Self::default(), |sum, amount| sum + amount)
    }
}

impl std::fmt::Display for Amount {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let cents = self.0 / 100;
        let sign = if cents < 0 { "-" } else { "" };
        write!(f, "{sign}{}.{:02}", cents.abs() / 100, cents.abs() % 100)
    }
}

/// Whether a line is in the guide's formula or one of the costs the guide leaves out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Share {
    /// In the guide's formula: instance, volume, snapshots, monitoring.
    Guide,
    /// On the bill, not in the guide: public IPv4, root volume, ….
    Extra,
}

/// One line of an estimate.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Line {
    /// What is paid for.
    pub what: String,
    /// Dollars a month.
    pub monthly: Amount,
    /// In the guide's formula or not.
    pub share: Share,
}

/// What a resource costs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Price {
    /// These lines; none for what is free.
    Known(Vec<Line>),
    /// The price list does not have it; never counted as zero.
    Unknown(String),
}

impl Price {
    /// Costs nothing.
    pub const FREE: Self = Self::Known(Vec::new());
}

/// The price list of one region.
#[derive(Clone, Debug)]
pub struct PriceBook {
    /// The day the list was made.
    pub date: String,
    region: String,
    hours: f64,
    prices: Value,
}

impl PriceBook {
    /// The list of `region`; a region that the list lacks has only unknown prices.
    pub fn of(region: &str) -> Self {
        let list: Value = serde_json::from_str(include_str!("prices.json")).unwrap_or_default();
        Self {
            date: list["date"].as_str().unwrap_or("unknown").to_owned(),
            region: region.to_owned(),
            hours: list["hours_per_month"].as_f64().unwrap_or_default(),
            prices: list["regions"][region].clone(),
        }
    }

    /// Hours in a month, as the guide counts them.
    pub fn hours(&self) -> f64 {
        self.hours
    }

    /// The price under these keys.
    ///
    /// # Errors
    /// [`Price::Unknown`] when the list does not have it.
    pub fn find(&self, keys: &[&str]) -> Result<f64, Price> {
        let found = keys.iter().fold(&self.prices, |at, key| &at[*key]).as_f64();
        found.ok_or_else(|| {
            let what = keys.join(" ");
            Price::Unknown(format!("the price list of {} has no {what} for {}", self.date, self.region))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unlisted_price_is_unknown_and_not_zero() {
        let book = PriceBook::of("us-east-1");
        assert_eq!(book.find(&["instance_hour", "t4g.micro"]), Ok(0.0084));
        assert!(matches!(book.find(&["instance_hour", "t9g.huge"]), Err(Price::Unknown(_))));
        assert!(PriceBook::of("mars-1").find(&["gp3_gib"]).is_err());
    }

    #[test]
    fn amounts_are_rounded_to_the_cent_and_add_up_exactly() {
        let sum: Amount = [0.0084 * 730.0 * 0.3, 1.6, 0.1].map(Amount::dollars).into_iter().sum();
        assert_eq!(sum.to_string(), "3.54");
    }
}
