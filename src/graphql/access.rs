//! Who may read or do what. A field names its rule twice: in its `@requires` directive, which clients see in the
//! schema, and in the check that its resolver begins with. A test asks every field as every role and compares.

use async_graphql::TypeDirective;

use super::types::{Role, Scope};
use crate::{
    auth::Principal,
    error::{Code, Error, Reason, Result},
    model::{self, UserId},
};

/// The least role a field needs, and whether the owner of the data may have it with any role.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rule {
    pub role: Role,
    pub owner: bool,
    /// What an API token must be good for; without one, only a login may.
    pub scope: Option<Scope>,
}

/// Anybody who is signed in.
pub const SIGNED_IN: Rule = Rule { role: Role::Viewer, owner: false, scope: Some(Scope::Read) };
/// Analysts and admins.
pub const ANALYST: Rule = Rule { role: Role::Analyst, owner: false, scope: Some(Scope::Read) };
/// Analysts and admins, and everybody for what is their own.
pub const OWNER_OR_ANALYST: Rule = Rule { role: Role::Analyst, owner: true, scope: Some(Scope::Read) };
/// Admins, and everybody for what is their own.
pub const OWNER_OR_ADMIN: Rule = Rule { role: Role::Admin, owner: true, scope: Some(Scope::Read) };
/// Anybody who has logged in; no API token.
pub const LOGGED_IN: Rule = Rule { role: Role::Viewer, owner: false, scope: None };
/// Admins, and everybody for their own account.
pub const MANAGE_OWN: Rule = Rule { role: Role::Admin, owner: true, scope: Some(Scope::ManageUsers) };
/// Admins.
pub const MANAGE_USERS: Rule = Rule { role: Role::Admin, owner: false, scope: Some(Scope::ManageUsers) };
/// Admins who have logged in; no API token.
pub const RESET_PASSWORDS: Rule = Rule { role: Role::Admin, owner: false, scope: None };
/// The same, where a user becomes an ADMIN. It holds for a value of an argument, which no directive can say.
pub const MAKE_ADMINS: Rule = RESET_PASSWORDS;
/// Analysts for their own conversations, admins for anybody's.
pub const WRITE_SESSIONS: Rule = Rule { role: Role::Analyst, owner: false, scope: Some(Scope::WriteSessions) };
/// Analysts for what they did, admins for what anybody did.
pub const WRITE_AUDIT: Rule = Rule { role: Role::Analyst, owner: false, scope: Some(Scope::WriteAudit) };

impl Rule {
    /// Lets the principal pass to a root field, or says why not.
    pub fn check(self, principal: &Principal) -> Result<()> {
        check_password(principal)?;
        self.check_before_password_change(principal)
    }

    /// The same for a root field that is there for whoever has to change the password first.
    pub fn check_before_password_change(self, principal: &Principal) -> Result<()> {
        self.check_credential(principal)?;
        if principal.has(self.role.into()) { Ok(()) } else { Err(self.refusal()) }
    }

    /// The same for data that belongs to a user, below a root field that has let the principal pass.
    pub fn check_for(self, principal: &Principal, owner: UserId) -> Result<()> {
        if self.owner && principal.is(owner) {
            self.check_credential(principal)
        } else {
            self.check_before_password_change(principal)
        }
    }

    /// Only whether the principal may call a root field by this credential. Who owns what is written is seen where it is
    /// written.
    pub fn check_scope(self, principal: &Principal) -> Result<()> {
        check_password(principal)?;
        self.check_credential(principal)
    }

    fn check_credential(self, principal: &Principal) -> Result<()> {
        if principal.require()?.covers(self.scope.map(Into::into)) {
            return Ok(());
        }
        Err(Error::new(
            Code::Forbidden,
            match self.scope {
                Some(scope) => {
                    format!("this API token lacks the scope {}", model::Scope::from(scope).as_str().to_uppercase())
                }
                None => {
                    "an API token cannot do this: sign in and use the access token of that login session".to_owned()
                }
            },
        ))
    }

    fn refusal(self) -> Error {
        let role = model::Role::from(self.role).as_str().to_uppercase();
        Error::new(Code::Forbidden, format!("this needs the role {role}"))
    }
}

/// Refuses a login whose password somebody else chose, until it is changed.
fn check_password(principal: &Principal) -> Result<()> {
    if principal.signed_in().is_some_and(|signed_in| signed_in.must_change_password) {
        let message = "the password has to be changed first: only me, changePassword, logout and refreshToken answer";
        return Err(Error::new(Code::Forbidden, message).because(Reason::PasswordChangeRequired));
    }
    Ok(())
}

