//! Whose mailbox is whose: a folder that is asked for without naming a mailbox is one of whoever asks.
//!
//! MAPI has no question for that: RopLogon names a mailbox, and its answer says what may be done there, not who asks.
//! Source: MS-OXWSFOLD 3.1.4.6 (GetFolder), MS-OXWSCDATA (DistinguishedFolderIdType without Mailbox).

use crate::{
    autodiscover::element::Element,
    cursor::Result,
    web_service::{NO_ERROR, answer, question},
};

/// The folder below which people see theirs.
const TOP: &str = "msgfolderroot";

/// PidTagEntryId, as these services write it.
const ENTRY_ID: &str = "0x0FFF";

/// Asks for the top folder of whoever asks.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct OwnFolderRequest;

/// What a server answers.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct OwnFolderResponse {
    /// [`NO_ERROR`], `ErrorMissingEmailAddress` (who asks has no mailbox), …
    pub code: String,
    /// PidTagEntryId of the folder, in base64.
    pub entry_id: Option<String>,
}

impl OwnFolderRequest {
    /// Writes the document to post.
    pub fn to_xml(self) -> String {
        let shape = Element::new("m:FolderShape")
            .field("t:BaseShape", Some("IdOnly"))
            .child(Element::new("t:AdditionalProperties").child(entry_id()));
        let folder = Element::new("t:DistinguishedFolderId").attribute("Id", TOP);
        question(
            Element::new("m:GetFolder")
                .child(shape)
                .child(Element::new("m:FolderIds").child(folder)),
        )
    }

    /// Reads what a client posted.
    pub fn parse(document: &[u8]) -> Result<Self> {
        let root = Element::parse(document)?;
        let body = root.required("Body", "a Body")?;
        let ids = body
            .required("GetFolder", "a GetFolder")?
            .required("FolderIds", "FolderIds")?;
        let folder = ids.required("DistinguishedFolderId", "a DistinguishedFolderId")?;
        match folder.attribute_value("Id") {
            Some(TOP) if folder.first("Mailbox").is_none() => Ok(Self),
            _ => Err(folder.error("the top folder of no other mailbox")),
        }
    }
}

impl OwnFolderResponse {
    /// Reads what a server answered. A SOAP fault is an answer, too.
    pub fn parse(document: &[u8]) -> Result<Self> {
        let root = Element::parse(document)?;
        let body = root.required("Body", "a Body")?;
        if let Some(fault) = body.first("Fault") {
            let code = fault.value("faultcode");
            return Ok(Self {
                code: code.ok_or(fault.error("a faultcode"))?,
                entry_id: None,
            });
        }
        let said = body
            .required("GetFolderResponse", "a GetFolderResponse")?
            .required("ResponseMessages", "ResponseMessages")?
            .required("GetFolderResponseMessage", "a GetFolderResponseMessage")?;
        let code = said.value("ResponseCode");
        let folder = said
            .first("Folders")
            .and_then(|folders| folders.first("Folder"));
        Ok(Self {
            code: code.ok_or(said.error("a ResponseCode"))?,
            // No other property was asked for.
            entry_id: folder
                .and_then(|folder| folder.first("ExtendedProperty"))
                .and_then(|property| property.value("Value")),
        })
    }

    /// Writes what a server answers.
    pub fn to_xml(&self) -> String {
        let class = match self.code == NO_ERROR {
            true => "Success",
            false => "Error",
        };
        let mut said = Element::new("m:GetFolderResponseMessage")
            .attribute("ResponseClass", class)
            .field("m:ResponseCode", Some(&self.code));
        if let Some(id) = &self.entry_id {
            let property = Element::new("t:ExtendedProperty")
                .child(entry_id())
                .field("t:Value", Some(id));
            let folder = Element::new("t:Folder").child(property);
            said = said.child(Element::new("m:Folders").child(folder));
        }
        let messages = Element::new("m:ResponseMessages").child(said);
        answer(Element::new("m:GetFolderResponse").child(messages))
    }
}

fn entry_id() -> Element {
    Element::new("t:ExtendedFieldURI")
        .attribute("PropertyTag", ENTRY_ID)
        .attribute("PropertyType", "Binary")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::web_service::SOAP;

    #[test]
    fn a_question_is_read_as_it_was_written() {
        let xml = OwnFolderRequest.to_xml();
        assert_eq!(
            OwnFolderRequest::parse(xml.as_bytes()),
            Ok(OwnFolderRequest)
        );
        for other in [
            xml.replace(TOP, "calendar"),
            xml.replace("Id=", "Name="),
            xml.replace("GetFolder", "GetItem"),
        ] {
            assert!(OwnFolderRequest::parse(other.as_bytes()).is_err());
        }
        let of_another = xml.replace(
            "<t:DistinguishedFolderId Id=\"msgfolderroot\"/>",
            "<t:DistinguishedFolderId Id=\"msgfolderroot\"><t:Mailbox/></t:DistinguishedFolderId>",
        );
        assert_ne!(of_another, xml);
        assert!(OwnFolderRequest::parse(of_another.as_bytes()).is_err());
    }

    #[test]
    fn an_answer_is_read_as_it_was_written() {
        let check = |code: &str, entry_id: Option<&str>| {
            let answer = OwnFolderResponse {
                code: code.to_owned(),
                entry_id: entry_id.map(str::to_owned),
            };
            let xml = answer.to_xml();
            assert_eq!(OwnFolderResponse::parse(xml.as_bytes()), Ok(answer));
        };
        check(NO_ERROR, Some("AAAA"));
        check("ErrorMissingEmailAddress", None);
    }

    /// What gromox 3.10 answers, with other white space.
    #[test]
    fn answers_of_servers_are_read() {
        let check = |inner: &str, code: &str, entry_id: Option<&str>| {
            let xml = format!(
                "<?xml version=\"1.0\"?><SOAP:Envelope xmlns:SOAP=\"{SOAP}\"><SOAP:Header/><SOAP:Body>{inner}</SOAP:Body></SOAP:Envelope>"
            );
            let expected = OwnFolderResponse {
                code: code.to_owned(),
                entry_id: entry_id.map(str::to_owned),
            };
            assert_eq!(OwnFolderResponse::parse(xml.as_bytes()), Ok(expected));
        };
        check(
            "<m:GetFolderResponse><m:ResponseMessages><m:GetFolderResponseMessage ResponseClass=\"Success\">\
             <m:ResponseCode>NoError</m:ResponseCode><m:Folders><t:Folder><t:FolderId Id=\"x\" ChangeKey=\"y\"/>\
             <t:ExtendedProperty><t:ExtendedFieldURI PropertyType=\"Binary\" PropertyTag=\"0xfff\"/>\
             <t:Value> AAAAANL3 </t:Value></t:ExtendedProperty></t:Folder></m:Folders>\
             </m:GetFolderResponseMessage></m:ResponseMessages></m:GetFolderResponse>",
            NO_ERROR,
            Some("AAAAANL3"),
        );
        check(
            "<SOAP:Fault><faultcode>a:ErrorServerBusy</faultcode><faultstring>why</faultstring></SOAP:Fault>",
            "a:ErrorServerBusy",
            None,
        );
    }
}
