//! Readiness: every stage on the way to a database that answers, told apart.

use std::{
    io::{Read, Write},
    net::TcpListener,
    process::Command,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use lh_db::{ConnectProblem, DatabaseUrl, DbError, Stage, ready};

use crate::servers::{Postgres, url};

/// The reason with which waiting ended: without any patience, after one attempt.
async fn ended(url: &DatabaseUrl) -> ConnectProblem {
    let result = ready(url, Duration::ZERO, &mut |_| {}).await;
    let Err(DbError::Connect { problem, .. }) = result else { panic!("{result:?}") };
    assert!(!problem.advice().is_empty());
    problem
}

/// What a server says that is starting, and one that knows the password to be wrong.
const STARTING: &[u8] =
    b"E\0\0\0\x4fSFATAL\0VFATAL\0C57P03\0Mthe database system is starting up\0Fpostmaster.c\0L1\0\0";
const WRONG: &[u8] = b"E\0\0\0\x35SFATAL\0VFATAL\0C28P01\0Mwrong password\0Fauth.c\0L1\0\0";

/// A server that reads what a client sends first and gives it the next of `answers`, the last one
/// for ever; and how many it gave.
fn fake(answers: &'static [&'static [u8]]) -> (DatabaseUrl, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let given = Arc::new(AtomicUsize::new(0));
    let count = given.clone();
    std::thread::spawn(move || {
        let mut held = Vec::new();
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let answer = answers[count.fetch_add(1, Ordering::SeqCst).min(answers.len() - 1)];
            let mut first = [0_u8; 512];
            let _ = stream.read(&mut first);
            let _ = stream.write_all(answer);
            if answer.is_empty() {
                held.push(stream);
            }
        }
    });
    (url(&format!("postgresql://postgres:x@127.0.0.1:{port}/postgres?sslmode=disable")), given)
}

#[tokio::test]
async fn nobody_listens() {
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let problem = ended(&url(&format!("postgresql://u:p@127.0.0.1:{port}/d"))).await;
    assert!(matches!(problem, ConnectProblem::Refused(_)), "{problem:?}");
}

#[tokio::test]
async fn a_server_that_is_starting_says_so() {
    let problem = ended(&fake(&[STARTING]).0).await;
    let ConnectProblem::Starting(words) = problem else { panic!("{problem:?}") };
    assert!(words.contains("starting up"), "{words}");
}

#[tokio::test]
async fn what_may_pass_is_asked_again_told_once_and_a_wrong_password_ends_it() {
    let (url, given) = fake(&[STARTING, STARTING, WRONG]);
    let mut told = Vec::new();
    let result = ready(&url, Duration::from_secs(60), &mut |stage| told.push(stage.clone())).await;
    let Err(DbError::Connect { problem, .. }) = result else { panic!("{result:?}") };
    assert!(matches!(problem, ConnectProblem::Password(_)), "{problem:?}");
    let [Stage::Waiting(ConnectProblem::Starting(_)), last] = &told[..] else { panic!("{told:?}") };
    assert_eq!(*last, Stage::Waiting(problem));
    assert_eq!(given.load(Ordering::SeqCst), 3, "a wrong password is not waited for");
}

#[tokio::test]
async fn a_server_that_says_nothing_is_given_up() {
    let problem = ended(&fake(&[b""]).0).await;
    assert!(matches!(problem, ConnectProblem::Silent(_)), "{problem:?}");
}

#[tokio::test]
async fn defect_readiness_the_initialising_server_of_the_image_is_not_ready() {
    let test = "defect_readiness_the_initialising_server_of_the_image_is_not_ready";
    // While the image sets a database up, its server listens on a socket only.
    let Some(server) = Postgres::start(test, &["listen_addresses="]).await else { return };
    let socket = server.folder.path().to_str().unwrap().to_owned();
    let mut asked = Command::new("pg_isready");
    asked.args(["-q", "-h", &socket, "-p", &server.port.to_string()]);
    assert!(asked.status().unwrap().success(), "pg_isready is content with it");
    let problem = ended(&server.url()).await;
    assert!(matches!(problem, ConnectProblem::Refused(_)), "{problem:?}");
}