/// What a caller needs for the field. Without a login the answer is UNAUTHENTICATED, with too low a role or without the
/// scope FORBIDDEN. A field without this directive asks for nothing beyond what led to its object.
#[TypeDirective(location = "FieldDefinition")]
pub fn requires(
    #[graphql(desc = "The least role that may have the field.")] role: Role,
    #[graphql(desc = "Whether the user whom the data belongs to may have it with any role.")] owner: bool,
    #[graphql(desc = "The scope that an API token needs; without one, no API token may have the field.")] scope: Option<
        Scope,
    >,
) {
}

/// What the resolver of a nullable field returns. A refusal or failure makes this field null and leaves its siblings:
/// the library would otherwise null the whole parent.
pub type Nullable<T> = Option<Result<Option<T>>>;

/// Runs the body of a nullable field, in which `?` works.
pub async fn nullable<T>(body: impl Future<Output = Result<Option<T>>>) -> Nullable<T> {
    Some(body.await)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::{
        auth::{Credential, SignedIn},
        model::{ApiTokenId, AuthSessionId, Scopes, User},
    };

    fn caller(role: model::Role) -> (UserId, Principal) {
        let now = "2026-03-01T12:00:00Z".parse().expect("a time");
        let id = UserId::new(now);
        let user = User {
            id,
            username: "somebody".to_owned(),
            email: "somebody@example.com".to_owned(),
            role,
            is_active: true,
            full_name: None,
            created_at: now,
            updated_at: now,
            last_login: None,
        };
        let by = Credential::AuthSession(AuthSessionId::new(now));
        (id, Principal::SignedIn(Arc::new(SignedIn { user: Arc::new(user), by, must_change_password: false })))
    }

    #[test]
    fn a_rule_asks_for_a_role_or_for_the_owner() {
        let (stranger, _) = caller(model::Role::Viewer);
        for (rule, role, anybodys, own) in [
            (SIGNED_IN, model::Role::Viewer, true, true),
            (ANALYST, model::Role::Viewer, false, false),
            (ANALYST, model::Role::Analyst, true, true),
            (ANALYST, model::Role::Admin, true, true),
            (OWNER_OR_ANALYST, model::Role::Viewer, false, true),
            (OWNER_OR_ANALYST, model::Role::Analyst, true, true),
        ] {
            let (id, principal) = caller(role);
            assert_eq!(rule.check(&principal).is_ok(), anybodys, "{rule:?} {role:?}");
            assert_eq!(rule.check_for(&principal, stranger).is_ok(), anybodys, "{rule:?} {role:?} of a stranger");
            assert_eq!(rule.check_for(&principal, id).is_ok(), own, "{rule:?} {role:?} of their own");
            let anonymous = rule.check_for(&Principal::Anonymous, id).map_err(|error| error.code());
            assert_eq!(anonymous, Err(Code::Unauthenticated));
        }
    }

    #[test]
    fn an_api_token_does_what_its_scopes_say_and_its_owner_may() {
        let now = "2026-03-01T12:00:00Z".parse().expect("a time");
        let token = |role, scopes: &[model::Scope]| {
            let (_, principal) = caller(role);
            let user = Arc::clone(principal.user().expect("signed in"));
            let by = Credential::ApiToken(ApiTokenId::new(now), Scopes::new(scopes.to_vec()));
            Principal::SignedIn(Arc::new(SignedIn { user, by, must_change_password: false }))
        };
        let reader = token(model::Role::Admin, &[model::Scope::Read]);
        let writer = token(model::Role::Viewer, &[model::Scope::ManageUsers]);
        let code = |result: Result<()>| result.map_err(|error| error.code());
        assert_eq!(code(ANALYST.check(&reader)), Ok(()));
        assert_eq!(code(LOGGED_IN.check(&reader)), Err(Code::Forbidden), "only a login may");
        assert_eq!(code(RESET_PASSWORDS.check(&token(model::Role::Admin, model::Scope::ALL))), Err(Code::Forbidden));
        assert_eq!(code(RESET_PASSWORDS.check(&caller(model::Role::Admin).1)), Ok(()));
        assert_eq!(code(RESET_PASSWORDS.check(&caller(model::Role::Analyst).1)), Err(Code::Forbidden));
        assert_eq!(code(MANAGE_OWN.check(&reader)), Err(Code::Forbidden), "it lacks the scope");
        assert_eq!(code(MANAGE_OWN.check(&writer)), Err(Code::Forbidden), "its owner lacks the role");
        assert_eq!(code(MANAGE_OWN.check_scope(&writer)), Ok(()), "until it is known whose data it is");
    }
}
