//! Loading as a whole: the reference stacks, all errors at once, layers, variables, `--set`.
#![allow(clippy::unwrap_used)]

mod world;

use lh_model::{Origin, Severity};
use lh_spec::{Purchase, Stack, StateConfig};
use world::{BASE, World};

fn origin(file: &str, line: usize, column: usize, length: usize) -> Origin {
    Origin { file: file.into(), line, column, length }
}

fn reference(name: &str) -> Stack {
    let loaded = World::new().with("stacks/x.yaml", world::reference(name)).load("stacks/x.yaml");
    assert_eq!(loaded.diagnostics, vec![], "{name}");
    loaded.stack.unwrap()
}

#[test]
fn the_reference_stacks_load_without_a_finding() {
    let dev = reference("dev");
    assert_eq!(dev.id().to_string(), "lighthouse-dev");
    assert_eq!(dev.directory(), "stacks");
    assert_eq!(dev.state, StateConfig::Local { path: "stacks/.lhctl/dev.json".into() });
    assert_eq!(dev.volume.size.origin, origin("stacks/x.yaml", 21, 9, 2));
    let prod = reference("prod");
    assert!(prod.protect.value && prod.instance.disable_api_termination.value);
    assert_eq!(prod.instance.purchase.value, Purchase::OnDemand);
    assert_eq!(prod.backup.unwrap().schedule.unwrap().value, "cron(0 5 * * ? *)");
    assert_eq!(prod.monitoring.unwrap().emails[0].value, "ops@example.com");
    assert_eq!(prod.tags["Project"].value, "lighthouse");
}

#[test]
fn all_errors_of_a_file_are_reported_at_once_in_its_order() {
    let text = "version: 2\nname: Lighthouse\nregion: us-east-1a\nnetwork: { alow_postgres_from: [] }\n\
                instance: { type: t3.micro }\nvolume: { size: 20 GiB }\ndatabase: { name: 1st, image: x:1 }\n";
    let loaded = World::new().with("s.yaml", text).load("s.yaml");
    assert!(loaded.stack.is_none());
    let found: Vec<_> =
        loaded.diagnostics.iter().map(|d| (d.code.as_str(), d.origin.as_ref().unwrap().line)).collect();
    let expected = [
        ("E0121", 1),
        ("E0127", 1),
        ("E0201", 2),
        ("E0203", 3),
        ("E0120", 4),
        ("E0402", 5),
        ("E0122", 6),
        ("E0121", 7),
        ("E0209", 7),
        ("E0407", 7),
    ];
    assert_eq!(found, expected);
}

#[test]
fn a_value_of_an_extended_file_keeps_its_place() {
    let world = World::new().with("stacks/base.yaml", BASE).with(
        "stacks/dev.yaml",
        "extends: base.yaml\nname: other\nvolume: { iops: 4000 }\nnetwork:\n  allow_postgres_from: [198.51.100.1/32]\n",
    );
    let stack = world.load("stacks/dev.yaml").stack.unwrap();
    assert_eq!(stack.name.value, "other");
    assert_eq!(stack.name.origin, origin("stacks/dev.yaml", 2, 7, 5));
    assert_eq!((stack.volume.size.value, stack.volume.iops.value), (20, 4000));
    assert_eq!(stack.volume.size.origin, origin("stacks/base.yaml", 7, 17, 2));
    assert_eq!(stack.network.allow_postgres_from.len(), 1, "lists replace");
    assert!(stack.network.public_ip.value, "maps merge");
}

#[test]
fn an_error_in_a_base_file_points_into_it() {
    let world = World::new()
        .with("a/base.yaml", BASE.replace("size: 20", "size: 0"))
        .with("a/dev.yaml", "extends: ./base.yaml\n");
    let loaded = world.load("a/dev.yaml");
    assert_eq!(loaded.diagnostics[0].origin, Some(origin("a/base.yaml", 7, 17, 1)));
    assert!(loaded.sources["a/base.yaml"].contains("size: 0"));
    // The same key, overridden, is not the base's any more.
    let world = world.with("a/dev.yaml", "extends: base.yaml\nvolume: { size: 30 }\n");
    assert_eq!(world.load("a/dev.yaml").stack.unwrap().volume.size.value, 30);
}

#[test]
fn null_drops_what_a_base_file_sets() {
    let over =
        "extends: base.yaml\nssh: null\ndatabase:\n  password: { ssm: null, generate: null, secret: a/b }\n";
    let loaded = World::new().with("base.yaml", BASE).with("dev.yaml", over).load("dev.yaml");
    assert_eq!(loaded.diagnostics, vec![]);
    assert_eq!(loaded.stack.unwrap().ssh.key_name, None);
}

#[test]
fn variables_are_filled_in_and_a_missing_one_is_pointed_at() {
    let text = BASE
        .replace("name: lighthouse\n", "name: ${APP}\n")
        .replace("size: 20", "size: ${SIZE:-30}")
        .replace("vpc: default", "vpc: a$$b")
        .replace("region: us-east-1", "region: '${EMPTY:-us-west-2}'");
    let world = World::new().with("s.yaml", text).env("APP", "beacon").env("EMPTY", "");
    let stack = world.load("s.yaml").stack.unwrap();
    assert_eq!((stack.name.value.as_str(), stack.volume.size.value), ("beacon", 30));
    assert_eq!(stack.region.value, "us-west-2");
    assert_eq!(stack.network.vpc.value, "a$b");
    let loaded =
        World::new().with("s.yaml", format!("{BASE}tags: {{ a: x-${{NOT_THERE}}-y }}\n")).load("s.yaml");
    assert_eq!(loaded.diagnostics.len(), 1);
    assert_eq!(loaded.diagnostics[0].code, "E0112");
    assert_eq!(loaded.diagnostics[0].origin, Some(origin("s.yaml", 10, 14, 12)));
}

