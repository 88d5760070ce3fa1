//! The Graviton instance types, as data: the database's settings follow from their memory.
//! <https://docs.aws.amazon.com/ec2/latest/instancetypes/>

use lh_model::Diagnostic;

use crate::{
    codes,
    reader::{Checked, clip},
    spelling::nearest,
};

/// An instance type with what the host needs to know of it.
#[derive(Clone, Debug, PartialEq)]
pub struct InstanceType {
    /// Such as `t4g.micro`.
    pub name: String,
    /// Virtual CPUs.
    pub vcpus: u32,
    /// Memory in GiB.
    pub memory_gib: f64,
}

/// Families whose memory is a fixed number of GiB for each vCPU: name, ratio, first and last size.
const FAMILIES: &[(&str, f64, &str, &str)] = &[
    ("a1", 2.0, "medium", "4xlarge"),
    ("m6g", 4.0, "medium", "16xlarge"),
    ("m6gd", 4.0, "medium", "16xlarge"),
    ("m7g", 4.0, "medium", "16xlarge"),
    ("m7gd", 4.0, "medium", "16xlarge"),
    ("m8g", 4.0, "medium", "48xlarge"),
    ("m8gd", 4.0, "medium", "48xlarge"),
    ("m8gn", 4.0, "medium", "48xlarge"),
    ("m8gb", 4.0, "medium", "48xlarge"),
    ("c6g", 2.0, "medium", "16xlarge"),
    ("c6gd", 2.0, "medium", "16xlarge"),
    ("c6gn", 2.0, "medium", "16xlarge"),
    ("c7g", 2.0, "medium", "16xlarge"),
    ("c7gd", 2.0, "medium", "16xlarge"),
    ("c7gn", 2.0, "medium", "16xlarge"),
    ("c8g", 2.0, "medium", "48xlarge"),
    ("c8gd", 2.0, "medium", "48xlarge"),
    ("c8gn", 2.0, "medium", "48xlarge"),
    ("c8gb", 2.0, "medium", "48xlarge"),
    ("r6g", 8.0, "medium", "16xlarge"),
    ("r6gd", 8.0, "medium", "16xlarge"),
    ("r7g", 8.0, "medium", "16xlarge"),
    ("r7gd", 8.0, "medium", "16xlarge"),
    ("r8g", 8.0, "medium", "48xlarge"),
    ("r8gd", 8.0, "medium", "48xlarge"),
    ("r8gn", 8.0, "medium", "48xlarge"),
    ("r8gb", 8.0, "medium", "48xlarge"),
    ("x2gd", 16.0, "medium", "16xlarge"),
    ("x8g", 16.0, "medium", "48xlarge"),
    ("i4g", 8.0, "large", "16xlarge"),
    ("im4gn", 4.0, "large", "16xlarge"),
    ("is4gen", 6.0, "medium", "8xlarge"),
    ("i8g", 8.0, "large", "48xlarge"),
    ("i8ge", 8.0, "large", "48xlarge"),
];

/// Sizes in ascending order with their vCPUs.
const SIZES: &[(&str, u32)] = &[
    ("medium", 1),
    ("large", 2),
    ("xlarge", 4),
    ("2xlarge", 8),
    ("4xlarge", 16),
    ("8xlarge", 32),
    ("12xlarge", 48),
    ("16xlarge", 64),
    ("24xlarge", 96),
    ("48xlarge", 192),
];

/// The burstable family, whose sizes follow no ratio: size, vCPUs, GiB.
const T4G: &[(&str, u32, f64)] = &[
    ("nano", 2, 0.5),
    ("micro", 2, 1.0),
    ("small", 2, 2.0),
    ("medium", 2, 4.0),
    ("large", 2, 8.0),
    ("xlarge", 4, 16.0),
    ("2xlarge", 8, 32.0),
];

/// Bare metal: type, vCPUs, GiB.
const METAL: &[(&str, u32, f64)] = &[
    ("m6g.metal", 64, 256.0),
    ("m6gd.metal", 64, 256.0),
    ("m7g.metal", 64, 256.0),
    ("m7gd.metal", 64, 256.0),
    ("c6g.metal", 64, 128.0),
    ("c6gd.metal", 64, 128.0),
    ("c7g.metal", 64, 128.0),
    ("c7gd.metal", 64, 128.0),
    ("c7gn.metal", 64, 128.0),
    ("r6g.metal", 64, 512.0),
    ("r6gd.metal", 64, 512.0),
    ("r7g.metal", 64, 512.0),
    ("r7gd.metal", 64, 512.0),
    ("x2gd.metal", 64, 1024.0),
    ("m8g.metal-24xl", 96, 384.0),
    ("m8g.metal-48xl", 192, 768.0),
    ("c8g.metal-24xl", 96, 192.0),
    ("c8g.metal-48xl", 192, 384.0),
    ("r8g.metal-24xl", 96, 768.0),
    ("r8g.metal-48xl", 192, 1536.0),
];

