//! What all bodies have in common: fields, then an auxiliary buffer; in responses, two result codes before them.
//!
//! Source: MS-OXCMAPIHTTP 2.2.4, 2.2.5.

use mapi_types::PropTag;

use super::request_type::RequestType;
use crate::{
    cursor::{Reader, Result, Utf16, Writer},
    ids::Guid,
};

/// A field of a body, or a whole one: read and written in one way everywhere.
///
/// How fields look: numbers little-endian; an `Option` has an octet before it that says whether it is there; a `Vec` a
/// 32-bit count; a `Box<[u8]>` a 32-bit size; [`Text8`] and [`Utf16`] end with a NUL.
pub trait Body: Sized {
    /// The fewest octets it can have.
    #[doc(hidden)]
    const OCTETS_MIN: usize;

    /// Reads it; `name` is what an error says was expected.
    #[doc(hidden)]
    fn read(reader: &mut Reader<'_>, name: &'static str) -> Result<Self>;

    /// Writes it.
    #[doc(hidden)]
    fn write(&self, writer: &mut Writer);
}

/// A body that a client sends.
pub trait Request: Body {
    /// Its type.
    const TYPE: RequestType;
    /// The body that answers it.
    type Response: Body;
}

/// A response: what came of the request, and an auxiliary buffer, which may be empty.
#[derive(Clone, Debug, PartialEq)]
pub struct Response<T> {
    /// What came of it.
    pub outcome: Outcome<T>,
    /// The auxiliary buffer, wrapped: see [`super::aux`].
    pub aux: Box<[u8]>,
}

/// What came of a request.
#[derive(Clone, Debug, PartialEq)]
pub enum Outcome<T> {
    /// The server could not even try: StatusCode, not 0.
    Refused(u32),
    /// StatusCode 0, ErrorCode not 0, and nothing else: not in the document, but a body may end here.
    Failed(u32),
    /// StatusCode 0: the server tried.
    Done {
        /// ErrorCode: what EcDo… or Nspi… returned.
        error: u32,
        /// The fields; zeros and absences when `error` says so.
        body: T,
    },
}

/// Writes the body of a request. `aux` is a wrapped auxiliary buffer or empty.
pub fn encode_request<T: Request>(request: &T, aux: &[u8]) -> Vec<u8> {
    let mut writer = Writer::new();
    request.write(&mut writer);
    write_octets(&mut writer, aux);
    writer.into_bytes()
}

/// Reads the body of a request and its auxiliary buffer, to the last octet.
pub fn decode_request<T: Request>(bytes: &[u8]) -> Result<(T, Box<[u8]>)> {
    let mut reader = Reader::new(bytes);
    let request = T::read(&mut reader, "a request body")?;
    let aux = Box::read(&mut reader, "an auxiliary buffer")?;
    reader.finish("the end of the body")?;
    Ok((request, aux))
}

/// Writes the body of a response.
pub fn encode_response<T: Body>(response: &Response<T>) -> Vec<u8> {
    let mut writer = Writer::new();
    match &response.outcome {
        Outcome::Refused(status) => writer.u32(*status),
        Outcome::Failed(error) => {
            writer.u32(0);
            writer.u32(*error);
        }
        Outcome::Done { error, body } => {
            writer.u32(0);
            writer.u32(*error);
            body.write(&mut writer);
        }
    }
    write_octets(&mut writer, &response.aux);
    writer.into_bytes()
}

/// Reads the body of a response to a request of type `T`, to the last octet.
pub fn decode_response<T: Request>(bytes: &[u8]) -> Result<Response<T::Response>> {
    let mut reader = Reader::new(bytes);
    let status = reader.u32("a status code")?;
    if status != 0 {
        // gromox 3.10 writes the status a second time, and no auxiliary buffer.
        let aux = match reader.peek() == status.to_le_bytes() {
            true => Box::default(),
            false => end(&mut reader)?,
        };
        let outcome = Outcome::Refused(status);
        return Ok(Response { outcome, aux });
    }
    let error = reader.u32("an error code")?;
    let mut short = reader.clone();
    let full = read_full::<T::Response>(&mut reader, error);
    match (full, error) {
        (Err(_), 1..) if let Ok(aux) = end(&mut short) => {
            let outcome = Outcome::Failed(error);
            Ok(Response { outcome, aux })
        }
        (full, _) => full,
    }
}

fn read_full<T: Body>(reader: &mut Reader<'_>, error: u32) -> Result<Response<T>> {
    let body = T::read(reader, "a response body")?;
    let aux = end(reader)?;
    let outcome = Outcome::Done { error, body };
    Ok(Response { outcome, aux })
}

fn end(reader: &mut Reader<'_>) -> Result<Box<[u8]>> {
    let aux = Box::read(reader, "an auxiliary buffer")?;
    reader.finish("the end of the body")?;
    Ok(aux)
}

fn write_octets(writer: &mut Writer, octets: &[u8]) {
    writer.u32(octets.len() as u32);
    writer.put(octets);
}

/// 8-bit text up to a NUL, as it came: distinguished names.
#[derive(Clone, Default, Eq, Hash, PartialEq)]
pub struct Text8(pub Box<[u8]>);

impl Text8 {
    /// The text; what is not UTF-8 becomes U+FFFD.
    pub fn to_text(&self) -> String {
        String::from_utf8_lossy(&self.0).into_owned()
    }
}

