//! A way to moto on which a run is killed at one of its calls.

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::{Shutdown, TcpListener, TcpStream},
    process::Command,
    sync::{Arc, OnceLock},
    thread,
};

use super::server::Moto;

/// Where the run is killed: at its first call of an action.
#[derive(Clone, Copy, Debug)]
pub enum Cut {
    /// Before the call had an effect.
    Before(&'static str),
    /// After it had, and before the answer is known.
    After(&'static str),
}

/// Listens on a port that the system chose, and passes on to moto what comes there.
#[derive(Clone)]
pub struct Way {
    cut: Cut,
    moto: String,
    run: Arc<OnceLock<u32>>,
}

impl Way {
    /// The way, and its endpoint.
    pub fn to(moto: &Moto, cut: Cut) -> (Self, String) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let moto = moto.url.trim_start_matches("http://").to_owned();
        let way = Self { cut, moto, run: Arc::default() };
        let here = way.clone();
        thread::spawn(move || {
            for client in listener.incoming() {
                let here = here.clone();
                // Either end may go at any time: the run is killed.
                thread::spawn(move || here.pass(client?));
            }
        });
        (way, url)
    }

    /// The process that is killed.
    pub fn is_of(&self, run: u32) {
        self.run.set(run).unwrap();
    }

    fn kill(&self) {
        let run = self.run.wait().to_string();
        assert!(Command::new("kill").args(["-KILL", &run]).status().unwrap().success());
    }

    /// One connection: a request, its answer, the next request.
    fn pass(&self, mut client: TcpStream) -> std::io::Result<()> {
        let mut server = TcpStream::connect(&self.moto)?;
        let mut requests = BufReader::new(client.try_clone()?);
        let mut answers = BufReader::new(server.try_clone()?);
        while let Some((request, action)) = message(&mut requests)? {
            if matches!(self.cut, Cut::Before(cut) if cut == action) {
                self.kill();
                break;
            }
            server.write_all(&request)?;
            let Some((answer, _)) = message(&mut answers)? else { break };
            if matches!(self.cut, Cut::After(cut) if cut == action) {
                self.kill();
                break;
            }
            client.write_all(&answer)?;
        }
        client.shutdown(Shutdown::Both)
    }
}

/// The next request or answer, and the action that a request names.
fn message(from: &mut impl BufRead) -> std::io::Result<Option<(Vec<u8>, String)>> {
    let (mut head, mut length, mut action) = (String::new(), 0, None);
    loop {
        let mut line = String::new();
        if from.read_line(&mut line)? == 0 {
            return Ok(None);
        }
        let (name, value) = line.split_once(':').unwrap_or_default();
        match name.to_ascii_lowercase().as_str() {
            "content-length" => length = value.trim().parse().unwrap(),
            "transfer-encoding" => panic!("its length is not told: {head}"),
            // AmazonSSM.PutParameter
            "x-amz-target" => action = value.trim().rsplit('.').next().map(str::to_owned),
            _ => {}
        }
        head += &line;
        if line == "\r\n" {
            break;
        }
    }
    let mut message = head.into_bytes();
    from.take(length).read_to_end(&mut message)?;
    let text = String::from_utf8_lossy(&message);
    let query = || text.split_once("Action=").and_then(|(_, rest)| rest.split('&').next().map(str::to_owned));
    let action = action.or_else(query).unwrap_or_default();
    Ok(Some((message, action)))
}
