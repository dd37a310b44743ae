//! Access rules: the lowest role, the owner, the scope of an API token.

use crate::{
    auth::Principal,
    error::{Error, ErrorCode, Reason, Result},
    model::{Role, Scope, UserId},
};

/// The access rule of a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AccessRule {
    /// The lowest role that may select the field.
    pub role: Role,
    /// True if the user who owns the data may select the field with any role.
    pub owner: bool,
    /// The scope that an API token needs; without a scope only a login session passes.
    pub scope: Option<Scope>,
}

/// Every authenticated principal.
pub const AUTHENTICATED: AccessRule = AccessRule { role: Role::Viewer, owner: false, scope: Some(Scope::Read) };
/// Analysts and admins.
pub const ANALYST: AccessRule = AccessRule { role: Role::Analyst, owner: false, scope: Some(Scope::Read) };
/// Analysts, admins and the owner of the data.
pub const OWNER_OR_ANALYST: AccessRule = AccessRule { role: Role::Analyst, owner: true, scope: Some(Scope::Read) };
/// Admins and the owner of the data.
pub const OWNER_OR_ADMIN: AccessRule = AccessRule { role: Role::Admin, owner: true, scope: Some(Scope::Read) };
/// Every login session; no API token.
pub const LOGIN_SESSION: AccessRule = AccessRule { role: Role::Viewer, owner: false, scope: None };
/// Admins, and all users for their own account.
pub const MANAGE_OWN: AccessRule = AccessRule { role: Role::Admin, owner: true, scope: Some(Scope::ManageUsers) };
/// Admins.
pub const MANAGE_USERS: AccessRule = AccessRule { role: Role::Admin, owner: false, scope: Some(Scope::ManageUsers) };
/// Admins with a login session; no API token.
pub const RESET_PASSWORDS: AccessRule = AccessRule { role: Role::Admin, owner: false, scope: None };
/// The rule for giving a user the role ADMIN. It depends on the value of an argument, which no directive can state.
pub const MAKE_ADMINS: AccessRule = RESET_PASSWORDS;
/// Analysts for their own sessions, admins for all sessions.
pub const WRITE_SESSIONS: AccessRule =
    AccessRule { role: Role::Analyst, owner: false, scope: Some(Scope::WriteSessions) };
/// Analysts for their own actions, admins for those of all users.
pub const WRITE_AUDIT: AccessRule = AccessRule { role: Role::Analyst, owner: false, scope: Some(Scope::WriteAudit) };

impl AccessRule {
    /// Checks the rule, and that no password change is required first.
    pub fn check(self, principal: &Principal) -> Result<()> {
        check_password(principal)?;
        self.check_before_password_change(principal)
    }

    /// Checks the rule for a principal that may have to change the password first.
    pub fn check_before_password_change(self, principal: &Principal) -> Result<()> {
        self.check_credential(principal)?;
        if principal.has(self.role) { Ok(()) } else { Err(self.missing_role()) }
    }

    /// Checks the rule for data of this owner, below a root field that the principal passed.
    pub fn check_for(self, principal: &Principal, owner: UserId) -> Result<()> {
        if self.owner && principal.is(owner) {
            self.check_credential(principal)
        } else {
            self.check_before_password_change(principal)
        }
    }

    /// Returns true if [`check_for`](Self::check_for) succeeds for every owner.
    #[must_use]
    pub fn passes_for_all_owners(self, principal: &Principal) -> bool {
        self.check_before_password_change(principal).is_ok()
    }

    /// Checks the credential only, for a field whose owner is not known yet.
    pub fn check_scope(self, principal: &Principal) -> Result<()> {
        check_password(principal)?;
        self.check_credential(principal)
    }

    fn check_credential(self, principal: &Principal) -> Result<()> {
        if principal.require()?.covers(self.scope) {
            return Ok(());
        }
        Err(Error::new(
            ErrorCode::Forbidden,
            match self.scope {
                Some(scope) => format!("this API token lacks the scope {}", scope.as_str().to_uppercase()),
                None => {
                    "an API token cannot do this: sign in and use the access token of that login session".to_owned()
                }
            },
        ))
    }

