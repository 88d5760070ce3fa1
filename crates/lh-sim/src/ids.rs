//! Identifiers and all other random values of the world, from a generator that is saved with it.
//!
//! It is not for cryptography: the sequence is predictable on purpose, so that a run can be
//! replayed from its seed.

use serde::{Deserialize, Serialize};

/// A SplitMix64 generator: small, seeded, and part of the saved world.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Random {
    /// The current state; the seed at first.
    pub state: u64,
}

impl Random {
    /// A generator that starts from `seed`.
    pub fn seeded(seed: u64) -> Self {
        Random { state: seed }
    }

    /// The next 64 random bits.
    pub fn bits(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.state;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// A number below `limit` (0 when `limit` is 0).
    pub fn below(&mut self, limit: u64) -> u64 {
        self.bits().checked_rem(limit).unwrap_or(0)
    }

    /// An EC2 identifier: the prefix, a hyphen and 17 hexadecimal digits.
    pub fn id(&mut self, prefix: &str) -> String {
        let digits = format!("{:016x}{:x}", self.bits(), self.below(16));
        format!("{prefix}-{digits}")
    }

    /// A spot request id, which is shorter than other EC2 identifiers: `sir-` and 8 characters.
    pub fn spot_id(&mut self) -> String {
        const ALPHABET: &[u8] = b"abcdefghijkmnopqrstuvwxyz23456789";
        let tail = self.letters(ALPHABET, 8);
        format!("sir-{tail}")
    }

    /// An IAM unique id: the prefix (`AROA`, `AIPA`) and 17 upper-case characters.
    pub fn iam_id(&mut self, prefix: &str) -> String {
        const ALPHABET: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
        let tail = self.letters(ALPHABET, 17);
        format!("{prefix}{tail}")
    }

    /// A request id in the form of a UUID.
    pub fn request_id(&mut self) -> String {
        let (a, b) = (self.bits(), self.bits());
        format!(
            "{:08x}-{:04x}-4{:03x}-{:04x}-{:012x}",
            a >> 32,
            (a >> 16) & 0xffff,
            a & 0xfff,
            0x8000 | ((b >> 48) & 0x3fff),
            b & 0xffff_ffff_ffff
        )
    }

    fn letters(&mut self, alphabet: &[u8], count: usize) -> String {
        (0..count)
            .map(|_| {
                let at = self.below(alphabet.len() as u64) as usize;
                char::from(alphabet.get(at).copied().unwrap_or(b'a'))
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_gives_the_same_ids() {
        let (mut a, mut b) = (Random::seeded(7), Random::seeded(7));
        assert_eq!(a.id("i"), b.id("i"));
        assert_eq!(a.id("i").len(), "i-".len() + 17);
        assert_ne!(a.id("i"), Random::seeded(8).id("i"));
        assert_eq!(a.request_id().len(), 36);
    }
}
