//! Who may depend on whom, as ARCHITECTURE.md section 2 says.

use std::collections::BTreeMap;

use cargo_metadata::{DependencyKind, MetadataCommand};

/// Each crate with those of ours that it may name; dev-dependencies are free.
const ALLOWED: &[(&str, &[&str])] = &[
    ("dav-wire", &[]),
    ("imap-wire", &[]),
    ("mapi-types", &[]),
    ("sasl", &[]),
    ("directory", &[]),
    ("bearer", &[]),
    ("ldap-directory", &[]),
    ("outbound", &[]),
    ("mapi-store", &["mapi-types"]),
    ("mapi-convert", &["mapi-types"]),
    ("mapi-wire", &["mapi-types"]),
    ("mapi-trace", &["mapi-wire", "mapi-types"]),
    ("store-openchange", &["mapi-store", "mapi-types"]),
    (
        "store-exchange",
        &[
            "mapi-store",
            "mapi-types",
            "mapi-wire",
            "mapi-convert",
            "store-openchange",
        ],
    ),
    (
        "account",
        &[
            "mapi-store",
            "mapi-types",
            "mapi-convert",
            "directory",
            "outbound",
        ],
    ),
    ("front-end", &["account", "sasl"]),
    (
        "imap-server",
        &["account", "front-end", "sasl", "imap-wire"],
    ),
    ("mail-files", &["account", "imap-wire"]),
    ("pop3-server", &["account", "front-end", "sasl"]),
    ("pipeline", &["account"]),
    ("smtp-server", &["account", "front-end", "pipeline", "sasl"]),
    (
        "dragoman",
        &[
            "account",
            "bearer",
            "directory",
            "front-end",
            "imap-server",
            "ldap-directory",
            "mail-files",
            "outbound",
            "pipeline",
            "pop3-server",
            "smtp-server",
            "store-exchange",
            "store-openchange",
            "mapi-convert",
            "mapi-store",
            "mapi-trace",
            "mapi-types",
            "mapi-wire",
            "sasl",
        ],
    ),
    ("exchange-standin", &["mapi-wire", "mapi-types"]),
    ("harness", &[]),
    ("xtask", &["harness"]),
];

/// Crates that compute and nothing else: no runtime, no sockets, no database beneath them.
const PURE: &[&str] = &[
    "dav-wire",
    "imap-wire",
    "mapi-types",
    "mapi-convert",
    "mapi-wire",
    "mapi-trace",
    "sasl",
];
const IMPURE: &[&str] = &[
    "tokio", "mio", "socket2", "rusqlite", "hyper", "axum", "rustls",
];

#[test]
fn crates_depend_only_downwards() {
    let metadata = MetadataCommand::new().no_deps().exec().unwrap();
    let allowed: BTreeMap<_, _> = ALLOWED.iter().copied().collect();
    let ours: Vec<_> = metadata
        .workspace_packages()
        .iter()
        .map(|package| package.name.to_string())
        .collect();
    let mut faults = Vec::new();
    for package in metadata.workspace_packages() {
        let Some(may) = allowed.get(package.name.as_str()) else {
            faults.push(format!(
                "{}: not listed; say where it belongs",
                package.name
            ));
            continue;
        };
        for dependency in package
            .dependencies
            .iter()
            .filter(|d| d.kind != DependencyKind::Development)
        {
            if ours.contains(&dependency.name) && !may.contains(&dependency.name.as_str()) {
                faults.push(format!(
                    "{} must not depend on {}",
                    package.name, dependency.name
                ));
            }
            if PURE.contains(&package.name.as_str()) && IMPURE.contains(&dependency.name.as_str()) {
                faults.push(format!(
                    "{} is pure and must not depend on {}",
                    package.name, dependency.name
                ));
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}
