//! What a status is made of, asked for: one question of a sort for all stacks of a region, and one
//! script on each host, all at the same time.

use futures_util::future::{join, join_all, join4};
use lh_aws::inspect::Inspector;
use lh_state::State;
use serde_json::Value;

use super::{
    Part, Status, parts,
    sight::{Common, Own, records},
};
use crate::{Deployment, host::Silence, verify::text};

/// The status of each stack of one cloud and region.
pub(super) async fn group(stacks: Vec<&Deployment>) -> Vec<Status> {
    let states = join_all(stacks.iter().map(|stack| stack.state())).await;
    let Some(first) = stacks.first() else { return Vec::new() };
    let clients = match first.cloud.clients(first.stack().region()).await {
        Ok(clients) => clients,
        Err(error) => return stacks.iter().map(|stack| closed(stack, &error.to_string())).collect(),
    };
    let inspector = Inspector::new(clients);
    let known: Vec<&State> = states.iter().flatten().collect();
    let of = |kind: &str| -> Vec<String> {
        known.iter().flat_map(|state| records(state, kind)).map(|record| record.id.0.clone()).collect()
    };
    let (instances, volumes, alarms) = (of("instance"), of("volume"), of("alarm"));
    let shared = join4(
        inspector.instances(&instances),
        inspector.volumes(&volumes),
        inspector.spot_requests(&instances),
        inspector.alarms(&alarms),
    );
    let own = join_all(stacks.iter().zip(&states).map(|(stack, state)| {
        let inspector = &inspector;
        async move {
            match state {
                Ok(state) => Ok(own(stack, state, inspector).await),
                Err(error) => Err(error.to_string()),
            }
        }
    }));
    let ((instances, volumes, spot, alarms), own) = join(shared, own).await;
    let common = Common { instances, volumes, spot, alarms, now: first.cloud.now() };
    let told = stacks.iter().zip(own).map(|(stack, own)| match own {
        Ok(own) => status(stack, parts::all(&own, &common)),
        Err(why) => closed(stack, &why),
    });
    told.collect()
}

/// What only this stack has to be asked.
async fn own<'s>(deployment: &'s Deployment, state: &'s State, inspector: &Inspector) -> Own<'s> {
    let points = async {
        let (plan, selection) =
            (records(state, "backup_plan").next()?, records(state, "backup_selection").next()?);
        let volume =
            selection.inputs.get("resources").and_then(|list| list.get(0)).and_then(Value::as_str)?;
        Some(inspector.recovery_points(text(&plan.inputs, "vault"), volume).await)
    };
    let dump = async {
        let dumps = deployment.stack().dumps.as_ref()?;
        records(state, "backup_plan").next()?;
        Some(inspector.newest_dump(&dumps.bucket, &dumps.prefix).await)
    };
    let host = async {
        match records(state, "instance").next() {
            Some(_) => deployment.host_sight().await,
            None => Err(Silence { reason: "the stack has no instance yet".to_owned(), fix: String::new() }),
        }
    };
    let (held, host, points, dump) = join4(deployment.lock_holder(), host, points, dump).await;
    Own { deployment, state, held, host, points, dump }
}

fn status(deployment: &Deployment, parts: Vec<Part>) -> Status {
    let stack = deployment.stack();
    Status {
        stack: stack.name().to_owned(),
        file: stack.file().to_owned(),
        region: stack.region().to_owned(),
        fine: parts.iter().all(|part| part.standing != super::Standing::Red),
        parts,
    }
}

/// The status of a stack of which nothing can be told, not even what it consists of.
fn closed(deployment: &Deployment, why: &str) -> Status {
    let part = |part: &'static str| match part {
        "state" => Part::red(part, why.to_owned(), serde_json::json!({})),
        _ => Part::unknown(part, "nothing is known without the state"),
    };
    status(deployment, Vec::from(super::PARTS.map(part)))
}
