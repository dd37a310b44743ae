//! Sessions.

use std::sync::Arc;

use async_graphql::{Context, ID, InputObject, MaybeUndefined, Object, SimpleObject};

use crate::{
    error::{Error, Result},
    graphql::{
        access::{Requires, WRITE_SESSIONS},
        execution::ContextExt,
        scalars::uuid,
    },
    model::{RawJson, Session, SessionId, Timestamp, UserId},
    services::sessions::{self, ContextUpdate, NewSession, SessionUpdate},
};

#[derive(Debug, Default)]
pub struct SessionMutation;

/// The input of `createSession`.
#[derive(InputObject)]
pub struct CreateSessionInput {
    /// The id of the owner; the default is the principal. Only admins create sessions for other users.
    user_id: Option<ID>,
    /// The title; at most 255 characters.
    title: Option<String>,
    /// The id of the LangGraph thread; at most 255 characters.
    thread_id: Option<String>,
    /// The context that the agents store; at most 64 KiB.
    context: Option<RawJson>,
}

/// The input of `updateSession`. An omitted field keeps its value; null clears it.
#[derive(InputObject)]
pub struct UpdateSessionInput {
    /// The id of the session, a UUID.
    id: ID,
    /// The title; at most 255 characters.
    title: MaybeUndefined<String>,
    /// The id of the LangGraph thread; at most 255 characters.
    thread_id: MaybeUndefined<String>,
    /// The new context, which replaces the stored one; at most 64 KiB. Not with `contextPatch`.
    context: MaybeUndefined<RawJson>,
    /// A JSON merge patch (RFC 7396) for the stored context: null removes a key.
    context_patch: MaybeUndefined<RawJson>,
    /// The expected value of `updatedAt`. If the session was changed since, the error is `CONFLICT`.
    expected_updated_at: Option<Timestamp>,
}

/// The payload of `createSession`.
#[derive(Debug, SimpleObject)]
pub struct CreateSessionPayload {
    /// The created session.
    session: Arc<Session>,
}

/// The payload of `updateSession`.
#[derive(Debug, SimpleObject)]
pub struct UpdateSessionPayload {
    /// The session after the change.
    session: Arc<Session>,
}

/// The payload of `endSession`.
#[derive(Debug, SimpleObject)]
pub struct EndSessionPayload {
    /// The session after the change.
    session: Arc<Session>,
}

/// The payload of `deleteSession`.
#[derive(Debug, SimpleObject)]
pub struct DeleteSessionPayload {
    /// The id of the deleted session.
    deleted_session_id: ID,
}

#[Object]
impl SessionMutation {
    /// Creates a session. Analysts create their own sessions, admins those of all users.
    #[graphql(directive = Requires::apply(WRITE_SESSIONS))]
    async fn create_session(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The properties of the session.")] input: CreateSessionInput,
    ) -> Result<CreateSessionPayload> {
        let new = NewSession {
            user: input.user_id.map(|id| uuid("userId", &id).map(UserId)).transpose()?,
            title: input.title,
            thread_id: input.thread_id,
            context: input.context,
        };
        let session = sessions::create(ctx.request().actor()?, new).await?;
        Ok(CreateSessionPayload { session: Arc::new(session) })
    }

    /// Changes an active session. Analysts change their own sessions, admins those of all users. `CONFLICT` if the session
    /// is ended.
    #[graphql(directive = Requires::apply(WRITE_SESSIONS))]
    async fn update_session(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The changes.")] input: UpdateSessionInput,
    ) -> Result<UpdateSessionPayload> {
        let context = match (input.context, input.context_patch) {
            (MaybeUndefined::Undefined, MaybeUndefined::Undefined) => None,
            (context, MaybeUndefined::Undefined) => Some(ContextUpdate::Replace(context.take())),
            (MaybeUndefined::Undefined, MaybeUndefined::Value(patch)) => Some(ContextUpdate::Merge(patch)),
            (MaybeUndefined::Undefined, MaybeUndefined::Null) => {
                return Err(Error::bad_input(
                    "contextPatch",
                    "`contextPatch` must be an object; to clear the context, set `context` to null",
                ));
            }
            _ => return Err(Error::bad_input("contextPatch", "`context` cannot be combined with `contextPatch`")),
        };
        let change = SessionUpdate {
            title: input.title.into(),
            thread_id: input.thread_id.into(),
            context,
            expected_updated_at: input.expected_updated_at,
        };
        let id = SessionId(uuid("id", &input.id)?);
        let session = sessions::update(ctx.request().actor()?, id, change).await?;
        Ok(UpdateSessionPayload { session: Arc::new(session) })
    }

    /// Ends an active session. Analysts end their own sessions, admins those of all users. An ended session cannot be
    /// changed.
    #[graphql(directive = Requires::apply(WRITE_SESSIONS))]
    async fn end_session(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The id of the session, a UUID.")] id: ID,
    ) -> Result<EndSessionPayload> {
        let session = sessions::end(ctx.request().actor()?, SessionId(uuid("id", &id)?)).await?;
        Ok(EndSessionPayload { session: Arc::new(session) })
    }

    /// Deletes a session, active or ended. Analysts delete their own sessions, admins those of all users. The audit log
    /// keeps its entries.
    #[graphql(directive = Requires::apply(WRITE_SESSIONS))]
    async fn delete_session(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The id of the session, a UUID.")] id: ID,
    ) -> Result<DeleteSessionPayload> {
        let id = SessionId(uuid("id", &id)?);
        sessions::delete(ctx.request().actor()?, id).await?;
        Ok(DeleteSessionPayload { deleted_session_id: id.into() })
    }
}
