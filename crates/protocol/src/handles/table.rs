//! The shape of the generated tables: the way to each id that dies with a socket.

/// What lies at a field on the way.
#[derive(Debug)]
pub(crate) enum Step {
    /// An id that is a string.
    Text,
    /// An id that is a whole number.
    Number,
    /// An object with such fields.
    Object(&'static Fields),
    /// A list of such values.
    List(&'static Step),
}

/// The fields of an object that lead to an id.
#[derive(Debug)]
pub(crate) struct Fields(pub(crate) &'static [(&'static str, Step)]);

/// Where a command has ids.
#[derive(Debug)]
pub(crate) struct Carries {
    pub(crate) params: Option<Fields>,
    pub(crate) result: Option<Fields>,
}
