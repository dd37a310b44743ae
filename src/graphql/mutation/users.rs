//! Managing users and their passwords.

use std::sync::Arc;

use async_graphql::{Context, ID, InputObject, MaybeUndefined, Object, SimpleObject};
use secrecy::SecretString;

use crate::{
    error::{Error, Result},
    graphql::{
        access::{LOGIN_SESSION, MAKE_ADMINS, MANAGE_OWN, MANAGE_USERS, RESET_PASSWORDS, Requires, check_owner},
        enums::Role,
        execution::ContextExt,
        scalars::uuid,
    },
    model::{Timestamp, User, UserId},
    services::{
        passwords,
        users::{self, NewUser, Profile},
    },
};

#[derive(Debug, Default)]
pub struct UserMutation;

/// Who is to be created.
#[derive(InputObject)]
pub struct CreateUserInput {
    /// The name to log in with: 1 to 50 letters, digits, dots, underscores and hyphens of ASCII, a letter or digit
    /// first. No other user has it, without regard to case.
    username: String,
    /// The e-mail address, of ASCII, at most 255 characters. No other user has it, without regard to case.
    email: String,
    /// The first password, hard to guess: at least 12 characters unless the server is set otherwise, at most 1,024
    /// bytes. The user is asked to change it.
    #[graphql(secret)]
    password: String,
    /// What the user may do. `ADMIN` takes a login session: no API token creates an admin.
    #[graphql(default_with = "Role::Viewer")]
    role: Role,
    /// The name for people: 1 to 255 characters, without control, invisible and direction-changing characters.
    full_name: Option<String>,
}

/// What is to be changed of a user's profile. What is absent stays as it is.
#[derive(InputObject)]
pub struct UpdateUserInput {
    /// The id of the user, a UUID.
    id: ID,
    /// Another name to log in with, as in `CreateUserInput`; not null.
    username: MaybeUndefined<String>,
    /// Another e-mail address, as in `CreateUserInput`; not null.
    email: MaybeUndefined<String>,
    /// Another name for people, as in `CreateUserInput`; null clears it.
    full_name: MaybeUndefined<String>,
    /// The `updatedAt` that the change is meant for: when the user has another by now, the answer is `CONFLICT`.
    expected_updated_at: Option<Timestamp>,
}

/// A role for a user.
#[derive(InputObject)]
pub struct SetUserRoleInput {
    /// The id of the user, a UUID.
    id: ID,
    /// What the user may do from now on. `ADMIN` takes a login session: no API token makes anybody an admin.
    role: Role,
    /// The `updatedAt` that the change is meant for: when the user has another by now, the answer is `CONFLICT`.
    expected_updated_at: Option<Timestamp>,
}

/// Another password of one's own.
#[derive(InputObject)]
pub struct ChangePasswordInput {
    /// The password so far, at most 1,024 bytes.
    #[graphql(secret)]
    current_password: String,
    /// Another one, hard to guess: at least 12 characters unless the server is set otherwise, at most 1,024 bytes.
    #[graphql(secret)]
    new_password: String,
}

/// Another password of somebody else.
#[derive(InputObject)]
pub struct ResetPasswordInput {
    /// The id of the user, a UUID; not the caller's own.
    user_id: ID,
    /// A password that is hard to guess: at least 12 characters unless the server is set otherwise, at most 1,024
    /// bytes.
    #[graphql(secret)]
    new_password: String,
}

