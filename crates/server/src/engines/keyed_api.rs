//! The APIs of services that require a key and have their results on other hosts.

use serde_json::Value;

use super::api_key::ApiKey;
use super::client::Client;
use super::config::CommonConfig;
use super::service::CheckError;

/// What is known about the API of a service.
pub struct PublicApi {
    pub url: &'static str,
    /// The hosts of its results.
    pub result_hosts: &'static [&'static str],
    /// The text before the key in the `Authorization` header.
    pub key_scheme: &'static str,
    /// The environment variable with the key.
    pub key_variable: &'static str,
}

impl PublicApi {
    /// Creates a client with the key and the configuration of the engine.
    ///
    /// # Errors
    /// Fails if the URL is invalid, or if the key cannot be read.
    pub fn connect(&self, common: &CommonConfig) -> anyhow::Result<KeyedApi> {
        let key = ApiKey::find(
            self.key_scheme,
            self.key_variable,
            common.key_file.as_deref(),
        )?;
        let has_key = key.is_some();
        let url = common.url(self.url)?;
        let hosts = common.result_hosts(self.url, self.result_hosts)?;
        Ok(KeyedApi {
            client: Client::new(&url, key, hosts, common.timeout()),
            missing: (!has_key).then(|| ApiKey::missing(self.key_variable)),
            result_hosts: common.check_result_hosts(self.url, self.result_hosts),
        })
    }
}

/// The API of a service, as it is configured.
pub struct KeyedApi {
    pub client: Client,
    /// Says that the key is missing, if it is.
    pub missing: Option<String>,
    /// The error of the configured `result_hosts`, if they are wrong.
    result_hosts: Result<(), String>,
}

impl KeyedApi {
    /// Checks that results would be downloaded.
    ///
    /// # Errors
    /// Fails if the configured `result_hosts` lack the hosts of the results.
    pub fn check_result_hosts(&self) -> Result<(), CheckError> {
        let checked = self.result_hosts.as_ref();
        checked.map_err(|error| CheckError::new(&self.client, error))?;
        Ok(())
    }

    /// Checks the key and the balance of the account. `pointer` is the place of the balance in the
    /// response from `path`.
    ///
    /// # Errors
    /// Fails if results would not be downloaded, if the key is rejected, or if no credits are left.
    pub fn check_credits(&self, path: &str, pointer: &str) -> Result<String, CheckError> {
        self.check_result_hosts()?;
        let failed = |error: &dyn std::fmt::Display| CheckError::new(&self.client, error);
        let response = self.client.get(path).map_err(|error| failed(&error))?;
        let balance = response.body.pointer(pointer);
        match (response.status, balance.and_then(decimal)) {
            (200, Some(balance)) if balance > 0.0 => {
                let url = self.client.base_url();
                Ok(format!("{url}: API key accepted, {balance} credits left"))
            }
            (200, Some(_)) => Err(failed(&"API key accepted, but no credits left")),
            _ => Err(failed(&self.client.error(&response))),
        }
    }
}

/// Returns a number, which may come as a text.
fn decimal(value: &Value) -> Option<f64> {
    value.as_f64().or_else(|| value.as_str()?.parse().ok())
}
