//! Every stage and way is judged from looks made up here; nobody is asked.

#![allow(clippy::unwrap_used, clippy::panic)]

use lh_host::Versions;

use super::*;

fn host(done: &[&str]) -> HostStatus {
    HostStatus {
        stages: done.iter().map(|stage| ((*stage).to_owned(), "ok".to_owned())).collect(),
        ..HostStatus::default()
    }
}

fn serving() -> HostStatus {
    HostStatus {
        ready: true,
        container: "running".to_owned(),
        tcp: true,
        versions: Some(Versions { server: "16.6".to_owned(), timescaledb: Some("2.17.2".to_owned()) }),
        ..host(&["packages", "disk", "password", "database"])
    }
}

fn look(instance: Instance, host: Result<HostStatus, String>, direct: Attempt) -> Look {
    Look { instance, host, direct, tunnel: None }
}

fn silent() -> Attempt {
    Attempt::Problem(ConnectProblem::Silent(5))
}

fn stage(verdict: Verdict) -> Stage {
    match verdict {
        Verdict::At(stage, _) => stage,
        Verdict::Ready(ready) => panic!("{ready:?}"),
    }
}

/// Every stage is told by its name, in the order in which a first boot goes through them.
#[test]
fn the_stages_are_told_in_their_order() {
    let unasked = || Err("the agent is not online".to_owned());
    let mut container = host(&["packages", "disk", "password"]);
    let mut seen = vec![
        look(Instance::Not("pending".to_owned()), unasked(), silent()),
        look(Instance::Checking("initializing".to_owned()), unasked(), silent()),
        look(Instance::Sound, unasked(), silent()),
        look(Instance::Sound, Ok(host(&["packages"])), silent()),
        look(Instance::Sound, Ok(container.clone()), silent()),
    ];
    container.container = "running".to_owned();
    seen.push(look(Instance::Sound, Ok(container.clone()), silent()));
    container.tcp = true;
    seen.push(look(Instance::Sound, Ok(container), silent()));
    let stages: Vec<Stage> = seen.iter().map(|look| stage(judge(look))).collect();
    let wanted = [
        Stage::Instance,
        Stage::StatusChecks,
        Stage::CloudInit,
        Stage::CloudInit,
        Stage::Container,
        Stage::Tcp,
        Stage::Extension,
    ];
    assert_eq!(stages, wanted);
    assert!(stages.is_sorted());
}

/// The image's first server answers on its socket only, before it restarts: the set-up has not
/// gone through then.
#[test]
fn the_initialising_server_is_not_ready() {
    let initialising = HostStatus { ready: false, tcp: false, ..serving() };
    assert_eq!(stage(judge(&look(Instance::Sound, Ok(initialising), silent()))), Stage::Tcp);
    let not_set_up = HostStatus { ready: false, ..serving() };
    assert_eq!(stage(judge(&look(Instance::Sound, Ok(not_set_up), silent()))), Stage::Extension);
}

#[test]
fn a_session_from_here_says_more_than_anything_else() {
    let seen = look(
        Instance::Unknown("denied".to_owned()),
        Err("denied".to_owned()),
        Attempt::Answered("2.17.2".to_owned()),
    );
    let Verdict::Ready(ready) = judge(&seen) else { panic!() };
    assert_eq!((ready.path, ready.extension.as_str()), (Path::Direct, "2.17.2"));
}

#[test]
fn without_a_way_from_here_the_host_is_believed() {
    let Verdict::Ready(ready) = judge(&look(Instance::Sound, Ok(serving()), silent())) else { panic!() };
    assert!(matches!(ready.path, Path::Host(why) if why.contains("5 s")));
}

#[test]
fn a_wrong_password_is_told_whatever_the_host_says() {
    let refused = || Attempt::Problem(ConnectProblem::Password("password authentication failed".to_owned()));
    for host in [Ok(serving()), Err("the agent is not online".to_owned())] {
        let verdict = judge(&look(Instance::Sound, host, refused()));
        assert!(matches!(verdict, Verdict::At(Stage::Authentication, _)), "{verdict:?}");
    }
}

#[test]
fn what_ext4_keeps_for_itself_is_not_missing() {
    // A volume of 20 GiB, as `df` shows it, and the same after the volume was doubled.
    let df = 20_957_446_144;
    assert!(!is_small(df, 20) && is_small(df, 40));
}

