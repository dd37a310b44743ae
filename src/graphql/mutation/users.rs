//! Users and passwords.

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
        users::{self, NewUser, ProfileUpdate},
    },
};

#[derive(Debug, Default)]
pub struct UserMutation;

/// The input of `createUser`.
#[derive(InputObject)]
pub struct CreateUserInput {
    /// The user name: 1 to 50 ASCII letters, digits, dots, underscores and hyphens, starting with a letter or digit; unique
    /// (case-insensitive).
    username: String,
    /// The e-mail address: ASCII; at most 255 characters; unique (case-insensitive).
    email: String,
    /// The initial password, which the user must change: not easy to guess; at least 12 characters unless the server is
    /// configured otherwise; at most 1,024 bytes.
    #[graphql(secret)]
    password: String,
    /// The role. `ADMIN` needs a login session: API tokens cannot create admins.
    #[graphql(default_with = "Role::Viewer")]
    role: Role,
    /// The full name: 1 to 255 characters, without control, invisible and direction-changing characters.
    full_name: Option<String>,
}

/// The input of `updateUser`. An omitted field keeps its value.
#[derive(InputObject)]
pub struct UpdateUserInput {
    /// The id of the user, a UUID.
    id: ID,
    /// The new user name, as in `CreateUserInput`; not null.
    username: MaybeUndefined<String>,
    /// The new e-mail address, as in `CreateUserInput`; not null.
    email: MaybeUndefined<String>,
    /// The new full name, as in `CreateUserInput`; null clears it.
    full_name: MaybeUndefined<String>,
    /// The expected value of `updatedAt`. If the user was changed since, the error is `CONFLICT`.
    expected_updated_at: Option<Timestamp>,
}

/// The input of `setUserRole`.
#[derive(InputObject)]
pub struct SetUserRoleInput {
    /// The id of the user, a UUID.
    id: ID,
    /// The new role. `ADMIN` needs a login session: API tokens cannot promote users to admin.
    role: Role,
    /// The expected value of `updatedAt`. If the user was changed since, the error is `CONFLICT`.
    expected_updated_at: Option<Timestamp>,
}

/// The input of `changePassword`.
#[derive(InputObject)]
pub struct ChangePasswordInput {
    /// The current password; at most 1,024 bytes.
    #[graphql(secret)]
    current_password: String,
    /// The new password: not easy to guess; at least 12 characters unless the server is configured otherwise; at most 1,024
    /// bytes.
    #[graphql(secret)]
    new_password: String,
}

/// The input of `resetPassword`.
#[derive(InputObject)]
pub struct ResetPasswordInput {
    /// The id of another user, a UUID.
    user_id: ID,
    /// The new password: not easy to guess; at least 12 characters unless the server is configured otherwise; at most 1,024
    /// bytes.
    #[graphql(secret)]
    new_password: String,
}

