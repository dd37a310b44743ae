//! The permits for statements in the database: so many for each user, or for each address without a login, whatever the
//! number of requests.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError, Weak},
};

use tokio::sync::Semaphore;

use super::{Principal, cost_limiter::PrincipalKey};

/// Principals that are remembered before those without a request are forgotten.
const SWEEP: usize = 1_000;

/// The permits of all principals that have a request.
#[derive(Clone, Debug)]
pub struct StatementLimiter(Arc<Permits>);

#[derive(Debug)]
struct Permits {
    per_principal: usize,
    principals: Mutex<HashMap<PrincipalKey, Weak<Semaphore>>>,
}

impl StatementLimiter {
    /// With so many permits for each principal.
    #[must_use]
    pub fn new(per_principal: usize) -> Self {
        Self(Arc::new(Permits { per_principal, principals: Mutex::default() }))
    }

    /// The permits of the principal, which its requests share.
    #[must_use]
    pub fn of(&self, principal: &Principal, address: Option<&str>) -> Arc<Semaphore> {
        let key = PrincipalKey::of(principal, address);
        let mut principals = self.0.principals.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(permits) = principals.get(&key).and_then(Weak::upgrade) {
            return permits;
        }
        if principals.len() >= SWEEP && principals.len() == principals.capacity() {
            principals.retain(|_, permits| permits.strong_count() > 0);
        }
        let permits = Arc::new(Semaphore::new(self.0.per_principal));
        principals.insert(key, Arc::downgrade(&permits));
        permits
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_of_one_address_share_permits_and_are_forgotten_when_they_end() {
        let permits = StatementLimiter::new(2);
        let of = |address: &str| permits.of(&Principal::Anonymous, Some(address));
        let first = of("192.0.2.1");
        assert!(Arc::ptr_eq(&first, &of("192.0.2.1")));
        assert!(!Arc::ptr_eq(&first, &of("192.0.2.2")));
        assert_eq!(first.available_permits(), 2);
        for n in 0..100_000_u32 {
            drop(of(&std::net::Ipv4Addr::from_bits(n).to_string()));
        }
        let principals = permits.0.principals.lock().expect("no panic");
        assert!(principals.len() < 10_000, "{}", principals.len());
        assert!(principals.values().any(|permits| permits.strong_count() > 0), "those in use stay");
    }
}
