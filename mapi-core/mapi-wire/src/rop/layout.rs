//! The macro that states the fields of a ROP once: from it come the structs, reading and writing.

use super::field::Context;
use crate::cursor::{Reader, Result, Writer};

/// A request, from behind its RopId.
pub(super) trait Ask: Sized {
    fn read(reader: &mut Reader<'_>, context: Context<'_>) -> Result<Self>;
    fn write(&self, writer: &mut Writer);
    fn logon_id(&self) -> u8;
    fn slots(&self) -> Slots;
}

/// Places in the handle table that a request names.
#[derive(Clone, Copy, Debug)]
pub(super) struct Slots {
    /// What it acts on; RopLogon acts on nothing.
    pub(super) input: Option<u8>,
    /// Where the handle of what it makes goes.
    pub(super) output: Option<u8>,
    /// Which one its response repeats.
    pub(super) response: u8,
}

/// A successful response, from behind its ReturnValue.
pub(super) trait Answer: Sized {
    fn read(reader: &mut Reader<'_>, index: u8, context: Context<'_>) -> Result<Self>;
    fn write(&self, writer: &mut Writer);
    fn index(&self) -> u8;
    /// ReturnValue: 0, or a warning beside which the fields are there all the same.
    fn code(&self) -> u32 {
        0
    }
}

/// Reads or writes one field: by its type, or by the codec in brackets. A codec may name earlier fields it depends on.
macro_rules! field {
    (read $reader:ident $context:ident $owner:ident $field:ident $ty:ty) => {
        <$ty as $crate::rop::field::Field>::read(
            $reader,
            concat!(stringify!($owner), ".", stringify!($field)),
        )?
    };
    (read $reader:ident $context:ident $owner:ident $field:ident $ty:ty, $codec:ident $($on:ident)*) => {
        $codec::read(
            $reader,
            $context,
            concat!(stringify!($owner), ".", stringify!($field)),
            $(&$on),*
        )?
    };
    (write $writer:ident $self:ident $field:ident) => {
        $crate::rop::field::Field::write(&$self.$field, $writer)
    };
    (write $writer:ident $self:ident $field:ident, $codec:ident $($on:ident)*) => {
        $codec::write(&$self.$field, $writer, $(&$self.$on),*)
    };
}

/// What the names of handle slots mean.
macro_rules! slots {
    ($ask:ident input) => { $crate::rop::layout::slots!(=> Some($ask.input), None, $ask.input) };
    ($ask:ident output) => { $crate::rop::layout::slots!(=> None, Some($ask.output), $ask.output) };
    ($ask:ident input output) => { $crate::rop::layout::slots!(=> Some($ask.input), Some($ask.output), $ask.output) };
    ($ask:ident response input) => { $crate::rop::layout::slots!(=> Some($ask.input), None, $ask.response) };
    ($ask:ident source destination) => { $crate::rop::layout::slots!(=> Some($ask.source), None, $ask.source) };
    (=> $input:expr, $output:expr, $response:expr) => {
        $crate::rop::layout::Slots { input: $input, output: $output, response: $response }
    };
}

/// The request of a ROP: its number, its name, its handle slots in their order on the wire, its fields.
macro_rules! ask {
    (
        $(#[$doc:meta])* $id:literal $name:ident ($($slot:ident)+)
        { $($(#[$about:meta])* $field:ident: $ty:ty $([$codec:ident $($on:ident)*])?),* $(,)? }
    ) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq)]
        pub struct $name {
            /// Which of the session's logons this is for.
            pub logon_id: u8,
            $(
                #[doc = concat!("Slot of the ", stringify!($slot), " handle in the batch's table.")]
                pub $slot: u8,
            )+
            $($(#[$about])* pub $field: $ty,)*
        }

        impl $name {
            /// RopId.
            pub const ROP_ID: u8 = $id;
        }

        impl $crate::rop::layout::Ask for $name {
            #[allow(unused_variables, reason = "few ROPs need the context")]
            fn read(
                reader: &mut $crate::cursor::Reader<'_>,
                context: $crate::rop::field::Context<'_>,
            ) -> $crate::cursor::Result<Self> {
                let logon_id = reader.u8("a logon id")?;
                $(let $slot = reader.u8(concat!("the slot of the ", stringify!($slot), " handle"))?;)+
                $(let $field = $crate::rop::layout::field!(read reader context $name $field $ty $(, $codec $($on)*)?);)*
                Ok(Self { logon_id, $($slot,)+ $($field,)* })
            }

            fn write(&self, writer: &mut $crate::cursor::Writer) {
                writer.u8(self.logon_id);
                $(writer.u8(self.$slot);)+
                $($crate::rop::layout::field!(write writer self $field $(, $codec $($on)*)?);)*
            }

            fn logon_id(&self) -> u8 {
                self.logon_id
            }

            fn slots(&self) -> $crate::rop::layout::Slots {
                $crate::rop::layout::slots!(self $($slot)+)
            }
        }
    };
}

/// The successful response of a ROP: its name and its fields behind ReturnValue.
macro_rules! answer {
    (
        $asked:ident $name:ident
        { $($(#[$about:meta])* $field:ident: $ty:ty $([$codec:ident $($on:ident)*])?),* $(,)? }
    ) => {
        #[doc = concat!("The successful response to [`", stringify!($asked), "`].")]
        #[derive(Clone, Debug, PartialEq)]
        pub struct $name {
            /// The slot that the request named for it.
            pub index: u8,
            $($(#[$about])* pub $field: $ty,)*
        }

        impl $crate::rop::layout::Answer for $name {
            #[allow(unused_variables, reason = "few responses need the context, some have no field")]
            fn read(
                reader: &mut $crate::cursor::Reader<'_>,
                index: u8,
                context: $crate::rop::field::Context<'_>,
            ) -> $crate::cursor::Result<Self> {
                $(let $field = $crate::rop::layout::field!(read reader context $name $field $ty $(, $codec $($on)*)?);)*
                Ok(Self { index, $($field,)* })
            }

            #[allow(unused_variables, reason = "some responses have no field")]
            fn write(&self, writer: &mut $crate::cursor::Writer) {
                $($crate::rop::layout::field!(write writer self $field $(, $codec $($on)*)?);)*
            }

            fn index(&self) -> u8 {
                self.index
            }
        }
    };
}

/// ROPs with both their shapes: `number Name(slots) { request } => NameResponse { response }`.
///
/// A field is `name: Type`, or `name: Type [codec earlier_field …]` where the type alone does not say how it is written.
macro_rules! rops {
    ($(
        $(#[$doc:meta])* $id:literal $name:ident ($($slot:ident)+) $fields:tt => $answer:ident $answered:tt
    )+) => {$(
        $crate::rop::layout::ask! { $(#[$doc])* $id $name ($($slot)+) $fields }
        $crate::rop::layout::answer! { $name $answer $answered }
    )+};
}

pub(super) use {answer, ask, field, rops, slots};
