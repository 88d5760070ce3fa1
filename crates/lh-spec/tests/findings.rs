//! One line a mistake: what is changed in a valid stack, and the finding that comes of it,
//! with its place, what is underlined, and the fix.
#![allow(clippy::unwrap_used)]

mod world;

use std::collections::BTreeSet;

use lh_model::Diagnostic;
use lh_spec::codes;
use world::{BASE, World};

/// A mistake: code, what is replaced in the valid stack (nothing: a line is added; `*`: all of
/// it), by what, and then line:column, the underlined text, and a part of the fix.
type Case = (&'static str, &'static str, &'static str, &'static str, &'static str, &'static str);

#[rustfmt::skip]
const CASES: &[Case] = &[
    ("E0102", "name: lighthouse", "name: 'lighthouse", "2:7", "'", "Close the quote, or remove it."),
    ("E0102", "volume: { size: 20 }", "volume:\n\tsize: 20", "8:2", "s", "Indent this line with spaces."),
    ("E0102", "region: us-east-1", "region: us: east-1", "4:11", ":", "Line this key up with its neighbours, or put"),
    ("E0103", "*", "", "1:1", "", "Write a stack, starting with `version: 1`; `l"),
    ("E0103", "*", "# nothing yet\n", "1:1", "#", "Write a stack, starting with `version: 1`; `l"),
    ("E0103", "*", "- a\n- b\n", "1:1", "- a", "Write a stack, starting with `version: 1`; `l"),
    ("E0103", "*", "just text", "1:1", "just text", "Write a stack, starting with `version: 1`; `l"),
    ("E0104", "", "---\nname: other", "10:1", "---", "Move what follows `---` to a file of its own,"),
    ("E0105", "", "tags: { a: &x y, b: *x }", "10:21", "*x", "Write the value out, or share it between file"),
    ("E0106", "size: 20", "size: !!int 20", "7:17", "!!int 20", "Remove the tag; put a text that looks like so"),
    ("E0107", "", "name: other", "10:1", "name", "Remove one of the two."),
    ("E0108", "", "? [a, b]\n: c", "10:3", "[a, b]", "Write `key: value`"),
    ("E0110", "", "extends: circle.yaml", "1:10", "s.yaml", "Remove one of the `extends` lines."),
    ("E0112", "region: us-east-1", "region: ${REGION}", "4:9", "${REGION}", "Set it (`export REGION=…`), or give a default"),
    ("E0112", "region: us-east-1", "region: \"us-${PLACE}-1\"", "4:13", "${PLACE}", "Set it (`export PLACE=…`), or give a default:"),
    ("E0113", "region: us-east-1", "region: us-${1X}", "4:12", "${1X}", "Write `${NAME}`"),
    ("E0113", "region: us-east-1", "region: us-${X", "4:12", "${X", "Write `${NAME}`"),
    ("E0120", "", "volumes: { size: 3 }", "10:1", "volumes", "mean `volume`"),
    ("E0120", "size: 20", "size: 20, iopz: 3000", "7:21", "iopz", "mean `iops`"),
    ("E0120", "type: t4g.micro", "type: t4g.micro, kubernetes: true", "6:30", "kubernetes", "Remove it, or move it to the section it belon"),
    ("E0121", "name: lighthouse\n", "", "1:1", "v", "Add `name: lighthouse`"),
    ("E0121", "{ size: 20 }", "{ iops: 3000 }", "7:1", "volume", "Add `size: 20`"),
    ("E0121", "name: lighthouse_dev, ", "", "8:1", "database", "Add `name: lighthouse`"),
    ("E0121", "ssm: /lighthouse/dev/db/password, ", "", "8:79", "password", "Add `ssm: /lighthouse/dev/db/password`"),
    ("E0121", "", "state: { bucket: my-bucket, key: k.json }", "10:1", "state", "Add `lock_table: lighthouse-locks`"),
    ("E0122", "size: 20", "size: 20 GiB", "7:17", "20 GiB", "Write `size: 20`"),
    ("E0122", "size: 20", "size: -1", "7:17", "-1", "Write a whole number, such as `size: 30`; it"),
    ("E0122", "size: 20", "size: [20]", "7:17", "[20]", "Write it as `size: 30`"),
    ("E0122", "public_ip: true", "public_ip: yes", "5:37", "yes", "Write `public_ip: true`"),
    ("E0122", "public_ip: true", "public_ip: no", "5:37", "no", "Write `public_ip: false`"),
    ("E0122", "[203.0.113.7/32] }\ni", "203.0.113.7/32 }\ni", "5:64", "203.0.113.7/32", "Write it as `allow_postgres_from: [203.0.113.7/32]`"),
    ("E0122", "volume: { size: 20 }", "volume: 20", "7:9", "20", "Write it as `volume: { size: 20 }`"),
    ("E0122", "", "tags: { a: [b] }", "10:12", "[b]", "Write it as `Key: value`"),
    ("E0123", "type: t4g.micro", "type: t4g.micro, purchase: spott", "6:40", "spott", "Write `purchase: spot`"),
    ("E0123", "type: t4g.micro", "type: t4g.micro, ubuntu: 20.04", "6:38", "20.04", "Write `ubuntu: 24.04`"),
    ("E0124", "", "dns: { zone: example.com, record: db.example.com, ttl: 0 }", "10:56", "0", "Write `ttl: 1`"),
    ("E0124", "type: t4g.micro", "type: t4g.micro, root_volume: { size: 4 }", "6:51", "4", "Write `size: 8`"),
    ("E0124", "", "monitoring: { alarms: { cpu_percent: 101 }, topic: t }", "10:38", "101", "Write `cpu_percent: 100`"),
    ("E0124", "", "backup: { retain_days: 0 }", "10:24", "0", "Write `retain_days: 1`"),
    ("E0124", "name: lighthouse_dev", "port: 5433, name: lighthouse_dev", "8:19", "5433", "Write `port: 5432`"),
    ("E0125", "ssm: /lighthouse/dev/db/password", "ssm: /lighthouse/dev/db/password, secret: a/b", "8:125", "secret", "Keep one of them; where a base file sets the"),
    ("E0125", "", "state: { path: a.json, bucket: my-bucket, key: k, lock_table: t-t }", "10:24", "bucket", "Keep one of them; where a base file sets the"),
    ("E0125", "type: t4g.micro", "type: t4g.micro, image: ami-0123456789abcdef0, ubuntu: 24.04", "6:60", "ubuntu", "Keep one of them; where a base file sets the"),
    ("W0128", "type: t4g.micro", "type: t4g.micro, spot: { interruption: stop }", "6:30", "spot", "Write `purchase: spot`"),
    ("E0126", "", "backup: { dump_schedule: daily }", "10:11", "dump_schedule", "Add `bucket: NAME`"),
    ("E0126", "generate: true", "generate: true, manage: false", "8:125", "generate", "Remove one of `generate: true` and `manage: f"),
    ("E0126", "key_name: lighthouse-dev, ", "", "9:8", "allow_from", "Add `key_name: NAME`"),
    ("E0126", "size: 20", "size: 20, encrypted: false, kms_key: alias/x", "7:39", "kms_key", "Remove `kms_key`, or write `encrypted: true`."),
    ("E0126", "", "state: { path: a.json, key: k }", "10:24", "key", "Remove `key`, or write `bucket: NAME` in the"),
    ("E0127", "version: 1", "version: 2", "1:10", "2", "Write `version: 1`"),
    ("E0201", "name: lighthouse\n", "name: Light_House\n", "2:7", "Light_House", "Write it like `light-house`"),
    ("E0201", "environment: dev", "environment: -dev", "3:14", "-dev", "Write it like `dev`"),
    ("E0202", "name: lighthouse\n", "name: a-name-that-is-longer-than-all-the-others\n", "2:7", "a-name-that-is-longer-than-all-the-others", "Shorten `name` or `environment` by 5."),
    ("E0203", "us-east-1", "us-east-1a", "4:9", "us-east-1a", "Write it like `us-east-1`"),
    ("E0203", "us-east-1", "Virginia", "4:9", "Virginia", "Write it like `us-east-1`"),
    ("W0204", "us-east-1", "us-esat-1", "4:9", "us-esat-1", "mean `us-east-1`"),
    ("E0205", "", "account: 1234-5678-9012", "10:10", "1234-5678-9012", "Write it like `account: \"123456789012\"`"),
    ("E0206", "", "state: { bucket: My_Bucket, key: k, lock_table: t-t }", "10:18", "My_Bucket", "Write it like `lighthouse-backups-prod`"),
    ("E0207", "ssm: /lighthouse/dev/db/password", "ssm: lighthouse/dev", "8:96", "lighthouse/dev", "Write it like `/lighthouse/dev/db/password`"),
    ("E0208", "ssm: /lighthouse/dev/db/password, generate: true", "secret: a b", "8:99", "a b", "Write it like `lighthouse/prod/db/password`"),
    ("E0209", "lighthouse_dev", "Lighthouse-Dev", "8:19", "Lighthouse-Dev", "Write it like `lighthouse_dev`"),
    ("E0210", "key_name: lighthouse-dev", "key_name: schlüssel", "9:18", "schlüssel", "Write it like `lighthouse-dev`"),
    ("E0211", "", "state: { bucket: my-bucket, key: k, lock_table: t }", "10:49", "t", "Write it like `lighthouse-locks`"),
    ("E0212", "", "backup: { vault: my vault }", "10:18", "my vault", "Write it like `lighthouse-prod-vault`"),
    ("E0213", "", "monitoring: { topic: my.topic }", "10:22", "my.topic", "Write it like `lighthouse-prod-alerts`"),
    ("E0214", "", "dns: { zone: example_com, record: db.example.com }", "10:14", "example_com", "Write it like `db.example.com`"),
    ("E0215", "", "dns: { zone: example.com, record: db.example.org }", "10:35", "db.example.org", "Write `record: db.example.com`"),
    ("E0216", "", "monitoring: { topic: t, emails: [ops@example] }", "10:34", "ops@example", "Write it like `ops@example.com`"),
    ("E0217", "", "tags: { 'lhctl:stack': x }", "10:9", "'lhctl:stack'", "Choose another key."),
    ("E0217", "", "tags: { Name: x }", "10:9", "Name", "Choose another key."),
    ("E0217", "", "tags: { a: 'x;y' }", "10:12", "'x;y'", "Shorten the value, or replace the other chara"),
    ("E0219", "vpc: default", "vpc: vpc-123", "5:17", "vpc-123", "Write it like `vpc-0123456789abcdef0`"),
    ("E0219", "vpc: default", "vpc: default, zone: eu-west-1a", "5:32", "eu-west-1a", "Write `zone: us-east-1a`"),
    ("E0220", "size: 20", "size: 20, kms_key: my-key", "7:30", "my-key", "Write it like `alias/lighthouse`"),
    ("E0221", "", "state: { bucket: my-bucket, key: /k, lock_table: t-t }", "10:34", "/k", "Write it like `prod.json`"),
    ("E0222", "allow_from", "public_key: ssh-dss AAAA, allow_from", "9:46", "ssh-dss AAAA", "Write it like `public_key: ~/.ssh/id_ed25519.pub`"),
    ("E0222", "allow_from", "public_key: id.pub, allow_from", "9:46", "id.pub", "Name the `.pub` file of a key pair"),
    ("E0223", "", "state: { path: state/ }", "10:16", "state/", "Write it like `.lhctl/dev.json`"),
    ("E0224", "allow_from", "bastion: a b, allow_from", "9:43", "a b", "Write it like `ubuntu@bastion.example.com`"),
    ("E0301", "allow_postgres_from: [203.0.113.7/32]", "allow_postgres_from: [203.0.113.7]", "5:65", "203.0.113.7", "Write `203.0.113.7/32`"),
    ("E0301", "allow_postgres_from: [203.0.113.7/32]", "allow_postgres_from: [203.0.113.256/32]", "5:65", "203.0.113.256/32", "Write it like `203.0.113.7/32`"),
    ("E0302", "allow_postgres_from: [203.0.113.7/32]", "allow_postgres_from: [203.0.113.7/24]", "5:65", "203.0.113.7/24", "Write `203.0.113.0/24`"),
    ("E0303", "allow_postgres_from: [203.0.113.7/32]", "allow_postgres_from: [0.0.0.0/0]", "5:65", "0.0.0.0/0", "Name the addresses that need it, such as `203"),
    ("E0303", "allow_postgres_from: [203.0.113.7/32]", "allow_postgres_from: ['::/0']", "5:65", "'::/0'", "Name the addresses that need it, such as `203"),
    ("E0303", "allow_from: [203.0.113.7/32]", "allow_from: [0.0.0.0/0]", "9:47", "0.0.0.0/0", "Name the addresses that need it, such as `203"),
    ("E0303", "allow_from: [203.0.113.7/32]", "allow_from: [128.0.0.0/1]", "9:47", "128.0.0.0/1", "Name the addresses that need it, such as `203"),
    ("E0304", "allow_from: [203.0.113.7/32]", "allow_from: [203.0.113.7/32, 203.0.113.7/32]", "9:63", "203.0.113.7/32", "Remove one of the two."),
    ("E0305", "allow_from: [203.0.113.7/32]", "allow_from: ['2001:db8::/32']", "9:47", "'2001:db8::/32'", "Write the IPv4 network; `curl -4 https://chec"),
    ("E0401", "t4g.micro", "t4g.smal", "6:19", "t4g.smal", "mean `t4g.small`"),
    ("E0401", "t4g.micro", "large", "6:19", "large", "Choose a Graviton type, such as `t4g.small` o"),
    ("E0402", "t4g.micro", "t3.micro", "6:19", "t3.micro", "Use a Graviton type: `t4g.micro`."),
    ("E0402", "t4g.micro", "m7i.2xlarge", "6:19", "m7i.2xlarge", "Use a Graviton type: `m7g.2xlarge`."),
    ("E0403", "type: t4g.micro", "type: t4g.micro, image: ami-xyz", "6:37", "ami-xyz", "Leave `image` out for the newest Ubuntu, or w"),
    ("W0404", "t4g.micro", "t4g.nano", "6:19", "t4g.nano", "Use `t4g.micro`"),
    ("E0501", "size: 20", "size: 65537", "7:17", "65537", "Write `size: 65536`"),
    ("E0501", "size: 20", "size: 0", "7:17", "0", "Write `size: 1`"),
    ("E0502", "size: 20", "size: 20, iops: 100", "7:27", "100", "Write `iops: 3000`"),
    ("E0502", "size: 20", "size: 400, iops: 90000", "7:28", "90000", "Write `iops: 80000`"),
    ("E0503", "size: 20", "size: 20, iops: 12000", "7:27", "12000", "Write `iops: 10000`"),
    ("E0504", "size: 20", "size: 20, throughput: 2001", "7:33", "2001", "Write `throughput: 2000`"),
    ("E0505", "size: 20", "size: 20, throughput: 1000", "7:33", "1000", "Write `throughput: 750`"),
    ("W0405", "'timescale/timescaledb:2.17.2-pg16'", "timescale/timescaledb", "8:42", "timescale/timescaledb", "Name a version, such as `timescale/timescaled"),
    ("W0405", "'timescale/timescaledb:2.17.2-pg16'", "'timescale/timescaledb:latest'", "8:42", "'timescale/timescaledb:latest'", "Name a version, such as `timescale/timescaled"),
    ("E0406", "'timescale/timescaledb:2.17.2-pg16'", "'Time Scale:1'", "8:42", "'Time Scale:1'", "Write it like `timescale/timescaledb:2.17.2-pg16`"),
    ("E0407", "'timescale/timescaledb:2.17.2-pg16'", "'timescale/timescaledb:2.17.2'", "8:42", "'timescale/timescaledb:2.17.2'", "Use a tag that ends in `-pgNN`, such as `2.17"),
    ("E0701", "", "backup: { schedule: '0 5 * * *' }", "10:21", "'0 5 * * *'", "Write `cron(0 5 * * ? *)`"),
    ("E0701", "", "backup: { schedule: cron(0 5 * * * *) }", "10:21", "cron(0 5 * * * *)", "Put `?` where the day does not matter: `cron("),
    ("E0701", "", "backup: { schedule: rate(1 days) }", "10:21", "rate(1 days)", "Write `rate(1 day)`"),
    ("E0701", "", "backup: { bucket: my-bucket, dump_schedule: monthly }", "10:45", "monthly", "Write `daily`"),
    ("E0702", "", "backup: { retain_days: 60, cold_after_days: 30 }", "10:45", "30", "Write `retain_days: 120`"),
    ("E0801", "", "monitoring: { log_retention_days: 31 }", "10:35", "31", "Write `log_retention_days: 60`"),
    ("W0802", "", "monitoring: { alarms: { cpu_percent: 80 } }", "10:15", "alarms", "Add `emails: [ops@example.com]`"),
    ("E0701", "", "backup: { schedule: rate(5 hours) }", "10:21", "rate(5 hours)", "Write `rate(1 day)`, `rate(12 hours)`, or a"),
    ("E0701", "", "backup: { bucket: my-bucket, dump_schedule: cron(0 3 15W * ? *) }", "10:45", "cron(0 3 15W * ? *)", "Name the day itself"),
    ("E0803", "", "monitoring: { topic: 'arn:aws:sns:eu-west-1:123456789012:pager' }", "10:22", "'arn:aws:sns:eu-west-1:123456789012:pager'", "Name a topic in us-east-1."),
];

