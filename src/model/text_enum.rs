//! Enums with a fixed text for each variant, which the database and the log contain.

/// A stored text that this version of the program does not know.
#[derive(Debug, thiserror::Error)]
#[error("not a known {0}")]
pub struct UnknownText(pub(super) &'static str);

/// Defines an enum with the text of each variant. `Role { Viewer = "viewer", .. }` expands to
///
/// ```ignore
/// pub enum Role { Viewer, .. }
/// impl Role {
///     pub const ALL: &'static [Self] = &[Self::Viewer, ..];
///     pub const fn as_str(self) -> &'static str { match self { Self::Viewer => "viewer", .. } }
/// }
/// impl Display for Role { .. } // as_str()
/// impl FromStr for Role { type Err = UnknownText; .. }
/// ```
macro_rules! text_enum {
    ($(#[$doc:meta])* $name:ident { $($(#[$vdoc:meta])* $variant:ident = $text:literal),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name {
            $($(#[$vdoc])* $variant),+
        }

        impl $name {
            /// All variants, in order.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The text of the variant.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $text),+
                }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl std::str::FromStr for $name {
            type Err = super::UnknownText;

            fn from_str(text: &str) -> Result<Self, super::UnknownText> {
                match text {
                    $($text => Ok(Self::$variant),)+
                    _ => Err(super::UnknownText(stringify!($name))),
                }
            }
        }
    };
}

pub(super) use text_enum;
