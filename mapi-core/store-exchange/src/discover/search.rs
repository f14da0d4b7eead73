//! One search: the places in their order, and whatever they redirect to.

use std::{collections::HashSet, time::Duration};

use mapi_wire::autodiscover::{
    Place, Settings, Urls, candidates,
    places::{REDIRECTS_MAX, srv_url},
};
use tokio::time::{Instant, timeout_at};

use super::{
    Attempt, Options, Outcome, Reason, Step, Subject, Trail,
    ask::{Asker, Said},
    found::in_order,
    network::Network,
    soap,
    trail::said,
    trust::{self, Source, domain_of},
};
use crate::http::{Kind, Phase, Url};

/// The longest time for a whole search.
const SEARCH_MAX: Duration = Duration::from_secs(120);
/// The most targets of an SRV record that are asked.
const TARGETS_MAX: usize = 4;

/// A search under way.
#[derive(Debug)]
pub(super) struct Search<'a> {
    asker: Asker<'a>,
    options: &'a Options,
    network: &'a dyn Network,
    /// The domain that is searched.
    domain: Option<String>,
    /// What has been asked: URL and whom for.
    asked: HashSet<(Url, Subject)>,
    redirects: usize,
    deadline: Instant,
    /// The best explanation so far.
    reason: Reason,
    pub(super) trail: Trail,
}

/// What a server that knows the user said.
#[derive(Debug)]
pub(super) struct Answered {
    pub(super) settings: Settings,
    /// Who said it.
    pub(super) by: Url,
}

/// What comes next.
enum Next {
    Found(Box<Answered>),
    Address(String),
    GoOn,
}

impl<'a> Search<'a> {
    pub(super) fn new(asker: Asker<'a>, options: &'a Options, network: &'a dyn Network) -> Self {
        Self {
            asker,
            options,
            network,
            domain: None,
            asked: HashSet::new(),
            redirects: 0,
            deadline: Instant::now() + SEARCH_MAX,
            reason: Reason::NoAnswer,
            trail: Trail::default(),
        }
    }

    /// Asks at `start`, or else at the places of the address's domain.
    pub(super) async fn run(
        &mut self,
        mut subject: Subject,
        start: Option<&Url>,
    ) -> Result<Answered, Reason> {
        let mut start = start.cloned();
        loop {
            let next = match start.take() {
                Some(url) => self.ask(url, Source::Configured, &subject).await?,
                None => self.domain(&subject).await?,
            };
            match next {
                Next::Found(answered) => return Ok(*answered),
                Next::GoOn => return Err(self.reason.clone()),
                Next::Address(address) => {
                    self.count_redirect()?;
                    subject = Subject::Address(address);
                }
            }
        }
    }

    /// Which of an endpoint's URLs to use: the preferred one that can be reached. `None`: there is none.
    ///
    /// Errors: `NoPrivateUrl`, when there are some and none may be used.
    pub(super) async fn endpoint(&mut self, urls: &Urls, by: &Url) -> Result<Option<Url>, Reason> {
        let all = in_order(urls, self.options.prefer);
        let any = !all.is_empty();
        let usable: Vec<Url> = all
            .into_iter()
            .filter(|url| self.is_trusted(Step::Reach, url, said_by(by)))
            .collect();
        if let [_, _, ..] = &*usable {
            for url in &usable {
                let client = self.asker.client;
                let reached = self.attempt(Step::Reach, url.as_str(), async {
                    match client.connect(url).await {
                        Ok(_) => ((), Outcome::Reached),
                        Err(error) => ((), error.into()),
                    }
                });
                if let ((), Outcome::Reached) = reached.await? {
                    return Ok(Some(url.clone()));
                }
            }
        }
        match usable.into_iter().next() {
            None if any => Err(Reason::NoPrivateUrl),
            url => Ok(url),
        }
    }

    /// Asks the places of the address's domain.
    async fn domain(&mut self, subject: &Subject) -> Result<Next, Reason> {
        let Subject::Address(address) = subject else {
            return Err(Reason::NoDomain);
        };
        let domain = domain_of(address).ok_or(Reason::NoDomain)?;
        let places = candidates(&domain);
        self.domain = Some(domain);
        for place in places {
            let next = match place {
                Place::Post(url) => self.host(&url, address, subject).await?,
                Place::Srv(name) if self.options.srv => self.srv(&name, subject).await?,
                Place::RedirectProbe(url) if self.options.http_redirect => {
                    self.redirect(&url, subject).await?
                }
                Place::Srv(_) | Place::RedirectProbe(_) => Next::GoOn,
            };
            if !matches!(next, Next::GoOn) {
                return Ok(next);
            }
        }
        Ok(Next::GoOn)
    }

