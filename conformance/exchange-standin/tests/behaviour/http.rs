//! A client of HTTP/1.1 as small as can be: one connection, blocking.

use std::{
    io::{self, Read, Write},
    net::{SocketAddr, TcpStream},
    time::Duration,
};

/// What a server answered.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) fields: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    pub(crate) fn field(&self, name: &str) -> Option<&str> {
        let mut fields = self.fields.iter();
        fields
            .find(|(known, _)| known.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    }
}

/// A connection.
pub(crate) struct Connection {
    stream: TcpStream,
    buffer: Vec<u8>,
}

impl Connection {
    pub(crate) fn open(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).unwrap();
        stream.set_nodelay(true).unwrap();
        stream
            .set_read_timeout(Some(Duration::from_secs(60)))
            .unwrap();
        Self {
            stream,
            buffer: Vec::new(),
        }
    }

    /// Sends a request.
    pub(crate) fn send(
        &mut self,
        method: &str,
        target: &str,
        fields: &[(&str, String)],
        body: &[u8],
    ) -> io::Result<()> {
        let mut request = format!("{method} {target} HTTP/1.1\r\nHost: standin\r\n");
        for (name, value) in fields {
            request.push_str(&format!("{name}: {value}\r\n"));
        }
        request.push_str(&format!("Content-Length: {}\r\n\r\n", body.len()));
        let mut octets = request.into_bytes();
        octets.extend_from_slice(body);
        self.stream.write_all(&octets)
    }

    /// Reads an answer.
    pub(crate) fn receive(&mut self) -> io::Result<Answer> {
        let head = self.until(b"\r\n\r\n")?;
        let head = String::from_utf8(head).unwrap();
        let mut lines = head.lines();
        let status = lines
            .next()
            .unwrap()
            .split(' ')
            .nth(1)
            .unwrap()
            .parse()
            .unwrap();
        let fields = lines.filter_map(|line| line.split_once(": "));
        let fields = fields
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect();
        let mut answer = Answer {
            status,
            fields,
            body: Vec::new(),
        };
        match answer.field("Transfer-Encoding") {
            Some(_) => loop {
                let line = String::from_utf8(self.until(b"\r\n")?).unwrap();
                let size = usize::from_str_radix(line.trim(), 16).unwrap();
                let chunk = self.exactly(size + 2)?;
                answer.body.extend_from_slice(&chunk[..size]);
                if size == 0 {
                    return Ok(answer);
                }
            },
            None => {
                let len = answer.field("Content-Length").unwrap().parse().unwrap();
                answer.body = self.exactly(len)?;
                Ok(answer)
            }
        }
    }

    fn until(&mut self, end: &[u8]) -> io::Result<Vec<u8>> {
        loop {
            if let Some(place) = self
                .buffer
                .windows(end.len())
                .position(|window| window == end)
            {
                return Ok(self.buffer.drain(..place + end.len()).collect());
            }
            self.fill()?;
        }
    }

    fn exactly(&mut self, len: usize) -> io::Result<Vec<u8>> {
        while self.buffer.len() < len {
            self.fill()?;
        }
        Ok(self.buffer.drain(..len).collect())
    }

    fn fill(&mut self) -> io::Result<()> {
        let mut chunk = [0; 0x4000];
        match self.stream.read(&mut chunk)? {
            0 => Err(io::ErrorKind::UnexpectedEof.into()),
            len => {
                self.buffer.extend_from_slice(&chunk[..len]);
                Ok(())
            }
        }
    }
}
