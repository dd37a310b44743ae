//! Bounds how slowly a client may read an answer. Waiting for the client adds to a debt, and bytes that it takes pay it
//! back at the minimum rate; a client whose debt reaches the grace period is given up. So pauses shorter than that cost
//! nothing, and a byte now and then does not hold an answer.

use std::{
    io,
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};

use tokio::time::{Instant, Sleep, sleep_until};

/// The reading of one connection.
#[derive(Debug)]
pub struct ReadRate {
    debt: Debt,
    waiting: Option<Waiting>,
}

#[derive(Debug)]
struct Waiting {
    since: Instant,
    end: Pin<Box<Sleep>>,
}

impl ReadRate {
    pub fn new(bytes_per_second: u32, grace: Duration) -> Self {
        Self { debt: Debt { bytes_per_second, grace, waited: Duration::ZERO }, waiting: None }
    }

    /// The client takes no more at the moment. An error when it has been too slow for too long.
    pub fn blocked(&mut self, cx: &mut Context<'_>) -> Poll<io::Error> {
        let left = self.debt.left();
        let waiting = self.waiting.get_or_insert_with(|| {
            let since = Instant::now();
            Waiting { since, end: Box::pin(sleep_until(since + left)) }
        });
        ready!(waiting.end.as_mut().poll(cx));
        Poll::Ready(io::Error::new(io::ErrorKind::TimedOut, "the client reads the answer too slowly"))
    }

    /// The client took so many bytes.
    pub fn taken(&mut self, bytes: usize) {
        if let Some(waiting) = self.waiting.take() {
            self.debt.waited += waiting.since.elapsed();
        }
        self.debt.pay(bytes);
    }
}

/// Waiting that reading has not paid back. It is never negative: reading fast earns no credit.
#[derive(Debug)]
struct Debt {
    bytes_per_second: u32,
    grace: Duration,
    waited: Duration,
}

impl Debt {
    /// How long the client may go on taking nothing.
    fn left(&self) -> Duration {
        self.grace.saturating_sub(self.waited)
    }

    fn pay(&mut self, bytes: usize) {
        if !self.waited.is_zero() {
            let bytes = u32::try_from(bytes).unwrap_or(u32::MAX);
            let paid = Duration::from_secs_f64(f64::from(bytes) / f64::from(self.bytes_per_second));
            self.waited = self.waited.saturating_sub(paid);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Seconds until a client that takes so many bytes after each of these pauses is given up; None when it never is.
    fn given_up_after(bytes: usize, pause: Duration) -> Option<u64> {
        let mut debt = Debt { bytes_per_second: 1_024, grace: Duration::from_secs(10), waited: Duration::ZERO };
        let mut now = Duration::ZERO;
        for _ in 0..100_000 {
            if pause >= debt.left() {
                return Some((now + debt.left()).as_secs());
            }
            debt.waited += pause;
            debt.pay(bytes);
            now += pause;
        }
        None
    }

    #[test]
    fn a_reader_below_the_minimum_rate_is_given_up_after_the_grace_period() {
        let second = Duration::from_secs(1);
        assert_eq!(given_up_after(0, second * 60), Some(10), "nothing");
        assert_eq!(given_up_after(1, second), Some(10), "a byte a second");
        assert_eq!(given_up_after(512, second), Some(19), "half the rate");
        assert!(given_up_after(1_000, second).is_some_and(|seconds| seconds < 600), "a little less than the rate");
        assert_eq!(given_up_after(65_536, second * 11), Some(10), "too long a pause");
    }

    #[test]
    fn a_reader_at_the_minimum_rate_has_as_much_time_as_it_needs() {
        let second = Duration::from_secs(1);
        assert_eq!(given_up_after(1_024, second), None);
        assert_eq!(given_up_after(8_192, second * 8), None, "the system hands it on in pieces");
        assert_eq!(given_up_after(65_536, Duration::from_millis(3_277)), None, "20 kB a second");
    }

    #[test]
    fn reading_fast_earns_no_credit() {
        let mut debt = Debt { bytes_per_second: 1_024, grace: Duration::from_secs(10), waited: Duration::from_secs(5) };
        debt.pay(100_000_000);
        assert_eq!(debt.left(), Duration::from_secs(10));
    }
}