#[test]
fn set_overrides_one_value_and_is_its_origin() {
    let world = World::new().with("s.yaml", BASE);
    let set = ["instance.type=t4g.medium", "tags.a.b=c:d", "network.allow_postgres_from=[10.0.0.0/8]"];
    let loaded = world.load_with("s.yaml", &set);
    assert_eq!(loaded.diagnostics, vec![]);
    let stack = loaded.stack.unwrap();
    assert_eq!(stack.instance.r#type.value.memory_gib, 4.0);
    assert_eq!(stack.instance.r#type.origin, origin("--set", 1, 15, 10));
    assert_eq!(stack.tags["a.b"].value, "c:d");
    assert_eq!(stack.network.allow_postgres_from[0].origin, origin("--set", 3, 30, 10));
    assert_eq!(loaded.sources["--set"].lines().count(), 3);
}

#[test]
fn an_unknown_path_in_set_names_the_nearest_key() {
    let loaded =
        World::new().with("s.yaml", BASE).load_with("s.yaml", &["instance.tpye=t4g.small", "volum.size=1"]);
    let found: Vec<_> =
        loaded.diagnostics.iter().map(|d| (d.origin.clone().unwrap(), d.fix.clone().unwrap())).collect();
    assert_eq!(
        found,
        [
            (origin("--set", 1, 10, 4), "Did you mean `type`?".to_owned()),
            (origin("--set", 2, 1, 5), "Did you mean `volume`?".to_owned()),
        ]
    );
}

#[test]
fn new_stack_files_load_without_a_finding_and_name_every_option() {
    for (name, id) in
        [("lighthouse", "lighthouse-dev"), ("lighthouse-prod", "lighthouse-prod"), ("a-b", "a-b-dev")]
    {
        let text = lh_spec::new_stack_file(name).unwrap();
        let loaded = World::new().with("s.yaml", text.as_str()).load("s.yaml");
        assert_eq!(loaded.diagnostics, vec![], "{text}");
        assert_eq!(loaded.stack.unwrap().id().to_string(), id);
        assert!(!text.contains('@') || !text.contains("@NAME@"), "{text}");
    }
    assert_eq!(lh_spec::new_stack_file("No Name").unwrap_err().code, "E0201");
    assert_eq!(lh_spec::new_stack_file(&"a".repeat(40)).unwrap_err().code, "E0202");
}

/// With the comment signs removed, the options of a new file are a valid stack, section by section.
#[test]
fn the_options_in_a_new_stack_file_are_known_keys() {
    let text = lh_spec::new_stack_file("lighthouse").unwrap();
    let (head, rest) = text.split_once("state:").unwrap();
    let is_option = |line: &str| {
        let key = line.trim_start().split(':').next().unwrap_or_default();
        line.contains(':') && !key.is_empty() && key.chars().all(|c| c.is_ascii_lowercase() || c == '_')
    };
    let uncommented: String = rest
        .lines()
        .filter_map(|line| match line.trim_start().strip_prefix("# ") {
            Some(comment) => is_option(comment).then(|| line.replacen("# ", "", 1)),
            None => Some(line.to_owned()),
        })
        .map(|line| format!("{line}\n"))
        .collect();
    let loaded = World::new().with("s.yaml", format!("{head}state:{uncommented}")).load("s.yaml");
    let unknown: Vec<_> = loaded
        .diagnostics
        .iter()
        .filter(|d| ["E0102", "E0120", "E0122"].contains(&d.code.as_str()))
        .collect();
    assert!(unknown.is_empty(), "{unknown:#?}");
    for key in
        ["cold_after_days", "bastion", "kms_key", "log_retention_days", "ttl", "disable_api_termination"]
    {
        assert!(loaded.sources["s.yaml"].contains(key));
    }
}

#[test]
fn warnings_alone_do_not_refuse_a_stack() {
    let text =
        BASE.replace("timescaledb:2.17.2-pg16", "timescaledb:latest-pg16").replace("us-east-1", "us-east-7");
    let loaded = World::new().with("s.yaml", text).load("s.yaml");
    assert!(loaded.stack.is_some());
    let codes: Vec<_> = loaded.diagnostics.iter().map(|d| (d.code.as_str(), d.severity)).collect();
    assert_eq!(codes, [("W0204", Severity::Warning), ("W0405", Severity::Warning)]);
}

#[test]
fn variables_need_no_quotes_inside_braces_and_brackets() {
    let text = BASE
        .replace("key_name: lighthouse-dev", "key_name: ${KEY:-a: b}")
        .replace("allow_from: [203.0.113.7/32]", "allow_from: [${IP}/32]");
    let loaded = World::new()
        .with("s.yaml", text)
        .env("KEY", "{ not: structure }")
        .env("IP", "192.0.2.1")
        .load("s.yaml");
    let found: Vec<_> = loaded.diagnostics.iter().map(|d| d.message.as_str()).collect();
    assert_eq!(found, Vec::<&str>::new());
    let ssh = loaded.stack.unwrap().ssh;
    assert_eq!(ssh.key_name.unwrap().value, "{ not: structure }");
    assert_eq!(ssh.allow_from[0].origin, origin("s.yaml", 9, 45, 8));
}
