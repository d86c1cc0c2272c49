//! The configuration: one TOML file, overridden by `--engine`.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, anyhow, bail};
use api::{Client, SCULPT};
use contract::{Invalid, one_of_quoted, quote};
use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::clients;
use crate::proxy::{ClientHeader, PublicUrl};
use crate::web_access::{parse_host_name, parse_origin};

/// The content of the file. The default is that of an empty file.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// The engine for requests that name none. Default: [`SCULPT`].
    default: Option<String>,
    /// A file with a client's name and key on each line, accessible to its owner only.
    clients_file: Option<PathBuf>,
    /// The origins whose web pages may use the server, beside its own and local ones; `*` for all.
    #[serde(default)]
    pub origins: Vec<String>,
    /// The host names under which the server can be reached without client keys, beside `localhost`
    /// and IP addresses.
    #[serde(default)]
    pub host_names: Vec<String>,
    /// The URL under which callers reach the server.
    pub public_url: Option<PublicUrl>,
    /// Whether the headers of a proxy in front of the server are trusted.
    #[serde(default)]
    pub trust_proxy: bool,
    /// The header in which clients name their users.
    pub client_header: Option<ClientHeader>,
    /// A table for each remote engine.
    #[serde(default)]
    engines: toml::Table,
}

impl Config {
    /// Reads a configuration file.
    ///
    /// # Errors
    /// Fails if the file cannot be read, is not TOML, or has unknown keys.
    pub fn read(file: &Path) -> anyhow::Result<Self> {
        let path = file.display();
        let text = fs::read_to_string(file).with_context(|| format!("Cannot read {path}"))?;
        let mut config: Self = parse_toml(file, &text)?;
        let invalid = |key: &str, text: &str, expected: &str| {
            anyhow!("{path}: Invalid {key} {}: {expected}", quote(text))
        };
        for text in &mut config.origins {
            *text = parse_origin(text).map_err(|expected| invalid("origins", text, expected))?;
        }
        for text in &mut config.host_names {
            *text =
                parse_host_name(text).map_err(|expected| invalid("host_names", text, expected))?;
        }
        for (name, table) in &config.engines {
            let table = table.as_table();
            let table = table.with_context(|| format!("{path}: engines.{name} must be a table"))?;
            if name == SCULPT {
                bail!("{path}: remove [engines.{SCULPT}]; this engine has no options");
            }
            if table.contains_key("key") {
                bail!(
                    "{path}: [engines.{name}] must not contain a key; name a file with the key in \
                     key_file, or set the key in the environment"
                );
            }
        }
        Ok(config)
    }

    /// Makes an engine the default. `text` is `NAME` or `NAME=URL`.
    ///
    /// # Errors
    /// Fails if the text is neither.
    pub fn set_default_engine(&mut self, text: &str) -> anyhow::Result<()> {
        let (name, url) = match text.split_once('=') {
            Some((name, url)) => (name, Some(url)),
            None => (text, None),
        };
        if name.is_empty() || url == Some("") || (name == SCULPT && url.is_some()) {
            bail!(Invalid::new("--engine", quote(text), "NAME or NAME=URL"));
        }
        self.default = Some(name.to_owned());
        if name != SCULPT {
            let table = self.engines.entry(name);
            let table = table.or_insert_with(|| toml::Table::new().into());
            if let (Some(url), Some(table)) = (url, table.as_table_mut()) {
                table.insert("url".into(), url.into());
            }
        }
        Ok(())
    }

    /// Returns the names of all configured engines, the default first.
    ///
    /// # Errors
    /// Fails if the default is not one of them.
    pub fn engine_names(&self) -> anyhow::Result<Vec<String>> {
        let configured = self.engines.keys().map(String::as_str);
        let names: Vec<_> = [SCULPT].into_iter().chain(configured).collect();
        let default = self.default.as_deref().unwrap_or(SCULPT);
        if !names.contains(&default) {
            let invalid = Invalid::new("default", quote(default), one_of_quoted(names));
            bail!("{invalid}. A table [engines.{default}] adds this engine.");
        }
        let others = names.iter().copied().filter(|name| *name != default);
        let ordered = [default].into_iter().chain(others);
        Ok(ordered.map(str::to_owned).collect())
    }

    /// Reads the clients from `clients_file`. Returns none if the file is not configured.
    ///
    /// # Errors
    /// Fails if the file cannot be read, is accessible to other users, is empty, or has an invalid
    /// line, and if there is no file although clients should name their users.
    pub fn clients(&self) -> anyhow::Result<Vec<Client>> {
        let Some(file) = &self.clients_file else {
            if self.client_header.is_some() {
                bail!(
                    "--client-header requires client keys: set clients_file in the configuration"
                );
            }
            return Ok(Vec::new());
        };
        let clients = clients::read(file)?;
        let has_slash = |client: &&Client| client.name.contains('/');
        match clients.iter().find(has_slash) {
            // `a/b` is the user b of the client a.
            Some(client) if self.client_header.is_some() => bail!(
                "{}: the name {} must not contain / if clients name their users",
                file.display(),
                client.name
            ),
            _ => Ok(clients),
        }
    }

    /// Returns the table of an engine, empty if it has none.
    pub fn engine_table(&self, name: &str) -> toml::Table {
        let table = self.engines.get(name).and_then(toml::Value::as_table);
        table.cloned().unwrap_or_default()
    }
}

/// Parses a TOML file.
///
/// # Errors
/// Fails with one line if the text is not TOML, or has unknown keys.
pub fn parse_toml<T: DeserializeOwned>(file: &Path, text: &str) -> anyhow::Result<T> {
    // The parser's full message quotes the line, which may hold a key by mistake.
    toml::from_str(text).map_err(|error| {
        let line = error
            .span()
            .map_or(0, |span| text[..span.start].matches('\n').count() + 1);
        anyhow!("{}, line {line}: {}", file.display(), error.message())
    })
}
