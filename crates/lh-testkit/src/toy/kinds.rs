//! The toy kinds, each standing for a shape that real ones have.

use std::collections::BTreeMap;

use async_trait::async_trait;
use lh_kind::{
    Amount, AtDestroy, Calls, CloudError, Downtime, Field, FieldDiff, Idempotency, Line, Mutability, Op, Ops,
    Price, PriceBook, Readiness, Refusal, Rules, Seen, Share, Target,
};
use lh_model::{CloudId, Late, Map, value::text_of};
use serde::{Deserialize, Serialize};

use super::{
    ToyCloud,
    ops::{self, Shown, Toy},
};

type Tags = BTreeMap<String, String>;

/// Declares a kind: its properties, its rules beyond the defaults, its toy traits.
macro_rules! toy {
    (
        $(#[$doc:meta])* $kind:ident = $name:literal as $shape:ident / $create:ident,
        props { $($(#[$attribute:meta])* $prop:ident: $type:ty),* $(,)? }
        fields [$($field:expr),* $(,)?]
        rules { $($rules:tt)* }
        toy { $($toy:tt)* }
    ) => {
        $(#[$doc])*
        pub struct $kind;

        #[doc = concat!("The properties of a toy ", $name, ".")]
        #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
        pub struct $shape { $($(#[$attribute])* pub(crate) $prop: $type),* }

        impl Rules for $kind {
            const NAME: &'static str = $name;
            const DOC: &'static str = concat!("A toy ", $name);
            const CREATE: Idempotency = Idempotency::$create;
            const FIELDS: &'static [Field] = &[$($field),*];
            const CALLS: Calls = Calls {
                observe: &[concat!("toy:Describe", stringify!($kind))],
                create: &[concat!("toy:Create", stringify!($kind))],
                update: &[concat!("toy:Modify", stringify!($kind))],
                delete: &[concat!("toy:Delete", stringify!($kind))],
            };
            type Props = $shape;
            type Facts = Shown<$shape>;
            fn ready(facts: &Self::Facts) -> Readiness { facts.readiness() }
            $($rules)*
        }

        impl Toy for $kind {
            const WORD: &'static str = stringify!($kind);
            $($toy)*
        }

        #[async_trait]
        impl Ops for $kind {
            type Client = ToyCloud;
            async fn observe(cloud: &ToyCloud, targets: &[Target<$shape>]) -> Vec<Seen<Self::Facts>> {
                ops::observe::<Self>(cloud, targets).await
            }
            async fn create(cloud: &ToyCloud, op: &Op, props: &$shape) -> Result<CloudId, CloudError> {
                ops::create::<Self>(cloud, op, props).await
            }
            async fn update(
                cloud: &ToyCloud, _: &Op, id: &CloudId, _: &$shape, diffs: &[FieldDiff],
            ) -> Result<(), CloudError> {
                ops::update::<Self>(cloud, id, diffs).await
            }
            async fn delete(
                cloud: &ToyCloud, _: &Op, id: &CloudId, _: &Self::Facts,
            ) -> Result<(), CloudError> {
                ops::delete::<Self>(cloud, id).await
            }
        }
    };
}

fn free(_: &Map, _: &PriceBook) -> Price {
    Price::FREE
}

fn line(what: &str, dollars: f64) -> Price {
    let (what, monthly) = (what.to_owned(), Amount::dollars(dollars));
    Price::Known(vec![Line { what, monthly, share: Share::Guide }])
}

fn named(props: &Map, key: &str) -> Option<String> {
    props.get(key).map(text_of)
}

toy! {
    /// Unique by name, and used by others: cannot go while they are there.
    Group = "group" as GroupProps / NaturalKey,
    props { name: String, description: String, #[serde(default)] tags: Tags }
    fields [
        Field::replace("name", "name"),
        Field::replace("description", "description"),
        Field::online("tags", "tags"),
    ]
    rules { fn price(props: &Map, book: &PriceBook) -> Price { free(props, book) } }
    toy { fn natural(props: &Map) -> Option<String> { named(props, "name") } }
}

toy! {
    /// Unique by what it belongs to.
    Rule = "rule" as RuleProps / NaturalKey,
    props { group: Late<String>, port: u16, note: String, #[serde(default)] tags: Tags }
    fields [
        Field::replace("group", "group"),
        Field::replace("port", "port"),
        Field::online("note", "note"),
        Field::online("tags", "tags"),
    ]
    rules { fn price(props: &Map, book: &PriceBook) -> Price { free(props, book) } }
    toy {
        const REFS: &'static [(&'static str, &'static str)] = &[("group", "group")];
        fn natural(props: &Map) -> Option<String> {
            let group = props.get("group").filter(|value| value.is_string())?;
            Some(format!("{}:{}", text_of(group), text_of(props.get("port")?)))
        }
    }
}

toy! {
    /// Holds data, grows online, never shrinks or moves; goes only after a copy.
    Disk = "disk" as DiskProps / Token,
    props { size: u64, zone: Late<String>, #[serde(default)] tags: Tags }
    fields [
        Field::online("size", "size in GiB"),
        Field::with("zone", "zone", Mutability::Fixed("copy the data to a new disk")),
        Field::online("tags", "tags"),
    ]
    rules {
        const HOLDS_DATA: bool = true;
        const AT_DESTROY: AtDestroy = AtDestroy::AfterCopy("copy");
        fn judge(_: &Map, _: &Map, diffs: &[FieldDiff]) -> Result<(), Refusal> {
            let shrinks = |d: &&FieldDiff| d.field == "size" && d.new.as_u64() < d.old.as_u64();
            match diffs.iter().find(shrinks) {
                Some(diff) => Err(Refusal {
                    field: diff.field.clone(),
                    why: "disks only grow".to_owned(),
                    fix: "copy the data to a new disk".to_owned(),
                }),
                None => Ok(()),
            }
        }
        fn price(props: &Map, _: &PriceBook) -> Price {
            line("GiB", props.get("size").and_then(serde_json::Value::as_f64).unwrap_or_default() * 0.08)
        }
    }
    toy { const PENDING: u32 = 1; }
}

toy! {
    /// A copy of a disk; only a tag tells that it was made; kept at destroy.
    Copy = "copy" as CopyProps / TagOnCreation,
    props { source: Late<String>, description: String, #[serde(default)] tags: Tags }
    fields [
        Field::replace("source", "disk"),
        Field::replace("description", "description"),
        Field::online("tags", "tags"),
    ]
    rules {
        const HOLDS_DATA: bool = true;
        const AT_DESTROY: AtDestroy = AtDestroy::Keep;
        fn price(_: &Map, _: &PriceBook) -> Price { Price::Unknown("paid by what it stores".to_owned()) }
    }
    toy {
        const PENDING: u32 = 2;
        const REFS: &'static [(&'static str, &'static str)] = &[("source", "disk")];
    }
}

toy! {
    /// Slow to come, slow to go.
    Server = "server" as ServerProps / Token,
    props {
        group: Late<String>,
        r#type: String,
        image: Late<String>,
        user_data: Late<String>,
        #[serde(default)] tags: Tags,
    }
    fields [
        Field::online("group", "group"),
        Field::with("type", "type", Mutability::StopStart),
        Field::replace("image", "image"),
        Field::with("user_data", "script of the first boot", Mutability::AtCreation).digest(),
        Field::online("tags", "tags"),
    ]
    rules {
        const DOWNTIME: Downtime = Downtime { stop_start: 60, replace: 180 };
        fn price(props: &Map, _: &PriceBook) -> Price {
            match named(props, "type").as_deref() {
                Some("small") => line("small", 10.0),
                Some("large") => line("large", 20.0),
                other => Price::Unknown(format!("no price of {}", other.unwrap_or("nothing"))),
            }
        }
    }
    toy {
        const PENDING: u32 = 2;
        const LEAVES: u32 = 2;
        const REFS: &'static [(&'static str, &'static str)] = &[("group", "group")];
    }
}

toy! {
    /// Joins a disk and a server, takes no tags, and may be repeated.
    Mount = "mount" as MountProps / Upsert,
    props { disk: Late<String>, server: Late<String>, device: String }
    fields [
        Field::replace("disk", "disk"),
        Field::replace("server", "server"),
        Field::replace("device", "device"),
    ]
    rules { fn price(props: &Map, book: &PriceBook) -> Price { free(props, book) } }
    toy {
        const TAGGED: bool = false;
        const REFS: &'static [(&'static str, &'static str)] = &[("disk", "disk"), ("server", "server")];
        fn natural(props: &Map) -> Option<String> {
            let id = |key: &str| props.get(key).filter(|value| value.is_string()).map(text_of);
            Some(format!("{}:{}", id("disk")?, id("server")?))
        }
    }
}

toy! {
    /// Nothing but a tag tells that it was made; follows a server online.
    Address = "address" as AddressProps / TagOnCreation,
    props { server: Late<Option<String>>, #[serde(default)] tags: Tags }
    fields [Field::online("server", "server"), Field::online("tags", "tags")]
    rules { fn price(_: &Map, _: &PriceBook) -> Price { line("address", 3.65) } }
    toy { const REFS: &'static [(&'static str, &'static str)] = &[("server", "server")]; }
}

toy! {
    /// Unique by name, holds what cannot be made again, and may have existed before.
    Secret = "secret" as SecretProps / NaturalKey,
    props { name: String, #[serde(default)] tags: Tags }
    fields [Field::replace("name", "name"), Field::online("tags", "tags")]
    rules {
        const HOLDS_DATA: bool = true;
        fn price(_: &Map, _: &PriceBook) -> Price { line("secret", 0.40) }
    }
    toy { fn natural(props: &Map) -> Option<String> { named(props, "name") } }
}