/// All known Graviton types.
pub fn all() -> Vec<InstanceType> {
    let t4g = T4G.iter().map(|(size, vcpus, memory)| (format!("t4g.{size}"), *vcpus, *memory));
    let metal = METAL.iter().map(|(name, vcpus, memory)| ((*name).to_owned(), *vcpus, *memory));
    let ratio = FAMILIES.iter().flat_map(|(family, ratio, first, last)| {
        let at = |size: &str| SIZES.iter().position(|(name, _)| *name == size).unwrap_or(0);
        let sizes = &SIZES[at(first)..=at(last)];
        sizes.iter().map(move |(size, vcpus)| (format!("{family}.{size}"), *vcpus, f64::from(*vcpus) * ratio))
    });
    let each = |(name, vcpus, memory_gib)| InstanceType { name, vcpus, memory_gib };
    t4g.chain(ratio).chain(metal).map(each).collect()
}

/// The Graviton type of this name.
pub(crate) fn find(text: &str) -> Checked<InstanceType> {
    let types = all();
    if let Some(found) = types.iter().find(|known| known.name == text) {
        return Ok(found.clone());
    }
    if is_x86(text) {
        return Err(Box::new(x86(text, &types)));
    }
    let near = nearest(text, types.iter().map(|known| known.name.as_str()));
    let fix = match near {
        Some(near) => format!("Did you mean `{near}`?"),
        None => "Choose a Graviton type, such as `t4g.small` or `m7g.large`.".to_owned(),
    };
    let finding = Diagnostic::error(codes::INSTANCE_TYPE, format!("`{}` is not a known Graviton instance type", clip(text)))
        .because("A type is a family such as `t4g` or `r7g`, a dot and a size; only types whose memory is known can be used")
        .fix(fix);
    Err(Box::new(finding))
}

/// A family's letters, generation and attributes: `c`, `7`, `gd`.
fn family_parts(family: &str) -> Option<(&str, &str)> {
    let digit = family.find(|c: char| c.is_ascii_digit())?;
    let rest = family[digit..].trim_start_matches(|c: char| c.is_ascii_digit());
    Some((&family[..digit], rest))
}

/// Whether the text has the shape of a type whose processor is Intel's or AMD's: their
/// attributes have no `g`, as in `t3.micro`, `m7i.large`, `c6a.large`.
fn is_x86(text: &str) -> bool {
    let letters = ["t", "m", "c", "r", "x", "i", "d", "h", "z", "u", "p", "inf", "trn", "f", "vt"];
    let Some((family, size)) = text.split_once('.') else { return false };
    let sized = ["nano", "micro", "small", "medium", "large", "metal"].iter().any(|word| size.contains(word));
    let shaped = |(letter, attributes): (&str, &str)| letters.contains(&letter) && !attributes.contains('g');
    sized && text.is_ascii() && family_parts(family).is_some_and(shaped)
}

fn x86(text: &str, types: &[InstanceType]) -> Diagnostic {
    let (family, size) = text.split_once('.').unwrap_or((text, "small"));
    let counterpart = match family.chars().next() {
        Some('m') => "m7g",
        Some('c') => "c7g",
        Some('r' | 'z') => "r7g",
        Some('x' | 'u') => "x2gd",
        Some('i' | 'd' | 'h') => "i4g",
        _ => "t4g",
    };
    let same = format!("{counterpart}.{size}");
    let family_types = || types.iter().filter(|known| known.name.starts_with(&format!("{counterpart}.")));
    let meant = if family_types().any(|known| known.name == same) {
        same
    } else {
        family_types().next().map_or_else(|| "t4g.small".to_owned(), |known| known.name.clone())
    };
    Diagnostic::error(codes::X86, format!("`{text}` is an x86_64 instance type"))
        .because("The image is arm64, which x86_64 processors cannot run")
        .fix(format!("Use a Graviton type: `{meant}`."))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_have_the_memory_that_aws_documents() {
        let memory = |name: &str| find(name).map(|t| (t.vcpus, t.memory_gib)).ok();
        assert_eq!(memory("t4g.micro"), Some((2, 1.0)));
        assert_eq!(memory("m7g.medium"), Some((1, 4.0)));
        assert_eq!(memory("r8g.48xlarge"), Some((192, 1536.0)));
        assert_eq!(memory("c7gn.16xlarge"), Some((64, 128.0)));
        assert_eq!(memory("im4gn.large"), Some((2, 8.0)));
        assert_eq!(memory("is4gen.medium"), Some((1, 6.0)));
        assert_eq!(memory("i4g.medium"), None);
    }

    #[test]
    fn names_are_unique() {
        let mut names: Vec<String> = all().into_iter().map(|t| t.name).collect();
        names.sort();
        assert!(names.windows(2).all(|pair| pair[0] != pair[1]));
    }
}
