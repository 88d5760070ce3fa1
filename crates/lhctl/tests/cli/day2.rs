//! `lhctl db`: texts and exit codes, without a database and with the real one of `--local`.

use crate::{database::Running, place::Place};

#[test]
fn without_a_database_every_verb_says_how_to_start_one() {
    let place = Place::applied();
    for verb in
        ["backup", "backups", "drill", "upgrade", "logs", "disk", "slow-queries", "compress", "retention"]
    {
        place.run(&format!("db {verb} stacks/dev.yaml --local")).expect(1).says("lhctl local database");
    }
    place
        .run("db restore stacks/dev.yaml x.sql.gz --local --auto-approve")
        .expect(1)
        .says("lhctl local database");
    place.run("db psql stacks/dev.yaml --local -c 'SELECT'").expect(1).says("lhctl local database");
    place.run("db slow-queries").expect(1).says("No database was named.");
    // Nothing is there to work on before the first apply.
    Place::new().run("db backup stacks/dev.yaml --local").expect(1);
}

#[test]
fn guide_defect_03_an_upgrade_to_a_floating_tag_is_refused() {
    let place = Place::applied();
    place.edit("2.17.2-pg16", "latest-pg16");
    place.run("db upgrade stacks/dev.yaml --local --auto-approve").expect(5).says("is not pinned");
}

#[test]
fn ages_and_forms_are_checked_before_anything_is_asked() {
    let place = Place::new();
    for age in ["90", "0d", "d", "-1d", "90fortnights"] {
        place.run(&format!("db retention stacks/dev.yaml --drop-after={age}")).expect(1);
    }
    place.run("db restore stacks/dev.yaml").expect(1).says("NAME");
}

#[test]
fn a_password_in_the_url_is_in_no_message_of_day_2() {
    let place = Place::new();
    for verb in ["slow-queries", "compress", "retention", "psql -c SELECT"] {
        let ended = place
            .run(&format!(
                "db {verb} --database-url postgresql://postgres:hunter2@127.0.0.1:1/d?sslmode=disable"
            ))
            .expect(1);
        assert!(!(ended.out + &ended.err).contains("hunter2"), "{verb}");
    }
}

