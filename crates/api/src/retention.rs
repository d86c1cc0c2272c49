//! The rules by which stored sessions are deleted.

use std::collections::{HashMap, HashSet, VecDeque};

use crate::clock::Millis;
use crate::store::StoreError;

/// When stored sessions are deleted. A session with pending work is never deleted.
#[derive(Clone, Copy, Debug)]
pub struct Retention {
    /// Older sessions are deleted, in milliseconds.
    pub max_age: Millis,
    /// While the images, results and records of all sessions together are larger, the client that uses
    /// most loses its oldest session, in bytes.
    pub max_bytes: u64,
    /// While those of a client are larger, it loses its oldest session, in bytes.
    /// `None` for no limit but `max_bytes`.
    pub max_bytes_per_client: Option<u64>,
}

/// A stored session without pending work.
#[derive(Clone, Debug)]
pub struct Deletable {
    pub code: String,
    pub client: Option<String>,
    pub created_at: Millis,
    pub bytes: u64,
}

/// The stored bytes of a client.
#[derive(Clone, Debug)]
pub struct ClientBytes {
    pub client: Option<String>,
    pub bytes: u64,
    /// Whether the client has a session with pending work.
    pub has_pending: bool,
}

/// The stored sessions, as far as these rules need them.
pub trait Inventory {
    /// Returns all clients that have sessions.
    fn clients(&self) -> Vec<ClientBytes>;

    /// Returns the sessions without pending work that were created before `time`, the oldest first.
    fn created_before(&self, time: Millis) -> Result<Vec<Deletable>, StoreError>;

    /// Returns some of the oldest sessions of a client without pending work, the oldest first; the first
    /// one is the next after `after`. Returns none if there are no more.
    fn oldest(
        &self,
        client: Option<&str>,
        after: Option<&Deletable>,
    ) -> Result<Vec<Deletable>, StoreError>;
}

/// A session that is about to be stored.
#[derive(Clone, Copy)]
pub struct Incoming<'a> {
    pub client: Option<&'a str>,
    pub bytes: u64,
}

/// Why the sessions to delete cannot be determined.
#[derive(Debug)]
pub enum ExpireError {
    /// There is no room for a session: everything that may be deleted is deleted, and the rest has
    /// pending work.
    StorageFull,
    Store(StoreError),
}

impl From<StoreError> for ExpireError {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl Retention {
    /// Returns the codes of the sessions to delete before `incoming` is stored.
    ///
    /// A session that is larger than the limits is stored nevertheless if no other session of its
    /// client, or of all clients, is pending.
    ///
    /// # Errors
    /// Fails if the limits are exceeded by sessions that must not be deleted.
    pub fn expired(
        &self,
        inventory: &dyn Inventory,
        incoming: Incoming,
        now: Millis,
    ) -> Result<Vec<String>, ExpireError> {
        let mut expiry = Expiry::new(inventory);
        expiry.delete_created_before(now.saturating_sub(self.max_age))?;
        let client = expiry.client(incoming.client);
        client.bytes += incoming.bytes;
        if let Some(limit) = self.max_bytes_per_client
            && !expiry.limit_client(incoming.client, limit)?
            && expiry.client(incoming.client).has_pending
        {
            return Err(ExpireError::StorageFull);
        }
        if !expiry.limit_total(self.max_bytes)?
            && expiry.clients.values().any(|client| client.has_pending)
        {
            return Err(ExpireError::StorageFull);
        }
        Ok(expiry.deleted)
    }

    /// Returns the codes of the sessions to delete if none is about to be stored.
    ///
    /// # Errors
    /// Fails if the store fails.
    pub fn expired_now(
        &self,
        inventory: &dyn Inventory,
        now: Millis,
    ) -> Result<Vec<String>, StoreError> {
        let mut expiry = Expiry::new(inventory);
        expiry.delete_created_before(now.saturating_sub(self.max_age))?;
        if let Some(limit) = self.max_bytes_per_client {
            let clients: Vec<_> = expiry.clients.keys().cloned().collect();
            for client in clients {
                expiry.limit_client(client.as_deref(), limit)?;
            }
        }
        expiry.limit_total(self.max_bytes)?;
        Ok(expiry.deleted)
    }
}

/// Collects the sessions to delete.
struct Expiry<'a> {
    inventory: &'a dyn Inventory,
    clients: HashMap<Option<String>, Usage>,
    deleted: Vec<String>,
}

