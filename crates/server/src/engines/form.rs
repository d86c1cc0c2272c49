//! Forms with a file, `multipart/form-data`.

/// Separates the fields. It is long enough not to occur in a file by chance.
pub const BOUNDARY: &str = "csm-image-to-3d-9c1b7ad04f6e4f0d8c52a1e37b6f9d20";

/// A form with one file.
pub struct Form<'a> {
    /// The other fields, by name.
    pub fields: &'a [(&'a str, &'a str)],
    /// The name of the file's field.
    pub file_field: &'a str,
    /// The name of the file, without quotes.
    pub file_name: &'a str,
    pub media_type: &'a str,
    pub file: &'a [u8],
}

impl Form<'_> {
    /// Encodes the form as the body of a request.
    pub fn encode(&self) -> Vec<u8> {
        let mut body = Vec::with_capacity(self.file.len() + 1024);
        for (name, value) in self.fields {
            let field = format!(
                "--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n"
            );
            body.extend(field.bytes());
        }
        let head = format!(
            "--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"{}\"; filename=\"{}\"\r\n\
             Content-Type: {}\r\n\r\n",
            self.file_field, self.file_name, self.media_type
        );
        body.extend(head.bytes());
        body.extend(self.file);
        body.extend(format!("\r\n--{BOUNDARY}--\r\n").bytes());
        body
    }
}
