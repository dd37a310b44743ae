//! Conversation sessions: opening, changing, ending and deleting them. Analysts do it with their own, admins with
//! anybody's.

use super::{
    Actor, Patch,
    audit::{Changes, Entry, digest},
    text::{check_json, check_line, merge_patch},
};
use crate::{
    db::{Tx, sessions, users},
    error::{Error, ErrorCode, Result},
    json,
    model::{AuditAction, RawJson, Role, Session, SessionId, Timestamp, User, UserId},
};

const MAX_CHARS: usize = 255;

/// What a new session is to have.
#[derive(Debug, Default)]
pub struct NewSession {
    /// Whose it is; the caller's by default.
    pub user: Option<UserId>,
    pub title: Option<String>,
    pub thread_id: Option<String>,
    pub context: Option<RawJson>,
}

/// What is to become of a session; none is cleared.
#[derive(Debug, Default)]
pub struct SessionChange {
    pub title: Patch<Option<String>>,
    pub thread_id: Patch<Option<String>>,
    pub context: Option<ContextChange>,
    /// The `updated_at` that the change was thought out for.
    pub expected_updated_at: Option<Timestamp>,
}

/// What is to become of the context.
#[derive(Debug)]
pub enum ContextChange {
    /// By what is stored as it is.
    Replace(Option<RawJson>),
    /// RFC 7396.
    Merge(RawJson),
}

/// Opens a session.
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
        return Err(Error::internal("the id of a new session is taken"));
    }
    actor.record(&mut tx, about(&session, AuditAction::SessionCreated, "Opened a conversation"), now).await?;
    tx.commit().await?;
    Ok(session)
}

/// Changes an open session. A change that changes nothing leaves no trace.
pub async fn update(actor: Actor<'_>, id: SessionId, change: SessionChange) -> Result<Session> {
    if let Patch::Set(title) = &change.title {
        check_line("title", title.as_deref(), MAX_CHARS)?;
    }
    if let Patch::Set(thread_id) = &change.thread_id {
        check_line("threadId", thread_id.as_deref(), MAX_CHARS)?;
    }
    let now = actor.now();
    let mut tx = actor.db.begin().await?;
    let before = actor.open_session(&mut tx, id).await?;
    if change.expected_updated_at.is_some_and(|expected| expected != before.updated_at) {
        return Err(changed_meanwhile());
    }
    let (context, changes) = match change.context {
        None => (before.context.clone(), Changes::default()),
        Some(change) => changed_context(before.context.as_ref(), change)?,
    };
    let after = Session {
        title: change.title.or(&before.title),
        thread_id: change.thread_id.or(&before.thread_id),
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
    let entry = about(&after, AuditAction::SessionUpdated, "Changed a conversation").changes(changes);
    actor.record(&mut tx, entry, now).await?;
    tx.commit().await?;
    Ok(after)
}

/// The context after a change, and what the audit log says of it. A context that an older program stored may break our
/// rules: it can be replaced, but not patched.
fn changed_context(before: Option<&RawJson>, change: ContextChange) -> Result<(Option<RawJson>, Changes)> {
    let old = before.map(|context| json::read("context", context.0.as_bytes())).transpose();
    let context = match change {
        ContextChange::Replace(context) => context,
        ContextChange::Merge(patch) => {
            let patch = check_json("contextPatch", &patch)?;
            let old = old.clone().map_err(|error| {
                let message = format!("the stored context cannot be patched, replace it by `context`: {error}");
                Error::bad_input("contextPatch", message)
            })?;
            Some(RawJson(merge_patch(old.unwrap_or_default(), patch).to_string()))
        }
    };
    let new = context.as_ref().map(|context| check_json("context", context)).transpose()?;
    let old = old.unwrap_or_else(|_| before.map(|context| digest(&context.0)));
    Ok((context, Changes::default().field("context", old, new)))
}

/// Ends an open session; from then on it cannot be changed.
pub async fn end(actor: Actor<'_>, id: SessionId) -> Result<Session> {
    let now = actor.now();
    let mut tx = actor.db.begin().await?;
    let before = actor.open_session(&mut tx, id).await?;
    let at = now.max(before.updated_at.plus_micros(1));
    let after = Session { is_active: false, ended_at: Some(at), updated_at: at, ..before.clone() };
    store(&mut tx, &before, &after).await?;
    actor.record(&mut tx, about(&after, AuditAction::SessionEnded, "Ended a conversation"), now).await?;
    tx.commit().await?;
    Ok(after)
}

/// Deletes a session, open or not.
pub async fn delete(actor: Actor<'_>, id: SessionId) -> Result<()> {
    let now = actor.now();
    let mut tx = actor.db.begin().await?;
    let session = actor.session(&mut tx, id).await?;
    if !sessions::delete(&mut tx, id).await? {
        return Err(no_session());
    }
    let entry =
        about(&session, AuditAction::SessionDeleted, "Deleted a conversation").detail("title", session.title.clone());
    actor.record(&mut tx, entry, now).await?;
    tx.commit().await
}

/// Somebody else may have been quicker: what was read has to be what is replaced.
async fn store(tx: &mut Tx, before: &Session, after: &Session) -> Result<()> {
    if sessions::update(tx, after, before.updated_at).await? { Ok(()) } else { Err(changed_meanwhile()) }
}

impl Actor<'_> {
    /// The user whose data is written: the principal's own by default. Only an admin writes the data of another user.
    pub(super) async fn owner(&self, tx: &mut Tx, owner: Option<UserId>) -> Result<User> {
        let user = &self.principal.user;
        match owner {
            Some(id) if id != user.id => {
                if user.role < Role::Admin {
                    return Err(Error::new(ErrorCode::Forbidden, "only an admin does this for others"));
                }
                let found = users::find_within(tx, id).await?;
                found.ok_or_else(|| Error::new(ErrorCode::NotFound, "there is no such user"))
            }
            _ => Ok((**user).clone()),
        }
    }

    async fn session(&self, tx: &mut Tx, id: SessionId) -> Result<Session> {
        let session = sessions::find_within(tx, id).await?.ok_or_else(no_session)?;
        if session.user_id == self.principal.user.id || self.principal.user.role >= Role::Admin {
            return Ok(session);
        }
        Err(Error::new(ErrorCode::Forbidden, "this conversation is somebody else's"))
    }

    async fn open_session(&self, tx: &mut Tx, id: SessionId) -> Result<Session> {
        let session = self.session(tx, id).await?;
        if session.is_active && session.ended_at.is_none() {
            return Ok(session);
        }
        Err(Error::new(ErrorCode::Conflict, "the conversation has ended"))
    }
}

fn about(session: &Session, action: AuditAction, description: &'static str) -> Entry {
    Entry::new(action, description)
        .detail("session", session.id.to_string())
        .detail("owner", session.user_id.to_string())
}

fn no_session() -> Error {
    Error::new(ErrorCode::NotFound, "there is no such session")
}

fn changed_meanwhile() -> Error {
    Error::new(ErrorCode::Conflict, "it was changed meanwhile: read it again")
}
