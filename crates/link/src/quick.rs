//! Hashing of keys that nobody outside of this connection chooses: our own numbers, and the ids of a
//! browser, which would only slow down its own session with ids that collide.
use std::hash::{BuildHasherDefault, Hasher};

/// A map with a hash of a few instructions.
pub(crate) type QuickMap<K, V> = std::collections::HashMap<K, V, BuildHasherDefault<Quick>>;

/// Folds eight bytes at a time.
#[derive(Debug, Default)]
pub(crate) struct Quick(u64);

/// 2^64 divided by the golden ratio.
const SPREAD: u64 = 0x9e37_79b9_7f4a_7c15;

impl Hasher for Quick {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        let mut words = bytes.chunks_exact(8);
        for word in &mut words {
            let mut eight = [0; 8];
            eight.copy_from_slice(word);
            self.write_u64(u64::from_le_bytes(eight));
        }
        let rest = words.remainder();
        if !rest.is_empty() {
            let mut eight = [0; 8];
            eight[..rest.len()].copy_from_slice(rest);
            self.write_u64(u64::from_le_bytes(eight));
        }
    }

    fn write_u8(&mut self, number: u8) {
        self.write_u64(u64::from(number));
    }

    fn write_u32(&mut self, number: u32) {
        self.write_u64(u64::from(number));
    }

    fn write_u64(&mut self, number: u64) {
        // Both halves of the product, so that every bit of the number reaches every part of the map.
        let wide = u128::from(self.0 ^ number ^ SPREAD) * u128::from(SPREAD);
        self.0 = (wide as u64) ^ ((wide >> 64) as u64);
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;
    use std::hash::{BuildHasher, BuildHasherDefault};

    use super::*;

    fn hash(key: impl std::hash::Hash) -> u64 {
        BuildHasherDefault::<Quick>::default().hash_one(key)
    }

    /// Both ends of the hash are used by a map: the top bits as a tag, the lowest for the place.
    #[test]
    fn neighbours_are_spread() {
        let spread = |keys: &mut dyn Iterator<Item = u64>| {
            let hashes: Vec<u64> = keys.collect();
            let places: HashSet<u64> = hashes.iter().map(|hash| hash & 0xff).collect();
            let tags: HashSet<u64> = hashes.iter().map(|hash| hash >> 57).collect();
            (places.len(), tags.len())
        };
        let (places, tags) = spread(&mut (0..1000u32).map(hash));
        assert!(places > 200 && tags > 100, "{places} {tags}");
        let (places, tags) = spread(&mut (0..1000).map(|n| hash(format!("{n:032X}"))));
        assert!(places > 200 && tags > 100, "{places} {tags}");
    }

    #[test]
    fn a_shorter_key_is_another_one() {
        assert_ne!(hash("A"), hash("AA"));
        assert_ne!(hash("12345678"), hash("1234567"));
        assert_ne!(hash(""), hash("\0"));
    }
}