/// What a client uses once the collected sessions are deleted.
#[derive(Default)]
struct Usage {
    bytes: u64,
    has_pending: bool,
    /// The oldest sessions, as far as they are read.
    oldest: VecDeque<Deletable>,
    /// The newest session that is to be deleted.
    last_deleted: Option<Deletable>,
}

impl<'a> Expiry<'a> {
    fn new(inventory: &'a dyn Inventory) -> Self {
        let clients = inventory.clients().into_iter().map(|client| {
            let usage = Usage {
                bytes: client.bytes,
                has_pending: client.has_pending,
                ..Usage::default()
            };
            (client.client, usage)
        });
        Self {
            inventory,
            clients: clients.collect(),
            deleted: Vec::new(),
        }
    }

    fn client(&mut self, client: Option<&str>) -> &mut Usage {
        self.clients.entry(client.map(str::to_owned)).or_default()
    }

    fn delete(&mut self, session: Deletable) {
        self.deleted.push(session.code.clone());
        let client = self.client(session.client.as_deref());
        client.bytes = client.bytes.saturating_sub(session.bytes);
        client.last_deleted = Some(session);
    }

    fn delete_created_before(&mut self, time: Millis) -> Result<(), StoreError> {
        for session in self.inventory.created_before(time)? {
            self.delete(session);
        }
        Ok(())
    }

    /// Deletes the oldest session of a client. Returns whether there was one.
    fn delete_oldest(&mut self, client: Option<&str>) -> Result<bool, StoreError> {
        let inventory = self.inventory;
        let usage = self.client(client);
        if usage.oldest.is_empty() {
            let oldest = inventory.oldest(client, usage.last_deleted.as_ref())?;
            usage.oldest = oldest.into();
        }
        let oldest = usage.oldest.pop_front();
        let is_found = oldest.is_some();
        if let Some(session) = oldest {
            self.delete(session);
        }
        Ok(is_found)
    }