    /// Asks a host of the domain: by JSON where to ask, and by POX there and here.
    async fn host(&mut self, url: &str, address: &str, subject: &Subject) -> Result<Next, Reason> {
        let Ok(url) = Url::parse(url) else {
            return Ok(Next::GoOn);
        };
        let host = url.host_str().unwrap_or_default();
        if self.options.json {
            let asker = self.asker;
            let asking = async { redirection(asker.json(host, address).await) };
            match self.attempt(Step::Json, host, asking).await? {
                (Some(elsewhere), _) => {
                    if let Ok(elsewhere) = url.join(&elsewhere)
                        && elsewhere != url
                    {
                        let next = self.ask(elsewhere, Source::Said, subject).await?;
                        if !matches!(next, Next::GoOn) {
                            return Ok(next);
                        }
                    }
                }
                (None, outcome) if is_out_of_reach(&outcome) => return Ok(Next::GoOn),
                (None, _) => {}
            }
        }
        self.ask(url, Source::Domain, subject).await
    }

    async fn srv(&mut self, name: &str, subject: &Subject) -> Result<Next, Reason> {
        let network = self.network;
        let asking = async {
            match network.srv(name).await {
                Ok(targets) => {
                    let urls = targets
                        .iter()
                        .filter_map(|(host, port)| srv_url(host, *port));
                    let urls: Vec<String> = urls.take(TARGETS_MAX).collect();
                    let outcome = match urls.first() {
                        Some(url) => Outcome::Redirect(url.clone()),
                        None => Outcome::Nothing,
                    };
                    (urls, outcome)
                }
                Err(why) => (Vec::new(), Outcome::Broken(said(&why))),
            }
        };
        let (urls, _) = self.attempt(Step::Srv, name, asking).await?;
        for url in urls.iter().filter_map(|url| Url::parse(url).ok()) {
            let next = self.ask(url, Source::Unproven, subject).await?;
            if !matches!(next, Next::GoOn) {
                return Ok(next);
            }
        }
        Ok(Next::GoOn)
    }

    async fn redirect(&mut self, url: &str, subject: &Subject) -> Result<Next, Reason> {
        let Ok(url) = Url::parse(url) else {
            return Ok(Next::GoOn);
        };
        let network = self.network;
        let asking = async {
            match network.redirect(&url).await {
                Ok(Some(location)) => redirection(Said::Url(location)),
                Ok(None) => (None, Outcome::Nothing),
                Err(why) => (None, Outcome::Broken(said(&why))),
            }
        };
        let (location, _) = self
            .attempt(Step::HttpRedirect, url.as_str(), asking)
            .await?;
        match location.and_then(|location| url.join(&location).ok()) {
            Some(url) => self.ask(url, Source::Unproven, subject).await,
            None => Ok(Next::GoOn),
        }
    }

    /// Asks at a URL, and by SOAP on its host if that is there and has no answer.
    async fn ask(&mut self, url: Url, source: Source, subject: &Subject) -> Result<Next, Reason> {
        let next = self.follow(url.clone(), source, subject).await?;
        let last = self.trail.attempts.last();
        // Where POX says that there is no such user, or that nobody gets in, SOAP says the same.
        let is_deaf = last.is_some_and(|last| {
            last.place == url.as_str()
                && matches!(last.outcome, Outcome::Status(_) | Outcome::Malformed(_))
        });
        match (next, soap::beside(&url)) {
            (Next::GoOn, Some(soap)) if is_deaf && self.options.soap => {
                self.follow(soap, source, subject).await
            }
            (next, _) => Ok(next),
        }
    }

    /// Asks in the language of the URL, and goes where the answer redirects to.
    async fn follow(
        &mut self,
        mut url: Url,
        mut source: Source,
        subject: &Subject,
    ) -> Result<Next, Reason> {
        loop {
            let step = match soap::is_spoken_at(&url) {
                true => Step::Soap,
                false => Step::Xml,
            };
            if !self.is_trusted(step, &url, source) {
                return Ok(Next::GoOn);
            }
            if !self.asked.insert((url.clone(), subject.clone())) {
                self.tell(step, url.as_str(), Outcome::Repeated, Duration::ZERO);
                return Ok(Next::GoOn);
            }
            let asker = self.asker;
            let asking = async {
                let said = match step {
                    Step::Soap => asker.soap(&url, subject).await,
                    _ => asker.pox(&url, subject).await,
                };
                let outcome = outcome(&said);
                (Some(said), outcome)
            };
            let (answer, outcome) = self.attempt(step, url.as_str(), asking).await?;
            match answer {
                Some(Said::Settings(settings)) => {
                    let by = url;
                    let settings = *settings;
                    return Ok(Next::Found(Box::new(Answered { settings, by })));
                }
                Some(Said::Address(address)) => return Ok(Next::Address(address)),
                Some(Said::Url(location)) => {
                    self.count_redirect()?;
                    let Ok(location) = url.join(&location) else {
                        return Ok(Next::GoOn);
                    };
                    source = said_by(&url);
                    url = location;
                }
                Some(Said::No(_)) | None => return self.judge(&url, outcome),
            }
        }
    }

