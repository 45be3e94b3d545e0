//! What the generated types have in common: strings and numbers with a type of their own, and the
//! reading of objects.
//!
//! Written out instead of derived: there are well over a thousand, they need less than a derive
//! gives them, and the compiler gets through them in half the time.

#![allow(
    dead_code,
    unused_imports,
    unused_macros,
    reason = "which of these are used depends on the domains that are built"
)]

use std::borrow::Cow;
use std::fmt;

use serde::de::{Error, IgnoredAny, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};

/// A string with its own type; values that the protocol names become constants. Any other string
/// is kept as it is, so a newer browser never causes an error here.
macro_rules! string_type {
    ($(#[$meta:meta])* $name:ident $({ $($constant:ident = $value:literal),* $(,)? })?) => {
        $(#[$meta])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(std::borrow::Cow<'static, str>);

        impl $name {
            $($(
                #[doc = concat!("`", $value, "`")]
                pub const $constant: Self = Self(std::borrow::Cow::Borrowed($value));
            )*)?

            /// The string on the wire.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl From<&str> for $name {
            fn from(value: &str) -> Self {
                Self(std::borrow::Cow::Owned(value.to_owned()))
            }
        }

        impl From<String> for $name {
            fn from(value: String) -> Self {
                Self(std::borrow::Cow::Owned(value))
            }
        }

        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                &self.0
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(&self.0)
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                <String as serde::Deserialize>::deserialize(deserializer).map(Self::from)
            }
        }
    };
}

/// A whole number with its own type.
macro_rules! integer_type {
    ($(#[$meta:meta])* $name:ident) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub i64);

        crate::macros::number_impls! { $name, i64, serialize_i64 }
    };
}

/// A number with its own type.
macro_rules! number_type {
    ($(#[$meta:meta])* $name:ident) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, PartialOrd)]
        pub struct $name(pub f64);

        crate::macros::number_impls! { $name, f64, serialize_f64 }
    };
}

macro_rules! number_impls {
    ($name:ident, $inner:ident, $serialize:ident) => {
        impl From<$inner> for $name {
            fn from(value: $inner) -> Self {
                Self(value)
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                self.0.fmt(f)
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.$serialize(self.0)
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                <$inner as serde::Deserialize>::deserialize(deserializer).map(Self)
            }
        }
    };
}

/// Reads an object: required fields, a semicolon, optional fields, each with its name on the wire.
/// What has another name is ignored, so a newer browser never causes an error here.
macro_rules! received {
    ($name:ident {
        $($required:ident = $required_key:literal,)*
        ; $($optional:ident = $optional_key:literal,)*
    }) => {
        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                struct Object;

                impl<'de> serde::de::Visitor<'de> for Object {
                    type Value = $name;

                    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                        f.write_str(concat!("an object (", stringify!($name), ")"))
                    }

                    fn visit_map<A: serde::de::MapAccess<'de>>(self, mut map: A) -> Result<$name, A::Error> {
                        $(let mut $required = None;)*
                        $(let mut $optional = None;)*
                        while let Some(key) = map.next_key::<crate::macros::Key<'de>>()? {
                            match key.as_str() {
                                $($required_key => $required = Some(map.next_value()?),)*
                                $($optional_key => $optional = map.next_value()?,)*
                                _ => crate::macros::ignore(&mut map)?,
                            }
                        }
                        Ok($name {
                            $($required: crate::macros::required($required, $required_key)?,)*
                            $($optional,)*
                        })
                    }
                }

                deserializer.deserialize_map(Object)
            }
        }
    };
}

/// The name of a field, without a copy where there is nothing to unescape.
pub(crate) struct Key<'de>(Cow<'de, str>);

impl Key<'_> {
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl<'de> Deserialize<'de> for Key<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Name;

        impl<'de> Visitor<'de> for Name {
            type Value = Key<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("the name of a field")
            }

            fn visit_borrowed_str<E: Error>(self, name: &'de str) -> Result<Key<'de>, E> {
                Ok(Key(Cow::Borrowed(name)))
            }

            fn visit_str<E: Error>(self, name: &str) -> Result<Key<'de>, E> {
                Ok(Key(Cow::Owned(name.to_owned())))
            }
        }

        deserializer.deserialize_str(Name)
    }
}

/// Passes the value of a field that nobody knows.
pub(crate) fn ignore<'de, A: MapAccess<'de>>(map: &mut A) -> Result<(), A::Error> {
    map.next_value::<IgnoredAny>().map(drop)
}

/// The value of a field that must be there.
pub(crate) fn required<T, E: Error>(found: Option<T>, key: &'static str) -> Result<T, E> {
    found.ok_or_else(|| E::missing_field(key))
}

pub(crate) use {integer_type, number_impls, number_type, received, string_type};