#[tokio::test]
async fn password_database_extension_and_tls_are_told_apart() {
    let test = "password_database_extension_and_tls_are_told_apart";
    let Some(server) = Postgres::start(test, &[]).await else { return };
    let address = format!("127.0.0.1:{}", server.port);
    let wrong = url(&format!("postgresql://postgres:hunter2@{address}/postgres?sslmode=disable"));
    let result = ready(&wrong, Duration::ZERO, &mut |_| {}).await;
    let Err(error @ DbError::Connect { problem: ConnectProblem::Password(_), .. }) = result else {
        panic!("{result:?}")
    };
    assert!(!format!("{error} {error:?}").contains("hunter2"));

    let problem = ended(&url(&server.text("nope", "?sslmode=disable"))).await;
    assert!(matches!(problem, ConnectProblem::Database(_)), "{problem:?}");
    assert_eq!(ended(&server.url()).await, ConnectProblem::Extension);
    let problem = ended(&url(&server.text("postgres", "?sslmode=require"))).await;
    assert!(matches!(problem, ConnectProblem::Tls(_)), "{problem:?}");
}

#[tokio::test]
async fn a_session_over_tls_is_seen_as_such() {
    let test = "a_session_over_tls_is_seen_as_such";
    let folder = tempfile::tempdir().unwrap();
    let (key, cert) = (folder.path().join("server.key"), folder.path().join("server.crt"));
    let made = Command::new("openssl")
        .args(["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1", "-subj", "/CN=127.0.0.1"])
        .args(["-addext", "subjectAltName=IP:127.0.0.1", "-addext", "basicConstraints=CA:FALSE", "-keyout"])
        .arg(&key)
        .arg("-out")
        .arg(&cert)
        .output();
    if !made.is_ok_and(|output| output.status.success()) {
        eprintln!("SKIPPED {test}: openssl is not installed");
        return;
    }
    if Command::new("chown").args(["-R", "postgres"]).arg(folder.path()).status().is_ok() {
        // Where this is not root, the files are the server's already.
    }
    let settings = [
        "ssl=on".to_owned(),
        format!("ssl_key_file={}", key.display()),
        format!("ssl_cert_file={}", cert.display()),
    ];
    let settings: Vec<&str> = settings.iter().map(String::as_str).collect();
    let Some(server) = Postgres::start(test, &settings).await else { return };
    let (migrations, _a) = crate::servers::folder(&[("1_a.sql", "SELECT 1;")]);
    for (parameters, encrypted) in
        [("?sslmode=require", true), ("?sslmode=prefer", true), ("?sslmode=disable", false)]
    {
        let options = lh_db::VerifyOptions { skip: Vec::new(), bench: false };
        let report = lh_db::verify(&url(&server.text("postgres", parameters)), &migrations, &options).await;
        let check = report.checks.iter().find(|check| check.name == "encryption").unwrap();
        assert_eq!(check.evidence[0].starts_with("TLSv1."), encrypted, "{check:?}");
    }
    let trusted = format!("?sslmode=verify-full&sslrootcert={}", cert.display());
    assert_eq!(
        ended(&url(&server.text("postgres", &trusted))).await,
        ConnectProblem::Extension,
        "the session began"
    );
    let problem = ended(&url(&server.text("postgres", "?sslmode=verify-full"))).await;
    assert!(matches!(problem, ConnectProblem::Tls(_)), "a certificate nobody vouches for: {problem:?}");
}

#[tokio::test]
async fn the_way_to_a_ready_database_is_told_stage_by_stage() {
    let test = "the_way_to_a_ready_database_is_told_stage_by_stage";
    let Some((database, _folder)) = crate::servers::timescale(test).await else { return };
    let mut told = Vec::new();
    let version =
        ready(database.url(), Duration::from_secs(20), &mut |stage| told.push(stage.clone())).await.unwrap();
    assert!(version.starts_with("2."));
    assert_eq!(told, [Stage::Ready { extension: version }]);
    database.stop().await;
}
