//! fal's models: which one fits a request, what it takes, and where its result is.

use anyhow::bail;
use contract::{Resolution, Topology};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::engines::service::ModelRequest;

/// A model that is known to take an image and to make a GLB.
struct Model {
    id: &'static str,
    /// The field for the image's URL; a trailing `[]` means that it takes a list.
    image_field: &'static str,
    /// JSON pointers to the GLB's URL in the result. The first one that exists counts.
    glb: &'static [&'static str],
    /// Returns the other fields.
    input: fn(&ModelRequest) -> Value,
}

const TRELLIS_2: Model = Model {
    id: "fal-ai/trellis-2",
    image_field: "image_url",
    glb: &["/model_glb/url"],
    input: |request| {
        json!({
            "resolution": if is_low(request) { 512 } else { 1024 },
            "decimation_target": if is_low(request) { 20_000 } else { 500_000 },
            "texture_size": texture_size(request, &[1024, 2048]),
        })
    },
};

const HUNYUAN_2: Model = Model {
    id: "fal-ai/hunyuan3d/v2",
    image_field: "input_image_url",
    glb: &["/model_mesh/url"],
    input: |request| {
        json!({
            "textured_mesh": request.is_textured,
            "octree_resolution": if is_low(request) { 128 } else { 256 },
        })
    },
};

const MESHY_6: Model = Model {
    id: "fal-ai/meshy/v6/image-to-3d",
    image_field: "image_url",
    glb: &["/model_glb/url"],
    input: |request| {
        json!({
            "topology": if wants_quads(request) { "quad" } else { "triangle" },
            "should_remesh": true,
            "target_polycount": if is_low(request) { 5_000 } else { 100_000 },
            "should_texture": request.is_textured,
        })
    },
};

const HUNYUAN_3: Model = Model {
    id: "fal-ai/hunyuan3d-v3/image-to-3d",
    image_field: "input_image_url",
    glb: &["/model_glb/url"],
    input: |request| match is_low(request) || wants_quads(request) {
        true => json!({
            "generate_type": "LowPoly",
            "polygon_type": if wants_quads(request) { "quadrilateral" } else { "triangle" },
            "face_count": if is_low(request) { 40_000 } else { 500_000 },
        }),
        false => {
            json!({ "generate_type": if request.is_textured { "Normal" } else { "Geometry" } })
        }
    },
};

const TRIPO_3: Model = Model {
    id: "tripo3d/h3.1/image-to-3d",
    image_field: "image_url",
    glb: &["/model_mesh/url"],
    input: |request| json!({ "texture": request.is_textured }),
};

/// The known models.
const MODELS: &[Model] = &[
    TRELLIS_2,
    HUNYUAN_2,
    MESHY_6,
    HUNYUAN_3,
    TRIPO_3,
    Model {
        id: "fal-ai/hunyuan3d/v2/mini",
        ..HUNYUAN_2
    },
    Model {
        id: "fal-ai/hunyuan3d/v2/turbo",
        ..HUNYUAN_2
    },
    Model {
        id: "fal-ai/hunyuan3d/v2/mini/turbo",
        ..HUNYUAN_2
    },
    Model {
        id: "fal-ai/hunyuan-3d/v3.1/pro/image-to-3d",
        image_field: "input_image_url",
        glb: &["/model_glb/url"],
        input: |request| {
            json!({
                "generate_type": if request.is_textured { "Normal" } else { "Geometry" },
                "face_count": if is_low(request) { 40_000 } else { 500_000 },
            })
        },
    },
    Model {
        id: "fal-ai/hunyuan-3d/v3.1/rapid/image-to-3d",
        image_field: "input_image_url",
        // `model_glb` may be an OBJ file.
        glb: &["/model_urls/glb/url", "/model_glb/url"],
        input: |request| json!({ "enable_geometry": !request.is_textured }),
    },
    Model {
        id: "fal-ai/trellis",
        image_field: "image_url",
        glb: &["/model_mesh/url"],
        input: |request| json!({ "texture_size": texture_size(request, &[512, 1024, 2048]) }),
    },
    Model {
        id: "tripo3d/tripo/v2.5/image-to-3d",
        image_field: "image_url",
        glb: &["/pbr_model/url", "/model_mesh/url", "/base_model/url"],
        input: |request| json!({ "texture": if request.is_textured { "standard" } else { "no" } }),
    },
    Model {
        id: "tripo3d/p1/image-to-3d",
        ..TRIPO_3
    },
    Model {
        id: "fal-ai/hyper3d/rodin",
        image_field: "input_image_urls[]",
        glb: &["/model_mesh/url"],
        input: |request| {
            json!({
                "geometry_file_format": "glb",
                "quality": if is_low(request) { "low" } else { "high" },
            })
        },
    },
    Model {
        id: "fal-ai/hyper3d/rodin/v2.5",
        image_field: "image_urls[]",
        glb: &["/model_mesh/url"],
        input: |request| {
            json!({
                "quality_mesh_option": match (is_low(request), wants_quads(request)) {
                    (true, true) => "4K Quad",
                    (false, true) => "200K Quad",
                    (true, false) => "20K Triangle",
                    (false, false) => "500K Triangle",
                },
                "material": if request.is_textured { "PBR" } else { "None" },
            })
        },
    },
    Model {
        id: "fal-ai/triposr",
        image_field: "image_url",
        glb: &["/model_mesh/url"],
        input: |_| json!({ "output_format": "glb" }),
    },
    Model {
        id: "fal-ai/pixal3d",
        image_field: "image_url",
        glb: &["/model_glb/url"],
        input: |_| json!({}),
    },
];

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
    /// Returns the model that fits a request best.
    pub fn fitting(request: &ModelRequest) -> Self {
        let model = match (wants_quads(request), request.is_textured) {
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

    /// Returns the model's input for a request.
    pub fn input(self, request: &ModelRequest) -> ModelInput {
        let known = self.known();
        let mut fields = match known.map(|model| (model.input)(request)) {
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

    fn known(&self) -> Option<&'static Model> {
        MODELS.iter().find(|model| model.id == self.id)
    }
}

fn is_low(request: &ModelRequest) -> bool {
    request.parameters.resolution == Some(Resolution::LowPoly)
}

fn wants_quads(request: &ModelRequest) -> bool {
    request.parameters.topology == Some(Topology::Quads)
}

/// Returns the smallest of a model's texture sizes that is large enough. The server shrinks larger
/// textures itself.
fn texture_size(request: &ModelRequest, sizes: &[u32]) -> u32 {
    let requested = request.parameters.texture_resolution.unwrap_or(2048);
    let size = sizes.iter().copied().find(|size| *size >= requested);
    size.unwrap_or(2048)
}
