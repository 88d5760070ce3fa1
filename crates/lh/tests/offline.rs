//! `--local`, whole: a stack applied in a simulated AWS, its host in a sandbox, its database from
//! the npm registry; the host's scripts back up and restore over the shell of the deployment.

#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stderr, reason = "a test that cannot go on fails")]

use std::{path::Path, time::Duration};

use lh::{
    Cloud, Deployment, Stack,
    db::{self, RunOptions, VerifyOptions, local::LocalDatabase},
};
use lh_host::{
    Script, Shell, Stream,
    day2::{self, Backup, Backups, Checksum, Drill, DrillResult, Restore, Restored},
    scripts,
};

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

/// Rows in chunks, of which two are compressed, and in an aggregate.
const ROWS: &str = r#". /usr/local/lib/lhctl-host.sh
sql -d "$DATABASE" <<<"INSERT INTO check_history (time, subscription_id, status)
SELECT now() - i * interval '10 min', gen_random_uuid(), 'success' FROM generate_series(1, 500) AS i;
CALL refresh_continuous_aggregate('hourly_metrics', NULL, NULL);
SELECT count(compress_chunk(c)) FROM (SELECT c FROM show_chunks('check_history') AS c LIMIT 2) AS two;"
"#;
const LOSS: &str = ". /usr/local/lib/lhctl-host.sh\nsql -d \"$DATABASE\" <<<'TRUNCATE check_history'\n";
const COUNT: &str = r#". /usr/local/lib/lhctl-host.sh
sql -d "$DATABASE" <<<'SELECT (SELECT count(*) FROM check_history), (SELECT sum(total_checks) FROM hourly_metrics)'
"#;

/// The JSON line that ends what a script wrote.
fn last<T: serde::de::DeserializeOwned>(out: &str) -> T {
    serde_json::from_str(out.lines().last().unwrap()).unwrap()
}

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

    done(shell.as_ref(), ROWS).await;
    let backup: Backup = last(&done(shell.as_ref(), &day2::backup()).await);
    assert_eq!((backup.database.as_str(), backup.server_version.as_str()), ("lighthouse_dev", "17.5"));
    let rows = backup.rows.unwrap();
    assert_eq!((rows["public.check_history"], rows["public._sqlx_migrations"]), (500, 6));

    let drill: Drill = last(&done(shell.as_ref(), &day2::drill(None)).await);
    assert_eq!((drill.result, drill.backup.as_str()), (DrillResult::Passed, backup.file.as_str()));
    assert_eq!((drill.compared, drill.rows), (true, rows.values().sum()));

    done(shell.as_ref(), LOSS).await;
    let restore = Restore { name: backup.file.clone(), run: true, ..Restore::default() };
    let restored: Restored = last(&done(shell.as_ref(), &day2::restore(&restore)).await);
    assert_eq!((restored.compared, restored.rows), (true, rows.values().sum()));
    assert_eq!(done(shell.as_ref(), COUNT).await, "500|500\n");
    assert!(db::verify(&url, &migrations, &options).await.holds());

    let backups: Backups = last(&done(shell.as_ref(), &day2::backups(true)).await);
    assert_eq!((backups.on_disk.len(), backups.on_disk[0].checksum), (1, Checksum::Good));
    let retained = backups.retained.unwrap();
    assert_eq!(Some(&retained[0].name), restored.kept.as_ref());
    done(shell.as_ref(), &day2::release_retained(&[retained[0].name.clone()])).await;
    let backups: Backups = last(&done(shell.as_ref(), &day2::backups(false)).await);
    assert_eq!(backups.retained, Some(Vec::new()));

    database.stop().await;
    assert!(matches!(deployment.database_url().await, Err(lh::Error::NoLocalDatabase)));
    let ran = run(shell.as_ref(), scripts::BACKUP).await;
    assert_eq!(ran.status, 1);
    assert!(ran.err.contains("start it with `lhctl local database`"), "{}", ran.err);
}
