//! JSON that is carried as text and only read when somebody asks.
use std::fmt;
use std::ops::Range;

use bytes::Bytes;
use bytestring::ByteString;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::value::RawValue;

/// One JSON value as the text in which it arrived or will be sent.
///
/// Cloning is a reference count, and so is taking a part with [`Raw::slice`]. The text is known to
/// be UTF-8, but it is not parsed before [`Raw::parse`] or serialisation, which report bad JSON.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Raw(ByteString);

impl Raw {
    /// A value from text that lives as long as the program.
    pub const fn from_static(json: &'static str) -> Self {
        Self(ByteString::from_static(json))
    }

    /// The empty object, `{}`: the parameters of a command that takes none.
    pub const fn object_empty() -> Self {
        Self::from_static("{}")
    }

    /// The value `null`.
    pub const fn null() -> Self {
        Self::from_static("null")
    }

    /// Takes bytes as they arrived, without a copy.
    ///
    /// # Errors
    /// When the bytes are not UTF-8.
    pub fn from_utf8(bytes: Bytes) -> Result<Self, std::str::Utf8Error> {
        ByteString::try_from(bytes).map(Self)
    }

    /// Writes a value as JSON.
    ///
    /// # Errors
    /// When the value cannot be written, for example because a [`Raw`] inside it is not JSON.
    pub fn of<T: Serialize + ?Sized>(value: &T) -> Result<Self, EncodeError> {
        match serde_json::to_string(value) {
            Ok(json) => Ok(Self::from(json)),
            Err(cause) => Err(EncodeError {
                type_name: std::any::type_name::<T>(),
                cause,
            }),
        }
    }

    /// The JSON text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The JSON text as bytes.
    pub fn as_bytes(&self) -> &[u8] {
        self.0.as_bytes()
    }

    /// The JSON text as shared bytes, without a copy.
    pub fn into_bytes(self) -> Bytes {
        self.0.into_bytes()
    }

    /// Length of the text in bytes.
    pub fn len(&self) -> usize {
        self.as_bytes().len()
    }

    /// Whether there is no text at all, which is not valid JSON.
    pub fn is_empty(&self) -> bool {
        self.as_bytes().is_empty()
    }

    /// A part of the text, sharing its memory. `None` when the range is outside the text or cuts a
    /// character.
    pub fn slice(&self, range: Range<usize>) -> Option<Self> {
        let part = self.as_str().get(range)?;
        Some(Self(self.0.slice_ref(part)))
    }

    /// The part of the text that `part` (a slice of [`Raw::as_str`]) is, sharing its memory.
    /// A string from elsewhere is copied.
    pub fn slice_ref(&self, part: &str) -> Self {
        let whole = self.as_bytes().as_ptr_range();
        let inner = part.as_bytes().as_ptr_range();
        if !part.is_empty() && whole.start <= inner.start && inner.end <= whole.end {
            Self(self.0.slice_ref(part))
        } else {
            Self::from(part.to_owned())
        }
    }

    /// Reads the value into a type.
    ///
    /// # Errors
    /// When the text is not JSON or does not have the shape of `T`; the error keeps the text.
    pub fn parse<T: DeserializeOwned>(&self) -> Result<T, DecodeError> {
        serde_json::from_str(self.as_str()).map_err(|cause| DecodeError {
            type_name: std::any::type_name::<T>(),
            cause,
            raw: self.clone(),
        })
    }

    /// Reads the value into a type that may borrow from the text.
    ///
    /// # Errors
    /// As [`Raw::parse`].
    pub fn parse_borrowed<'a, T: Deserialize<'a>>(&'a self) -> Result<T, DecodeError> {
        serde_json::from_str(self.as_str()).map_err(|cause| DecodeError {
            type_name: std::any::type_name::<T>(),
            cause,
            raw: self.clone(),
        })
    }
}

impl Default for Raw {
    /// `null`.
    fn default() -> Self {
        Self::null()
    }
}

impl fmt::Debug for Raw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const SHOWN: usize = 200;
        match self.as_str().char_indices().nth(SHOWN) {
            None => write!(f, "Raw({})", self.as_str()),
            Some((cut, _)) => write!(f, "Raw({}… {} bytes)", &self.as_str()[..cut], self.len()),
        }
    }
}

impl fmt::Display for Raw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl From<String> for Raw {
    fn from(json: String) -> Self {
        Self(ByteString::from(json))
    }
}

impl From<Box<RawValue>> for Raw {
    fn from(json: Box<RawValue>) -> Self {
        Self::from(String::from(Box::<str>::from(json)))
    }
}

impl From<serde_json::Value> for Raw {
    fn from(value: serde_json::Value) -> Self {
        Self::from(value.to_string())
    }
}

impl Serialize for Raw {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        // Parsing into a borrowed RawValue copies nothing; it proves that the text is one JSON
        // value, so that it cannot break out of the message it is put into.
        let value: &RawValue =
            serde_json::from_str(self.as_str()).map_err(serde::ser::Error::custom)?;
        value.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Raw {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Box::<RawValue>::deserialize(deserializer).map(Self::from)
    }
}

/// A value could not be written as JSON.
#[derive(Debug, thiserror::Error)]
#[error("cannot write {type_name} as JSON: {cause}")]
pub struct EncodeError {
    type_name: &'static str,
    #[source]
    cause: serde_json::Error,
}

/// JSON did not have the expected shape. Keeps the text, so nothing that arrived is lost.
#[derive(Debug, thiserror::Error)]
#[error("cannot read {type_name}: {cause}")]
pub struct DecodeError {
    type_name: &'static str,
    #[source]
    cause: serde_json::Error,
    raw: Raw,
}

impl DecodeError {
    /// The Rust type that was wanted.
    pub fn type_name(&self) -> &'static str {
        self.type_name
    }

    /// The text as it arrived.
    pub fn raw(&self) -> &Raw {
        &self.raw
    }
}
