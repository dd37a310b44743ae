//! The minimum transfer rate of responses. Time in which the client accepts no data accumulates as a debt, and sent bytes reduce
//! it at the minimum rate. When the debt reaches the grace period, the connection ends. Pauses shorter than the grace period
//! have no effect, and a client that reads a byte at a time cannot keep a response open.

use std::{
    io,
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};

use tokio::time::{Instant, Sleep, sleep_until};

/// The transfer rate of one connection.
#[derive(Debug)]
pub struct TransferRate {
    debt: Debt,
    blocked: Option<Blocked>,
}

/// The socket buffer is full.
#[derive(Debug)]
struct Blocked {
    since: Instant,
    deadline: Pin<Box<Sleep>>,
}

impl TransferRate {
    pub fn new(bytes_per_second: u32, grace: Duration) -> Self {
        Self { debt: Debt { bytes_per_second, grace, accumulated: Duration::ZERO }, blocked: None }
    }

    /// The client accepts no data at present. An error when the debt reaches the grace period.
    pub fn write_blocked(&mut self, cx: &mut Context<'_>) -> Poll<io::Error> {
        let remaining = self.debt.remaining();
        let blocked = self.blocked.get_or_insert_with(|| {
            let since = Instant::now();
            Blocked { since, deadline: Box::pin(sleep_until(since + remaining)) }
        });
        ready!(blocked.deadline.as_mut().poll(cx));
        Poll::Ready(io::Error::new(io::ErrorKind::TimedOut, "the client reads below the minimum transfer rate"))
    }

    /// The client accepted this number of bytes.
    pub fn written(&mut self, bytes: usize) {
        if let Some(blocked) = self.blocked.take() {
            self.debt.accumulated += blocked.since.elapsed();
        }
        self.debt.reduce(bytes);
    }
}

/// Accumulated waiting time. It is never negative: fast reading earns no credit.
#[derive(Debug)]
struct Debt {
    bytes_per_second: u32,
    grace: Duration,
    accumulated: Duration,
}

impl Debt {
    /// The time until the debt reaches the grace period.
    fn remaining(&self) -> Duration {
        self.grace.saturating_sub(self.accumulated)
    }

    fn reduce(&mut self, bytes: usize) {
        if !self.accumulated.is_zero() {
            let bytes = u32::try_from(bytes).unwrap_or(u32::MAX);
            let reduction = Duration::from_secs_f64(f64::from(bytes) / f64::from(self.bytes_per_second));
            self.accumulated = self.accumulated.saturating_sub(reduction);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Seconds until a client that reads this number of bytes after each pause is disconnected; None if it never is.
    fn disconnected_after(bytes: usize, pause: Duration) -> Option<u64> {
        let mut debt = Debt { bytes_per_second: 1_024, grace: Duration::from_secs(10), accumulated: Duration::ZERO };
        let mut now = Duration::ZERO;
        for _ in 0..100_000 {
            if pause >= debt.remaining() {
                return Some((now + debt.remaining()).as_secs());
            }
            debt.accumulated += pause;
            debt.reduce(bytes);
            now += pause;
        }
        None
    }

    #[test]
    fn a_reader_below_the_minimum_rate_is_disconnected_after_the_grace_period() {
        let second = Duration::from_secs(1);
        assert_eq!(disconnected_after(0, second * 60), Some(10), "no bytes");
        assert_eq!(disconnected_after(1, second), Some(10), "one byte per second");
        assert_eq!(disconnected_after(512, second), Some(19), "half the rate");
        assert!(disconnected_after(1_000, second).is_some_and(|seconds| seconds < 600), "slightly below the rate");
        assert_eq!(disconnected_after(65_536, second * 11), Some(10), "a pause longer than the grace period");
    }

    #[test]
    fn a_reader_at_the_minimum_rate_is_never_disconnected() {
        let second = Duration::from_secs(1);
        assert_eq!(disconnected_after(1_024, second), None);
        assert_eq!(disconnected_after(8_192, second * 8), None, "buffered delivery");
        assert_eq!(disconnected_after(65_536, Duration::from_millis(3_277)), None, "20 kB per second");
    }

    #[test]
    fn fast_reading_earns_no_credit() {
        let mut debt =
            Debt { bytes_per_second: 1_024, grace: Duration::from_secs(10), accumulated: Duration::from_secs(5) };
        debt.reduce(100_000_000);
        assert_eq!(debt.remaining(), Duration::from_secs(10));
    }
}
