//! What the emulators of engines share: an HTTP server, a clock that runs faster, and a model.
//!
//! Each scenario is marked with how sure the fact behind it is: [A] read in the engine's own source
//! or documentation, [B] reported by others, [C] concluded.
#![allow(dead_code, missing_docs)]

pub mod hosted;
pub mod hunyuan;

use std::collections::HashMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::sync::{Arc, LazyLock, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use api::image::{self, Rgba, RgbaImage};
use base64_simd::STANDARD;
use serde_json::Value;

/// A request with its whole body.
pub struct Request {
    pub method: String,
    pub path: String,
    pub query: String,
    /// By their names in small letters.
    pub headers: HashMap<String, String>,
    pub body: Vec<u8>,
}

impl Request {
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", String::as_str)
    }
}

pub enum Reply {
    Answer(u16, Vec<(&'static str, String)>, Vec<u8>),
    /// The connection ends without a byte of an answer.
    Reset,
    /// No answer comes for so long, and then none.
    Silence(Duration),
    /// What comes after a while.
    Late(Duration, Box<Reply>),
    /// A body without an end, and without a word about its length.
    Endless,
}

impl Reply {
    pub fn json(status: u16, body: Value) -> Self {
        let headers = vec![("content-type", "application/json".to_owned())];
        Self::Answer(status, headers, body.to_string().into_bytes())
    }

    pub fn text(status: u16, body: &str) -> Self {
        let headers = vec![("content-type", "text/plain; charset=utf-8".to_owned())];
        Self::Answer(status, headers, body.into())
    }

    pub fn bytes(body: Vec<u8>) -> Self {
        let headers = vec![("content-type", "application/octet-stream".to_owned())];
        Self::Answer(200, headers, body)
    }

    pub fn with(self, name: &'static str, value: impl ToString) -> Self {
        match self {
            Self::Answer(status, mut headers, body) => {
                headers.push((name, value.to_string()));
                Self::Answer(status, headers, body)
            }
            other => other,
        }
    }
}

/// Serves on a port of its own for as long as the test process lives.
pub fn serve(answer: impl Fn(&Request) -> Reply + Send + Sync + 'static) -> String {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let host = listener.local_addr().unwrap().to_string();
    let answer = Arc::new(answer);
    thread::spawn(move || {
        for stream in listener.incoming() {
            // A client that was killed in the middle is what some tests are about.
            let (Ok(stream), answer) = (stream, answer.clone()) else {
                continue;
            };
            thread::spawn(move || exchange(stream, &*answer).ok());
        }
    });
    host
}

fn exchange(stream: TcpStream, answer: &dyn Fn(&Request) -> Reply) -> std::io::Result<()> {
    let mut reader = BufReader::new(stream.try_clone()?);
    let mut line = String::new();
    reader.read_line(&mut line)?;
    let mut words = line.split(' ');
    let (method, target) = (words.next().unwrap_or(""), words.next().unwrap_or(""));
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let mut headers = HashMap::new();
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line)? <= 2 {
            break;
        }
        if let Some((name, value)) = line.trim_end().split_once(": ") {
            headers.insert(name.to_ascii_lowercase(), value.to_owned());
        }
    }
    let length = headers.get("content-length").and_then(|n| n.parse().ok());
    let mut body = vec![0; length.unwrap_or(0)];
    reader.read_exact(&mut body)?;
    let request = Request {
        method: method.into(),
        path: path.into(),
        query: query.into(),
        headers,
        body,
    };
    let mut stream = stream;
    let mut reply = answer(&request);
    while let Reply::Late(time, later) = reply {
        thread::sleep(time);
        reply = *later;
    }
    match reply {
        Reply::Late(..) => Ok(()),
        Reply::Reset => Ok(()),
        Reply::Silence(time) => {
            thread::sleep(time);
            Ok(())
        }
        Reply::Endless => {
            stream.write_all(b"HTTP/1.1 200 Any\r\nconnection: close\r\n\r\n")?;
            let zeros = vec![0; 1 << 20];
            loop {
                stream.write_all(&zeros)?;
            }
        }
        Reply::Answer(status, headers, body) => {
            let mut head = format!("HTTP/1.1 {status} Any\r\nconnection: close\r\n");
            for (name, value) in headers {
                head.push_str(&format!("{name}: {value}\r\n"));
            }
            head.push_str(&format!("content-length: {}\r\n\r\n", body.len()));
            stream.write_all(head.as_bytes())?;
            stream.write_all(&body)?;
            stream.flush()
        }
    }
}

