//! The change of one field by an update.

/// Whether an update keeps or sets a value.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Patch<T> {
    #[default]
    Keep,
    Set(T),
}

impl<T: Clone> Patch<T> {
    /// The value after the update.
    pub(super) fn apply(self, before: &T) -> T {
        match self {
            Self::Keep => before.clone(),
            Self::Set(value) => value,
        }
    }
}
