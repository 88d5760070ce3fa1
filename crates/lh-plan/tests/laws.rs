//! Laws, tried on random stacks.
#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests may fail as tests do")]

mod support;

use lh_plan::{Act, Mode, StepId};
use lh_testkit::{Bench, ToyStack, stack::reference};
use proptest::prelude::*;
use serde_json::json;
use support::*;

fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(future)
}

/// Which of the earlier resources each one comes after.
fn dag() -> impl Strategy<Value = Vec<Vec<bool>>> {
    (1..12usize).prop_flat_map(|n| {
        (0..n).map(|i| prop::collection::vec(prop::bool::weighted(0.3), i)).collect::<Vec<_>>()
    })
}

/// Groups and secrets whose names say nothing about their order.
fn stack_of(dag: &[Vec<bool>]) -> ToyStack {
    let name =
        |i: usize| format!("{}.n{}", if i.is_multiple_of(3) { "secret" } else { "group" }, (i * 7) % 12);
    let mut stack = ToyStack::empty();
    for (i, after) in dag.iter().enumerate() {
        stack = stack.with(&name(i), json!({"name": name(i), "description": "", "tags": {}}));
        for (j, _) in after.iter().enumerate().filter(|(_, after)| **after) {
            stack = stack.after(&name(i), &name(j));
        }
    }
    stack
}

/// A reference stack with random wishes.
fn wishes() -> impl Strategy<Value = ToyStack> {
    let tags = prop::collection::btree_map("[A-C]", "[a-c]{0,2}", 0..3);
    let parts = prop::collection::vec(any::<bool>(), 5);
    (20..40u64, any::<bool>(), "[a-c]{1,2}", "[a-c]{0,3}", 1..4u16, tags, parts).prop_map(
        |(size, large, image, note, port, tags, parts)| {
            let mut stack = ToyStack::reference()
                .set("disk.data", "size", json!(size))
                .set("server.main", "type", json!(if large { "large" } else { "small" }))
                .set("server.main", "image", json!(image))
                .set("server.main", "tags", json!(tags))
                .set("secret.password", "tags", json!(tags))
                .set("rule.db", "note", json!(note))
                .set("rule.ssh", "port", json!(port));
            let optional = ["address.main", "mount.data", "rule.ssh", "rule.db", "secret.password"];
            for (address, _) in optional.iter().zip(parts).filter(|(_, keep)| !keep) {
                stack = stack.without(address);
            }
            stack
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn each_step_comes_after_what_it_needs_and_goes_before_it(dag in dag()) {
        let stack = stack_of(&dag);
        block_on(async {
            let bench = Bench::new();
            let up = plan(&bench, &stack).await;
            is_sound(&up);
            assert_eq!(up.counts().0, stack.0.resources.len());
            bench.apply(&stack.0).await;
            let down = destroy(&bench, &stack, DESTROY).await;
            is_sound(&down);
            for resource in &stack.0.resources {
                for needed in resource.needs() {
                    let create = step(&up, Act::Create, &resource.address.to_string());
                    assert!(create.requires.contains(&StepId::new(Act::Create, &needed)));
                    let delete = step(&down, Act::Delete, &needed.to_string());
                    assert!(delete.requires.contains(&StepId::new(Act::Delete, &resource.address)));
                }
            }
            bench.settle(&stack.0, DESTROY).await;
            assert!(bench.cloud.census().is_empty());
        });
    }

    #[test]
    fn a_plan_after_apply_is_empty_whatever_is_wished(wishes in prop::collection::vec(wishes(), 1..4)) {
        block_on(async {
            let bench = Bench::new();
            let mut size = 0;
            for stack in wishes {
                // Disks only grow.
                let wanted = stack.0.resources.iter().find(|r| r.address.kind() == "disk").unwrap();
                size = size.max(wanted.props["size"].as_u64().unwrap());
                let stack = stack.set("disk.data", "size", json!(size));
                let before = plan(&bench, &stack).await;
                is_sound(&before);
                bench.apply(&stack.0).await;
                let after = plan(&bench, &stack).await;
                assert!(after.is_empty() && after.refusals.is_empty(), "{:?}", words(&after));
                assert!(after.drift.is_empty(), "{:?}", after.drift);
                assert_eq!(after.cost_before.text(), after.cost_after.text());
                assert_eq!(before.cost_after.text(), after.cost_after.text());
            }
        });
    }

    #[test]
    fn a_plan_is_the_same_however_often_it_is_made(stack in wishes()) {
        block_on(async {
            let bench = applied(&ToyStack::reference().set("disk.data", "size", json!(20))).await;
            let (one, two) = (plan(&bench, &stack).await, plan(&bench, &stack).await);
            assert_eq!(one, two);
            assert_eq!(one.mode, Mode::Apply);
        });
    }
}

#[test]
fn a_need_without_a_property_is_kept_as_well() {
    block_on(async {
        let stack = ToyStack::reference().after("disk.data", "secret.password");
        let plan = plan(&Bench::new(), &stack).await;
        assert!(place(&plan, "create secret.password") < place(&plan, "create disk.data"));
        assert_eq!(reference("a.b", "id"), json!({"$ref": "a.b#id"}));
    });
}