impl From<&str> for Text8 {
    fn from(text: &str) -> Self {
        Self(text.as_bytes().into())
    }
}

impl std::fmt::Debug for Text8 {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        std::fmt::Debug::fmt(&self.to_text(), f)
    }
}

/// States the fields of a body once, in wire order, and gives it [`Body`].
macro_rules! body {
    ($(#[$($doc:tt)*])* $name:ident { $($(#[$field_doc:meta])* $field:ident: $kind:ty,)* }) => {
        $(#[$($doc)*])*
        #[derive(Clone, Debug, PartialEq)]
        pub struct $name {
            $($(#[$field_doc])* pub $field: $kind,)*
        }

        impl $crate::http::Body for $name {
            const OCTETS_MIN: usize = 0 $(+ <$kind as $crate::http::Body>::OCTETS_MIN)*;

            fn read(
                reader: &mut $crate::cursor::Reader<'_>,
                _name: &'static str,
            ) -> $crate::cursor::Result<Self> {
                $(let $field = <$kind as $crate::http::Body>::read(reader, stringify!($field))?;)*
                Ok(Self { $($field),* })
            }

            fn write(&self, writer: &mut $crate::cursor::Writer) {
                $($crate::http::Body::write(&self.$field, writer);)*
            }
        }
    };
}
pub(crate) use body;

/// Says which body asks what, and which one answers.
macro_rules! requests {
    ($($request:ident => $response:ident,)*) => {
        $(impl $crate::http::Request for $request {
            const TYPE: $crate::http::RequestType = $crate::http::RequestType::$request;
            type Response = $response;
        })*
    };
}
pub(crate) use requests;

impl Body for () {
    const OCTETS_MIN: usize = 0;

    fn read(_: &mut Reader<'_>, _: &'static str) -> Result<Self> {
        Ok(())
    }

    fn write(&self, _: &mut Writer) {}
}

impl Body for u8 {
    const OCTETS_MIN: usize = 1;

    fn read(reader: &mut Reader<'_>, name: &'static str) -> Result<Self> {
        reader.u8(name)
    }

    fn write(&self, writer: &mut Writer) {
        writer.u8(*self);
    }
}

impl Body for u32 {
    const OCTETS_MIN: usize = 4;

    fn read(reader: &mut Reader<'_>, name: &'static str) -> Result<Self> {
        reader.u32(name)
    }

    fn write(&self, writer: &mut Writer) {
        writer.u32(*self);
    }
}

impl Body for i32 {
    const OCTETS_MIN: usize = 4;

    fn read(reader: &mut Reader<'_>, name: &'static str) -> Result<Self> {
        Ok(Self::from_le_bytes(reader.array(name)?))
    }

    fn write(&self, writer: &mut Writer) {
        writer.put(&self.to_le_bytes());
    }
}

impl Body for PropTag {
    const OCTETS_MIN: usize = 4;

    fn read(reader: &mut Reader<'_>, name: &'static str) -> Result<Self> {
        Ok(Self(reader.u32(name)?))
    }

    fn write(&self, writer: &mut Writer) {
        writer.u32(self.0);
    }
}

impl Body for Guid {
    const OCTETS_MIN: usize = 16;

    fn read(reader: &mut Reader<'_>, _: &'static str) -> Result<Self> {
        Self::read(reader)
    }

    fn write(&self, writer: &mut Writer) {
        writer.put(&self.0);
    }
}

impl Body for Utf16 {
    const OCTETS_MIN: usize = 2;

    fn read(reader: &mut Reader<'_>, name: &'static str) -> Result<Self> {
        reader.wstr(name)
    }

    fn write(&self, writer: &mut Writer) {
        writer.wstr(self);
    }
}

impl Body for Text8 {
    const OCTETS_MIN: usize = 1;

    fn read(reader: &mut Reader<'_>, name: &'static str) -> Result<Self> {
        Ok(Self(reader.cstr(name)?.into()))
    }

    fn write(&self, writer: &mut Writer) {
        writer.cstr(&self.0);
    }
}

impl Body for Box<[u8]> {
    const OCTETS_MIN: usize = 4;

    fn read(reader: &mut Reader<'_>, name: &'static str) -> Result<Self> {
        let len = reader.u32(name)? as usize;
        Ok(reader.take(len, name)?.into())
    }

    fn write(&self, writer: &mut Writer) {
        write_octets(writer, self);
    }
}

impl<T: Body> Body for Option<T> {
    const OCTETS_MIN: usize = 1;

    fn read(reader: &mut Reader<'_>, name: &'static str) -> Result<Self> {
        match reader.bool(name)? {
            true => T::read(reader, name).map(Some),
            false => Ok(None),
        }
    }

    fn write(&self, writer: &mut Writer) {
        // The document says any octet but 0; Exchange and gromox write this one.
        writer.u8(if self.is_some() { 0xff } else { 0 });
        if let Some(value) = self {
            value.write(writer);
        }
    }
}

impl<T: Body> Body for Vec<T> {
    const OCTETS_MIN: usize = 4;

    fn read(reader: &mut Reader<'_>, name: &'static str) -> Result<Self> {
        let count = reader.u32(name)? as usize;
        let count = reader.count(count, T::OCTETS_MIN, name)?;
        (0..count).map(|_| T::read(reader, name)).collect()
    }

    fn write(&self, writer: &mut Writer) {
        writer.u32(self.len() as u32);
        for value in self {
            value.write(writer);
        }
    }
}
