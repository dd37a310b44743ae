//! What tests are told with: an app on a fresh database of either kind, people in it, and questions they ask.

mod app;
mod database;
mod gql;
pub mod imports;
mod login;
pub mod naive;
mod server;

pub use self::{
    app::{TestApp, subject_of},
    database::{Backend, Database},
    gql::{Caller, Reply},
    login::{LOGIN, log_in_from, login_request},
    server::Server,
};

/// So many texts, one after the other.
pub fn many(numbers: std::ops::Range<usize>, one: impl Fn(usize) -> String) -> String {
    numbers.map(one).collect()
}

/// Declares two tests for each function, `sqlite` and `postgres`, each with an app on a database of its own.
macro_rules! on_both {
    ($($test:ident),+ $(,)?) => {$(
        mod $test {
            #[tokio::test]
            async fn sqlite() {
                $crate::support::TestApp::run($crate::support::Backend::Sqlite, super::$test).await;
            }

            #[tokio::test]
            async fn postgres() {
                $crate::support::TestApp::run($crate::support::Backend::Postgres, super::$test).await;
            }
        }
    )+};
}

pub(crate) use on_both;