/// A payload that holds the user as it is now.
macro_rules! user_payloads {
    ($($(#[$doc:meta])* $name:ident),+ $(,)?) => {$(
        $(#[$doc])*
        #[derive(Debug, SimpleObject)]
        pub struct $name {
            /// The user as it is now.
            user: Arc<User>,
        }

        impl From<User> for $name {
            fn from(user: User) -> Self {
                Self { user: Arc::new(user) }
            }
        }
    )+};
}

user_payloads! {
    /// A user who was created.
    CreateUserPayload,
    /// A user whose profile was changed.
    UpdateUserPayload,
    /// A user who has another role.
    SetUserRolePayload,
    /// A user who is kept out.
    DeactivateUserPayload,
    /// A user who may log in again.
    ReactivateUserPayload,
    /// A user who no longer has to wait.
    UnlockUserPayload,
    /// The caller, with another password.
    ChangePasswordPayload,
    /// A user with another password.
    ResetPasswordPayload,
}

/// A user who was deleted.
#[derive(Debug, SimpleObject)]
pub struct DeleteUserPayload {
    /// The id that the user had.
    deleted_user_id: ID,
}

#[Object]
impl UserMutation {
    /// Creates a user, who can log in at once. `BAD_USER_INPUT` for a name, an address or a password against the rules,
    /// with `extensions.field`; `CONFLICT` when another user has the name or the address.
    #[graphql(directive = Requires::apply(MANAGE_USERS))]
    async fn create_user(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Who is to be created.")] input: CreateUserInput,
    ) -> Result<CreateUserPayload> {
        check_new_role(ctx, input.role)?;
        let new = NewUser {
            username: input.username,
            email: input.email,
            password: SecretString::from(input.password),
            role: input.role.into(),
            full_name: input.full_name,
        };
        users::create(ctx.request().actor()?, new).await.map(Into::into)
    }

    /// Changes a profile: one's own, or for an admin anybody's. `BAD_USER_INPUT` for a name or an address against the
    /// rules, with `extensions.field`; `CONFLICT` when another user has it, or when `expectedUpdatedAt` no longer
    /// holds. Whoever is no admin may ask for ten names or addresses of others in an hour unless the server is set otherwise,
    /// then `RATE_LIMITED`, with `extensions.retryAfter`.
    #[graphql(directive = Requires::apply(MANAGE_OWN))]
    async fn update_user(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What is to be changed.")] input: UpdateUserInput,
    ) -> Result<UpdateUserPayload> {
        let id = UserId(uuid("id", &input.id)?);
        check_owner(ctx, id)?;
        let profile = Profile {
            username: not_null("username", input.username)?,
            email: not_null("email", input.email)?,
            full_name: input.full_name.into(),
        };
        users::update(ctx.request().actor()?, id, profile, input.expected_updated_at).await.map(Into::into)
    }

    /// Gives a user another role, which counts from the next request on, on other instances within a second. `CONFLICT` for
    /// the last active admin, or when `expectedUpdatedAt` no longer holds; `NOT_FOUND` for an unknown id.
    #[graphql(directive = Requires::apply(MANAGE_USERS))]
    async fn set_user_role(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Whose role, and which.")] input: SetUserRoleInput,
    ) -> Result<SetUserRolePayload> {
        check_new_role(ctx, input.role)?;
        let id = UserId(uuid("id", &input.id)?);
        let expected = input.expected_updated_at;
        users::set_role(ctx.request().actor()?, id, input.role.into(), expected).await.map(Into::into)
    }

    /// Keeps a user out from the next request on, on other instances within a second, and ends all logins and API tokens.
    /// What the user has stays. `CONFLICT` for the last active admin; `NOT_FOUND` for an unknown id.
    #[graphql(directive = Requires::apply(MANAGE_USERS))]
    async fn deactivate_user(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The id of the user, a UUID.")] id: ID,
    ) -> Result<DeactivateUserPayload> {
        users::set_active(ctx.request().actor()?, UserId(uuid("id", &id)?), false).await.map(Into::into)
    }

    /// Lets a user log in again. The logins and API tokens that were ended stay so. An ADMIN is reactivated with the access
    /// token of a login session, not by an API token. `NOT_FOUND` for an unknown id.
    #[graphql(directive = Requires::apply(MANAGE_USERS))]
    async fn reactivate_user(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The id of the user, a UUID.")] id: ID,
    ) -> Result<ReactivateUserPayload> {
        users::set_active(ctx.request().actor()?, UserId(uuid("id", &id)?), true).await.map(Into::into)
    }

    /// Forgets the failed logins that make a user wait. `NOT_FOUND` for an unknown id.
    #[graphql(directive = Requires::apply(MANAGE_USERS))]
    async fn unlock_user(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The id of the user, a UUID.")] id: ID,
    ) -> Result<UnlockUserPayload> {
        users::unlock(ctx.request().actor()?, UserId(uuid("id", &id)?)).await.map(Into::into)
    }

    /// Deletes a user for good, with all conversations, logins and tokens. The audit log entries stay, under the user
    /// name. `CONFLICT` for the last active admin; `NOT_FOUND` for an unknown id.
    #[graphql(directive = Requires::apply(MANAGE_USERS))]
    async fn delete_user(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The id of the user, a UUID.")] id: ID,
    ) -> Result<DeleteUserPayload> {
        let deleted = users::delete(ctx.request().actor()?, UserId(uuid("id", &id)?)).await?;
        Ok(DeleteUserPayload { deleted_user_id: deleted.into() })
    }

    /// Changes one's own password and ends all other logins of one's own; API tokens stay. `BAD_USER_INPUT` for a wrong
    /// current password, which counts as a failed login, or for a new one that is the same or easy to guess, with
    /// `extensions.field`. After several failures in a row `RATE_LIMITED`, with `extensions.retryAfter` in seconds.
    #[graphql(directive = Requires::apply(LOGIN_SESSION))]
    async fn change_password(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The current password and another one.")] input: ChangePasswordInput,
    ) -> Result<ChangePasswordPayload> {
        let (current, new) = (SecretString::from(input.current_password), SecretString::from(input.new_password));
        passwords::change(ctx.request().actor()?, current, new).await.map(Into::into)
    }

    /// Gives another user a password, which the user is asked to change. All logins and API tokens of the user end, and
    /// failed logins are forgotten. It takes a login session: no API token resets a password. `BAD_USER_INPUT` for a
    /// password that is easy to guess, or for one's own id; `NOT_FOUND` for an unknown id.
    #[graphql(directive = Requires::apply(RESET_PASSWORDS))]
    async fn reset_password(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Whose password, and which.")] input: ResetPasswordInput,
    ) -> Result<ResetPasswordPayload> {
        let id = UserId(uuid("userId", &input.user_id)?);
        passwords::reset(ctx.request().actor()?, id, SecretString::from(input.new_password)).await.map(Into::into)
    }
}

/// Checks the stricter rule for the role ADMIN.
fn check_new_role(ctx: &Context<'_>, role: Role) -> Result<()> {
    if role == Role::Admin { MAKE_ADMINS.check(ctx.request().principal()) } else { Ok(()) }
}

/// What can be changed but not cleared.
fn not_null<T>(field: &'static str, value: MaybeUndefined<T>) -> Result<Option<T>> {
    match value {
        MaybeUndefined::Undefined => Ok(None),
        MaybeUndefined::Null => Err(Error::bad_input(field, "it cannot be null; leave it out to keep it")),
        MaybeUndefined::Value(value) => Ok(Some(value)),
    }
}
