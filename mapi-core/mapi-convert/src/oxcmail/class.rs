//! Message classes. Source: MS-OXCMAIL 2.2.3.2.6.1 (Content-Class) and 2.2.3.3, MS-OXOSMIME 2.1.

use super::report::Report;
use crate::{
    Part, Scanned, encoded_word,
    parameter::{self, ContentType},
};

/// What kind of message it is, as far as that decides how its parts are read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Class {
    /// A message with body and attachments; its class.
    Note(String),
    /// Signed with S/MIME, readable without: one attachment that is the whole entity.
    ClearSigned,
    /// Encrypted or signed with S/MIME: one attachment that is the body.
    Opaque,
    /// A delivery status or disposition notification.
    Report(Report),
}

impl Class {
    /// The class of the message whose root is `part`.
    pub(super) fn of(scanned: &Scanned, part: &Part) -> Self {
        let kind = &part.content_type;
        if kind.is("application", "pkcs7-mime") || kind.is("application", "x-pkcs7-mime") {
            return Self::Opaque;
        }
        if kind.is("multipart", "signed") && is_smime(kind) {
            return Self::ClearSigned;
        }
        if let Some(report) = Report::of(scanned, part) {
            return Self::Report(report);
        }
        let content_class = scanned.field(part, "Content-Class");
        let content_class = content_class.map(|field| encoded_word::decode(field.value));
        Self::Note(
            content_class
                .as_deref()
                .and_then(from_content_class)
                .unwrap_or_else(|| "IPM.Note".into()),
        )
    }

    /// PidTagMessageClass.
    pub(super) fn name(&self) -> String {
        match self {
            Self::Note(name) => name.clone(),
            Self::ClearSigned => "IPM.Note.SMIME.MultipartSigned".into(),
            Self::Opaque => "IPM.Note.SMIME".into(),
            Self::Report(report) => format!("REPORT.IPM.Note.{}", report.kind.suffix()),
        }
    }
}

/// Without a protocol it is taken for S/MIME; OpenPGP keeps its parts readable.
fn is_smime(kind: &ContentType) -> bool {
    let protocol = parameter::joined(&kind.params, "protocol").unwrap_or_default();
    protocol.is_empty() || protocol.to_ascii_lowercase().contains("pkcs7-signature")
}

fn from_content_class(content_class: &str) -> Option<String> {
    let lower = content_class.to_ascii_lowercase();
    let known = match lower.as_str() {
        "fax" => "IPM.Note.Microsoft.Fax",
        "fax-ca" => "IPM.Note.Microsoft.Fax.CA",
        "missedcall" => "IPM.Note.Microsoft.Missed.Voice",
        "voice" => "IPM.Note.Microsoft.Voicemail.UM",
        "voice-ca" => "IPM.Note.Microsoft.Voicemail.UM.CA",
        "voice-uc" => "IPM.Note.Microsoft.Conversation.Voice",
        "rss" => "IPM.Post.RSS",
        _ => "",
    };
    if !known.is_empty() {
        return Some(known.into());
    }
    for (prefix, class) in [
        ("urn:content-class:custom.", "IPM.Note.Custom."),
        ("infopathform.", "IPM.InfoPathForm."),
    ] {
        if lower.starts_with(prefix) {
            return Some(format!("{class}{}", content_class.get(prefix.len()..)?));
        }
    }
    None
}
