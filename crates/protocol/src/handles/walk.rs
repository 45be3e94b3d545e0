use super::StaleHandle;
use crate::Raw;

/// Marks every id in the result of `method` that dies with the connection `epoch` (1 = first).
pub fn tag_result(_method: &str, raw: Raw, _epoch: u32) -> Raw {
    raw
}

/// As [`tag_result`], for the parameters of an event.
pub fn tag_event(_method: &str, raw: Raw, _epoch: u32) -> Raw {
    raw
}

/// Takes the marks of `epoch` off the parameters of `method`.
///
/// # Errors
/// When a parameter holds an id of another connection.
pub fn check_params(_method: &str, raw: Raw, _epoch: u32) -> Result<Raw, StaleHandle> {
    Ok(raw)
}
