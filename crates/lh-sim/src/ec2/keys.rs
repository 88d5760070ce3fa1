//! Key pairs: imported, looked up by name, deleted.

use super::query::{Kind, Query, required};
use super::tags;
use crate::clock::date;
use crate::filters::one;
use crate::outcome::ApiError;
use crate::scene::Scene;
use crate::world::KeyPair;
use aws_sdk_ec2::operation::delete_key_pair::{DeleteKeyPairInput, DeleteKeyPairOutput};
use aws_sdk_ec2::operation::describe_key_pairs::{DescribeKeyPairsInput, DescribeKeyPairsOutput};
use aws_sdk_ec2::operation::import_key_pair::{ImportKeyPairInput, ImportKeyPairOutput};
use aws_sdk_ec2::types::{KeyPairInfo, KeyType};
use sha2::{Digest, Sha256};

/// DescribeKeyPairs, by names, ids or filters.
pub(crate) fn describe(
    s: &mut Scene<'_>,
    i: &DescribeKeyPairsInput,
) -> Result<DescribeKeyPairsOutput, ApiError> {
    s.dry_run(i.dry_run)?;
    let by_id = i.key_pair_ids.as_deref().is_some_and(|ids| !ids.is_empty());
    let query = Query {
        kind: Kind::KeyPair,
        ids: if by_id { i.key_pair_ids.as_deref() } else { i.key_names.as_deref() },
        filters: i.filters.as_deref(),
        known: &["key-name", "key-pair-id", "fingerprint"],
    };
    let all = s
        .here
        .key_pairs
        .values()
        .map(|pair| (if by_id { pair.id.clone() } else { pair.name.clone() }, pair.clone()))
        .collect();
    let found = query.run(
        s,
        &all,
        |pair| &pair.tags,
        |pair, name| match name {
            "key-name" => one(&pair.name),
            "key-pair-id" => one(&pair.id),
            _ => one(&pair.fingerprint),
        },
    )?;
    let with_key = i.include_public_key == Some(true);
    let shown = found
        .into_iter()
        .map(|pair| {
            KeyPairInfo::builder()
                .key_pair_id(pair.id)
                .key_name(pair.name)
                .key_type(KeyType::from(pair.kind.as_str()))
                .key_fingerprint(pair.fingerprint)
                .set_public_key(pair.public_key.filter(|_| with_key))
                .create_time(date(pair.created_at))
                .set_tags(Some(tags::show(&pair.tags)))
                .build()
        })
        .collect();
    Ok(DescribeKeyPairsOutput::builder().set_key_pairs(Some(shown)).build())
}

/// ImportKeyPair: <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_ImportKeyPair.html>.
pub(crate) fn import(s: &mut Scene<'_>, i: &ImportKeyPairInput) -> Result<ImportKeyPairOutput, ApiError> {
    s.dry_run(i.dry_run)?;
    let name = required(&i.key_name, "KeyName")?;
    let material = required(&i.public_key_material, "PublicKeyMaterial")?;
    let key = String::from_utf8_lossy(material.as_ref()).trim().to_owned();
    let kind = match key.split(' ').next() {
        Some("ssh-ed25519") => "ed25519",
        Some("ssh-rsa") => "rsa",
        _ => return Err(ApiError::new("InvalidKey.Format", "Key is not in valid OpenSSH public key format")),
    };
    if s.here.key_pairs.contains_key(name) {
        return Err(ApiError::new(
            "InvalidKeyPair.Duplicate",
            format!("The keypair '{name}' already exists."),
        ));
    }
    let digest: String = Sha256::digest(key.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect();
    let pair = KeyPair {
        id: s.random.id("key"),
        name: name.clone(),
        kind: kind.to_owned(),
        fingerprint: digest,
        public_key: Some(key),
        tags: tags::at_creation(i.tag_specifications.as_deref(), "key-pair", &["key-pair"])?,
        created_at: s.now,
    };
    s.born(name);
    let answer = ImportKeyPairOutput::builder()
        .key_name(name)
        .key_pair_id(&pair.id)
        .key_fingerprint(&pair.fingerprint)
        .set_tags(Some(tags::show(&pair.tags)))
        .build();
    s.here.key_pairs.insert(name.clone(), pair);
    Ok(answer)
}

/// DeleteKeyPair, by name or id. One that does not exist is no error; running instances keep the
/// public key that they were started with.
pub(crate) fn delete(s: &mut Scene<'_>, i: &DeleteKeyPairInput) -> Result<DeleteKeyPairOutput, ApiError> {
    s.dry_run(i.dry_run)?;
    let asked =
        |pair: &KeyPair| Some(&pair.name) == i.key_name.as_ref() || Some(&pair.id) == i.key_pair_id.as_ref();
    if i.key_name.is_none() && i.key_pair_id.is_none() {
        return Err(ApiError::missing("KeyName"));
    }
    let found = s.here.key_pairs.values().find(|pair| asked(pair)).map(|pair| pair.name.clone());
    let gone = found.and_then(|name| s.here.key_pairs.remove(&name));
    Ok(DeleteKeyPairOutput::builder().r#return(true).set_key_pair_id(gone.map(|pair| pair.id)).build())
}
