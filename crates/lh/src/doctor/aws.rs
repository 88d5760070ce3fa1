//! Rows that a plan does not need: permissions, the way out of the subnet, the budget of
//! modifications, who is told of alarms.

use futures_util::future::join4;
use lh_aws::inspect::{Allowed, Inspector, Rehearsal, WayOut};
use lh_db::{Check, Problem, Verdict};
use lh_model::{Map, Origin, Resource};
use lh_state::State;
use serde_json::Value;

use super::capitalised;
use crate::{
    Deployment, Error,
    verify::{span, text},
};

/// A volume can be modified so often in 24 hours:
/// <https://docs.aws.amazon.com/ebs/latest/userguide/modify-volume-requirements.html>.
const MODIFICATIONS: u32 = 4;

/// What a lookup of this name found.
type Found<'f> = dyn Fn(&str) -> Option<&'f Map> + 'f;

impl Deployment {
    /// The rows that AWS has to be asked for besides.
    pub(super) async fn ask_aws<'f>(
        &self,
        state: Option<&State>,
        found: &Found<'f>,
    ) -> Result<Vec<Check>, Error> {
        let region = self.stack().region();
        let inspector = Inspector::new(self.cloud.clients(region).await?);
        let rehearsing = self.cloud.clients(region).await?;
        let permissions = async {
            match self.rehearsal(found) {
                Some(rehearsal) => permitted(&Inspector::rehearse(rehearsing, &rehearsal).await),
                None => {
                    skipped("Network and image were not found, and nothing can be rehearsed without them")
                }
            }
        };
        let subscriptions = async {
            match state {
                Some(state) => self.check_subscriptions(state).await,
                None => skipped("Nothing is known without the state"),
            }
        };
        let (permissions, egress, budget, subscriptions) =
            join4(permissions, self.egress(&inspector, found), self.budget(&inspector, state), subscriptions)
                .await;
        let network = self.stack().desired.lookups.iter().find(|lookup| lookup.name == "network");
        let network = network.and_then(|lookup| lookup.origin.clone());
        let place = |address: &str| self.wanted(address).and_then(|wanted| wanted.origin.clone());
        let quotas = "Not asked: quotas are in Service Quotas, under `Running On-Demand Standard instances` and `All Standard Spot Instance Requests`; an instance type that goes beyond them is refused when it starts";
        let row = |name: &str, chapter: &str, verdict: Verdict, origin: Option<Origin>| {
            Check::of(name, chapter, verdict).at(origin)
        };
        Ok(vec![
            row("permissions", "account", permissions, None),
            row("quotas", "account", skipped(quotas), None),
            row("egress", "network", egress, network),
            row("modification-budget", "plan", budget, place("volume.data")),
            row("subscriptions", "monitoring", subscriptions, self.emails()),
        ])
    }

    fn wanted(&self, address: &str) -> Option<&Resource> {
        self.stack().desired.resources.iter().find(|resource| resource.address.to_string() == address)
    }

    /// Where the addresses stand that alarms are sent to.
    fn emails(&self) -> Option<Origin> {
        let mut all = self.stack().desired.resources.iter();
        all.find(|resource| resource.address.kind() == "subscription").and_then(|one| one.origin.clone())
    }

    fn rehearsal(&self, found: &Found<'_>) -> Option<Rehearsal> {
        let (network, image) = (found("network")?, found("image")?);
        let size = self.wanted("volume.data")?.props.get("size").and_then(Value::as_i64)?;
        Some(Rehearsal {
            vpc: text(network, "vpc_id").to_owned(),
            subnet: text(network, "subnet_id").to_owned(),
            zone: text(network, "zone").to_owned(),
            image: text(image, "id").to_owned(),
            instance_type: text(network, "instance_type").to_owned(),
            volume_size: i32::try_from(size).ok()?,
        })
    }

    /// Whether the instance reaches the internet: its packages, its container's image and SSM are
    /// there (the guide's defect 8).
    async fn egress(&self, inspector: &Inspector, found: &Found<'_>) -> Verdict {
        let Some(network) = found("network") else { return skipped("The subnet was not found") };
        let (vpc, subnet) = (text(network, "vpc_id"), text(network, "subnet_id"));
        let way = inspector.way_out(vpc, subnet).await.map_err(|error| unanswered(&error.to_string()))?;
        let (way, gives) = way;
        let public = gives || self.wanted("elastic_ip.main").is_some();
        if let Some((why, fix)) = way.obstacle(subnet, public) {
            return Err(Problem::failed(capitalised(&why), fix));
        }
        Ok(vec![match way {
            WayOut::Gateway(target) => format!("{subnet}: by {target}, with a public address"),
            WayOut::Through(target) | WayOut::Blackhole(target) => format!("{subnet}: by {target}"),
            WayOut::None => subnet.to_owned(),
        }])
    }

    /// Whether the volume can be modified, where the stack file asks for that. AWS shows the last
    /// modification alone: how many there were in these 24 hours cannot be read.
    async fn budget(&self, inspector: &Inspector, state: Option<&State>) -> Verdict {
        let recorded = state.and_then(|state| {
            state.resources.iter().find(|(address, _)| address.to_string() == "volume.data")
        });
        let Some((_, record)) = recorded else { return skipped("No volume is recorded") };
        let id = &record.id.0;
        let all = inspector.modifications(id).await.map_err(|error| unanswered(&error.to_string()))?;
        let Some((at, state)) = all.iter().max_by_key(|(at, _)| *at) else {
            return Ok(vec![format!("{id} was never modified")]);
        };
        let ago = span(self.cloud.now() - at);
        let evidence =
            format!("{id} was modified {ago} ago: {state}; EBS allows {MODIFICATIONS} times in 24 hours");
        let wanted = self.wanted("volume.data").map(|wanted| &wanted.props);
        let differs =
            |field: &str| wanted.is_some_and(|wanted| wanted.get(field) != record.inputs.get(field));
        let changes = ["size", "type", "iops", "throughput"].into_iter().any(differs);
        match state.as_str() {
            "modifying" | "optimizing" if changes => Err(Problem::Failed(
                format!("{id} is still {state}, and the stack file asks for another change of it"),
                "Wait until it is done, hours for a large volume: `lhctl status STACK` shows how far it is."
                    .to_owned(),
                vec![evidence],
            )),
            _ => Ok(vec![evidence]),
        }
    }
}

