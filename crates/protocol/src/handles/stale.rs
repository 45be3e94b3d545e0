//! The refusal of an id from another connection.

/// A parameter names something of a connection that is gone, so it was not sent.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("'{field}' is {handle}, {reason}")]
pub struct StaleHandle {
    /// The method that was about to be sent.
    pub method: String,
    /// Name of the parameter or of the field in it.
    pub field: String,
    /// The id as the caller gave it.
    pub handle: String,
    /// Why it cannot be used.
    pub reason: Reason,
}

/// Why an id was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Reason {
    /// The id was handed out on an earlier connection.
    #[error("an id of connection {of}; this is connection {now}")]
    OtherEpoch {
        /// Epoch of the id.
        of: u32,
        /// Epoch of the present connection.
        now: u32,
    },
    /// The parameters are not JSON, so it cannot be known which ids are in them.
    #[error("not readable as JSON")]
    Unreadable,
}

impl StaleHandle {
    /// What to do next, in one sentence.
    pub fn hint(&self) -> &'static str {
        match self.reason {
            Reason::OtherEpoch { .. } => {
                "ids of nodes, objects, paused requests and streams end with their connection: get a new one"
            }
            Reason::Unreadable => "the parameters must be one JSON object",
        }
    }
}
