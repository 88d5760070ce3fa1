//! Tags as found in AWS: whose something is, and which tags are the user's.

use lh_kind::Owner;
use lh_model::{Address, Identity, StackId};

use super::Tags;

/// The stack that something belongs to.
pub(crate) const STACK: &str = "lhctl:stack";
/// The address it was created at.
const RESOURCE: &str = "lhctl:resource";
/// The identity it was created under.
const ID: &str = "lhctl:id";
/// Tags that are not the user's: ours, and those that AWS services write.
const RESERVED: [&str; 2] = ["lhctl:", "aws:"];

/// All tags of something found.
#[derive(Clone, Debug, Default)]
pub(crate) struct Labels(Tags);

impl Labels {
    /// From keys and values as an SDK gives them.
    pub(crate) fn new<'a>(pairs: impl IntoIterator<Item = (Option<&'a str>, Option<&'a str>)>) -> Self {
        let own = |text: Option<&str>| text.unwrap_or_default().to_owned();
        Self(pairs.into_iter().map(|(key, value)| (own(key), own(value))).collect())
    }

    /// The value of a tag.
    pub(crate) fn get(&self, key: &str) -> Option<&str> {
        self.0.get(key).map(String::as_str)
    }

    /// Whether all of `tags` are among them, with these values.
    pub(crate) fn include(&self, tags: &Tags) -> bool {
        tags.iter().all(|(key, value)| self.get(key) == Some(value.as_str()))
    }

    /// Whom it belongs to, seen from `stack`. An incomplete set of ownership tags proves nothing.
    pub(crate) fn owner(&self, stack: &StackId) -> Owner {
        match (self.get(STACK), self.identity()) {
            (Some(named), Some(identity)) if named == stack.0 => Owner::Stack(identity),
            _ => Owner::Other,
        }
    }

    /// Whether it was created under this very identity.
    pub(crate) fn is_of(&self, stack: &StackId, identity: &Identity) -> bool {
        self.owner(stack) == Owner::Stack(identity.clone())
    }

    /// Whether it was created for this address of the stack.
    pub(crate) fn is_at(&self, stack: &StackId, address: &Address) -> bool {
        self.owner(stack) != Owner::Other && self.get(RESOURCE) == Some(address.to_string().as_str())
    }

    /// All of them.
    pub(crate) fn all(self) -> Tags {
        self.0
    }

    /// The user's tags.
    pub(crate) fn user(&self) -> Tags {
        let theirs = |key: &String| !RESERVED.iter().any(|prefix| key.starts_with(prefix));
        self.0.iter().filter(|(key, _)| theirs(key)).map(|(k, v)| (k.clone(), v.clone())).collect()
    }

    fn identity(&self) -> Option<Identity> {
        self.get(ID)?.parse().ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_complete_ownership_tags_of_the_same_stack_make_an_owner() {
        let stack = StackId("lighthouse-dev".into());
        let tags = |pairs: &[(&'static str, &'static str)]| {
            Labels::new(pairs.iter().map(|(key, value)| (Some(*key), Some(*value))))
        };
        let ours = tags(&[(STACK, "lighthouse-dev"), (ID, "abc"), ("Owner", "x"), ("aws:x", "y")]);
        assert!(matches!(ours.owner(&stack), Owner::Stack(id) if id.as_str() == "abc"));
        assert_eq!(ours.user().into_keys().collect::<Vec<_>>(), ["Owner"]);
        assert_eq!(tags(&[(STACK, "lighthouse-prod"), (ID, "abc")]).owner(&stack), Owner::Other);
        assert_eq!(tags(&[(STACK, "lighthouse-dev")]).owner(&stack), Owner::Other);
    }
}
