//! The one source of randomness: a small seeded generator (`SplitMix64`), so that a run can be repeated.

const BASE62: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
const HEX: &[u8; 16] = b"0123456789abcdef";

pub(crate) struct Random(u64);

impl Random {
    pub(super) fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub(super) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    pub(super) fn base62(&mut self, length: usize) -> String {
        self.text(BASE62, length)
    }

    pub(super) fn hex(&mut self, length: usize) -> String {
        self.text(HEX, length)
    }

    /// A number below `end`; 0 if that is 0.
    pub(crate) fn below(&mut self, end: u64) -> u64 {
        self.next() % end.max(1)
    }

    /// The same for an index.
    pub(crate) fn index(&mut self, length: usize) -> usize {
        // Below a length, so it fits.
        usize::try_from(self.below(length as u64)).unwrap_or(0)
    }

    fn text(&mut self, alphabet: &[u8], length: usize) -> String {
        let count = alphabet.len() as u64;
        // The remainder is below the alphabet's length, so the index is in range and fits.
        (0..length)
            .map(|_| char::from(alphabet[usize::try_from(self.next() % count).unwrap_or(0)]))
            .collect()
    }
}
