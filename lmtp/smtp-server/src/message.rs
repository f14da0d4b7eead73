//! DATA and BDAT: a message's octets.

use std::io;

use crate::{
    connection::Connection,
    data::DataDecoder,
    reply::Reply,
    server::Profile,
    session::{Next, Session},
    transaction::{Body, Transaction},
};

impl Session<'_> {
    pub(crate) async fn data(&mut self, connection: &mut Connection) -> io::Result<Next> {
        match self.transaction.as_ref().map(Transaction::count) {
            None => return Ok(self.answer(Reply::MAIL_FIRST, connection)),
            Some(0) => return Ok(self.answer(Reply::NO_RECIPIENTS, connection)),
            Some(_) => {}
        }
        connection.reply(Reply::START_DATA);
        connection.flush(self.server.config.write_timeout).await?;
        let mut body = Body::new(self.server.accounts.spool());
        let mut decoder = DataDecoder::new();
        loop {
            let input = connection.octets(&self.server.config).await?;
            let mut used = 0;
            let mut end = false;
            while !end && let Some(rest) = input.get(used..).filter(|rest| !rest.is_empty()) {
                let piece = decoder.next(rest);
                if !piece.content.is_empty() {
                    body.write(piece.content).await;
                }
                used += piece.used;
                end = piece.end;
            }
            connection.used(used);
            if end {
                break;
            }
        }
        Box::pin(self.end(body, connection)).await
    }

    /// BDAT (RFC 3030 2). The chunk is read even where it is refused, for its octets follow in any case.
    pub(crate) async fn chunk(
        &mut self,
        size: u64,
        is_last: bool,
        connection: &mut Connection,
    ) -> io::Result<Next> {
        let mut body = match &mut self.transaction {
            None => Err(Reply::MAIL_FIRST),
            Some(transaction) if transaction.count() == 0 => Err(Reply::NO_RECIPIENTS),
            Some(transaction) => Ok(transaction
                .chunks
                .take()
                .unwrap_or_else(|| Body::new(self.server.accounts.spool()))),
        };
        let mut left = size;
        while left > 0 {
            let input = connection.octets(&self.server.config).await?;
            let used = usize::try_from(left).unwrap_or(usize::MAX).min(input.len());
            if let (Ok(body), Some(octets)) = (&mut body, input.get(..used)) {
                body.write(octets).await;
            }
            connection.used(used);
            left -= used as u64;
        }
        match (body, &mut self.transaction) {
            (Ok(body), Some(transaction)) if !is_last => {
                transaction.chunks = Some(body);
                Ok(self.answer(Reply::CHUNK_OK, connection))
            }
            (Ok(body), _) => Box::pin(self.end(body, connection)).await,
            (Err(reply), _) => Ok(self.answer(reply, connection)),
        }
    }

    /// The message is whole.
    async fn end(&mut self, body: Body, connection: &mut Connection) -> io::Result<Next> {
        let Some(transaction) = self.transaction.take() else {
            return Ok(self.answer(Reply::MAIL_FIRST, connection));
        };
        self.transactions += 1;
        match self.server.profile {
            Profile::Delivery => Box::pin(self.deliver(transaction, body, connection)).await,
            Profile::Submission(_) => {
                Ok(Box::pin(self.submit(transaction, body, connection)).await)
            }
        }
    }
}
