//! `instance`: the server.

use lh_model::Diagnostic;

use super::between;
use crate::{
    checks::image,
    codes, instance_types,
    reader::Section,
    stack::{Instance, Interruption, Placed, Purchase, RootVolume},
};

/// GiB: room for Ubuntu, Docker, and two images of the database while it is upgraded.
const ROOT_SIZE: u32 = 16;

pub(crate) fn read(top: &mut Section, protect: &Placed<bool>) -> Option<Instance> {
    top.require("instance", "The stack is one server", "instance: { type: t4g.small }");
    let mut section = top.section("instance", "instance: { type: t4g.small }")?;
    let origin = section.origin();
    section.require("type", "The server's size is the main part of its cost", "type: t4g.small");
    let r#type = section.parsed("type", instance_types::find);
    if let Some(small) = r#type.as_ref().filter(|t| t.value.memory_gib < 1.0) {
        section.report(
            Diagnostic::warning(
                codes::LITTLE_MEMORY,
                format!("`{}` has {} GiB of memory", small.value.name, small.value.memory_gib),
            )
            .at(small.origin.clone())
            .because("Ubuntu, Docker and TimescaleDB together need about 1 GiB")
            .fix("Use `t4g.micro` or larger."),
        );
    }
    let purchase = purchase(&mut section);
    let image = machine_image(&mut section);
    let disable_api_termination = section.flag("disable_api_termination");
    let root_volume = root_volume(&mut section);
    section.finish();
    Some(Instance {
        r#type: r#type?,
        purchase: purchase.unwrap_or(Placed { value: Purchase::OnDemand, origin: origin.clone() }),
        image: image?,
        disable_api_termination: disable_api_termination.unwrap_or_else(|| protect.clone()),
        root_volume,
        origin,
    })
}

fn purchase(section: &mut Section) -> Option<Placed<Purchase>> {
    let spot = section.choice("purchase", &[("on-demand", false), ("spot", true)]);
    let interruption = interruption(section);
    if section.has("spot") && spot.as_ref().map_or(!section.has("purchase"), |spot| !spot.value) {
        // Not an error: `--set instance.purchase=on-demand`, or a file over a base, leaves it behind.
        let idle = Diagnostic::warning(codes::IDLE_SPOT, "`instance.spot` has no effect here")
            .because("Its options are for spot instances, and this one is on-demand")
            .fix("Write `purchase: spot`, or remove `spot`.");
        section.report(idle.at(section.origin_of("spot")));
    }
    Some(spot?.map(|spot| if spot { Purchase::Spot(interruption) } else { Purchase::OnDemand }))
}

/// Stopping keeps the instance, its address and its root volume, so it is the default.
fn interruption(section: &mut Section) -> Interruption {
    let Some(mut spot) = section.section("spot", "spot: { interruption: stop }") else {
        return Interruption::Stop;
    };
    let choices = [("stop", Interruption::Stop), ("terminate", Interruption::Terminate)];
    let interruption = spot.choice("interruption", &choices);
    spot.finish();
    interruption.map_or(Interruption::Stop, |placed| placed.value)
}

fn machine_image(section: &mut Section) -> Option<Placed<String>> {
    let explicit = section.text("image", image::machine);
    let ubuntu = section.choice("ubuntu", &[("24.04", "24.04"), ("22.04", "22.04")]);
    section.exclude(
        "image",
        "ubuntu",
        "`image` names the whole machine image, `ubuntu` the release to take the newest of",
    );
    if explicit.is_some() || section.has("image") {
        return explicit;
    }
    let release = ubuntu.unwrap_or(Placed { value: "24.04", origin: section.origin() });
    Some(release.map(|release| {
        // Canonical publishes releases before 24.04 on gp2 snapshots; the root volume is gp3 all the same.
        let storage = if release == "22.04" { "ebs-gp2" } else { "ebs-gp3" };
        format!("/aws/service/canonical/ubuntu/server/{release}/stable/current/arm64/hvm/{storage}/ami-id")
    }))
}

fn root_volume(section: &mut Section) -> RootVolume {
    let origin = section.origin_of("root_volume");
    let (mut size, mut encrypted) = (None, None);
    if let Some(mut root) = section.section("root_volume", "root_volume: { size: 16 }") {
        size = root.whole(
            "size",
            "GiB",
            between(
                "instance.root_volume.size",
                8,
                16_384,
                "The root volume holds Ubuntu and Docker's images",
            ),
        );
        encrypted = root.flag("encrypted");
        root.finish();
    }
    RootVolume {
        size: size.unwrap_or(Placed { value: ROOT_SIZE, origin: origin.clone() }),
        encrypted: encrypted.unwrap_or(Placed { value: true, origin }),
    }
}
