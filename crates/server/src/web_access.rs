//! Which web pages may use the server, and under which host names it can be reached.

/// Allows the pages of all origins.
const ALL: &str = "*";

/// The origins and host names that are allowed beside the local ones.
#[derive(Clone, Debug, Default)]
pub struct WebAccess {
    pub origins: Vec<String>,
    pub host_names: Vec<String>,
}

impl WebAccess {
    /// Returns the allowed origins, or `None` if all are allowed.
    pub fn allowed_origins(&self) -> Option<Vec<String>> {
        let allows_all = self.origins.iter().any(|origin| origin == ALL);
        (!allows_all).then(|| self.origins.clone())
    }

    /// Describes in one line which pages may use the server.
    pub fn describe(&self) -> String {
        let local = "web pages: of localhost, 127.0.0.1, [::1] and this server";
        match self.allowed_origins() {
            None => "web pages: of all origins".into(),
            Some(origins) if origins.is_empty() => {
                format!("{local}; allow others with `--origin URL`")
            }
            Some(origins) => format!("{local}, and of {}", origins.join(", ")),
        }
    }
}

/// Reads an origin in the form in which browsers send it, or `*`.
///
/// # Errors
/// Fails if the text is not an origin.
pub fn parse_origin(text: &str) -> Result<String, &'static str> {
    // Browsers send no final slash, and no port if it is the default one.
    let origin = text.strip_suffix('/').unwrap_or(text).to_ascii_lowercase();
    let is_host = |host: &str| {
        let is_part = |c: char| c.is_ascii_alphanumeric() || "-._[]:".contains(c);
        !host.is_empty() && host.chars().all(is_part)
    };
    let without_port = match origin.split_once("://") {
        Some(("http", _)) => origin.strip_suffix(":80"),
        Some(("https", _)) => origin.strip_suffix(":443"),
        _ => None,
    };
    match origin.split_once("://") {
        _ if origin == ALL => Ok(origin),
        Some((scheme, host)) if !scheme.is_empty() && is_host(host) => {
            Ok(without_port.unwrap_or(&origin).to_owned())
        }
        _ => Err("expected an origin such as \"https://shop.example\", or \"*\" for all"),
    }
}

/// Reads a host name.
///
/// # Errors
/// Fails if the text is not a host name.
pub fn parse_host_name(text: &str) -> Result<String, &'static str> {
    let is_part = |c: char| c.is_ascii_alphanumeric() || "-._".contains(c);
    match !text.is_empty() && text.chars().all(is_part) {
        true => Ok(text.to_ascii_lowercase()),
        false => Err("expected a name such as \"models.example\", without scheme and port"),
    }
}