#[test]
fn a_database_is_backed_up_drilled_lost_and_restored_by_its_commands() {
    let Ok(packages) = std::env::var("LHCTL_TIMESCALEDB") else {
        eprintln!(
            "SKIPPED a_database_is_backed_up_drilled_lost_and_restored_by_its_commands: LHCTL_TIMESCALEDB is not set; scripts/test sets it"
        );
        return;
    };
    let place = Place::applied();
    let (_database, url) = Running::start(&place, &packages);
    let db = |args: &str| place.run(&format!("db {args} --local"));
    place.run("migrate stacks/dev.yaml --local").expect(0);
    place.write(
        "rows.sql",
        "INSERT INTO check_history (time, subscription_id, status)\n\
         SELECT now() - i * interval '1 hour', gen_random_uuid(), 'success' FROM generate_series(1, 500) AS i;\n\
         SELECT count(*) FROM check_history;\n",
    );
    db("psql stacks/dev.yaml --file rows.sql").expect(0).says("500");
    db("psql stacks/dev.yaml -c SELEKT").expect(3).says("SELEKT");

    // Chunks older than 7 days, compressed by hand; a retention that is changed in one member.
    db("compress stacks/dev.yaml --plan").expect(0).says("public.check_history");
    db("compress stacks/dev.yaml").expect(0).says("chunks compressed");
    db("compress stacks/dev.yaml").expect(0).says("Nothing to compress");
    db("retention stacks/dev.yaml").expect(0).says("chunks go after 90 days");
    db("retention stacks/dev.yaml --drop-after 60d").expect(5).says("asks before it changes anything");
    db("retention stacks/dev.yaml --drop-after 7d --table check_history --auto-approve")
        .expect(5)
        .says("beyond 7 days");
    db("retention stacks/dev.yaml --drop-after 60d --table check_history --auto-approve")
        .expect(0)
        .says("60 days");
    // The same by a URL, without a stack. The one that was printed names no stack's database.
    let (server, options) = (&url[..url.rfind('/').unwrap()], url.split_once('?').unwrap().1);
    let url = format!("{server}/lighthouse_dev?{options}");
    let by_url = place.with(&[("DATABASE_URL", &url)], "db retention --json").expect(0).json();
    let ages: Vec<_> =
        by_url.as_array().unwrap().iter().map(|policy| policy["after"].as_str().unwrap()).collect();
    assert_eq!(ages, ["90 days", "60 days"]);
    place.with(&[("DATABASE_URL", &url)], "db psql -c SELECT+1").expect(0).says("1");

    let backup = db("backup stacks/dev.yaml --json").expect(0).json();
    assert_eq!(backup["rows"]["public.check_history"], 500);
    let name = backup["file"].as_str().unwrap().to_owned();
    db("backups stacks/dev.yaml --check").expect(0).says("checksum good");
    db("drill stacks/dev.yaml").expect(0).says("passed: ");
    db("backups stacks/dev.yaml").expect(0).says("Last drill");
    place.write("loss.sql", "TRUNCATE check_history;\n");
    db("psql stacks/dev.yaml --file loss.sql").expect(0);
    db(&format!("restore stacks/dev.yaml {name}")).expect(5).says("asks before it changes anything");
    db(&format!("restore stacks/dev.yaml {name} --plan")).expect(0).says("is kept under another name");
    db(&format!("restore stacks/dev.yaml {name} --auto-approve")).expect(0).says("holds");
    db("psql stacks/dev.yaml --file count.sql").expect(1).says("count.sql");
    place.write("count.sql", "SELECT count(*) FROM check_history;\n");
    db("psql stacks/dev.yaml --file count.sql").expect(0).says("500");
    db("backups stacks/dev.yaml").expect(0).says("_before_");
    db("restore stacks/dev.yaml --release-old --auto-approve")
        .expect(0)
        .says("Dropped lighthouse_dev_before_");
    db("restore stacks/dev.yaml nothing.sql.gz --auto-approve")
        .expect(5)
        .says("there is no dump nothing.sql.gz");
    db("disk stacks/dev.yaml").expect(0).says("public.check_history");
    db("restore stacks/dev.yaml --release-old")
        .expect(0)
        .says("No database is kept from an earlier restore.");
    upgraded(&place);
    db("psql stacks/dev.yaml --file count.sql").expect(0).says("500");
}

/// Brings the database to another image, from the edit of the file to the plan that is empty again.
fn upgraded(place: &Place) {
    let plan = "plan stacks/dev.yaml --local --detailed-exitcode";
    let upgrade = |args: &str| place.run(&format!("db upgrade stacks/dev.yaml --local {args}"));
    let copies = || place.holds("snapshots").len();
    upgrade("--auto-approve").expect(0).says("2.17.2-pg16 serves already");
    place.edit("2.17.2-pg16", "2.23.0-pg17");
    place.run(plan).expect(0).says("`lhctl db upgrade` changes it");
    upgrade("--plan").expect(0).says("2.17.2-pg16 → timescale/timescaledb:2.23.0-pg17");
    upgrade("").expect(5).says("asks before it changes anything");
    assert_eq!(copies(), 0, "nothing was done yet");
    let done = upgrade("--auto-approve --json").expect(0);
    assert!(done.err.contains("dumped to lighthouse_dev_"), "{}", done.err);
    assert_eq!(done.json()["databases"][0]["name"], "lighthouse_dev");
    assert_eq!(copies(), 1, "the way back");
    let ended = place.run(plan).expect(0);
    assert!(!ended.out.contains("db upgrade"), "{}", ended.out);
    upgrade("--auto-approve").expect(0).says("2.23.0-pg17 serves already");
    assert_eq!(copies(), 1);
}
