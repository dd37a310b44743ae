//! Users and their roles.

use super::{Timestamp, UserId, text_enum::text_enum};

text_enum! {
    /// The permissions of a user. Each role includes those of the roles before it.
    Role {
        /// Reads the user's own profile, sessions and audit log entries.
        Viewer = "viewer",
        /// Reads the data of all users and writes the user's own sessions.
        Analyst = "analyst",
        /// Reads and writes all data, and manages users.
        Admin = "admin",
    }
}

/// A user, without the password hash: see [`Credentials`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    pub id: UserId,
    pub username: String,
    pub email: String,
    pub role: Role,
    pub is_active: bool,
    pub full_name: Option<String>,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
    pub last_login: Option<Timestamp>,
}

/// A user with the password hash.
#[derive(Clone, Debug)]
pub struct Credentials {
    pub user: User,
    pub hashed_password: secrecy::SecretString,
    /// True if another person chose the password, so that the user must change it.
    pub password_change_required: bool,
}
