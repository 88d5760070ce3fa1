//! How many targets become few `Describe*` calls, and how their answers find back to the targets.
//!
//! Always filters, never id lists: one id that is gone would fail the whole call.

use std::{collections::BTreeSet, future::Future};

use aws_sdk_ec2::types::Filter;
use futures_util::future::join_all;
use lh_kind::{CloudError, Target};

use crate::kinds::labels::{Labels, STACK};

/// "You can specify up to 200 filter values" in one filter (EC2 user guide, "Find your resources").
const MAX_VALUES: usize = 200;

/// The filters of one call.
pub(crate) type Question = Vec<Filter>;

/// A filter of one name.
pub(crate) fn filter(name: &str, values: impl IntoIterator<Item = String>) -> Filter {
    Filter::builder().name(name).set_values(Some(values.into_iter().collect())).build()
}

/// Questions for these values of one filter: none for no values, sorted, each value once.
pub(crate) fn by(name: &str, values: impl IntoIterator<Item = String>) -> Vec<Question> {
    let values: Vec<String> = values.into_iter().collect::<BTreeSet<_>>().into_iter().collect();
    values.chunks(MAX_VALUES).map(|chunk| vec![filter(name, chunk.to_vec())]).collect()
}

/// Questions for everything that carries the ownership tag of the targets' stacks.
pub(crate) fn by_stack<'a, P: 'a>(targets: impl IntoIterator<Item = &'a Target<P>>) -> Vec<Question> {
    by(&format!("tag:{STACK}"), targets.into_iter().map(|target| target.stack.0.clone()))
}

/// The ids that state knows.
pub(crate) fn ids<P>(targets: &[Target<P>]) -> impl Iterator<Item = String> {
    targets.iter().filter_map(|target| target.id.as_ref()).map(|id| id.0.clone())
}

/// Targets that state knows no id of.
pub(crate) fn nameless<P>(targets: &[Target<P>]) -> impl Iterator<Item = &Target<P>> {
    targets.iter().filter(|target| target.id.is_none())
}

/// Known ids by `id_filter`, all others by their ownership tag.
pub(crate) fn by_id_or_stack<P>(id_filter: &str, targets: &[Target<P>]) -> Vec<Question> {
    let mut questions = by(id_filter, ids(targets));
    questions.extend(by_stack(nameless(targets)));
    questions
}

/// Asks all questions at the same time; the answers in one list, each object once.
pub(crate) async fn gather<T, F, A>(questions: Vec<Question>, ask: F) -> Result<Vec<T>, CloudError>
where
    T: Object,
    F: Fn(Question) -> A,
    A: Future<Output = Result<Vec<T>, CloudError>>,
{
    let (mut all, mut known) = (Vec::new(), BTreeSet::new());
    for answer in join_all(questions.into_iter().map(ask)).await {
        all.extend(answer?.into_iter().filter(|object| known.insert(object.id().to_owned())));
    }
    Ok(all)
}

/// Something that EC2 describes.
pub(crate) trait Object {
    /// Its id.
    fn id(&self) -> &str;
    /// Its tags.
    fn labels(&self) -> Labels;
    /// Whether it is going away or gone.
    fn is_leaving(&self) -> bool {
        false
    }
    /// When it was made, in seconds since 1970, where EC2 tells.
    fn since(&self) -> i64 {
        0
    }
}

/// The object of a target: by id where state knows it, else by ownership tags.
pub(crate) fn find<'a, T: Object, P>(objects: &'a [T], target: &Target<P>) -> Option<&'a T> {
    match &target.id {
        Some(id) => objects.iter().find(|object| object.id() == id.0),
        None => owned(objects, target),
    }
}

/// The object that carries the target's identity, else its address. Of several the oldest that
/// is not leaving; the others are told in a warning, since somebody pays for them.
pub(crate) fn owned<'a, T: Object, P>(objects: &'a [T], target: &Target<P>) -> Option<&'a T> {
    let mut ours: Vec<_> = objects
        .iter()
        .filter_map(|object| {
            let labels = object.labels();
            let exact = labels.is_of(&target.stack, &target.identity);
            let fits = exact || labels.is_at(&target.stack, &target.address);
            fits.then(|| ((object.is_leaving(), !exact, object.since(), object.id()), object))
        })
        .collect();
    ours.sort_by_key(|(key, _)| *key);
    let live = ours.iter().filter(|((leaving, ..), _)| !leaving).count();
    if live > 1 {
        let found: Vec<&str> = ours.iter().map(|(_, object)| object.id()).collect();
        tracing::warn!(address = %target.address, ?found, "several objects carry the tags of one resource");
    }
    ours.first().map(|(_, object)| *object)
}

#[cfg(test)]
mod tests {
    use lh_model::{Address, StackId};

    use super::*;

    struct Thing(&'static str, bool, i64, &'static str);

    impl Object for Thing {
        fn id(&self) -> &str {
            self.0
        }
        fn labels(&self) -> Labels {
            let pairs = [(STACK, "s"), ("lhctl:resource", "thing.a"), ("lhctl:id", self.3)];
            Labels::new(pairs.map(|(key, value)| (Some(key), Some(value))))
        }
        fn is_leaving(&self) -> bool {
            self.1
        }
        fn since(&self) -> i64 {
            self.2
        }
    }

    fn target() -> Target<()> {
        Target {
            address: Address::new("thing", "a"),
            stack: StackId("s".into()),
            id: None,
            identity: "mine".parse().unwrap(),
            props: (),
            used: false,
        }
    }

    #[test]
    fn of_several_the_oldest_that_stays_is_taken() {
        let things =
            [Thing("gone", true, 0, "mine"), Thing("new", false, 2, "mine"), Thing("old", false, 1, "mine")];
        assert_eq!(find(&things, &target()).map(Object::id), Some("old"));
    }

    #[test]
    fn the_identity_goes_before_the_address() {
        let things = [Thing("other", false, 0, "other"), Thing("exact", false, 9, "mine")];
        assert_eq!(find(&things, &target()).map(Object::id), Some("exact"));
        assert_eq!(find(&things[..1], &target()).map(Object::id), Some("other"));
    }

    #[test]
    fn many_values_are_asked_in_parts_and_none_not_at_all() {
        assert!(by("volume-id", []).is_empty());
        let parts = by("volume-id", (0..450).map(|i| format!("vol-{i}")));
        assert_eq!(parts.iter().map(|q| q[0].values().len()).collect::<Vec<_>>(), [200, 200, 50]);
    }
}
