//! How long to wait, and how often to try: back-off, what the server asks for, limits of rate.

use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher, Hasher};
use std::time::{Duration, Instant, SystemTime};

/// Time, which tests make themselves.
pub trait Clock {
    /// Time since some fixed moment, never backwards.
    fn now(&self) -> Duration;
    /// Lets time pass.
    fn sleep(&self, time: Duration);
    /// A number from 0 to 1, so that many clients do not come back at once.
    fn chance(&self) -> f64;
}

/// The machine's own clock.
pub struct RealClock(Instant);

impl Default for RealClock {
    fn default() -> Self {
        Self(Instant::now())
    }
}

impl Clock for RealClock {
    fn now(&self) -> Duration {
        self.0.elapsed()
    }

    fn sleep(&self, time: Duration) {
        std::thread::sleep(time);
    }

    fn chance(&self) -> f64 {
        // Every new state of the standard library's hash maps is random: enough to spread clients.
        (RandomState::new().build_hasher().finish() >> 11) as f64 / (1u64 << 53) as f64
    }
}

/// How patient the client is.
#[derive(Clone, Debug)]
pub struct Patience {
    /// How often one request is tried.
    pub tries: u32,
    /// The first wait; each further one is twice as long.
    pub first: Duration,
    /// No wait is longer, whatever the server asks for.
    pub longest: Duration,
    /// The shortest time between two requests.
    pub gap: Duration,
    /// How long a job at the other side may take.
    pub job: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            tries: 6,
            first: Duration::from_secs(1),
            longest: Duration::from_secs(15 * 60),
            gap: Duration::ZERO,
            job: Duration::from_secs(6 * 3600),
        }
    }
}

impl Patience {
    /// The wait before try `next` (2 is the second), and whether the server asked for one.
    pub fn wait(&self, next: u32, asked: Option<Duration>, chance: f64) -> Duration {
        let doubled = self.first.saturating_mul(1 << (next.saturating_sub(2)).min(20)).min(self.longest);
        // Half of it is chance.
        let own = doubled.mul_f64(0.5 + chance.clamp(0.0, 1.0) / 2.0);
        match asked {
            // What the server asks for is the least, never less than it says.
            Some(asked) => asked.max(own.min(asked + self.first)).min(self.longest.max(asked.min(HOUR))),
            None => own,
        }
    }
}

const HOUR: Duration = Duration::from_secs(3600);

/// Reads `Retry-After`: seconds, or a day and time.
pub fn retry_after(value: &str, now: SystemTime) -> Option<Duration> {
    let value = value.trim();
    if let Ok(seconds) = value.parse::<f64>() {
        return (seconds.is_finite() && seconds >= 0.0)
            .then(|| Duration::from_secs_f64(seconds.min(86_400.0)));
    }
    let then = httpdate::parse_http_date(value).ok()?;
    Some(then.duration_since(now).unwrap_or(Duration::ZERO))
}

/// Keeps requests apart.
#[derive(Debug, Default)]
pub struct Gate {
    last: Option<Duration>,
}

impl Gate {
    /// Waits until the next request may go.
    pub fn pass(&mut self, gap: Duration, clock: &dyn Clock) {
        if let Some(last) = self.last {
            let since = clock.now().saturating_sub(last);
            if since < gap {
                clock.sleep(gap - since);
            }
        }
        self.last = Some(clock.now());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_within_bounds() {
        let patience = Patience::default();
        for chance in [0.0, 0.3, 1.0] {
            let mut before = Duration::ZERO;
            for next in 2..40 {
                let wait = patience.wait(next, None, chance);
                assert!(wait >= before && wait <= patience.longest, "{next}: {wait:?}");
                before = wait;
            }
        }
        assert_eq!(patience.wait(2, None, 1.0), Duration::from_secs(1));
        assert_eq!(patience.wait(4, None, 1.0), Duration::from_secs(4));
        assert_eq!(patience.wait(4, None, 0.0), Duration::from_secs(2));
    }

    #[test]
    fn the_server_is_never_asked_earlier_than_it_says() {
        let patience = Patience::default();
        for next in 2..12 {
            for seconds in [0, 1, 7, 60, 1800, 3600] {
                let asked = Duration::from_secs(seconds);
                assert!(patience.wait(next, Some(asked), 0.5) >= asked);
            }
        }
        // A server that asks for a day gets an hour at most.
        assert_eq!(patience.wait(2, Some(Duration::from_secs(86_400)), 0.5), HOUR);
    }

    #[test]
    fn retry_after_is_read_in_both_forms() {
        let now = httpdate::parse_http_date("Fri, 27 Nov 2026 12:00:00 GMT").unwrap();
        assert_eq!(retry_after("120", now), Some(Duration::from_secs(120)));
        assert_eq!(retry_after(" 0.5 ", now), Some(Duration::from_millis(500)));
        assert_eq!(retry_after("Fri, 27 Nov 2026 12:01:30 GMT", now), Some(Duration::from_secs(90)));
        assert_eq!(retry_after("Fri, 27 Nov 2026 11:00:00 GMT", now), Some(Duration::ZERO));
        for bad in ["", "soon", "-1", "NaN", "inf"] {
            assert_eq!(retry_after(bad, now), None, "{bad}");
        }
    }
}
