//! Nullable fields whose resolvers can fail.

use crate::error::Result;

/// The return type of the resolver of a nullable field. An error makes this field null and leaves its siblings; with a
/// plain `Result` the library would make the parent null.
pub type Nullable<T> = Option<Result<Option<T>>>;

/// Runs the body of a resolver of a nullable field, in which `?` works.
pub async fn nullable<T>(body: impl Future<Output = Result<Option<T>>>) -> Nullable<T> {
    Some(body.await)
}
