//! `dragoman exchange login`: a user's consent, on any device.

use directory::Address;
use store_exchange::Entrance;

use crate::{
    config::Config,
    exchange::{Settings, consent},
    failure::{Doing, Failure, Result},
    serve,
};

/// Says where to go and what to type there, waits until that is done, and keeps the consent.
pub(crate) async fn login(config: &Config, user: &str) -> Result<()> {
    let address = Address::parse(user).doing(|| user.to_owned())?;
    let section = config.exchange_of(address.domain());
    let section =
        section.ok_or_else(|| Failure::new(format!("{address}: no section names this domain")))?;
    let settings = Settings::of(config, section)?;
    let tokens = settings.proof.tokens().ok_or_else(|| {
        Failure::new(format!(
            "exchange.{}: authentication is not oauth",
            section.0
        ))
    })?;
    let login = tokens.begin_login().await?;
    serve::say(&format!(
        "as {address}, open {} and enter the code {}",
        login.verification_url, login.user_code
    ))?;
    let got = tokens.finish_login(&login).await?;
    let entrance = Entrance::new(settings.client, settings.discover, settings.options);
    consent::keep(&entrance, tokens, &address.to_string(), got).await?;
    serve::say("done: the gateway may use the mailbox")
}
