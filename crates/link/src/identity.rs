//! Whether the browser behind a new connection is the one behind the old.
use std::collections::HashSet;

use crate::{Identity, TargetId};

/// Target ids are random and do not survive a restart of the browser, so finding one is proof.
/// Where none is found, all tabs may have been closed meanwhile; then the address decides, if it
/// says which run of the browser it leads to.
pub(crate) fn decide(
    known: &[TargetId],
    there: &HashSet<TargetId>,
    before: Option<&str>,
    now: Option<&str>,
) -> Identity {
    if known.iter().any(|id| there.contains(id)) {
        return Identity::KnownTarget;
    }
    match (before, now) {
        (Some(before), Some(now)) if before == now => Identity::SameEndpoint,
        (Some(_), Some(_)) => Identity::Replaced,
        _ if known.is_empty() => Identity::Unproven,
        _ => Identity::Replaced,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_known_target_is_proof_whatever_the_address_says() {
        let known = [TargetId::from("A"), TargetId::from("B")];
        let there = HashSet::from([TargetId::from("B")]);
        assert_eq!(
            decide(&known, &there, Some("1"), Some("2")),
            Identity::KnownTarget
        );
    }

    #[test]
    fn without_a_known_target_the_address_decides() {
        let known = [TargetId::from("A")];
        let there = HashSet::from([TargetId::from("C")]);
        assert_eq!(
            decide(&known, &there, Some("1"), Some("1")),
            Identity::SameEndpoint
        );
        assert_eq!(
            decide(&known, &there, Some("1"), Some("2")),
            Identity::Replaced
        );
        assert_eq!(decide(&known, &there, None, None), Identity::Replaced);
        assert_eq!(decide(&[], &there, None, None), Identity::Unproven);
        assert_eq!(
            decide(&[], &there, Some("1"), Some("2")),
            Identity::Replaced
        );
    }
}
