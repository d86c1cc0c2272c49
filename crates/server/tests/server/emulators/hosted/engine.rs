//! The hosted engines.

#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Engine {
    Fal,
    Meshy,
    Tripo,
    ComfyUi,
}

impl Engine {
    /// Returns the name of its table in the configuration.
    pub fn name(self) -> &'static str {
        match self {
            Self::Fal => "fal",
            Self::Meshy => "meshy",
            Self::Tripo => "tripo",
            Self::ComfyUi => "comfyui",
        }
    }

    /// Returns the environment variable that holds its API key.
    pub fn key_variable(self) -> &'static str {
        match self {
            Self::Fal => "FAL_KEY",
            Self::Meshy => "MESHY_API_KEY",
            Self::Tripo => "TRIPO_API_KEY",
            // It has no key, and must not receive one.
            Self::ComfyUi => "COMFYUI_API_KEY",
        }
    }
}
