//! What the documents call things that are numbers on the wire: properties, types, errors, bits.

pub(crate) mod codes;
mod errors;
mod named;
mod properties;
pub(crate) mod property_codes;
mod sets;

pub(crate) use self::{
    errors::error, named::lid, properties::property, properties::property_type, sets::set,
};