fn skipped(why: &str) -> Verdict {
    Err(Problem::Skipped(why.to_owned()))
}

fn unanswered(error: &str) -> Problem {
    Problem::failed(
        format!("AWS did not answer the question: {error}"),
        "Give these credentials the reads that docs/commands.md lists for `doctor`.",
    )
}

/// What dry runs say of permissions. For services other than EC2 there is no such question.
fn permitted(answers: &[(&'static str, Allowed)]) -> Verdict {
    let line = |(operation, allowed): &(&'static str, Allowed)| match allowed {
        Allowed::Yes => format!("{operation} is allowed"),
        Allowed::No(why) => format!("{operation} is not allowed: {why}"),
        Allowed::Unsure(why) => format!("{operation} was not answered: {why}"),
    };
    let mut evidence: Vec<String> = answers.iter().map(line).collect();
    evidence.push(
        "EC2 alone has dry runs; `lhctl plan STACK --policy` prints all that the plan needs".to_owned(),
    );
    let of = |wanted: fn(&Allowed) -> bool| -> Vec<&str> {
        answers.iter().filter(|(_, allowed)| wanted(allowed)).map(|(operation, _)| *operation).collect()
    };
    let denied = of(|allowed| matches!(allowed, Allowed::No(_)));
    if denied.is_empty() {
        return Ok(evidence);
    }
    Err(Problem::Failed(
        format!("These credentials may not call {}", denied.join(", ")),
        "Attach the policy that `lhctl plan STACK --policy` prints.".to_owned(),
        evidence,
    ))
}
