//! The forms that a plan has: of a part, of the state alone, as Markdown, as a page, as a policy,
//! and of all stacks together.

use serde_json::Value;

use crate::{place::Place, transcript};

#[test]
fn a_part_says_that_it_is_one() {
    let place = Place::new();
    let commands = [
        "plan --local stacks/dev.yaml --target parameter.password",
        "plan --local stacks/dev.yaml --target volume.dta",
        "plan --local stacks/dev.yaml --target volume",
        "apply --local stacks/dev.yaml --target security_group_rule.ssh-203.0.113.7/32 --auto-approve",
        "state list --local stacks/dev.yaml",
    ];
    transcript::check("targets", &place, &commands);
    place.run("apply --local stacks/dev.yaml --auto-approve").expect(0).says("12 added");
}

#[test]
fn a_part_is_kept_as_one() {
    let place = Place::new();
    place.run("plan --local stacks/dev.yaml --target volume.data --out part.plan").expect(0);
    place.run("apply --local part.plan --auto-approve").expect(0).says("1 added").says("partial:");
    place
        .run("apply --local part.plan --auto-approve --target volume.data")
        .expect(1)
        .says("have no meaning with a saved plan");
}

#[test]
fn a_refresh_takes_what_is_there_into_the_state() {
    let place = Place::applied();
    let id = place.id("volume.data");
    place.meddle(|region| region["volumes"][&id]["size"] = 25.into());
    let world = place.world();
    let commands = [
        "plan --local stacks/dev.yaml --refresh-only",
        "apply --local stacks/dev.yaml --refresh-only --auto-approve",
        "plan --local stacks/dev.yaml --refresh-only",
        "plan --local stacks/dev.yaml --set volume.size=25",
    ];
    transcript::check("refresh", &place, &commands);
    assert_eq!(place.world()["regions"]["us-east-1"]["volumes"], world["regions"]["us-east-1"]["volumes"]);
}

#[test]
fn markdown_for_a_pull_request() {
    let place = Place::applied();
    let commands = [
        "plan --local stacks/dev.yaml --markdown --set volume.size=30 --set network.allow_postgres_from=[192.0.2.0/24]",
    ];
    transcript::check("markdown", &place, &commands);
}

#[test]
fn a_page_that_needs_nothing_else() {
    let place = Place::new();
    place.run("plan --local stacks/dev.yaml --html plan.html").expect(0).says("The page is in plan.html.");
    let page = place.text("plan.html");
    for text in
        ["<!doctype html>", "Data at risk", "14 resources of 12 kinds", "volume.data", "stacks/dev.yaml:20:1"]
    {
        assert!(page.contains(text), "no {text}");
    }
    for text in ["<script", "http://", "https://", "src=", "@import", "url("] {
        assert!(!page.contains(text), "{text}");
    }
    place.run("plan --local stacks/dev.yaml --html nowhere/plan.html").expect(1).says("cannot be written");
}

#[test]
fn guide_defect_17_a_policy_is_json_and_allows_what_the_plan_lists() {
    let place = Place::new();
    let policy = place.run("plan --local stacks/dev.yaml --policy").expect(0).json();
    assert_eq!(policy["Version"], "2012-10-17");
    let allowed: Vec<&Value> = policy["Statement"]
        .as_array()
        .unwrap()
        .iter()
        .flat_map(|s| s["Action"].as_array().unwrap())
        .collect();
    for operation in place.plan("")["operations"].as_array().unwrap() {
        assert!(allowed.contains(&operation), "{operation} is planned and not allowed");
    }
    place.run("plan --local --policy").expect(1).says("A policy is of one stack");
    place.run("plan --local stacks/dev.yaml --policy --json").expect(1);
}

#[test]
fn all_stacks_are_read_together() {
    let place = Place::new();
    let text = place.text("stacks/dev.yaml");
    std::fs::remove_file(place.path("stacks/prod.yaml")).unwrap();
    for name in ["amber", "birch"] {
        place.write(
            &format!("stacks/{name}.yaml"),
            &text.replace("name: lighthouse\n", &format!("name: {name}\n")),
        );
    }
    let ended = place.run("plan --local").expect(0);
    for name in ["amber-dev", "birch-dev", "lighthouse-dev"] {
        assert!(ended.out.contains(&format!("{name} in us-east-1")), "{}", ended.out);
    }
    assert_eq!(ended.err.matches("Reading AWS").count(), 1, "{}", ended.err);
    assert_eq!(place.run("plan --local --json").expect(0).json().as_array().unwrap().len(), 3);
    place.run("plan --local --html all.html").expect(0);
    assert_eq!(place.text("all.html").matches("<section>").count(), 3);
    for option in ["--out x.plan", "--target volume.data", "--refresh-only"] {
        place.run(&format!("plan --local {option}")).expect(1).says("3 stacks were found");
    }
}

#[test]
fn a_value_is_explained_layer_by_layer() {
    let place = Place::new();
    place.write("stacks/base.yaml", "volume: { size: ${GIB:-10}, iops: 4000 }\ntags: { Owner: base }\n");
    let text = place.text("stacks/dev.yaml");
    place.write("stacks/dev.yaml", &format!("extends: base.yaml\ntags: {{ Team: db }}\n{text}"));
    let commands = [
        "explain stacks/dev.yaml volume.size",
        "explain stacks/dev.yaml volume.size --set volume.size=40",
        "explain stacks/dev.yaml volume.size --json",
        "explain stacks/dev.yaml volume.iops",
        "explain stacks/dev.yaml tags",
        "explain stacks/dev.yaml tags.Team",
        "explain stacks/dev.yaml volume.throughput",
        "explain stacks/dev.yaml volume.sise",
        "explain stacks/nope.yaml volume.size",
    ];
    transcript::check("explain", &place, &commands);
    place.edit("  size: 20 ", "  size: ${GIB} ");
    place.with(&[("GIB", "33")], "explain stacks/dev.yaml volume.size").expect(0).says("volume.size = 33");
    place.run("explain stacks/dev.yaml volume.size").expect(4);
}

#[test]
fn the_graph_is_drawn_in_three_languages() {
    let place = Place::new();
    let dot = place.run("graph stacks/dev.yaml").expect(0).out;
    assert!(dot.starts_with("digraph \"lighthouse-dev\" {"));
    assert!(dot.contains("\"volume.data\" -> \"volume_attachment.data\";"), "{dot}");
    let mermaid = place.run("graph stacks/dev.yaml --format mermaid").expect(0).out;
    assert!(mermaid.starts_with("flowchart LR\n") && mermaid.contains("[\"volume.data\"]"));
    let svg = place.run("graph stacks/dev.yaml --format svg").expect(0).out;
    assert!(svg.starts_with("<svg ") && svg.ends_with("</svg>\n") && !svg.contains("<script"));
    assert_eq!(svg.matches("<text").count(), 14);
    assert!(!place.path(".lhctl").exists(), "drawing needs no AWS");
}
