//! The agents of Systems Manager on the instances: they report, take commands, and tell how they
//! end. What they do on a host is done through the port [`Hosts`], while the world is not locked.
//!
//! Agents have no life of their own: they are visited before and after the operations that need
//! them. A command that no agent took, because the process died, is taken at the next visit.

use crate::connector::Exchange;
use crate::filters::like;
use crate::hosts::{HostFacts, HostRun, Hosts, Upload};
use crate::s3;
use crate::store::SimError;
use crate::world::{
    Agent, AttachmentState, Command, CommandEnd, Iam, Instance, InstanceState, Millis, Region, World,
};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use std::collections::BTreeMap;

/// "The first 24,000 characters written by the plugin to stdout":
/// <https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_GetCommandInvocation.html>.
const MOST_OUT: usize = 24_000;
/// "The first 8,000 characters written by the plugin to stderr."
const MOST_ERR: usize = 8_000;
/// How many commands of a region are remembered; AWS keeps them for 30 days, and no file small.
const REMEMBERED: usize = 100;
/// Managed policies under which an agent may report.
const POLICIES: [&str; 2] = ["AmazonSSMManagedInstanceCore", "AmazonEC2RoleforSSM"];
/// What an agent needs to be allowed, in a policy of the user's own.
const REPORTING: &str = "ssm:UpdateInstanceInformation";

/// What was heard on one visit.
struct Visit {
    online: BTreeMap<String, bool>,
    commands: Vec<Command>,
    uploads: Vec<Upload>,
}

/// Lets the agents of `region` do what they have to do now.
pub(crate) fn visit(exchange: &Exchange, region: &str) -> Result<(), SimError> {
    let hosts = exchange.hosts();
    let world = exchange.store().latest().clone();
    let Some(here) = world.region(region) else { return Ok(()) };
    let visit = ask(hosts.as_ref(), &world, here, region);
    if !changes(here, &visit) {
        return Ok(());
    }
    exchange.store().transact(|world| (note(world, region, visit), true))
}

/// Asks the hosts, and tells them what they have to do.
fn ask(hosts: &dyn Hosts, world: &World, here: &Region, region: &str) -> Visit {
    let facts: BTreeMap<&String, HostFacts> = here
        .instances
        .values()
        .filter(|it| it.state == InstanceState::Running && may_report(&world.iam, it))
        .map(|it| (&it.id, facts(here, region, it)))
        .collect();
    let online: BTreeMap<String, bool> = here
        .instances
        .keys()
        .map(|id| (id.clone(), facts.get(id).is_some_and(|host| hosts.is_online(host))))
        .collect();
    let reach = |id: &String| facts.get(id).filter(|_| online.get(id) == Some(&true));
    let commands = here.commands.values().filter(|command| command.end.is_none());
    let commands: Vec<Command> =
        commands.map(|command| further(hosts, reach(&command.instance_id), command, world.now)).collect();
    // Only a command puts anything anywhere.
    let ended = commands.iter().any(|command| command.end.is_some());
    let uploads = if ended { hosts.uploads() } else { Vec::new() };
    Visit { online, commands, uploads }
}

/// A command, one step further.
fn further(hosts: &dyn Hosts, host: Option<&HostFacts>, command: &Command, now: Millis) -> Command {
    let mut command = command.clone();
    let ended = |details: &str, code: i32, out: &str, err: &str| {
        let most = |text: &str, most: usize| text.chars().take(most).collect();
        let (out, err) = (most(out, MOST_OUT), most(err, MOST_ERR));
        Some(CommandEnd { at: now, details: details.to_owned(), code, out, err })
    };
    match (command.taken_at, host) {
        (None, _) if command.cancelled => command.end = ended("Cancelled", -1, "", ""),
        (None, _) if now > command.sent_at + command.delivery_timeout => {
            command.end = ended("DeliveryTimedOut", -1, "", "");
        }
        (None, Some(host)) => {
            command.taken_at = Some(now);
            if let Err(why) = hosts.begin(host, &command.id, &command.script) {
                command.end = ended("Failed", 1, "", &why);
            }
        }
        (Some(taken), Some(host)) => match hosts.look(host, &command.id) {
            HostRun::Ended { status: 0, out, err } => command.end = ended("Success", 0, &out, &err),
            HostRun::Ended { status, out, err } => command.end = ended("Failed", status, &out, &err),
            HostRun::Running | HostRun::Unknown => {
                let late = now > taken + command.execution_timeout;
                if late || command.cancelled {
                    hosts.cancel(host, &command.id);
                    let details = if late { "ExecutionTimedOut" } else { "Cancelled" };
                    command.end = ended(details, -1, "", "");
                }
            }
        },
        (Some(taken), None) if now > taken + command.execution_timeout => {
            command.end = ended("ExecutionTimedOut", -1, "", "");
        }
        _ => {}
    }
    if command.end.is_some() {
        command.script.clear();
    }
    command
}