#[test]
fn time_is_counted_a_stage() {
    let mut watch = Watch::default();
    let minutes = |n: u64| Duration::from_secs(n * 60);
    assert!(!watch.is_over(Stage::StatusChecks, minutes(0)));
    assert!(!watch.is_over(Stage::StatusChecks, minutes(9)));
    assert!(!watch.is_over(Stage::CloudInit, minutes(12)), "another stage has time of its own");
    assert!(!watch.is_over(Stage::CloudInit, minutes(31)));
    assert!(watch.is_over(Stage::CloudInit, minutes(32)));
}

/// Nothing leads there directly; through a tunnel a session came to this.
fn through(host: Result<HostStatus, String>, attempt: Attempt) -> Look {
    let tunnel = Some(Tunnelled::Open("SSH to 10.0.0.5".to_owned(), attempt));
    Look { tunnel, ..look(Instance::Sound, host, silent()) }
}

#[test]
fn a_tunnel_is_wanted_where_nothing_leads_directly_and_the_database_may_serve() {
    let unasked = || Err("the agent is not online".to_owned());
    let refused = || Attempt::Problem(ConnectProblem::Refused("connection refused".to_owned()));
    for (instance, host, direct, wanted) in [
        (Instance::Sound, Ok(serving()), silent(), true),
        (Instance::Sound, unasked(), silent(), true),
        (Instance::Checking("initializing".to_owned()), unasked(), silent(), false),
        (Instance::Sound, Ok(host(&["packages"])), silent(), false),
        (Instance::Sound, Ok(serving()), refused(), false),
        (Instance::Sound, Ok(serving()), Attempt::Untried("no password".to_owned()), false),
        (Instance::Sound, Ok(serving()), Attempt::Answered("2.17.2".to_owned()), false),
    ] {
        let seen = look(instance, host, direct);
        assert_eq!(wants_tunnel(&seen), wanted, "{seen:?}");
    }
}

#[test]
fn a_session_through_a_tunnel_counts_as_one_from_here() {
    for host in [Ok(serving()), Err("denied".to_owned())] {
        let seen = through(host, Attempt::Answered("2.18.0".to_owned()));
        let Verdict::Ready(ready) = judge(&seen) else { panic!("{seen:?}") };
        assert_eq!(
            (ready.path, ready.extension.as_str()),
            (Path::Tunnel("SSH to 10.0.0.5".to_owned()), "2.18.0")
        );
    }
}

#[test]
fn a_refusal_through_a_tunnel_is_one_and_anything_else_is_a_reason() {
    let refused = || Attempt::Problem(ConnectProblem::Password("password authentication failed".to_owned()));
    for host in [Ok(serving()), Err("denied".to_owned())] {
        let verdict = judge(&through(host, refused()));
        let Verdict::At(Stage::Authentication, state) = verdict else { panic!("{verdict:?}") };
        assert!(state.starts_with("SSH to 10.0.0.5: the server did not accept"), "{state}");
    }
    let full = ConnectProblem::Full("too many clients already".to_owned());
    let Verdict::Ready(ready) = judge(&through(Ok(serving()), Attempt::Problem(full))) else { panic!() };
    let Path::Host(why) = ready.path else { panic!("{:?}", ready.path) };
    assert!(why.starts_with("there was no answer within 5 s. SSH to 10.0.0.5: the server has no"), "{why}");
    let reasons = vec!["SSH: no key.".to_owned(), "Session Manager: no CLI.".to_owned()];
    let seen =
        Look { tunnel: Some(Tunnelled::Closed(reasons)), ..look(Instance::Sound, Ok(serving()), silent()) };
    let Verdict::Ready(ready) = judge(&seen) else { panic!() };
    let why = "there was no answer within 5 s. SSH: no key. Session Manager: no CLI";
    assert_eq!(ready.path, Path::Host(why.to_owned()));
}

/// A container that crashes and is started again shows two stages by turns.
#[test]
fn what_goes_back_and_forth_comes_to_an_end() {
    let mut watch = Watch::default();
    let over = (0..120u64).find(|minute| {
        let stage = if minute % 2 == 0 { Stage::Container } else { Stage::Tcp };
        watch.is_over(stage, Duration::from_secs(minute * 60))
    });
    assert_eq!(over, Some(21), "ten minutes in the stage with the shorter patience");
}
