//! Names of what the queue holds: ULIDs, each kind a type of its own.

/// A ULID as a name of its own: it is shown, stored and sent as its 26 letters and figures.
macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(
            Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize,
        )]
        #[cfg_attr(feature = "typescript", derive(ts_rs::TS), ts(type = "string"))]
        #[serde(transparent)]
        pub struct $name(ulid::Ulid);

        impl $name {
            /// A new name; names made in a later millisecond sort later.
            #[must_use]
            #[expect(clippy::new_without_default, reason = "each call gives another name")]
            pub fn new() -> Self {
                Self(ulid::Ulid::new())
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                self.0.fmt(f)
            }
        }

        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                std::fmt::Display::fmt(self, f)
            }
        }

        impl std::str::FromStr for $name {
            type Err = ulid::DecodeError;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                text.parse().map(Self)
            }
        }
    };
}

pub(crate) use id;