fn changes(here: &Region, visit: &Visit) -> bool {
    let flips = |(id, online): (&String, &bool)| here.agents.get(id).is_some_and(|it| it.online) != *online;
    visit.online.iter().any(flips)
        || visit.commands.iter().any(|command| here.commands.get(&command.id) != Some(command))
}

/// Writes down what was heard. What another process heard meanwhile stands.
fn note(world: &mut World, region: &str, visit: Visit) {
    let now = world.now;
    let here = world.region_mut(region);
    for (id, online) in visit.online {
        match here.agents.get_mut(&id) {
            Some(agent) => {
                agent.online = online;
                agent.last_ping = if online { now } else { agent.last_ping };
            }
            None if online => {
                here.agents.insert(id, Agent { registered_at: now, last_ping: now, online });
            }
            None => {}
        }
    }
    for heard in visit.commands {
        if let Some(command) = here.commands.get_mut(&heard.id).filter(|command| command.end.is_none()) {
            let cancelled = command.cancelled;
            *command = Command { cancelled, ..heard };
        }
    }
    forget(here);
    for upload in &visit.uploads {
        s3::take(world, upload);
    }
}

fn forget(here: &mut Region) {
    while here.commands.len() > REMEMBERED {
        let done = here.commands.values().filter(|command| command.end.is_some());
        let Some(oldest) = done.min_by_key(|command| command.sent_at).map(|it| it.id.clone()) else { break };
        here.commands.remove(&oldest);
    }
}

/// What a host is told of its instance.
pub(crate) fn facts(here: &Region, region: &str, instance: &Instance) -> HostFacts {
    let data = here.volumes.values().filter(|volume| {
        volume.attachment.as_ref().is_some_and(|at| {
            at.instance_id == instance.id
                && at.device != instance.launch.root_device
                && at.state == AttachmentState::Attached
        })
    });
    let user_data = instance.launch.user_data.as_ref();
    HostFacts {
        instance: instance.id.clone(),
        region: region.to_owned(),
        user_data: user_data.and_then(|text| STANDARD.decode(text).ok()).unwrap_or_default(),
        volumes: data.map(|volume| (volume.id.clone(), volume.size)).collect(),
    }
}

/// Whether the role in the instance's profile lets its agent report:
/// <https://docs.aws.amazon.com/systems-manager/latest/userguide/setup-instance-permissions.html>.
fn may_report(iam: &Iam, instance: &Instance) -> bool {
    let profile = instance.launch.profile.as_ref().and_then(|name| iam.profiles.get(name));
    let role = profile.and_then(|profile| profile.role.as_ref()).and_then(|name| iam.roles.get(name));
    role.is_some_and(|role| {
        let managed = |arn: &String| arn.rsplit('/').next().is_some_and(|name| POLICIES.contains(&name));
        role.attached.iter().any(managed) || role.inline.values().any(|text| allows_reporting(text))
    })
}

fn allows_reporting(policy: &str) -> bool {
    let Ok(policy) = serde_json::from_str::<serde_json::Value>(policy) else { return false };
    let many = |value: &serde_json::Value| match value {
        serde_json::Value::Array(all) => all.clone(),
        other => vec![other.clone()],
    };
    many(&policy["Statement"]).iter().any(|statement| {
        let actions = many(&statement["Action"]);
        statement["Effect"] == "Allow"
            && actions.iter().filter_map(|action| action.as_str()).any(|action| like(action, REPORTING))
    })
}
