//! Limits the concurrent statements of one principal, whatever the number of its requests.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError, Weak},
};

use tokio::sync::Semaphore;

use super::PrincipalKey;
use crate::auth::Principal;

/// From this number of principals on, those without a request are removed.
const SWEEP_SIZE: usize = 1_000;

/// A semaphore for each principal that has a request. Cheap to clone.
#[derive(Clone, Debug)]
pub struct StatementLimiter(Arc<Semaphores>);

#[derive(Debug)]
struct Semaphores {
    per_principal: usize,
    by_principal: Mutex<HashMap<PrincipalKey, Weak<Semaphore>>>,
}

impl StatementLimiter {
    /// With this number of permits for each principal.
    #[must_use]
    pub fn new(per_principal: usize) -> Self {
        Self(Arc::new(Semaphores { per_principal, by_principal: Mutex::default() }))
    }

    /// The semaphore that all requests of the principal share.
    #[must_use]
    pub fn of(&self, principal: &Principal, address: Option<&str>) -> Arc<Semaphore> {
        let key = PrincipalKey::of(principal, address);
        let mut semaphores = self.0.by_principal.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(semaphore) = semaphores.get(&key).and_then(Weak::upgrade) {
            return semaphore;
        }
        if semaphores.len() >= SWEEP_SIZE && semaphores.len() == semaphores.capacity() {
            semaphores.retain(|_, semaphore| semaphore.strong_count() > 0);
        }
        let semaphore = Arc::new(Semaphore::new(self.0.per_principal));
        semaphores.insert(key, Arc::downgrade(&semaphore));
        semaphore
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_of_one_address_share_a_semaphore_that_is_removed_when_they_end() {
        let limiter = StatementLimiter::new(2);
        let of = |address: &str| limiter.of(&Principal::Anonymous, Some(address));
        let first = of("192.0.2.1");
        assert!(Arc::ptr_eq(&first, &of("192.0.2.1")));
        assert!(!Arc::ptr_eq(&first, &of("192.0.2.2")));
        assert_eq!(first.available_permits(), 2);
        for n in 0..100_000_u32 {
            drop(of(&std::net::Ipv4Addr::from_bits(n).to_string()));
        }
        let semaphores = limiter.0.by_principal.lock().expect("no panic");
        assert!(semaphores.len() < 10_000, "{}", semaphores.len());
        assert!(semaphores.values().any(|semaphore| semaphore.strong_count() > 0), "those in use stay");
    }
}
