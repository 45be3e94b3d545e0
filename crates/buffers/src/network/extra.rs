//! The headers that really went over the wire come in events of their own
//! (`…ExtraInfo`), before or after the event they belong to, and with nothing
//! to say which hop of a redirect chain is meant, except their order.

use std::collections::VecDeque;

use crate::entry::Headers;

/// Which direction extra information is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Side {
    Request,
    Response,
}

/// What one such event says.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Info {
    pub(super) headers: Headers,
    pub(super) status: Option<u16>,
}

/// How much may wait for its hop.
const MAX_WAITING: usize = 8;

#[derive(Default)]
struct OneSide {
    /// How many of the hops that are known have their information, or will
    /// never have any.
    settled: usize,
    waiting: VecDeque<Info>,
}

/// The matching of one request's extra information with its hops.
#[derive(Default)]
pub(super) struct Extra {
    request: OneSide,
    response: OneSide,
}

impl Extra {
    fn side(&mut self, side: Side) -> &mut OneSide {
        match side {
            Side::Request => &mut self.request,
            Side::Response => &mut self.response,
        }
    }

    /// Information came. Returns the hop it belongs to, as an index into the
    /// known hops, or keeps it for the hop to come.
    pub(super) fn came(&mut self, side: Side, info: Info, hops: usize) -> Option<(usize, Info)> {
        let side = self.side(side);
        if side.settled < hops {
            side.settled += 1;
            return Some((side.settled - 1, info));
        }
        if side.waiting.len() < MAX_WAITING {
            side.waiting.push_back(info);
        }
        None
    }

    /// A hop was added: what waited for it?
    pub(super) fn hop_added(&mut self, side: Side, hops: usize) -> Option<Info> {
        let side = self.side(side);
        if side.settled + 1 != hops {
            return None;
        }
        let info = side.waiting.pop_front()?;
        side.settled += 1;
        Some(info)
    }

    /// The last known hop has no extra information and never will.
    pub(super) fn none_for_last(&mut self, hops: usize) {
        for side in [&mut self.request, &mut self.response] {
            side.settled = side.settled.max(hops);
        }
    }

    /// The oldest hop is no longer known.
    pub(super) fn forget_hop(&mut self) {
        for side in [&mut self.request, &mut self.response] {
            side.settled = side.settled.saturating_sub(1);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn info(n: u16) -> Info {
        Info {
            headers: Vec::new(),
            status: Some(n),
        }
    }

    #[test]
    fn what_comes_late_goes_to_the_first_hop_without() {
        let mut extra = Extra::default();
        assert_eq!(extra.came(Side::Response, info(1), 2), Some((0, info(1))));
        assert_eq!(extra.came(Side::Response, info(2), 2), Some((1, info(2))));
        assert_eq!(extra.came(Side::Request, info(3), 2), Some((0, info(3))));
    }

    #[test]
    fn what_comes_early_waits_for_its_hop() {
        let mut extra = Extra::default();
        assert_eq!(extra.came(Side::Request, info(1), 0), None);
        assert_eq!(extra.hop_added(Side::Request, 1), Some(info(1)));
        assert_eq!(extra.came(Side::Request, info(2), 1), None);
        assert_eq!(extra.hop_added(Side::Request, 2), Some(info(2)));
        assert_eq!(extra.hop_added(Side::Request, 3), None);
    }

    #[test]
    fn a_hop_without_information_is_passed_over() {
        let mut extra = Extra::default();
        extra.none_for_last(1);
        assert_eq!(extra.came(Side::Response, info(2), 2), Some((1, info(2))));
    }

    #[test]
    fn waiting_is_bounded() {
        let mut extra = Extra::default();
        for n in 0..100 {
            assert_eq!(extra.came(Side::Request, info(n), 0), None);
        }
        assert_eq!(extra.request.waiting.len(), MAX_WAITING);
    }
}
