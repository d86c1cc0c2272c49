//! fal's models: which one fits an order, what it takes, what it costs, and where its result is.
//!
//! The fields were compared with the types in `@fal-ai/client` 1.10.1, except those of `tripo3d/h3.1`,
//! `tripo3d/p1`, `tripo3d/p2`, `fal-ai/pixal3d` and `fal-ai/hyper3d/rodin/v2.5`, which it lacks: they
//! are from the models' pages, or from those of other services that resell them.

mod table;

use anyhow::bail;
use api::Cents;
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::engines::order::Order;
use table::{HUNYUAN_2, MESHY_6, MODELS, Model, TRELLIS_2};

/// A model as it is configured. For a known model, only `id` is required.
#[derive(Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ModelConfig {
    id: String,
    image_field: Option<String>,
    glb: Option<Vec<String>>,
    /// Added to the fields of a known model, and replaces those of the same name.
    #[serde(default)]
    input: Map<String, Value>,
}

/// A job's input without the image, and where its result is.
pub struct ModelInput {
    /// The model's id.
    pub id: String,
    /// As [`Model::image_field`].
    pub image_field: String,
    /// As [`Model::glb`].
    pub glb: Vec<String>,
    /// All fields but the image.
    pub fields: Map<String, Value>,
}

impl ModelConfig {
    /// Returns the model that fits an order best.
    pub fn fitting(order: &Order) -> Self {
        let model = match (order.has_quads(), order.is_textured) {
            (true, _) => MESHY_6,
            (false, true) => TRELLIS_2,
            (false, false) => HUNYUAN_2,
        };
        Self {
            id: model.id.into(),
            ..Self::default()
        }
    }

    /// Checks that the model is known or fully described.
    ///
    /// # Errors
    /// Fails if it is neither.
    pub fn validate(&self) -> anyhow::Result<()> {
        if self.known().is_some() || (self.image_field.is_some() && self.glb.is_some()) {
            return Ok(());
        }
        let known: Vec<_> = MODELS.iter().map(|model| model.id).collect();
        bail!(
            "Unknown model {:?}: set image_field and glb, or use one of {}",
            self.id,
            known.join(", ")
        );
    }

    /// Returns the model's input for an order.
    pub fn input(self, order: &Order) -> ModelInput {
        let known = self.known();
        let mut fields = match known.map(|model| (model.input)(order)) {
            Some(Value::Object(fields)) => fields,
            _ => Map::new(),
        };
        fields.extend(self.input);
        let image_field = known.map(|model| model.image_field.to_owned());
        let glb = known.map(|model| model.glb.iter().map(|at| (*at).to_owned()).collect());
        ModelInput {
            id: self.id,
            image_field: self.image_field.or(image_field).unwrap_or_default(),
            glb: self.glb.or(glb).unwrap_or_default(),
            fields,
        }
    }

    /// Returns the list price, or `None` if it is unknown. Fields that are configured may change it.
    pub fn price(&self, order: &Order) -> Option<Cents> {
        let known = self.known().filter(|_| self.input.is_empty());
        known.and_then(|model| (model.price)(order))
    }

    fn known(&self) -> Option<&'static Model> {
        MODELS.iter().find(|model| model.id == self.id)
    }
}
