//! The bounds of `first` and `last`.

/// The page size of a connection when neither `first` nor `last` is given.
pub const DEFAULT_PAGE_SIZE: u16 = 20;
/// The largest page size.
pub const MAX_PAGE_SIZE: u16 = 100;
