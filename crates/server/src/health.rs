//! `--health`: the health check of a container, which contains no other program that could send a
//! request.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use anyhow::{Context, ensure};
use serde_json::Value;
use ureq::Agent;

use crate::options::Options;

/// How long the response may take.
const TIMEOUT: Duration = Duration::from_secs(5);

/// Asks the server that listens at `--bind` and `--port` for `/health`.
///
/// # Errors
/// Fails if it does not respond in time, or if it cannot store sessions.
pub fn ask(options: &Options) -> anyhow::Result<()> {
    let address = SocketAddr::new(peer(options.bind), options.port);
    let config = Agent::config_builder()
        .timeout_global(Some(TIMEOUT))
        // The body says why.
        .http_status_as_error(false);
    // The machine's proxy settings are for other servers.
    let agent: Agent = config.proxy(None).build().into();
    let unhealthy = || format!("The server at {address} is not healthy");
    let mut response = agent
        .get(format!("http://{address}/health"))
        .call()
        .with_context(unhealthy)?;
    let status = response.status();
    let body = response
        .body_mut()
        .read_to_string()
        .with_context(unhealthy)?;
    let body: Value = serde_json::from_str(&body).unwrap_or_default();
    let reason = body["message"].as_str().unwrap_or(status.as_str());
    ensure!(status.is_success(), "{}: {reason}", unhealthy());
    Ok(())
}

/// Returns the address to reach a server that listens on `bind`.
fn peer(bind: IpAddr) -> IpAddr {
    match bind {
        IpAddr::V4(address) if address.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(address) if address.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        address => address,
    }
}
