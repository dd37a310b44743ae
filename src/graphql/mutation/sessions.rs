//! Writing conversation sessions.

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
    services::sessions::{self, ContextChange, NewSession, SessionChange},
};

#[derive(Debug, Default)]
pub struct SessionMutation;

/// What a new conversation has.
#[derive(InputObject)]
pub struct CreateSessionInput {
    /// Whose it is; the caller's by default. Only an admin opens one for others.
    user_id: Option<ID>,
    /// The title, at most 255 characters.
    title: Option<String>,
    /// The id of the LangGraph thread, at most 255 characters.
    thread_id: Option<String>,
    /// What the agents keep about it, at most 64 KiB.
    context: Option<RawJson>,
}

/// What is to become of a conversation. What is absent stays as it is; null clears.
#[derive(InputObject)]
pub struct UpdateSessionInput {
    /// The id of the session, a UUID.
    id: ID,
    /// The title, at most 255 characters.
    title: MaybeUndefined<String>,
    /// The id of the LangGraph thread, at most 255 characters.
    thread_id: MaybeUndefined<String>,
    /// What the agents keep about it, as a whole, at most 64 KiB. Not together with `contextPatch`.
    context: MaybeUndefined<RawJson>,
    /// Changes to what is kept, as a JSON merge patch (RFC 7396): null removes a field.
    context_patch: MaybeUndefined<RawJson>,
    /// The `updatedAt` that was read: when it is another by now, the answer is `CONFLICT`.
    expected_updated_at: Option<Timestamp>,
}

/// A conversation that was opened.
#[derive(Debug, SimpleObject)]
pub struct CreateSessionPayload {
    /// The conversation.
    session: Arc<Session>,
}

/// A conversation that was changed.
#[derive(Debug, SimpleObject)]
pub struct UpdateSessionPayload {
    /// The conversation as it is now.
    session: Arc<Session>,
}

/// A conversation that was ended.
#[derive(Debug, SimpleObject)]
pub struct EndSessionPayload {
    /// The conversation as it is now.
    session: Arc<Session>,
}

/// A conversation that was deleted.
#[derive(Debug, SimpleObject)]
pub struct DeleteSessionPayload {
    /// The id that it had.
    deleted_session_id: ID,
}

#[Object]
impl SessionMutation {
    /// Opens a conversation: one's own, or for an admin anybody's.
    #[graphql(directive = Requires::apply(WRITE_SESSIONS))]
    async fn create_session(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What the conversation has.")] input: CreateSessionInput,
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

    /// Changes an open conversation: one's own, or for an admin anybody's. One that has ended is `CONFLICT`.
    #[graphql(directive = Requires::apply(WRITE_SESSIONS))]
    async fn update_session(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What is to become of it.")] input: UpdateSessionInput,
    ) -> Result<UpdateSessionPayload> {
        let context = match (input.context, input.context_patch) {
            (MaybeUndefined::Undefined, MaybeUndefined::Undefined) => None,
            (context, MaybeUndefined::Undefined) => Some(ContextChange::Replace(context.take())),
            (MaybeUndefined::Undefined, MaybeUndefined::Value(patch)) => Some(ContextChange::Merge(patch)),
            (MaybeUndefined::Undefined, MaybeUndefined::Null) => {
                return Err(Error::bad_input(
                    "contextPatch",
                    "a patch is an object; to clear the context give null to it",
                ));
            }
            _ => return Err(Error::bad_input("contextPatch", "give either context or contextPatch, not both")),
        };
        let change = SessionChange {
            title: input.title.into(),
            thread_id: input.thread_id.into(),
            context,
            expected_updated_at: input.expected_updated_at,
        };
        let id = SessionId(uuid("id", &input.id)?);
        let session = sessions::update(ctx.request().actor()?, id, change).await?;
        Ok(UpdateSessionPayload { session: Arc::new(session) })
    }

    /// Ends an open conversation: one's own, or for an admin anybody's. From then on it cannot be changed.
    #[graphql(directive = Requires::apply(WRITE_SESSIONS))]
    async fn end_session(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The id of the session, a UUID.")] id: ID,
    ) -> Result<EndSessionPayload> {
        let session = sessions::end(ctx.request().actor()?, SessionId(uuid("id", &id)?)).await?;
        Ok(EndSessionPayload { session: Arc::new(session) })
    }

    /// Deletes a conversation, open or ended: one's own, or for an admin anybody's. The audit log keeps what happened.
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
