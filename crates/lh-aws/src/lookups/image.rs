//! `image {image, instance_type}` → `{id, architecture, root_device}`: the machine image, by id
//! or through a public SSM parameter. Once found it is pinned: a newer image replaces nothing.

use lh_kind::{CloudError, ErrorKind, Probe};
use lh_model::{Diagnostic, Map};

use super::{asked, failed, pinned, texts};
use crate::{clients::Clients, error::Named, kinds::ec2::query::filter};

/// What it may call.
pub(super) const CALLS: &[&str] = &["ssm:GetParameter", "ec2:DescribeImages"];
/// The only architecture of the instance types that a stack can have (Graviton).
const ARCHITECTURE: &str = "arm64";

/// Answers it; with a pinned answer to the same question, without any call.
pub(super) async fn answer(clients: &Clients, probe: &Probe) -> Result<Map, Diagnostic> {
    let lookup = &probe.lookup;
    let image = asked(lookup, "image").unwrap_or_default();
    let same_question = pinned(probe, "image") == Some(image) && pinned(probe, "id").is_some();
    if let Some(answer) = probe.pinned.as_ref().filter(|_| same_question) {
        return Ok(answer.clone());
    }
    let id = if image.starts_with("ami-") {
        image.to_owned()
    } else {
        match read_path(clients, image).await {
            Ok(Some(id)) => id,
            Ok(None) => return Err(no_parameter(probe, image)),
            Err(error) => return Err(failed(lookup, &error)),
        }
    };
    let request = clients.ec2.describe_images().filters(filter("image-id", [id.clone()]));
    let answer = request.send().await.named(CALLS[1]).map_err(|error| failed(lookup, &error))?;
    let Some(found) = answer.images.unwrap_or_default().into_iter().next() else {
        return Err(Diagnostic::error("E0555", format!("there is no image `{id}` in this region"))
            .at(lookup.origin.clone())
            .because("an image belongs to one region and can be withdrawn by its owner")
            .fix("Name an image of this region, or leave `instance.image` out to use the newest Ubuntu."));
    };
    let architecture = found.architecture().map(|it| it.as_str()).unwrap_or_default();
    if architecture != ARCHITECTURE {
        let kind = asked(lookup, "instance_type").unwrap_or("Graviton");
        return Err(Diagnostic::error("E0556", format!("the image `{id}` is made for {architecture}"))
            .at(lookup.origin.clone())
            .because(format!("{kind} instances run {ARCHITECTURE} images only"))
            .fix(format!(
                "Name an {ARCHITECTURE} image, or leave `instance.image` out to use the newest Ubuntu."
            )));
    }
    let root = found.root_device_name().unwrap_or_default();
    Ok(texts([("id", &id), ("architecture", architecture), ("root_device", root), ("image", image)]))
}

/// The image id that a public parameter holds; `None` where there is no such parameter.
async fn read_path(clients: &Clients, path: &str) -> Result<Option<String>, CloudError> {
    match clients.ssm.get_parameter().name(path).send().await.named(CALLS[0]) {
        Ok(answer) => Ok(answer.parameter.and_then(|parameter| parameter.value)),
        Err(error) if error.kind == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

fn no_parameter(probe: &Probe, path: &str) -> Diagnostic {
    Diagnostic::error("E0555", format!("there is no SSM parameter `{path}` that names an image"))
        .at(probe.lookup.origin.clone())
        .because("an image is named by its id, `ami-…`, or by the path of an SSM parameter that holds the id")
        .fix("Set `instance.image` to the id of an arm64 image of this region.")
}
