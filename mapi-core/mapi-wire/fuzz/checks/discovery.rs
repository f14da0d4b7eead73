//! What must hold for Autodiscover and the web services, whatever a server sends.

use mapi_wire::{
    autodiscover::{json, pox, soap},
    availability::{AvailabilityRequest, AvailabilityResponse},
    own_folder::{OwnFolderRequest, OwnFolderResponse},
};

/// What decodes, encodes to something that decodes to the same.
pub(crate) fn check(input: &[u8]) {
    if let Ok(request) = pox::PoxRequest::parse(input) {
        assert_eq!(
            pox::PoxRequest::parse(request.to_xml().as_bytes()),
            Ok(request)
        );
    }
    if let Ok(answer) = pox::PoxResponse::parse(input) {
        assert_eq!(
            pox::PoxResponse::parse(answer.to_xml().as_bytes()),
            Ok(answer)
        );
    }
    if let Ok(request) = soap::SettingsRequest::parse(input) {
        assert_eq!(
            soap::SettingsRequest::parse(request.to_xml().as_bytes()),
            Ok(request)
        );
    }
    if let Ok(answer) = soap::SettingsResponse::parse(input) {
        assert_eq!(
            soap::SettingsResponse::parse(answer.to_xml().as_bytes()),
            Ok(answer)
        );
    }
    if let Ok(answer) = json::Answer::parse(input) {
        assert_eq!(json::Answer::parse(answer.to_json().as_bytes()), Ok(answer));
    }
    if let Ok(request) = AvailabilityRequest::parse(input) {
        assert_eq!(
            AvailabilityRequest::parse(request.to_xml().as_bytes()),
            Ok(request)
        );
    }
    if let Ok(answer) = AvailabilityResponse::parse(input) {
        assert_eq!(
            AvailabilityResponse::parse(answer.to_xml().as_bytes()),
            Ok(answer)
        );
    }
    if let Ok(request) = OwnFolderRequest::parse(input) {
        assert_eq!(
            OwnFolderRequest::parse(request.to_xml().as_bytes()),
            Ok(request)
        );
    }
    if let Ok(answer) = OwnFolderResponse::parse(input) {
        assert_eq!(
            OwnFolderResponse::parse(answer.to_xml().as_bytes()),
            Ok(answer)
        );
    }
}
