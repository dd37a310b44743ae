//! Access control. The rule of a field stands once: in the `@requires` directive of a root field, or in its
//! [field definition](super::field). [`Guarded`] checks the rules of the root fields before their resolvers run;
//! [`AccessRules`] reads all rules from the schema, and refuses to start with a field that has none.

mod directive;
mod guarded;
mod rule;
mod rules;

pub use self::rule::{
    ANALYST, AUTHENTICATED, AccessRule, LOGIN_SESSION, MAKE_ADMINS, MANAGE_OWN, MANAGE_USERS, OWNER_OR_ADMIN,
    OWNER_OR_ANALYST, RESET_PASSWORDS, WRITE_AUDIT, WRITE_SESSIONS,
};
pub(in crate::graphql) use self::{
    directive::Requires,
    guarded::{Guarded, check_owner},
    rules::{AccessMatrixEntry, AccessRules},
};
