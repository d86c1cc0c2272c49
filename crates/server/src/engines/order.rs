//! What a caller orders, apart from the image. It decides the price.

use api::Parameters;
use contract::{Resolution, Topology};

/// The number of faces that a caller orders.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FaceBudget {
    /// `low_poly`.
    Low,
    /// Nothing: a number that web pages and phones render well. fal recommends 20,000 to 50,000 for
    /// them.
    Web,
    /// `high_poly`.
    High,
}

/// What a caller orders, apart from the image.
#[derive(Clone, Debug)]
pub struct Order {
    /// Omitted parameters have the API's defaults.
    pub parameters: Parameters,
    /// Whether the model gets a texture.
    pub is_textured: bool,
    /// The number of faces.
    pub faces: FaceBudget,
}

impl Order {
    /// Returns the order of a session with these parameters.
    pub fn new(parameters: &Parameters) -> Self {
        Self {
            parameters: parameters.or_defaults(),
            is_textured: sculpt::is_textured(parameters),
            faces: match parameters.resolution {
                Some(Resolution::LowPoly) => FaceBudget::Low,
                Some(Resolution::HighPoly) => FaceBudget::High,
                None => FaceBudget::Web,
            },
        }
    }

    /// Returns whether few faces are ordered.
    pub fn is_low_poly(&self) -> bool {
        self.faces == FaceBudget::Low
    }

    /// Returns whether quads are ordered.
    pub fn has_quads(&self) -> bool {
        self.parameters.topology == Some(Topology::Quads)
    }

    /// Returns the value for the ordered number of faces.
    pub fn by_faces<T>(&self, low: T, web: T, high: T) -> T {
        match self.faces {
            FaceBudget::Low => low,
            FaceBudget::Web => web,
            FaceBudget::High => high,
        }
    }
}