    /// Whether a failed attempt ends the search.
    fn judge(&mut self, url: &Url, outcome: Outcome) -> Result<Next, Reason> {
        let place = url.to_string();
        match outcome {
            // Each refusal counts towards a lock-out.
            Outcome::Refused => return Err(Reason::Refused(place)),
            Outcome::NoScheme(_) | Outcome::Stuck(_) => self.explain(Reason::NoScheme(place)),
            Outcome::Busy(wait) => self.explain(Reason::Busy(wait)),
            Outcome::Error(code, text) => self.explain(Reason::Unknown(format!("{code} {text}"))),
            _ => {}
        }
        Ok(Next::GoOn)
    }

    fn is_trusted(&mut self, step: Step, url: &Url, source: Source) -> bool {
        let allowed = &self.options.allowed_hosts;
        let Err(why) = trust::check(url, source, self.domain.as_deref(), allowed) else {
            return true;
        };
        if why == trust::Distrust::Stranger {
            let host = url.host_str().unwrap_or_default();
            self.explain(Reason::Stranger(said(host)));
        }
        let place = said(url.as_str());
        self.tell(step, &place, Outcome::Distrusted(why), Duration::ZERO);
        false
    }

    fn count_redirect(&mut self) -> Result<(), Reason> {
        self.redirects += 1;
        match self.redirects <= REDIRECTS_MAX {
            true => Ok(()),
            false => Err(Reason::Endless),
        }
    }

    /// Keeps the first of the best explanations.
    fn explain(&mut self, reason: Reason) {
        let rank = |reason: &Reason| match reason {
            Reason::NoAnswer => 0,
            Reason::Stranger(_) => 1,
            Reason::NoScheme(_) => 2,
            Reason::Busy(_) => 3,
            _ => 4,
        };
        if rank(&reason) > rank(&self.reason) {
            self.reason = reason;
        }
    }

    /// Does something within its time, and tells of it. Errors: `Endless`, when the search has no time left.
    async fn attempt<T: Default>(
        &mut self,
        step: Step,
        place: &str,
        doing: impl Future<Output = (T, Outcome)>,
    ) -> Result<(T, Outcome), Reason> {
        let begun = Instant::now();
        if begun >= self.deadline {
            return Err(Reason::Endless);
        }
        let until = self.deadline.min(begun + self.options.attempt);
        let done = timeout_at(until, doing).await;
        let (value, outcome) = done.unwrap_or_else(|_| (T::default(), Outcome::TooSlow));
        self.tell(step, place, outcome.clone(), begun.elapsed());
        Ok((value, outcome))
    }

    fn tell(&mut self, step: Step, place: &str, outcome: Outcome, took: Duration) {
        self.trail.push(Attempt {
            step,
            place: place.to_owned(),
            outcome,
            took,
        });
    }
}

/// How a URL became known that was said at `url`, which has been trusted.
fn said_by(url: &Url) -> Source {
    match url.scheme() {
        "https" => Source::Said,
        _ => Source::SaidInPlain,
    }
}

fn outcome(answer: &Said) -> Outcome {
    match answer {
        Said::Settings(_) => Outcome::Settings,
        Said::Url(url) => Outcome::Redirect(said(url)),
        Said::Address(address) => Outcome::RedirectAddress(said(address)),
        Said::No(outcome) => outcome.clone(),
    }
}

/// The URL that an answer redirects to, and what to tell of it.
fn redirection(answer: Said) -> (Option<String>, Outcome) {
    let outcome = outcome(&answer);
    match answer {
        Said::Url(url) => (Some(url), outcome),
        _ => (None, outcome),
    }
}

/// Whether a host need not be asked in another way.
const fn is_out_of_reach(outcome: &Outcome) -> bool {
    matches!(
        outcome,
        Outcome::TooSlow
            | Outcome::Failed(
                Kind::Resolve
                    | Kind::Connect
                    | Kind::Proxy(_)
                    | Kind::Tls
                    | Kind::Timeout(Phase::Connect | Phase::Tls),
                _
            )
    )
}
