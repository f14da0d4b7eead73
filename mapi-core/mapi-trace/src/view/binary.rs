//! Binary values, by what the property is.

use mapi_types::PropTag;
use mapi_wire::{
    cursor::Reader,
    ics::{PredecessorChangeList, Xid},
};

use super::{Scene, entry_id, ids, sets};
use crate::{names, node::Node};

/// A binary value of the property `tag`.
pub(crate) fn value(tag: PropTag, octets: &[u8], scene: &Scene<'_>) -> Node {
    if let Some(set) = sets::property(tag, octets) {
        return set;
    }
    let of_mailbox = tag.id() >= 0x8000 && !scene.is_address_book;
    let name = match of_mailbox {
        true => None,
        false => names::property(tag),
    };
    let Some(name) = name else {
        return Node::octets(octets, "a binary value");
    };
    let meant = match name {
        "PidTagSourceKey" | "PidTagParentSourceKey" | "PidTagChangeKey" => {
            Xid::from_bytes(octets).map(|id| Node::Word(ids::xid(id)))
        }
        "PidTagPredecessorChangeList" => predecessors(octets),
        "PidTagReplyRecipientEntries" => entries(octets),
        // In another code page than UTF-8, which only the message says, it stays as it is.
        "PidTagHtml" => std::str::from_utf8(octets)
            .ok()
            .map(|html| Node::Text(html.to_owned())),
        "PidTagRtfCompressed" => Some(Node::octets(octets, "compressed RTF")),
        name if name.ends_with("SearchKey") => search_key(octets),
        name if name.ends_with("EntryId") || name.ends_with("Entryid") => {
            return entry_id::view(octets, scene);
        }
        _ => None,
    };
    meant.unwrap_or_else(|| Node::octets(octets, "a binary value"))
}

/// The last change of each namespace, in their order on the wire where that is the usual one.
fn predecessors(octets: &[u8]) -> Option<Node> {
    let list = PredecessorChangeList::from_bytes(octets).ok()?;
    // One that would be written otherwise is shown as it is.
    (list.to_bytes() == octets).then(|| Node::list(list.iter().map(|id| Node::Word(ids::xid(id)))))
}

/// Type and address in capitals, with a NUL. Source: MS-OXCMSG 2.2.4, MS-OXOABK 2.2.3.5.
fn search_key(octets: &[u8]) -> Option<Node> {
    let text = octets.strip_suffix(&[0])?;
    let is_plain = text.contains(&b':') && text.iter().all(|octet| (b' '..=b'~').contains(octet));
    let text = std::str::from_utf8(text).ok()?;
    is_plain.then(|| Node::Text(text.to_owned()))
}

/// Entry ids after their count and sizes, each filled up to four octets (FlatEntryList). Source: MS-OXCDATA 2.3.3.
fn entries(octets: &[u8]) -> Option<Node> {
    let mut reader = Reader::new(octets);
    let count = reader.u32("a count of entries").ok()? as usize;
    let size = reader.u32("the size of entries").ok()? as usize;
    if size != reader.remaining() {
        return None;
    }
    let count = reader.count(count, 4, "entries").ok()?;
    let scene = Scene::new(mapi_wire::code_page::CodePage::WESTERN);
    let mut nodes = Vec::new();
    for _ in 0..count {
        let size = reader.u32("the size of an entry").ok()? as usize;
        nodes.push(entry_id::view(reader.take(size, "an entry").ok()?, &scene));
        let padding = reader.remaining().min(size.next_multiple_of(4) - size);
        let padding = reader.take(padding, "padding").ok()?;
        if padding.iter().any(|octet| *octet != 0) {
            return None;
        }
    }
    reader.is_empty().then_some(Node::List(nodes))
}
