//! Sessions with agents: creating, updating, ending and deleting them. Analysts write their own sessions, admins those of any
//! user.

use super::{
    Actor, Patch,
    audit_entry::{AuditEntry, FieldChanges, digest},
    merge_patch::merge_patch,
    validation::{check_json, check_line},
};
use crate::{
    db::{Tx, sessions},
    error::{Error, ErrorCode, Result},
    json,
    model::{AuditAction, RawJson, Session, SessionId, Timestamp, UserId},
};

const MAX_CHARS: usize = 255;

/// A session to create.
#[derive(Debug, Default)]
pub struct NewSession {
    /// The owner; the actor by default.
    pub user: Option<UserId>,
    pub title: Option<String>,
    pub thread_id: Option<String>,
    pub context: Option<RawJson>,
}

/// An update of a session; `None` in a patch clears the field.
#[derive(Debug, Default)]
pub struct SessionUpdate {
    pub title: Patch<Option<String>>,
    pub thread_id: Patch<Option<String>>,
    pub context: Option<ContextUpdate>,
    /// The `updated_at` of the version that the update is based on.
    pub expected_updated_at: Option<Timestamp>,
}

/// An update of the context.
#[derive(Debug)]
pub enum ContextUpdate {
    /// The new context; `None` clears it.
    Replace(Option<RawJson>),
    /// A JSON Merge Patch (RFC 7396).
    Merge(RawJson),
}

/// Creates a session.
pub async fn create(actor: Actor<'_>, new: NewSession) -> Result<Session> {
    check_line("title", new.title.as_deref(), MAX_CHARS)?;
    check_line("threadId", new.thread_id.as_deref(), MAX_CHARS)?;
    if let Some(context) = &new.context {
        check_json("context", context)?;
    }
    let now = actor.now();
    let mut tx = actor.db.begin().await?;
    let owner = actor.owner(&mut tx, new.user).await?;
    let session = Session {
        id: SessionId::new(now),
        user_id: owner.id,
        thread_id: new.thread_id,
        context: new.context,
        title: new.title,
        is_active: true,
        created_at: now,
        updated_at: now,
        ended_at: None,
    };
    if !sessions::insert(&mut tx, &session).await? {
        return Err(Error::internal("the id of a new session exists already"));
    }
    actor.record(&mut tx, about(&session, AuditAction::SessionCreated, "Created a session"), now).await?;
    tx.commit().await?;
    Ok(session)
}

/// Updates an open session. An update without a difference is not recorded.
pub async fn update(actor: Actor<'_>, id: SessionId, update: SessionUpdate) -> Result<Session> {
    if let Patch::Set(title) = &update.title {
        check_line("title", title.as_deref(), MAX_CHARS)?;
    }
    if let Patch::Set(thread_id) = &update.thread_id {
        check_line("threadId", thread_id.as_deref(), MAX_CHARS)?;
    }
    let now = actor.now();
    let mut tx = actor.db.begin().await?;
    let before = actor.open_session(&mut tx, id).await?;
    if update.expected_updated_at.is_some_and(|expected| expected != before.updated_at) {
        return Err(changed_concurrently());
    }
    let (context, changes) = match update.context {
        None => (before.context.clone(), FieldChanges::default()),
        Some(update) => updated_context(before.context.as_ref(), update)?,
    };
    let after = Session {
        title: update.title.apply(&before.title),
        thread_id: update.thread_id.apply(&before.thread_id),
        context,
        updated_at: now.max(before.updated_at.plus_micros(1)),
        ..before.clone()
    };
    let changes = changes.field("title", before.title.as_deref(), after.title.as_deref()).field(
        "threadId",
        before.thread_id.as_deref(),
        after.thread_id.as_deref(),
    );
    if changes.is_empty() {
        return Ok(before);
    }
    store(&mut tx, &before, &after).await?;
    let entry = about(&after, AuditAction::SessionUpdated, "Updated a session").changes(changes);
    actor.record(&mut tx, entry, now).await?;
    tx.commit().await?;
    Ok(after)
}

/// The context after an update, and the change for the audit log. A context that an earlier program stored may violate the
/// rules of [`json`]: it can be replaced, but not patched.
fn updated_context(before: Option<&RawJson>, update: ContextUpdate) -> Result<(Option<RawJson>, FieldChanges)> {
    let old = before.map(|context| json::read("context", context.0.as_bytes())).transpose();
    let context = match update {
        ContextUpdate::Replace(context) => context,
        ContextUpdate::Merge(patch) => {
            let patch = check_json("contextPatch", &patch)?;
            let old = old.clone().map_err(|error| {
                let message = format!("the stored context cannot be patched, replace it with `context`: {error}");
                Error::bad_input("contextPatch", message)
            })?;
            Some(RawJson(merge_patch(old.unwrap_or_default(), patch).to_string()))
        }
    };
    let new = context.as_ref().map(|context| check_json("context", context)).transpose()?;
    let old = old.unwrap_or_else(|_| before.map(|context| digest(&context.0)));
    Ok((context, FieldChanges::default().field("context", old, new)))
}

/// Ends an open session, which cannot be updated afterwards.
pub async fn end(actor: Actor<'_>, id: SessionId) -> Result<Session> {
    tracing::trace!(target: "request_path", "end");
    let now = actor.now();
    let mut tx = actor.db.begin().await?;
    let before = actor.open_session(&mut tx, id).await?;
    let at = now.max(before.updated_at.plus_micros(1));
    let after = Session { is_active: false, ended_at: Some(at), updated_at: at, ..before.clone() };
    store(&mut tx, &before, &after).await?;
    actor.record(&mut tx, about(&after, AuditAction::SessionEnded, "Ended a session"), now).await?;
    tx.commit().await?;
    Ok(after)
}

/// Deletes a session, open or ended.
pub async fn delete(actor: Actor<'_>, id: SessionId) -> Result<()> {
    let now = actor.now();
    let mut tx = actor.db.begin().await?;
    let session = actor.session(&mut tx, id).await?;
    if !sessions::delete(&mut tx, id).await? {
        return Err(not_found());
    }
    let entry =
        about(&session, AuditAction::SessionDeleted, "Deleted a session").detail("title", session.title.clone());
    actor.record(&mut tx, entry, now).await?;
    tx.commit().await
}

/// Stores a session if it is still the version that was read.
async fn store(tx: &mut Tx, before: &Session, after: &Session) -> Result<()> {
    if sessions::update(tx, after, before.updated_at).await? { Ok(()) } else { Err(changed_concurrently()) }
}

impl Actor<'_> {
    async fn session(&self, tx: &mut Tx, id: SessionId) -> Result<Session> {
        let session = sessions::find_within(tx, id).await?.ok_or_else(not_found)?;
        if self.principal.may_manage(session.user_id) {
            return Ok(session);
        }
        Err(Error::new(ErrorCode::Forbidden, "the session belongs to another user"))
    }

    async fn open_session(&self, tx: &mut Tx, id: SessionId) -> Result<Session> {
        let session = self.session(tx, id).await?;
        if session.is_active && session.ended_at.is_none() {
            return Ok(session);
        }
        Err(Error::new(ErrorCode::Conflict, "the session has ended"))
    }
}

fn about(session: &Session, action: AuditAction, description: &'static str) -> AuditEntry {
    AuditEntry::new(action, description)
        .detail("session", session.id.to_string())
        .detail("owner", session.user_id.to_string())
}

fn not_found() -> Error {
    Error::new(ErrorCode::NotFound, "there is no such session")
}

fn changed_concurrently() -> Error {
    Error::new(ErrorCode::Conflict, "the session was changed concurrently: read it again")
}
