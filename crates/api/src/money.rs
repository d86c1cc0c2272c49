//! What may be spent on a day, and what was.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::Millis;
use crate::store::{Change, StoreError};

/// Where the store keeps what was spent.
pub const SPENT: &str = "spent";

/// In milliseconds.
const DAY: Millis = 24 * 60 * 60 * 1000;

/// How many models that cost money a day may be asked for, by the day of UTC.
#[derive(Clone, Copy, Debug, Default)]
pub struct DailyLimit {
    /// By all clients together.
    pub total: Option<u32>,
    /// By each client.
    pub per_client: Option<u32>,
}

/// How many models that cost money were asked for on a day.
#[derive(Clone, Default, Serialize, Deserialize)]
pub struct Spent {
    /// Since 1970.
    day: u64,
    /// By the names of the clients.
    by_client: BTreeMap<String, u32>,
}

impl Spent {
    /// What was spent on the day of this time.
    fn on(&self, now: Millis) -> Self {
        let day = now / DAY;
        match self.day == day {
            true => self.clone(),
            false => Self {
                day,
                ..Self::default()
            },
        }
    }

    /// How many it were on the day of this time.
    pub fn count(&self, now: Millis) -> u32 {
        self.on(now).by_client.values().sum()
    }

    /// Why no more may be spent, in words.
    fn refuses(&self, daily: DailyLimit, client: &str) -> Option<String> {
        let all: u32 = self.by_client.values().sum();
        let own = self.by_client.get(client).copied().unwrap_or_default();
        let (limit, whose) = match daily {
            DailyLimit {
                total: Some(limit), ..
            } if all >= limit => (limit, "of this server"),
            DailyLimit {
                per_client: Some(limit),
                ..
            } if own >= limit => (limit, "of this key"),
            _ => return None,
        };
        Some(format!(
            "the daily limit {whose}, {limit} models that cost money, is reached; it begins anew at \
             00:00 UTC"
        ))
    }
}

/// What a change of a session pays from. It is stored with the change, so that neither is there
/// without the other.
pub struct Purse {
    daily: DailyLimit,
    spent: Spent,
    was_used: bool,
}

impl Purse {
    pub fn new(daily: DailyLimit, spent: Spent) -> Self {
        Self {
            daily,
            spent,
            was_used: false,
        }
    }

    /// Pays for one model.
    ///
    /// # Errors
    /// Nothing more may be spent today, in words.
    pub fn pay(&mut self, client: Option<&str>, now: Millis) -> Result<(), String> {
        let client = client.unwrap_or_default();
        let mut spent = self.spent.on(now);
        if let Some(words) = spent.refuses(self.daily, client) {
            return Err(words);
        }
        *spent.by_client.entry(client.to_owned()).or_default() += 1;
        self.spent = spent;
        self.was_used = true;
        Ok(())
    }

    /// What is to be stored, where something was paid.
    pub fn change(&self) -> Result<Option<Change>, StoreError> {
        if !self.was_used {
            return Ok(None);
        }
        let bytes = serde_json::to_vec(&self.spent)?;
        Ok(Some(Change::Put(SPENT.into(), bytes)))
    }

    pub fn into_spent(self) -> Spent {
        self.spent
    }
}