fn text_of((_, from, to, ..): &Case) -> String {
    match *from {
        "" => format!("{BASE}{to}\n"),
        "*" => (*to).to_owned(),
        from => {
            assert!(BASE.contains(from), "{from}");
            BASE.replacen(from, to, 1)
        }
    }
}

/// The findings of the text; where it loads and `plan` says so, those of planning it.
fn findings(text: &str) -> (Vec<Diagnostic>, String) {
    let loaded = World::new().with("s.yaml", text).with("circle.yaml", "extends: s.yaml").load("s.yaml");
    let text = loaded.sources.get("circle.yaml").or(loaded.sources.get("s.yaml")).cloned();
    (loaded.diagnostics, text.unwrap_or_default())
}

fn shown(finding: &Diagnostic, text: &str) -> (String, String) {
    let Some(origin) = &finding.origin else { return Default::default() };
    let line = text.lines().nth(origin.line - 1).unwrap_or_default();
    let underlined = line.chars().skip(origin.column - 1).take(origin.length).collect();
    (format!("{}:{}", origin.line, origin.column), underlined)
}

#[test]
fn every_mistake_has_its_finding_and_no_other() {
    let mut wrong = Vec::new();
    for case in CASES {
        let text = text_of(case);
        let (found, source) = findings(&text);
        let (code, from, to, place, underlined, fix) = *case;
        let fits = found.len() == 1
            && found[0].code == code
            && shown(&found[0], &source) == (place.to_owned(), underlined.to_owned())
            && found[0].fix.as_ref().is_some_and(|f| f.contains(fix));
        if !fits {
            let actual: Vec<String> = found
                .iter()
                .map(|d| {
                    format!(
                        "({:?}, {from:?}, {to:?}, {:?}, {:?}),\n   {}; {}",
                        d.code,
                        shown(d, &source),
                        d.fix,
                        d.message,
                        d.reason.clone().unwrap_or_default()
                    )
                })
                .collect();
            wrong.push(format!("{case:?}\n   found {}", actual.join("\n   and ")));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_finding_is_a_sentence_with_reason_and_fix() {
    for case in CASES {
        for finding in findings(&text_of(case)).0 {
            let fix = finding.fix.as_deref().unwrap_or_default();
            assert!(fix.ends_with(['.', '?']), "{finding:?}");
            let reason = finding.reason.as_deref().unwrap_or_default();
            assert!(!reason.is_empty() && !reason.ends_with('.'), "{finding:?}");
            assert!(!finding.message.ends_with('.'), "{finding:?}");
        }
    }
}

#[test]
fn set_and_file_mistakes_have_their_findings() {
    let world = World::new().with("s.yaml", BASE).with("lost.yaml", "extends: gone.yaml\n");
    let cases = [
        ("s.yaml", "volume.size", "E0114", "--set:1:1"),
        ("s.yaml", "volume..size=1", "E0114", "--set:1:1"),
        ("s.yaml", "extends=x.yaml", "E0114", "--set:1:1"),
        ("s.yaml", "volume.size=[1", "E0102", "--set:1:14"),
        ("s.yaml", "volume.size=x", "E0122", "--set:1:13"),
        ("lost.yaml", "volume.size=1", "E0111", "lost.yaml:1:10"),
    ];
    for (file, set, code, place) in cases {
        let found = world.load_with(file, &[set]).diagnostics;
        assert_eq!(found.len(), 1, "{set} {found:?}");
        assert_eq!(found[0].code, code, "{found:?}");
        assert_eq!(found[0].origin.as_ref().unwrap().to_string(), place);
    }
    let found = world.load("nowhere.yaml").diagnostics;
    assert_eq!((found[0].code.as_str(), found[0].reason.as_deref()), ("E0101", Some("No such file")));
}

#[test]
fn too_large_files_are_refused_quickly() {
    let deep = format!("a: {}", "[".repeat(200));
    let long = format!("a: {}", "x".repeat(300_000));
    let wide = format!("a: [{}]", "1,".repeat(30_000));
    for text in [deep, long, wide] {
        assert_eq!(findings(&text).0[0].code, "E0109");
    }
    let tags: String = (0..41).map(|i| format!("  t{i}: x\n")).collect();
    let (found, source) = findings(&format!("{BASE}tags:\n{tags}"));
    assert_eq!(
        (found.len(), found[0].code.as_str(), shown(&found[0], &source).1.as_str()),
        (1, "E0218", "tags")
    );
}

#[test]
fn every_code_has_a_test() {
    let elsewhere = ["E0101", "E0109", "E0111", "E0114", "E0218"];
    let tested: BTreeSet<&str> = CASES.iter().map(|case| case.0).chain(elsewhere).collect();
    let known: BTreeSet<&str> = codes::TABLE.iter().map(|code| code.code).collect();
    assert_eq!(tested, known);
}
