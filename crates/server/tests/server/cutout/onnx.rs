//! Tiny networks as ONNX files, which are protobuf messages:
//! <https://github.com/onnx/onnx/blob/main/onnx/onnx.proto>.

/// The width and the height of the networks' input.
pub const SIZE: u64 = 16;

/// The parts of a network that the tests vary: `y = operator(x, w, b)`.
pub struct Network {
    pub inputs: Vec<&'static str>,
    pub operator: &'static str,
    /// One row of three weights, for red, green and blue, for each channel of the output.
    pub weights: Vec<[f32; 3]>,
    pub bias: f32,
}

/// Sees the red pixels as the object: their logit is 6, that of others −6 or less.
pub fn finds_red() -> Network {
    Network {
        inputs: vec!["x"],
        operator: "Conv",
        weights: vec![[12.0, -12.0, -12.0]],
        bias: -6.0,
    }
}

impl Network {
    pub fn encode(&self) -> Vec<u8> {
        let names = ["x", "w", "b"].map(|name| message(1, name.as_bytes()));
        let node = [
            &names.concat()[..],
            &message(2, b"y"),
            &message(4, self.operator.as_bytes()),
            &message(5, &integers("dilations", &[1, 1])),
            &message(5, &integers("pads", &[0; 4])),
            &message(5, &integers("strides", &[1, 1])),
        ];
        let channels = self.weights.len() as u64;
        let biases = vec![self.bias; self.weights.len()];
        let weights = tensor("w", &[channels, 3, 1, 1], self.weights.as_flattened());
        let inputs = self.inputs.iter().map(|name| message(11, &value(name, 3)));
        let graph = [
            &message(1, &node.concat())[..],
            &message(2, b"test"),
            &message(5, &weights),
            &message(5, &tensor("b", &[channels], &biases)),
            &inputs.collect::<Vec<_>>().concat(),
            &message(12, &value("y", channels)),
        ];
        let (ir_version, opset_version) = (8, 13);
        [
            number(1, ir_version),
            message(7, &graph.concat()),
            message(8, &number(2, opset_version)),
        ]
        .concat()
    }
}

/// An attribute of an operator.
fn integers(name: &str, values: &[u64]) -> Vec<u8> {
    const INTS: u64 = 7;
    let values = values.iter().map(|value| number(8, *value));
    [
        message(1, name.as_bytes()),
        values.collect::<Vec<_>>().concat(),
        number(20, INTS),
    ]
    .concat()
}

const FLOAT: u64 = 1;

fn tensor(name: &str, dimensions: &[u64], values: &[f32]) -> Vec<u8> {
    let dimensions = dimensions.iter().map(|size| number(1, *size));
    let bytes: Vec<_> = values
        .iter()
        .flat_map(|value| value.to_le_bytes())
        .collect();
    [
        dimensions.collect::<Vec<_>>().concat(),
        number(2, FLOAT),
        message(8, name.as_bytes()),
        message(9, &bytes),
    ]
    .concat()
}

/// Describes an input or an output.
fn value(name: &str, channels: u64) -> Vec<u8> {
    let shape = [1, channels, SIZE, SIZE].map(|size| message(1, &number(1, size)));
    let tensor = [number(1, FLOAT), message(2, &shape.concat())].concat();
    [
        message(1, name.as_bytes()),
        message(2, &message(1, &tensor)),
    ]
    .concat()
}

/// A field with a message, a text or bytes.
fn message(field: u64, content: &[u8]) -> Vec<u8> {
    let start = [varint(field << 3 | 2), varint(content.len() as u64)];
    [&start.concat(), content].concat()
}

fn number(field: u64, value: u64) -> Vec<u8> {
    [varint(field << 3), varint(value)].concat()
}

/// Seven bits per byte, the lowest first; the eighth bit says that another byte follows.
fn varint(mut value: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    while value >= 128 {
        bytes.push(value as u8 | 128);
        value >>= 7;
    }
    bytes.push(value as u8);
    bytes
}
