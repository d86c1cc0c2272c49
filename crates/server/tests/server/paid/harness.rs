//! Runs one session against an emulator and checks how it ends.

use serde_json::{Value, json};

use crate::emulators::hosted::{Emulator, Engine, KEY, Scenario};
use crate::support::gateway::Gateway;
use crate::support::session_code;

/// In the error of a session whose model may have been charged.
pub const CHARGED: &str = "; the model may have been charged and is not requested again";

/// Starts a server in front of the emulator, with the engine's key in its environment. `extra` is
/// added to the engine's table of the configuration.
pub fn start_gateway(emulator: &Emulator, extra: &str, flags: &[&str]) -> Gateway {
    let shared = emulator.clone();
    Gateway::start(
        &emulator.config(extra),
        vec![(emulator.engine.key_variable(), KEY.into())],
        flags,
        move || shared.billed_images(),
    )
}

/// How a session is expected to end.
pub enum Outcome {
    /// With a model, which was billed once.
    Completes,
    /// With this error, after this number of models was billed; see [`session_error`].
    Fails { billed: usize, error: &'static str },
}

/// Short for [`Outcome::Fails`].
pub fn fails(billed: usize, error: &'static str) -> Outcome {
    Outcome::Fails { billed, error }
}

/// Returns the session's error, with the emulator's addresses replaced by `{host}` and `{files}`.
pub fn session_error(emulator: &Emulator, session: &Value) -> String {
    let error = session["error"].as_str();
    let error = error.unwrap_or_else(|| panic!("no error: {session}"));
    error
        .replace(&emulator.host, "{host}")
        .replace(&emulator.file_host, "{files}")
}

/// Returns what the emulated service bills for a model without `low_poly` and quads, in its own unit.
fn price(engine: Engine, is_textured: bool) -> f64 {
    match (engine, is_textured) {
        (Engine::Fal | Engine::ComfyUi, _) => 1.0,
        (Engine::Meshy | Engine::Tripo, true) => 30.0,
        (Engine::Meshy | Engine::Tripo, false) => 20.0,
    }
}

/// Runs a session while `scenario` goes wrong, and checks the exact bill.
pub fn assert_session_ends(engine: Engine, scenario: Scenario, outcome: Outcome) {
    let emulator = Emulator::start(engine, scenario);
    let gateway = start_gateway(&emulator, "", &[]);
    // The server must build the jobs' URLs itself. fal's model for untextured output is
    // `fal-ai/hunyuan3d/v2`, and the URLs of its jobs hold only the first two parts of that id.
    let generate_texture = scenario != Scenario::JobUrlsOnOtherHost;
    let session = gateway.create_and_wait(json!({"generate_texture": generate_texture}));
    let price = price(engine, generate_texture);
    match outcome {
        Outcome::Completes => {
            assert_eq!(emulator.bill(), price, "{session}");
            assert_eq!(session["status"], "preview_done", "{session}");
            let file = gateway
                .server
                .get(&format!("/files/{}/preview.glb", session_code(&session)));
            assert!(file.body.starts_with(b"glTF"), "{session}");
            assert!(
                file.head.contains("access-control-allow-origin: *"),
                "{}",
                file.head
            );
        }
        Outcome::Fails { billed, error } => {
            assert_eq!(session["status"], "preview_failed", "{session}");
            assert_eq!(session_error(&emulator, &session), error);
            assert_eq!(emulator.bill(), price * billed as f64, "{session}");
        }
    }
    let is_cancelled = matches!(scenario, Scenario::NeverStarts(_))
        || (scenario == Scenario::NeverFinishes && matches!(engine, Engine::Fal | Engine::ComfyUi));
    assert_eq!(emulator.cancels(), usize::from(is_cancelled), "{session}");
    if matches!(
        scenario,
        Scenario::FileUrlExpiresOnce | Scenario::FileUrlExpired
    ) {
        // Meshy delivers two further formats.
        let is_complete = session["status"] == "preview_done";
        let others = if is_complete && engine == Engine::Meshy {
            2
        } else {
            0
        };
        assert_eq!(emulator.downloads(), 2 + others, "{session}");
    }
}

/// Defines a test for each line `name: scenario => outcome;`.
macro_rules! session_tests {
    ($engine:expr; $($(#[$attribute:meta])* $name:ident: $scenario:expr => $outcome:expr;)*) => {
        $(
            $(#[$attribute])*
            #[test]
            fn $name() {
                $crate::paid::harness::assert_session_ends($engine, $scenario, $outcome);
            }
        )*
    };
}

/// Defines `fal::name`, `meshy::name` and `tripo::name` for each function `name` that takes an `Engine`.
macro_rules! tests_of_all_engines {
    ($($name:ident,)*) => {
        mod fal {
            $(
                #[test]
                fn $name() {
                    super::$name($crate::emulators::hosted::Engine::Fal);
                }
            )*
        }

        mod meshy {
            $(
                #[test]
                fn $name() {
                    super::$name($crate::emulators::hosted::Engine::Meshy);
                }
            )*
        }

        mod tripo {
            $(
                #[test]
                fn $name() {
                    super::$name($crate::emulators::hosted::Engine::Tripo);
                }
            )*
        }
    };
}
