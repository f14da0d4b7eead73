//! Views: how what mapi-wire decodes becomes a tree of nodes. A file for each layer of it.

mod address_book;
mod autodiscover;
mod binary;
mod body;
mod entry_id;
mod hints;
mod ids;
mod property;
mod recipient;
mod restriction;
mod rop;
mod row;
mod rpc;
mod rule;
mod sets;
mod stream;
mod text;
mod time;

pub(crate) use self::{
    autodiscover::autodiscover,
    body::{aux, headers, refusal},
    property::{tag, tag_named as property_named, value as property_value},
    rop::{
        acts_on, request as rop_request, response as rop_response, slot, unasked as rop_unasked,
    },
    rpc::stub as rpc_stub,
    sets::uploaded as uploaded_set,
    stream::{atom, event},
};

use mapi_types::PropTag;
use mapi_wire::{Guid, Id, code_page::CodePage};

use crate::{
    node::Node,
    object::{Batch, Logon, Object},
};

/// What must be known beside a value to show it.
#[derive(Clone, Copy)]
pub(crate) struct Scene<'a> {
    /// The code page of 8-bit strings.
    pub(crate) page: CodePage,
    /// Whether it is of the address book, where ids from 0x8000 are fixed.
    pub(crate) is_address_book: bool,
    /// The logon it belongs to.
    pub(crate) logon: Option<&'a Logon>,
    /// The object it is asked of.
    pub(crate) object: Option<&'a Object>,
    /// The columns of rows.
    pub(crate) columns: &'a [PropTag],
    /// The batch it is in.
    pub(crate) batch: Option<&'a Batch<'a>>,
}

/// The id of a folder or message, with the name of a folder that every store has.
pub(crate) fn folder_or_message(id: Id, logon: Option<&Logon>) -> String {
    ids::id(id, logon)
}

/// A property by its name, or by its tag where it has none.
pub(crate) fn property_words(tag: PropTag, logon: Option<&Logon>) -> String {
    let scene = Scene {
        logon,
        ..Scene::new(CodePage::WESTERN)
    };
    let head = property::tag(tag, &scene).head;
    head.into_iter()
        .next_back()
        .map_or_else(String::new, |(_, word)| word)
}

impl Scene<'_> {
    /// Where nothing is known but a code page.
    pub(crate) const fn new(page: CodePage) -> Self {
        Self {
            page,
            is_address_book: false,
            logon: None,
            object: None,
            columns: &[],
            batch: None,
        }
    }

    /// Of the address book.
    pub(crate) const fn address_book(page: CodePage) -> Self {
        Self {
            is_address_book: true,
            ..Self::new(page)
        }
    }
}

/// Becomes a node.
pub(crate) trait View {
    /// The node.
    fn view(&self, scene: &Scene<'_>) -> Node;
}

macro_rules! numbers {
    ($($ty:ty),*) => {$(
        impl View for $ty {
            fn view(&self, _: &Scene<'_>) -> Node {
                Node::Number((*self).into())
            }
        }
    )*};
}
numbers!(u8, u16, u32, u64, i16, i32, i64);

macro_rules! floats {
    ($($ty:ty),*) => {$(
        impl View for $ty {
            fn view(&self, _: &Scene<'_>) -> Node {
                Node::Float((*self).into())
            }
        }
    )*};
}
floats!(f32, f64);

impl View for bool {
    fn view(&self, _: &Scene<'_>) -> Node {
        Node::Bool(*self)
    }
}

impl View for () {
    fn view(&self, _: &Scene<'_>) -> Node {
        Node::Absent
    }
}

impl View for Id {
    fn view(&self, scene: &Scene<'_>) -> Node {
        Node::Word(ids::id(*self, scene.logon))
    }
}

impl View for Guid {
    fn view(&self, _: &Scene<'_>) -> Node {
        Node::Word(self.to_string())
    }
}

impl<T: View> View for Option<T> {
    fn view(&self, scene: &Scene<'_>) -> Node {
        match self {
            Some(value) => value.view(scene),
            None => Node::Absent,
        }
    }
}

impl<T: View + ?Sized> View for Box<T> {
    fn view(&self, scene: &Scene<'_>) -> Node {
        (**self).view(scene)
    }
}

impl<T: View> View for Vec<T> {
    fn view(&self, scene: &Scene<'_>) -> Node {
        self.as_slice().view(scene)
    }
}

impl<T: View> View for [T] {
    fn view(&self, scene: &Scene<'_>) -> Node {
        Node::list(self.iter().map(|value| value.view(scene)))
    }
}

/// Makes [`View`]s of structs whose every field is shown. A field that is not shown by its type alone has a function
/// behind it, which gets the field and the scene; the function may name earlier fields.
macro_rules! views {
    ($($ty:ident { $($field:ident $(: $show:expr)?),* $(,)? })*) => {$(
        impl $crate::view::View for $ty {
            #[allow(unused_variables, unused_mut, reason = "some have no field")]
            fn view(&self, scene: &$crate::view::Scene<'_>) -> $crate::node::Node {
                let Self { $($field),* } = self;
                let mut entry = $crate::node::Entry::default();
                $(entry.push(stringify!($field), $crate::view::views!(@ $field scene $($show)?));)*
                entry.into()
            }
        }
    )*};
    (@ $field:ident $scene:ident) => { $crate::view::View::view($field, $scene) };
    (@ $field:ident $scene:ident $show:expr) => { ($show)($field, $scene) };
}
pub(crate) use views;
