//! The daily limit of paid models.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::clock::Millis;

const DAY: Millis = 24 * 60 * 60 * 1000;

/// An amount of money, in US cents.
pub type Cents = u64;

/// What paid models may be requested per day (UTC). `None` sets no limit.
#[derive(Clone, Copy, Debug, Default)]
pub struct DailyLimit {
    /// The limit of all clients together.
    pub total: Option<u32>,
    /// The limit of each client.
    pub per_client: Option<u32>,
    /// The limit of the list prices of all clients' models together.
    pub cents: Option<Cents>,
}

/// The number of paid models that were requested on one day.
#[derive(Clone, Default, Serialize, Deserialize)]
pub struct Usage {
    /// Days since 1970-01-01.
    day: u64,
    by_client: BTreeMap<String, u32>,
    /// The sum of the models' list prices.
    #[serde(default)]
    cents: Cents,
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

    /// Returns the sum of the list prices of the paid models on the day of `now`.
    pub fn cents(&self, now: Millis) -> Cents {
        self.on_day(now).cents
    }

    /// Counts one model of a client with its list price, 0 if that is unknown.
    ///
    /// # Errors
    /// Fails if a daily limit is reached.
    pub fn charge(
        &mut self,
        client: Option<&str>,
        price: Cents,
        daily_limit: DailyLimit,
        now: Millis,
    ) -> Result<(), LimitReached> {
        let client = client.unwrap_or_default();
        let mut usage = self.on_day(now);
        usage.check(daily_limit, client)?;
        usage.check_cents(daily_limit, price)?;
        *usage.by_client.entry(client.to_owned()).or_default() += 1;
        usage.cents = usage.cents.saturating_add(price);
        *self = usage;
        Ok(())
    }

    fn check_cents(&self, daily_limit: DailyLimit, price: Cents) -> Result<(), LimitReached> {
        match daily_limit.cents {
            Some(limit) if self.cents.saturating_add(price) > limit => Err(LimitReached::Cents {
                limit,
                left: limit.saturating_sub(self.cents),
                price,
            }),
            _ => Ok(()),
        }
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
    /// The model's list price exceeds what is left of the limit.
    Cents {
        limit: Cents,
        left: Cents,
        price: Cents,
    },
}

impl fmt::Display for LimitReached {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let (limit, scope) = match self {
            Self::Total(limit) => (limit, "this server"),
            Self::PerClient(limit) => (limit, "this key"),
            Self::Cents { limit, left, price } => {
                return write!(
                    f,
                    "The daily limit of {} for paid models of this server is reached: {} is left, and \
                     this model costs about {}. It resets at 00:00 UTC.",
                    dollars(*limit),
                    dollars(*left),
                    dollars(*price)
                );
            }
        };
        let models = if *limit == 1 { "model" } else { "models" };
        write!(
            f,
            "The daily limit of {limit} paid {models} for {scope} is reached. It resets at 00:00 \
             UTC."
        )
    }
}

/// Formats an amount, for example `$1.50`.
pub fn dollars(cents: Cents) -> String {
    format!("${}.{:02}", cents / 100, cents % 100)
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMIT: DailyLimit = DailyLimit {
        total: None,
        per_client: None,
        cents: Some(100),
    };

    #[test]
    fn rejects_a_model_whose_price_exceeds_what_is_left() {
        let mut usage = Usage::default();
        assert_eq!(usage.charge(None, 60, LIMIT, 0), Ok(()));
        let error = usage.charge(None, 50, LIMIT, 0).unwrap_err();
        assert_eq!(
            error.to_string(),
            "The daily limit of $1.00 for paid models of this server is reached: $0.40 is left, and \
             this model costs about $0.50. It resets at 00:00 UTC."
        );
        assert_eq!(usage.charge(None, 40, LIMIT, 0), Ok(()));
        assert_eq!((usage.cents(0), usage.count(0)), (100, 2));
        assert_eq!(usage.charge(None, 100, LIMIT, DAY), Ok(()));
    }

    #[test]
    fn reads_the_usage_of_versions_without_prices() {
        let usage: Usage = serde_json::from_str(r#"{"day": 0, "by_client": {"": 3}}"#).unwrap();
        assert_eq!((usage.count(0), usage.cents(0)), (3, 0));
    }
}