    /// Deletes the oldest sessions of a client until it uses at most `limit` bytes. Returns whether that
    /// is reached.
    fn limit_client(&mut self, client: Option<&str>, limit: u64) -> Result<bool, StoreError> {
        while self.client(client).bytes > limit {
            if !self.delete_oldest(client)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Deletes the oldest session of the client that uses most until all together use at most `limit`
    /// bytes. Returns whether that is reached.
    fn limit_total(&mut self, limit: u64) -> Result<bool, StoreError> {
        let mut exhausted = HashSet::new();
        while self.clients.values().map(|usage| usage.bytes).sum::<u64>() > limit {
            let clients = self.clients.iter();
            let clients = clients.filter(|(client, _)| !exhausted.contains(*client));
            let Some((largest, _)) = clients.max_by_key(|(_, usage)| usage.bytes) else {
                return Ok(false);
            };
            let largest = largest.clone();
            if !self.delete_oldest(largest.as_deref())? {
                exhausted.insert(largest);
            }
        }
        Ok(true)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RETENTION: Retention = Retention {
        max_age: 1000,
        max_bytes: 100,
        max_bytes_per_client: None,
    };

    /// A stored session that was created at its position: code, client, bytes, pending.
    type Row = (&'static str, &'static str, u64, bool);

    /// Reads one session at a time.
    impl Inventory for &[Row] {
        fn clients(&self) -> Vec<ClientBytes> {
            let mut clients: Vec<ClientBytes> = Vec::new();
            for &(_, name, bytes, is_pending) in *self {
                let name = Some(name.to_owned());
                match clients.iter_mut().find(|client| client.client == name) {
                    Some(client) => {
                        client.bytes += bytes;
                        client.has_pending |= is_pending;
                    }
                    None => clients.push(ClientBytes {
                        client: name,
                        bytes,
                        has_pending: is_pending,
                    }),
                }
            }
            clients
        }

        fn created_before(&self, time: Millis) -> Result<Vec<Deletable>, StoreError> {
            let rows = self.iter().zip(0..).filter(|(row, _)| !row.3);
            let deletable = rows.map(|(&(code, client, bytes, _), created_at)| Deletable {
                code: code.to_owned(),
                client: Some(client.to_owned()),
                created_at,
                bytes,
            });
            Ok(deletable
                .filter(|session| session.created_at < time)
                .collect())
        }

        fn oldest(
            &self,
            client: Option<&str>,
            after: Option<&Deletable>,
        ) -> Result<Vec<Deletable>, StoreError> {
            let after = after.map(|session| session.created_at);
            let mut sessions = self.created_before(Millis::MAX)?.into_iter();
            let next = sessions.find(|session| {
                session.client.as_deref() == client
                    && after.is_none_or(|after| session.created_at > after)
            });
            Ok(next.into_iter().collect())
        }
    }

    fn expired(
        retention: Retention,
        rows: &[Row],
        (client, bytes): (&str, u64),
        now: Millis,
    ) -> Option<Vec<String>> {
        let incoming = Incoming {
            client: Some(client),
            bytes,
        };
        match retention.expired(&rows, incoming, now) {
            Ok(expired) => Some(expired),
            Err(ExpireError::StorageFull) => None,
            Err(ExpireError::Store(error)) => panic!("{error}"),
        }
    }

    fn codes(codes: &[&str]) -> Option<Vec<String>> {
        Some(codes.iter().map(|code| (*code).to_owned()).collect())
    }

    #[test]
    fn deletes_what_is_too_old_and_not_pending() {
        let rows = [("old", "a", 1, false), ("pending", "a", 1, true)];
        assert_eq!(expired(RETENTION, &rows, ("a", 1), 1000), codes(&[]));
        assert_eq!(expired(RETENTION, &rows, ("a", 1), 2000), codes(&["old"]));
    }

    #[test]
    fn deletes_the_oldest_session_of_the_client_that_uses_most() {
        let rows = [
            ("paid", "a", 20, false),
            ("b1", "b", 30, false),
            ("b2", "b", 30, false),
        ];
        let deleted = expired(RETENTION, &rows, ("b", 30), 10);
        assert_eq!(deleted, codes(&["b1"]));
        // A new client takes from the largest one, too.
        let deleted = expired(RETENTION, &rows, ("c", 30), 10);
        assert_eq!(deleted, codes(&["b1"]));
    }

    #[test]
    fn deletes_several_sessions_of_one_client_one_after_the_other() {
        let rows = [
            ("b1", "b", 30, false),
            ("a1", "a", 10, false),
            ("b2", "b", 30, false),
            ("b3", "b", 30, false),
        ];
        let deleted = expired(RETENTION, &rows, ("b", 60), 10);
        assert_eq!(deleted, codes(&["b1", "b2"]));
    }

    #[test]
    fn limits_each_client_to_its_own_share() {
        let retention = Retention {
            max_bytes_per_client: Some(40),
            ..RETENTION
        };
        let rows = [("a1", "a", 30, false), ("b1", "b", 20, false)];
        assert_eq!(expired(retention, &rows, ("a", 20), 10), codes(&["a1"]));
        let rows = [("a1", "a", 30, true), ("b1", "b", 20, false)];
        assert_eq!(expired(retention, &rows, ("a", 20), 10), None);
    }

    #[test]
    fn limits_all_clients_from_time_to_time() {
        let retention = Retention {
            max_bytes_per_client: Some(40),
            ..RETENTION
        };
        let rows = [
            ("a1", "a", 30, false),
            ("a2", "a", 30, false),
            ("b1", "b", 50, true),
        ];
        let rows = &rows[..];
        assert_eq!(retention.expired_now(&rows, 10).unwrap(), ["a1"]);
    }

    #[test]
    fn keeps_pending_sessions_and_reports_that_there_is_no_room() {
        let rows = [("a1", "a", 80, true), ("a2", "a", 10, false)];
        assert_eq!(expired(RETENTION, &rows, ("b", 20), 10), codes(&["a2"]));
        assert_eq!(expired(RETENTION, &rows, ("b", 30), 10), None);
        // A session alone is stored, however large it is.
        assert_eq!(expired(RETENTION, &[], ("b", 500), 10), codes(&[]));
    }
}
