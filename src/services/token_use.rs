//! The last use of API tokens, recorded at most once a minute.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use crate::{
    auth::{Credential, Principal},
    db::{Db, api_tokens},
    model::{ApiTokenId, Timestamp},
};

/// The minimum time between two records of the last use of a token, in seconds.
const RECORD_INTERVAL: i64 = 60;

/// Remembers the last uses that this instance has recorded, so that most requests write nothing. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct LastUsedRecorder(Arc<Mutex<HashMap<ApiTokenId, Timestamp>>>);

impl LastUsedRecorder {
    /// Returns true if the last recorded use is older than [`RECORD_INTERVAL`], and remembers this one.
    fn is_due(&self, id: ApiTokenId, now: Timestamp) -> bool {
        let since = now.plus_seconds(-RECORD_INTERVAL);
        let mut recorded = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if recorded.get(&id).is_some_and(|at| *at > since) {
            return false;
        }
        recorded.retain(|_, at| *at > since);
        recorded.insert(id, now);
        true
    }

    /// Records the use of an API token. The request does not wait for it, and does not fail if it fails.
    pub fn record(&self, db: &Db, principal: &Principal, now: Timestamp) {
        if let Some(Credential::ApiToken(id, _)) = principal.authenticated().map(|principal| &principal.credential)
            && self.is_due(*id, now)
        {
            tokio::spawn(set_last_used(db.clone(), *id, now));
        }
    }
}

async fn set_last_used(db: Db, id: ApiTokenId, now: Timestamp) {
    let recorded = async {
        let mut tx = db.begin().await?;
        // Another instance may have recorded a later use.
        api_tokens::set_last_used(&mut tx, id, now, now.plus_seconds(-RECORD_INTERVAL)).await?;
        tx.commit().await
    };
    if let Err(error) = recorded.await {
        tracing::warn!(api_token = %id, error = error.chain(), "the last use of an API token could not be recorded");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn last_use_is_recorded_once_a_minute() {
        let now: Timestamp = "2026-03-01T12:00:00Z".parse().expect("a time");
        let (recorder, one, other) = (LastUsedRecorder::default(), ApiTokenId::new(now), ApiTokenId::new(now));
        let due = [(one, 0), (one, 59), (other, 59), (one, 60), (one, 119), (one, 120)];
        let due = due.map(|(id, seconds)| recorder.is_due(id, now.plus_seconds(seconds)));
        assert_eq!(due, [true, false, true, true, false, true]);
        assert_eq!(recorder.0.lock().expect("a lock").len(), 1, "{other} is removed");
    }
}