    fn missing_role(self) -> Error {
        Error::new(ErrorCode::Forbidden, format!("this needs the role {}", self.role.as_str().to_uppercase()))
    }
}

/// Refuses a login session whose password another person knows, until it is changed.
fn check_password(principal: &Principal) -> Result<()> {
    if principal.authenticated().is_some_and(|authenticated| authenticated.must_change_password) {
        let message =
            "change the password first: until then only me, changePassword, logout and refreshToken are allowed";
        return Err(Error::new(ErrorCode::Forbidden, message).with_reason(Reason::PasswordChangeRequired));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::{
        auth::{Authenticated, Credential},
        model::{ApiTokenId, AuthSessionId, Scopes, User},
    };

    fn principal_with(role: Role) -> (UserId, Principal) {
        let now = "2026-03-01T12:00:00Z".parse().expect("a time");
        let id = UserId::new(now);
        let user = User {
            id,
            username: "anna".to_owned(),
            email: "anna@example.com".to_owned(),
            role,
            is_active: true,
            full_name: None,
            created_at: now,
            updated_at: now,
            last_login: None,
        };
        let credential = Credential::AuthSession(AuthSessionId::new(now));
        (
            id,
            Principal::Authenticated(Arc::new(Authenticated {
                user: Arc::new(user),
                credential,
                must_change_password: false,
            })),
        )
    }

    #[test]
    fn a_rule_requires_a_role_or_ownership() {
        let (stranger, _) = principal_with(Role::Viewer);
        for (rule, role, others, own) in [
            (AUTHENTICATED, Role::Viewer, true, true),
            (ANALYST, Role::Viewer, false, false),
            (ANALYST, Role::Analyst, true, true),
            (ANALYST, Role::Admin, true, true),
            (OWNER_OR_ANALYST, Role::Viewer, false, true),
            (OWNER_OR_ANALYST, Role::Analyst, true, true),
        ] {
            let (id, principal) = principal_with(role);
            assert_eq!(rule.check(&principal).is_ok(), others, "{rule:?} {role:?}");
            assert_eq!(rule.check_for(&principal, stranger).is_ok(), others, "{rule:?} {role:?} of another user");
            assert_eq!(rule.check_for(&principal, id).is_ok(), own, "{rule:?} {role:?} of their own");
            let anonymous = rule.check_for(&Principal::Anonymous, id).map_err(|error| error.code());
            assert_eq!(anonymous, Err(ErrorCode::Unauthenticated));
        }
    }

    #[test]
    fn an_api_token_is_limited_by_its_scopes_and_by_its_owners_role() {
        let now = "2026-03-01T12:00:00Z".parse().expect("a time");
        let token = |role, scopes: &[Scope]| {
            let (_, principal) = principal_with(role);
            let user = Arc::clone(principal.user().expect("signed in"));
            let credential = Credential::ApiToken(ApiTokenId::new(now), Scopes::new(scopes.to_vec()));
            Principal::Authenticated(Arc::new(Authenticated { user, credential, must_change_password: false }))
        };
        let reader = token(Role::Admin, &[Scope::Read]);
        let writer = token(Role::Viewer, &[Scope::ManageUsers]);
        let code = |result: Result<()>| result.map_err(|error| error.code());
        assert_eq!(code(ANALYST.check(&reader)), Ok(()));
        assert_eq!(code(LOGIN_SESSION.check(&reader)), Err(ErrorCode::Forbidden), "only a login may");
        assert_eq!(code(RESET_PASSWORDS.check(&token(Role::Admin, Scope::ALL))), Err(ErrorCode::Forbidden));
        assert_eq!(code(RESET_PASSWORDS.check(&principal_with(Role::Admin).1)), Ok(()));
        assert_eq!(code(RESET_PASSWORDS.check(&principal_with(Role::Analyst).1)), Err(ErrorCode::Forbidden));
        assert_eq!(code(MANAGE_OWN.check(&reader)), Err(ErrorCode::Forbidden), "it lacks the scope");
        assert_eq!(code(MANAGE_OWN.check(&writer)), Err(ErrorCode::Forbidden), "its owner lacks the role");
        assert_eq!(code(MANAGE_OWN.check_scope(&writer)), Ok(()), "until it is known whose data it is");
    }
}
