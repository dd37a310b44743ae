//! `guardianeye keys`: rotates and lists the keys that sign access tokens.

use std::process::ExitCode;

use serde::Serialize;

use super::{database, output};
use crate::{
    auth::ACCEPTED_AFTER_RETIREMENT,
    clock::Clock,
    config::{Common, KeysCommand},
    db::{Db, Settings, signing_keys},
    error::Result,
    ops::key_rotation::{self, EarlierKeys},
};

pub async fn run(common: &Common, command: KeysCommand) -> Result<ExitCode> {
    let db = database::connect_migrated(common, Settings::default()).await?;
    let done = match command {
        KeysCommand::Rotate { revoke_now, json } => rotate(&db, revoke_now, json).await,
        KeysCommand::List { json } => list(&db, json).await,
    };
    db.close().await;
    done.map(|()| ExitCode::SUCCESS)
}

async fn rotate(db: &Db, revoke_now: bool, json: bool) -> Result<()> {
    let earlier = if revoke_now { EarlierKeys::Revoke } else { EarlierKeys::Retire };
    let rotated = key_rotation::rotate(db, Clock::System, earlier, super::operator::operator().as_ref()).await?;
    if json {
        let report = serde_json::json!({
            "active": rotated.active.to_string(),
            "retired": rotated.retired.map(|kid| kid.to_string()),
            "revoked": rotated.revoked.iter().map(ToString::to_string).collect::<Vec<_>>(),
            "deleted": rotated.deleted,
        });
        println!("{report}");
        return Ok(());
    }
    println!("✓ {} signs access tokens from now on; running servers use it within 5 seconds", rotated.active);
    if let Some(retired) = rotated.retired {
        println!("✓ {retired} is retired: its tokens remain valid until they expire");
    }
    for kid in &rotated.revoked {
        println!("✓ {kid} is revoked: servers reject its tokens within 5 seconds");
    }
    if !rotated.revoked.is_empty() {
        println!("  Login sessions continue with their refresh tokens; API tokens are not affected.");
    }
    if rotated.deleted > 0 {
        println!("✓ Deleted {} expired keys", rotated.deleted);
    }
    Ok(())
}

/// The JSON form of a key, without the private key. Fields may be added, but not removed or renamed.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct KeyReport {
    kid: String,
    /// `active`; `retired` while its tokens are valid; `expired` until the next rotation deletes it.
    state: &'static str,
    created_at: String,
    retired_at: Option<String>,
}

async fn list(db: &Db, json: bool) -> Result<()> {
    let now = Clock::System.now();
    let keys = signing_keys::list(db).await?.into_iter().map(|key| KeyReport {
        kid: key.kid.to_string(),
        state: match key.retired_at {
            None => "active",
            Some(at) if now < at.plus_seconds(ACCEPTED_AFTER_RETIREMENT) => "retired",
            Some(_) => "expired",
        },
        created_at: key.created_at.to_string(),
        retired_at: key.retired_at.map(|at| at.to_string()),
    });
    let keys: Vec<_> = keys.collect();
    if json {
        return output::print_json(&keys);
    }
    for KeyReport { kid, state, created_at, retired_at } in &keys {
        let retired = retired_at.as_ref().map(|at| format!(", retired {at}")).unwrap_or_default();
        println!("{kid}  {state:<7}  created {created_at}{retired}");
    }
    if keys.is_empty() {
        println!("There are no keys: the first start of the server creates one.");
    }
    Ok(())
}
