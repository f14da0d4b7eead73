//! A gateway in a folder of its own, before a server with the people alice, bob and carol.

use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};

use account::{Account, ErrorKind, FileTime, Flags, MailboxId, NewItem, Principal, Role, Service};
use exchange_standin::Server;

use crate::{
    cli::Place,
    command::{Answer, Request, administration::Administration},
    config::Config,
    data_dir::DataDir,
};

pub(crate) const ALICE: &str = "alice@example.test";
pub(crate) const BOB: &str = "bob@example.test";
/// A mailbox of the embedded store.
pub(crate) const LOCAL: &str = "dora@local.test";

/// How long tasks of a gateway may live on after it.
const LETTING_GO_LIMIT: Duration = Duration::from_secs(30);

pub(crate) struct World {
    pub(crate) server: Option<Server>,
    pub(crate) gateway: Arc<Administration>,
    pub(crate) config: Config,
    pub(crate) dir: tempfile::TempDir,
}

impl World {
    /// With nothing configured but the server.
    pub(crate) async fn new() -> Self {
        Self::with("").await
    }

    /// With more lines of its section.
    pub(crate) async fn with(section: &str) -> Self {
        Self::before(exchange_standin::Config::default(), section).await
    }

    /// Before a server of another kind.
    pub(crate) async fn before(server: exchange_standin::Config, section: &str) -> Self {
        let server = Server::start(server).unwrap();
        let dir = tempfile::tempdir().unwrap();
        let (config, gateway) = open(dir.path(), &server.autodiscover_url(), section).await;
        gateway.ensure_user(LOCAL, "local").await.unwrap();
        Self {
            server: Some(server),
            gateway,
            config,
            dir,
        }
    }

    /// The gateway starts anew.
    pub(crate) async fn restart(self, section: &str) -> Self {
        let Self {
            server,
            gateway,
            dir,
            ..
        } = self;
        let url = server.as_ref().unwrap().autodiscover_url();
        drop(gateway);
        // What sessions of before were doing comes to its end first.
        Self::wait(|| is_free(dir.path())).await;
        let (config, gateway) = open(dir.path(), &url, section).await;
        Self {
            server,
            gateway,
            config,
            dir,
        }
    }

    pub(crate) fn server(&self) -> &Server {
        self.server.as_ref().unwrap()
    }

    pub(crate) async fn login(&self, user: &str, password: &str) -> Result<Principal, ErrorKind> {
        let answer = self
            .gateway
            .accounts()
            .login(Service::Imap, user, password)
            .await;
        answer.map_err(|error| error.kind)
    }

    /// Logs in and opens the mailbox.
    pub(crate) async fn open(&self, user: &str, password: &str) -> Account {
        let principal = self.login(user, password).await.unwrap();
        let mailbox = MailboxId(principal.user.clone());
        self.gateway
            .accounts()
            .open(&principal, &mailbox)
            .await
            .unwrap()
    }

    /// Waits until something has come true.
    pub(crate) async fn until(&self, is: impl Fn() -> bool) {
        Self::wait(is).await;
    }

    async fn wait(is: impl Fn() -> bool) {
        let patience = async {
            while !is() {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(std::time::Duration::from_secs(30), patience)
            .await
            .unwrap();
    }

    /// How often somebody has connected to the server.
    pub(crate) fn connects(&self) -> u64 {
        let counters = self.server().counters();
        counters.by_type.get("Connect").copied().unwrap_or_default()
    }

    pub(crate) async fn ask(&self, request: Request) -> Result<Vec<String>, String> {
        match self.gateway.answer(&request).await {
            Answer::Done(lines) => Ok(lines),
            Answer::Failed(why) => Err(why),
        }
    }

    pub(crate) fn secret(&self, name: &str, text: &str) -> std::path::PathBuf {
        secret(self.dir.path(), name, text)
    }
}

/// Whether nobody has the data folder open.
fn is_free(dir: &Path) -> bool {
    let lock = fs::File::open(dir.join("data/store/LOCK"));
    lock.is_err() || lock.is_ok_and(|lock| lock.try_lock().is_ok())
}

/// A file that only its owner may read.
pub(crate) fn secret(dir: &Path, name: &str, text: &str) -> std::path::PathBuf {
    let path = dir.join(name);
    fs::write(&path, text).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
    path
}

async fn open(dir: &Path, autodiscover: &str, section: &str) -> (Config, Arc<Administration>) {
    let file = dir.join("dragoman.toml");
    let section = section.replace("DIR", dir.to_str().unwrap());
    let text = format!(
        "data = {:?}\n[exchange.main]\ndomains = [\"example.test\"]\nautodiscover = {autodiscover:?}\n{section}\n",
        dir.join("data")
    );
    fs::write(&file, text).unwrap();
    let config = Config::load(&Place {
        config: Some(file),
        data: None,
        overrides: Vec::new(),
    })
    .unwrap();
    let data = DataDir::create(&config.data).unwrap();
    let gateway = Arc::new(opened(&config, &data).await);
    gateway.backends().add_accounts(&config).unwrap();
    (config, gateway)
}

/// Opens a data folder, once tasks that end with a gateway before have let go of it.
async fn opened(config: &Config, data: &DataDir) -> Administration {
    let until = Instant::now() + LETTING_GO_LIMIT;
    loop {
        match Administration::open(config, data).await {
            Ok(gateway) => return gateway,
            Err(failure) if Instant::now() > until => panic!("{failure}"),
            Err(_) => tokio::task::yield_now().await,
        }
    }
}

pub(crate) async fn inbox(account: &Account) -> account::FolderId {
    let folders = account.folders().await.unwrap();
    folders.role(Role::Inbox).unwrap().id
}

/// Puts a message into the Inbox.
pub(crate) async fn append(world: &World, account: &Account, text: &str) -> account::Result<()> {
    let mut spool = world.gateway.accounts().spool();
    spool.write(text.as_bytes()).await?;
    let item = NewItem {
        message: spool.finish().await?,
        flags: Flags::SEEN,
        keywords: Vec::new(),
        received: FileTime::from_unix(1_800_000_000),
        once: None,
    };
    account
        .append(inbox(account).await, vec![item])
        .await
        .map(drop)
}
