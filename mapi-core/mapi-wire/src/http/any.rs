//! Every request and response by its type: for those who must take what comes, a server, a proxy or a trace.

use super::{
    RequestType, Response,
    body::{decode_request, decode_response, encode_request, encode_response},
    emsmdb::{
        Connect, Connected, Disconnect, Execute, Executed, Nothing, NotificationWait,
        NotificationWaited,
    },
};
use crate::{
    cursor::{Reader, Result},
    nspi::{
        Bind, Bound, Columns, CompareMIds, Compared, DnToMId, FoundMIds, GetAddressBookUrl,
        GetMailboxUrl, GetMatches, GetPropList, GetProps, GetSpecialTable, GetTemplateInfo,
        Matches, ModLinkAtt, ModProps, PropList, Props, QueryColumns, QueryRows, ResolveNames,
        Resolved, ResortRestriction, Resorted, RowsFound, SeekEntries, SpecialTable, TemplateInfo,
        Unbind, UpdateStat, UpdatedStat, Url,
    },
};

/// Makes both enums and their four functions out of one list.
macro_rules! any {
    ($($name:ident: $response:ty,)*) => {
        /// The body of any request.
        #[derive(Clone, Debug, PartialEq)]
        pub enum AnyRequest {
            /// PING: no body at all.
            Ping,
            $(#[doc = concat!(stringify!($name), ".")] $name($name),)*
        }

        /// The body of any response.
        #[derive(Clone, Debug, PartialEq)]
        pub enum AnyResponse {
            /// PING: no body at all.
            Ping,
            $(#[doc = concat!(stringify!($name), ".")] $name(Response<$response>),)*
        }

        impl AnyRequest {
            /// Reads the body of a request of this type, and its auxiliary buffer.
            pub fn decode(kind: RequestType, bytes: &[u8]) -> Result<(Self, Box<[u8]>)> {
                match kind {
                    RequestType::Ping => {
                        Reader::new(bytes).finish("no body")?;
                        Ok((Self::Ping, Box::default()))
                    }
                    $(RequestType::$name => {
                        let (request, aux) = decode_request(bytes)?;
                        Ok((Self::$name(request), aux))
                    })*
                }
            }

            /// Writes the body, with an auxiliary buffer; PING has neither.
            pub fn encode(&self, aux: &[u8]) -> Vec<u8> {
                match self {
                    Self::Ping => Vec::new(),
                    $(Self::$name(request) => encode_request(request, aux),)*
                }
            }

            /// Its type.
            pub const fn request_type(&self) -> RequestType {
                match self {
                    Self::Ping => RequestType::Ping,
                    $(Self::$name(_) => RequestType::$name,)*
                }
            }
        }

        impl AnyResponse {
            /// Reads the body of a response to a request of this type.
            pub fn decode(kind: RequestType, bytes: &[u8]) -> Result<Self> {
                match kind {
                    RequestType::Ping => {
                        Reader::new(bytes).finish("no body")?;
                        Ok(Self::Ping)
                    }
                    $(RequestType::$name => Ok(Self::$name(decode_response::<$name>(bytes)?)),)*
                }
            }

            /// Writes the body.
            pub fn encode(&self) -> Vec<u8> {
                match self {
                    Self::Ping => Vec::new(),
                    $(Self::$name(response) => encode_response(response),)*
                }
            }
        }
    };
}

any! {
    Connect: Connected,
    Execute: Executed,
    Disconnect: Nothing,
    NotificationWait: NotificationWaited,
    Bind: Bound,
    Unbind: Nothing,
    CompareMIds: Compared,
    DnToMId: FoundMIds,
    GetMatches: Matches,
    GetPropList: PropList,
    GetProps: Props,
    GetSpecialTable: SpecialTable,
    GetTemplateInfo: TemplateInfo,
    ModLinkAtt: Nothing,
    ModProps: Nothing,
    QueryRows: RowsFound,
    QueryColumns: Columns,
    ResolveNames: Resolved,
    ResortRestriction: Resorted,
    SeekEntries: RowsFound,
    UpdateStat: UpdatedStat,
    GetMailboxUrl: Url,
    GetAddressBookUrl: Url,
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn ping_has_no_body() {
        let (request, aux) = AnyRequest::decode(RequestType::Ping, &[]).unwrap();
        assert_eq!(
            (request.encode(&aux), request.request_type()),
            (vec![], RequestType::Ping)
        );
        let response = AnyResponse::decode(RequestType::Ping, &[]).unwrap();
        assert!(response.encode().is_empty());
        assert!(AnyRequest::decode(RequestType::Ping, &[0]).is_err());
    }

    proptest! {
        #[test]
        fn any_octets_are_read_or_refused_and_written_alike(
            kind in prop::sample::select(RequestType::ALL.to_vec()),
            bytes in prop::collection::vec(prop_oneof![4 => Just(0_u8), 1 => Just(0xff), 1 => 0_u8..32, 1 => any::<u8>()], 0..120),
        ) {
            // What was read is written in the one form we write, which reads as the same and is stable.
            if let Ok((request, aux)) = AnyRequest::decode(kind, &bytes) {
                let again = request.encode(&aux);
                let (request, aux) = AnyRequest::decode(kind, &again).unwrap();
                prop_assert_eq!(request.encode(&aux), again);
            }
            if let Ok(response) = AnyResponse::decode(kind, &bytes) {
                let again = response.encode();
                prop_assert_eq!(AnyResponse::decode(kind, &again).unwrap().encode(), again);
            }
        }
    }
}