/// Defines payload types with the single field `user`: each expands to the struct and `From<User>` for it.
macro_rules! user_payloads {
    ($($(#[$doc:meta])* $name:ident),+ $(,)?) => {$(
        $(#[$doc])*
        #[derive(Debug, SimpleObject)]
        pub struct $name {
            /// The user after the change.
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
    /// The payload of `createUser`.
    CreateUserPayload,
    /// The payload of `updateUser`.
    UpdateUserPayload,
    /// The payload of `setUserRole`.
    SetUserRolePayload,
    /// The payload of `deactivateUser`.
    DeactivateUserPayload,
    /// The payload of `reactivateUser`.
    ReactivateUserPayload,
    /// The payload of `unlockUser`.
    UnlockUserPayload,
    /// The payload of `changePassword`.
    ChangePasswordPayload,
    /// The payload of `resetPassword`.
    ResetPasswordPayload,
}

/// The payload of `deleteUser`.
#[derive(Debug, SimpleObject)]
pub struct DeleteUserPayload {
    /// The id of the deleted user.
    deleted_user_id: ID,
}

#[Object]
impl UserMutation {
    /// Creates a user. `BAD_USER_INPUT`, with `extensions.field`, if the user name, e-mail address or password is not
    /// acceptable; `CONFLICT` if another user has the user name or e-mail address.
    #[graphql(directive = Requires::apply(MANAGE_USERS))]
    async fn create_user(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The properties of the user.")] input: CreateUserInput,
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

    /// Changes the profile of a user. Users change their own profile, admins all. `BAD_USER_INPUT`, with `extensions.field`,
    /// if the user name or e-mail address is not acceptable; `CONFLICT` if another user has it, or if `expectedUpdatedAt`
    /// does not match. Principals other than admins may cause ten such conflicts per hour unless the server is configured
    /// otherwise, then `RATE_LIMITED`, with `extensions.retryAfter`.
    #[graphql(directive = Requires::apply(MANAGE_OWN))]
    async fn update_user(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The changes.")] input: UpdateUserInput,
    ) -> Result<UpdateUserPayload> {
        let id = UserId(uuid("id", &input.id)?);
        check_owner(ctx, id)?;
        let profile = ProfileUpdate {
            username: not_null("username", input.username)?,
            email: not_null("email", input.email)?,
            full_name: input.full_name.into(),
        };
        users::update(ctx.request().actor()?, id, profile, input.expected_updated_at).await.map(Into::into)
    }

    /// Changes the role of a user. It takes effect with the next request, on other instances within a second. `CONFLICT` for
    /// the last active admin, or if `expectedUpdatedAt` does not match; `NOT_FOUND` for an unknown id.
    #[graphql(directive = Requires::apply(MANAGE_USERS))]
    async fn set_user_role(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The user and the new role.")] input: SetUserRoleInput,
    ) -> Result<SetUserRolePayload> {
        check_new_role(ctx, input.role)?;
        let id = UserId(uuid("id", &input.id)?);
        let expected = input.expected_updated_at;
        users::set_role(ctx.request().actor()?, id, input.role.into(), expected).await.map(Into::into)
    }

    /// Deactivates a user and revokes all login sessions and API tokens. It takes effect with the next request, on other
    /// instances within a second. The data of the user stays. `CONFLICT` for the last active admin; `NOT_FOUND` for an
    /// unknown id.
    #[graphql(directive = Requires::apply(MANAGE_USERS))]
    async fn deactivate_user(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The id of the user, a UUID.")] id: ID,
    ) -> Result<DeactivateUserPayload> {
        users::set_active(ctx.request().actor()?, UserId(uuid("id", &id)?), false).await.map(Into::into)
    }

    /// Lets a deactivated user log in again. Revoked login sessions and API tokens stay revoked. Reactivating an admin needs
    /// a login session. `NOT_FOUND` for an unknown id.
    #[graphql(directive = Requires::apply(MANAGE_USERS))]
    async fn reactivate_user(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The id of the user, a UUID.")] id: ID,
    ) -> Result<ReactivateUserPayload> {
        users::set_active(ctx.request().actor()?, UserId(uuid("id", &id)?), true).await.map(Into::into)
    }

    /// Clears the failed logins of a user, and so the delay of further attempts. `NOT_FOUND` for an unknown id.
    #[graphql(directive = Requires::apply(MANAGE_USERS))]
    async fn unlock_user(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The id of the user, a UUID.")] id: ID,
    ) -> Result<UnlockUserPayload> {
        users::unlock(ctx.request().actor()?, UserId(uuid("id", &id)?)).await.map(Into::into)
    }

    /// Deletes a user permanently, with all sessions, login sessions and API tokens. The audit log entries stay, with the
    /// user name. `CONFLICT` for the last active admin; `NOT_FOUND` for an unknown id.
    #[graphql(directive = Requires::apply(MANAGE_USERS))]
    async fn delete_user(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The id of the user, a UUID.")] id: ID,
    ) -> Result<DeleteUserPayload> {
        let deleted = users::delete(ctx.request().actor()?, UserId(uuid("id", &id)?)).await?;
        Ok(DeleteUserPayload { deleted_user_id: deleted.into() })
    }

    /// Changes the password of the principal and ends all its other login sessions; API tokens stay. `BAD_USER_INPUT`, with
    /// `extensions.field`, if the current password is wrong, which counts as a failed login, or if the new one is the same
    /// or easy to guess. After several failures in a row `RATE_LIMITED`, with `extensions.retryAfter` in seconds.
    #[graphql(directive = Requires::apply(LOGIN_SESSION))]
    async fn change_password(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The current and the new password.")] input: ChangePasswordInput,
    ) -> Result<ChangePasswordPayload> {
        let (current, new) = (SecretString::from(input.current_password), SecretString::from(input.new_password));
        passwords::change(ctx.request().actor()?, current, new).await.map(Into::into)
    }

    /// Sets a new password for another user, who must change it. Revokes all login sessions and API tokens of the user and
    /// clears the failed logins. Needs a login session: API tokens cannot reset passwords. `BAD_USER_INPUT` if the password
    /// is easy to guess, or for the id of the principal; `NOT_FOUND` for an unknown id.
    #[graphql(directive = Requires::apply(RESET_PASSWORDS))]
    async fn reset_password(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The user and the new password.")] input: ResetPasswordInput,
    ) -> Result<ResetPasswordPayload> {
        let id = UserId(uuid("userId", &input.user_id)?);
        passwords::reset(ctx.request().actor()?, id, SecretString::from(input.new_password)).await.map(Into::into)
    }
}

/// Checks the stricter rule for the role ADMIN.
fn check_new_role(ctx: &Context<'_>, role: Role) -> Result<()> {
    if role == Role::Admin { MAKE_ADMINS.check(ctx.request().principal()) } else { Ok(()) }
}

/// The value of a field that can be omitted but not cleared.
fn not_null<T>(field: &'static str, value: MaybeUndefined<T>) -> Result<Option<T>> {
    match value {
        MaybeUndefined::Undefined => Ok(None),
        MaybeUndefined::Null => {
            Err(Error::bad_input(field, format!("`{field}` cannot be null; omit it to keep the value")))
        }
        MaybeUndefined::Value(value) => Ok(Some(value)),
    }
}