/// A clock that begins at 0, runs so many times faster, and can be put forward.
#[derive(Clone)]
pub struct Clock {
    start: Instant,
    speed: f64,
    skipped: Arc<Mutex<f64>>,
}

impl Clock {
    pub fn new(speed: f64) -> Self {
        Self {
            start: Instant::now(),
            speed,
            skipped: Arc::default(),
        }
    }

    /// Seconds.
    pub fn now(&self) -> f64 {
        self.start.elapsed().as_secs_f64() * self.speed + *self.skipped.lock().unwrap()
    }

    /// So many seconds pass at once.
    pub fn skip(&self, seconds: f64) {
        *self.skipped.lock().unwrap() += seconds;
    }
}

/// A picture with a red disc before a calm background.
pub fn picture() -> Vec<u8> {
    disc([200, 30, 30])
}

/// A picture by whose colour it is known again, from 1 to 4095.
pub fn numbered(number: u32) -> Vec<u8> {
    let digit = |shift: u32| 8 * ((number >> shift) & 15) as u8;
    disc([digit(8), digit(4), digit(0)])
}

/// The number of a picture as it was sent, as base64 or a `data:` URI, written anew it may be; 0
/// where it has none.
pub fn number_of(sent: &Value) -> u32 {
    let text = sent.as_str().unwrap_or_default();
    let base64 = text.rsplit(',').next().unwrap_or_default();
    let bytes = STANDARD.decode_to_vec(base64).unwrap_or_default();
    let Ok(picture) = image::load_from_memory(&bytes) else {
        return 0;
    };
    let picture = picture.to_rgb8();
    let middle = picture.get_pixel(picture.width() / 2, picture.height() / 2);
    // What was compressed is not quite what it was.
    let digits = middle.0.iter().map(|value| (u32::from(*value) + 4) / 8);
    digits.fold(0, |number, digit| (number << 4) | digit)
}

fn disc(colour: [u8; 3]) -> Vec<u8> {
    let [red, green, blue] = colour;
    let picture = RgbaImage::from_fn(96, 64, |x, y| {
        let (x, y) = (f64::from(x) - 48.0, f64::from(y) - 32.0);
        match x * x + y * y < 400.0 {
            true => Rgba([red, green, blue, 255]),
            false => Rgba([240, 240, 240, 255]),
        }
    });
    let mut file = std::io::Cursor::new(Vec::new());
    picture
        .write_to(&mut file, image::ImageFormat::Png)
        .unwrap();
    file.into_inner()
}

/// A model as a service makes it: 20,000 faces, and a texture of 1024 by 1024 pixels.
pub fn model() -> Vec<u8> {
    static MODEL: LazyLock<Vec<u8>> = LazyLock::new(|| made(true));
    MODEL.clone()
}

/// The same without a texture.
pub fn bare_model() -> Vec<u8> {
    static MODEL: LazyLock<Vec<u8>> = LazyLock::new(|| made(false));
    MODEL.clone()
}

fn made(textured: bool) -> Vec<u8> {
    let picture = RgbaImage::from_fn(1024, 1024, |x, y| {
        let (across, up) = (f64::from(x) - 511.5, f64::from(y) - 511.5);
        let is_inside = across * across + up * up < 512.0 * 512.0;
        Rgba([x as u8, y as u8, 128, if is_inside { 255 } else { 0 }])
    });
    let order = sculpt::Order {
        picture: &picture.into(),
        parameters: &api::Parameters {
            generate_texture: Some(textured),
            texture_resolution: Some(1024),
            ..Default::default()
        },
        detail: api::Detail::Preview,
        view: 0,
    };
    let go_on = &mut |_| std::ops::ControlFlow::Continue(());
    sculpt::sculpt(&order, go_on).unwrap()
}

/// The JSON of a binary glTF file.
pub fn gltf(glb: &[u8]) -> Value {
    let length = u32::from_le_bytes(glb[12..16].try_into().unwrap()) as usize;
    serde_json::from_slice(&glb[20..20 + length]).unwrap()
}
