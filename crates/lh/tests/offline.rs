//! `--local`, whole: a stack applied in a simulated AWS, its host in a sandbox, its database from
//! the npm registry; the host's scripts back up and restore over the shell of the deployment.

#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stderr, reason = "a test that cannot go on fails")]

use std::{path::Path, time::Duration};

use lh::{
    Cloud, Deployment, Stack,
    db::{self, RunOptions, VerifyOptions, local::LocalDatabase},
};
use lh_host::{Script, Shell, Stream, scripts};

async fn applied(folder: &Path) -> Deployment {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/../../stacks/dev.yaml");
    let deployment = Deployment::new(Stack::load(file, &[]).unwrap(), Cloud::local(folder).unwrap());
    assert!(deployment.apply(|_| true).await.unwrap().outcome.is_complete());
    deployment
}

struct Ran {
    status: i32,
    out: String,
    err: String,
}

async fn run(shell: &dyn Shell, text: &str) -> Ran {
    let (mut out, mut err) = (String::new(), String::new());
    let script =
        Script { title: "test".to_owned(), text: text.to_owned(), deadline: Duration::from_secs(120) };
    let mut tell = |stream: Stream, piece: &str| match stream {
        Stream::Out => out.push_str(piece),
        Stream::Err => err.push_str(piece),
    };
    let status = shell.run(&script, &mut tell).await.unwrap();
    Ran { status, out, err }
}

/// What a script wrote that must succeed.
async fn done(shell: &dyn Shell, text: &str) -> String {
    let ran = run(shell, text).await;
    assert_eq!(ran.status, 0, "{text}\n{}{}", ran.out, ran.err);
    ran.out
}

const RESTORE: &str = r#". /usr/local/lib/lhctl-host.sh
new=${DATABASE}_new
name=$(find "$MNT/backups" -name '*.sql.gz' | sort | tail -n 1)
counts() { sql -d "$1" <<<'SELECT (SELECT count(*) FROM check_history), (SELECT sum(total_checks) FROM hourly_metrics)'; }
sql -d "$DATABASE" <<<'TRUNCATE check_history'
sql -d postgres -v new="$new" <<<'CREATE DATABASE :"new" TEMPLATE template0'
sql -d "$new" <<<"CREATE EXTENSION timescaledb; SELECT timescaledb_pre_restore()" >/dev/null
gzip -dc "$name" | sql -d "$new" >/dev/null
sql -d "$new" <<<'SELECT timescaledb_post_restore()' >/dev/null
sql -d postgres -v new="$new" -v db="$DATABASE" <<'END'
SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = :'db' AND pid <> pg_backend_pid();
ALTER DATABASE :"db" RENAME TO old;
ALTER DATABASE :"new" RENAME TO :"db";
END
counts old
counts "$DATABASE"
"#;

#[tokio::test(flavor = "multi_thread")]
async fn a_database_of_this_machine_is_backed_up_and_restored_over_the_shell_of_its_host() {
    let test = "a_database_of_this_machine_is_backed_up_and_restored_over_the_shell_of_its_host";
    if std::env::var_os(db::local::INSTALLED).is_none() {
        eprintln!("SKIPPED {test}: {} is not set; scripts/test sets it", db::local::INSTALLED);
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let deployment = applied(folder.path()).await;
    let database = LocalDatabase::start(folder.path(), None, &mut |_| {}).await.unwrap();
    let url = deployment.database_url().await.unwrap();
    assert!(url.place().ends_with("/lighthouse_dev"), "{}", url.place());
    let migrations = lh::migrations(Some(deployment.stack()), None).unwrap();
    assert_eq!(db::run(&url, &migrations, &RunOptions::default(), &mut |_| {}).await.unwrap().len(), 6);
    let options = VerifyOptions { skip: vec!["benchmark".to_owned()], bench: false };
    assert!(db::verify(&url, &migrations, &options).await.holds());

    let shell = deployment.shell().await.unwrap();
    let status: serde_json::Value =
        serde_json::from_str(&done(shell.as_ref(), scripts::STATUS).await).unwrap();
    assert_eq!(
        (&status["container"], &status["tcp"], &status["ready"]),
        (&"running".into(), &true.into(), &true.into())
    );
    assert_eq!(status["versions"]["server"], "17.5");
    assert_eq!(status["last_backup"], serde_json::Value::Null);

    let rows = r#". /usr/local/lib/lhctl-host.sh
sql -d "$DATABASE" <<<"INSERT INTO check_history (time, subscription_id, status)
SELECT now() - i * interval '10 min', gen_random_uuid(), 'success' FROM generate_series(1, 500) AS i;
CALL refresh_continuous_aggregate('hourly_metrics', NULL, NULL);"
"#;
    done(shell.as_ref(), rows).await;
    let backup = done(shell.as_ref(), scripts::BACKUP).await;
    let facts: serde_json::Value = serde_json::from_str(backup.lines().last().unwrap()).unwrap();
    assert_eq!((&facts["database"], &facts["server_version"]), (&"lighthouse_dev".into(), &"17.5".into()));
    let restored = done(shell.as_ref(), RESTORE).await;
    assert!(restored.ends_with("0|500\n500|500\n"), "{restored}");
    assert!(db::verify(&url, &migrations, &options).await.holds());

    database.stop().await;
    assert!(matches!(deployment.database_url().await, Err(lh::Error::NoLocalDatabase)));
    let ran = run(shell.as_ref(), scripts::BACKUP).await;
    assert_eq!(ran.status, 1);
    assert!(ran.err.contains("start it with `lhctl local database`"), "{}", ran.err);
}
