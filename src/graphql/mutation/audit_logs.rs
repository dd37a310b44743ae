//! Recording what agents and scripts did.

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
    services::agent_log::{self, NewEntry},
};

#[derive(Debug, Default)]
pub struct AuditLogMutation;

/// What an agent or a script did.
#[derive(InputObject)]
pub struct RecordAuditLogInput {
    /// What was done: `QUERY_AGENT` or `AGENT_EXECUTION`. The other actions are recorded by the server only.
    action: AuditAction,
    /// A sentence for people, at most 4,000 characters.
    description: Option<String>,
    /// More about it: a JSON object of at most 64 KiB. Never a secret. The key `guardianeye` is reserved: under it the
    /// server adds who recorded the entry for another user (`recordedBy`) and by which API token (`apiToken`).
    details: Option<RawJson>,
    /// Whether it succeeded.
    #[graphql(default = true)]
    success: bool,
    /// Who did it; the caller by default. Only an admin records for others.
    user_id: Option<ID>,
}

/// An entry that was recorded.
#[derive(Debug, SimpleObject)]
pub struct RecordAuditLogPayload {
    /// The entry.
    audit_log: Arc<AuditLog>,
}

#[Object]
impl AuditLogMutation {
    /// Records what an agent or a script did. The address, the client and the time are those of the request.
    #[graphql(directive = Requires::apply(WRITE_AUDIT))]
    async fn record_audit_log(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What was done.")] input: RecordAuditLogInput,
    ) -> Result<RecordAuditLogPayload> {
        let new = NewEntry {
            action: input.action.into(),
            description: input.description,
            details: input.details,
            success: input.success,
            user: input.user_id.map(|id| uuid("userId", &id).map(UserId)).transpose()?,
        };
        let entry = agent_log::record(ctx.request().actor()?, new).await?;
        Ok(RecordAuditLogPayload { audit_log: Arc::new(entry) })
    }
}
