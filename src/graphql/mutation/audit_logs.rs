//! Audit log entries that clients record.

use std::sync::Arc;

use async_graphql::{Context, ID, InputObject, Object, SimpleObject};

use crate::{
    error::Result,
    graphql::{
        access::{Requires, WRITE_AUDIT},
        enums::AuditAction,
        execution::ContextExt,
        scalars::uuid,
    },
    model::{AuditLog, RawJson, UserId},
    services::audit_logs::{self, NewAuditLog},
};

#[derive(Debug, Default)]
pub struct AuditLogMutation;

/// The input of `recordAuditLog`.
#[derive(InputObject)]
pub struct RecordAuditLogInput {
    /// The action: `QUERY_AGENT` or `AGENT_EXECUTION`. Only the server records other actions.
    action: AuditAction,
    /// A description for people; at most 4,000 characters.
    description: Option<String>,
    /// Details: a JSON object of at most 64 KiB, without secrets. The key `guardianeye` is reserved: the server stores there
    /// who recorded the entry for another user (`recordedBy`) and the API token that was used (`apiToken`).
    details: Option<RawJson>,
    /// True if the action succeeded.
    #[graphql(default = true)]
    success: bool,
    /// The id of the actor; the default is the principal. Only admins record for other users.
    user_id: Option<ID>,
}

/// The payload of `recordAuditLog`.
#[derive(Debug, SimpleObject)]
pub struct RecordAuditLogPayload {
    /// The recorded entry.
    audit_log: Arc<AuditLog>,
}

#[Object]
impl AuditLogMutation {
    /// Records an action of an agent or a script. IP address, user agent and time are those of the request.
    #[graphql(directive = Requires::apply(WRITE_AUDIT))]
    async fn record_audit_log(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The entry.")] input: RecordAuditLogInput,
    ) -> Result<RecordAuditLogPayload> {
        let new = NewAuditLog {
            action: input.action.into(),
            description: input.description,
            details: input.details,
            success: input.success,
            user: input.user_id.map(|id| uuid("userId", &id).map(UserId)).transpose()?,
        };
        let entry = audit_logs::record(ctx.request().actor()?, new).await?;
        Ok(RecordAuditLogPayload { audit_log: Arc::new(entry) })
    }
}
