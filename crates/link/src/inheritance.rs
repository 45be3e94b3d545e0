//! What a keeper hands over together with its connection.
use keeptab_protocol::Raw;

use crate::Str;

/// What happened on a connection while nobody owned it, and what its last owner may not have learned.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Inheritance {
    /// Events that came while nobody was there to take them.
    pub dropped: u64,
    /// Commands of former owners that have left, and whose answer nobody has had.
    pub in_flight: Vec<InFlight>,
    /// The dialogs that are open.
    pub dialogs: Vec<StillOpen>,
}

/// A command of a former owner.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct InFlight {
    /// Its method, where the keeper noted it.
    pub method: Option<Str>,
    /// The CDP session that it was sent over; `None` for the browser itself.
    pub session: Option<Str>,
}

/// A dialog that is open.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StillOpen {
    /// The CDP session that it was told to.
    pub session: Str,
    /// The parameters of the `Page.javascriptDialogOpening` that told of it.
    pub opening: Raw,
}
