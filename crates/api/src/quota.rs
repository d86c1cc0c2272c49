//! The daily limit of paid models.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::clock::Millis;

const DAY: Millis = 24 * 60 * 60 * 1000;

/// The number of paid models that may be requested per day (UTC). `None` sets no limit.
#[derive(Clone, Copy, Debug, Default)]
pub struct DailyLimit {
    /// The limit of all clients together.
    pub total: Option<u32>,
    /// The limit of each client.
    pub per_client: Option<u32>,
}

/// The number of paid models that were requested on one day.
#[derive(Clone, Default, Serialize, Deserialize)]
pub struct Usage {
    /// Days since 1970-01-01.
    day: u64,
    by_client: BTreeMap<String, u32>,
}

impl Usage {
    /// Returns the usage of the day of `now`.
    fn on_day(&self, now: Millis) -> Self {
        let day = now / DAY;
        match self.day == day {
            true => self.clone(),
            false => Self {
                day,
                ..Self::default()
            },
        }
    }

    /// Returns the number of paid models on the day of `now`.
    pub fn count(&self, now: Millis) -> u32 {
        self.on_day(now).total()
    }

    /// Returns the number of paid models on the day of `now` by client.
    pub fn count_by_client(&self, now: Millis) -> BTreeMap<String, u32> {
        self.on_day(now).by_client
    }

    fn total(&self) -> u32 {
        self.by_client.values().sum()
    }

    /// Counts one model of a client.
    ///
    /// # Errors
    /// Fails if a daily limit is reached.
    pub fn charge(
        &mut self,
        client: Option<&str>,
        daily_limit: DailyLimit,
        now: Millis,
    ) -> Result<(), LimitReached> {
        let client = client.unwrap_or_default();
        let mut usage = self.on_day(now);
        usage.check(daily_limit, client)?;
        *usage.by_client.entry(client.to_owned()).or_default() += 1;
        *self = usage;
        Ok(())
    }

    fn check(&self, daily_limit: DailyLimit, client: &str) -> Result<(), LimitReached> {
        let of_client = self.by_client.get(client).copied().unwrap_or_default();
        match daily_limit {
            DailyLimit {
                total: Some(limit), ..
            } if self.total() >= limit => Err(LimitReached::Total(limit)),
            DailyLimit {
                per_client: Some(limit),
                ..
            } if of_client >= limit => Err(LimitReached::PerClient(limit)),
            _ => Ok(()),
        }
    }
}

/// A daily limit is reached.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum LimitReached {
    Total(u32),
    PerClient(u32),
}

impl fmt::Display for LimitReached {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let (limit, scope) = match self {
            Self::Total(limit) => (limit, "this server"),
            Self::PerClient(limit) => (limit, "this key"),
        };
        let models = if *limit == 1 { "model" } else { "models" };
        write!(
            f,
            "The daily limit of {limit} paid {models} for {scope} is reached. It resets at 00:00 \
             UTC."
        )
    }
}
