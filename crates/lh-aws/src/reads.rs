//! Reads in flight: the same question asked by two kinds at the same time is sent once.
//!
//! Not a cache. Only a question whose answer is still awaited is shared, and none that was
//! asked before the last change this process made, so that nobody gets an answer older than
//! the question they would have asked themselves.

use std::{
    collections::{BTreeSet, HashMap},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use aws_sdk_ec2::types::{Address, SecurityGroup, Volume, Vpc};
use aws_sdk_resourcegroupstagging::types::ResourceTagMapping;
use aws_sdk_sns::types::Subscription;
use futures_util::{
    FutureExt,
    future::{BoxFuture, Shared, WeakShared},
};
use lh_kind::CloudError;

/// The answer to a question that may be shared.
type Answer<T> = Result<Arc<Vec<T>>, CloudError>;
type Question<T> = BoxFuture<'static, Answer<T>>;

/// Questions of one operation in flight, by their text.
pub(crate) struct InFlight<T>(Mutex<HashMap<String, WeakShared<Question<T>>>>);

impl<T> Default for InFlight<T> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<T: Send + Sync + 'static> InFlight<T> {
    /// The question in flight under this text, or `ask` as a new one.
    pub(crate) fn join(&self, text: String, ask: Question<T>) -> Shared<Question<T>> {
        let mut questions = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        questions.retain(|_, question| question.upgrade().is_some_and(|q| q.peek().is_none()));
        if let Some(asked) = questions.get(&text).and_then(WeakShared::upgrade) {
            return asked;
        }
        let asked = ask.shared();
        if let Some(weak) = asked.downgrade() {
            questions.insert(text, weak);
        }
        asked
    }
}

/// What is asked for by id by several at the same time: one question for all of them. It is sent
/// when everybody who is about to ask has asked, so nobody's answer is older than their question.
pub(crate) struct Together<T>(Mutex<Option<Gathering<T>>>);

/// The ids of a question until it is sent, and the question.
type Gathering<T> = (Arc<Mutex<Option<BTreeSet<String>>>>, WeakShared<Question<T>>);

impl<T> Default for Together<T> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<T: Send + Sync + 'static> Together<T> {
    /// The question about `ids` among others; `ask` sends it.
    pub(crate) fn join(
        &self,
        ids: impl IntoIterator<Item = String>,
        ask: impl FnOnce(BTreeSet<String>) -> Question<T> + Send + 'static,
    ) -> Shared<Question<T>> {
        let mut open = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((wanted, question)) = open.as_ref()
            && let Some(question) = question.upgrade()
            && let Some(wanted) = wanted.lock().unwrap_or_else(PoisonError::into_inner).as_mut()
        {
            wanted.extend(ids);
            return question;
        }
        let wanted = Arc::new(Mutex::new(Some(ids.into_iter().collect())));
        let taken = Arc::clone(&wanted);
        let question = async move {
            tokio::task::yield_now().await;
            let ids = taken.lock().unwrap_or_else(PoisonError::into_inner).take();
            ask(ids.unwrap_or_default()).await
        };
        let question = question.boxed().shared();
        *open = question.downgrade().map(|weak| (wanted, weak));
        question
    }
}

/// The reads that two kinds share.
#[derive(Default)]
pub(crate) struct Reads {
    /// `DescribeVolumes`: volumes and their attachments.
    pub(crate) volumes: InFlight<Volume>,
    /// `DescribeAddresses`: addresses and their associations.
    pub(crate) addresses: InFlight<Address>,
    /// `DescribeVpcs`: which VPC a stack is in.
    pub(crate) vpcs: InFlight<Vpc>,
    /// `DescribeSecurityGroups`: the groups of a VPC that a stack names.
    pub(crate) groups: InFlight<SecurityGroup>,
    /// `DescribeSecurityGroups`: groups of which the ids are known, the stack's own and others.
    pub(crate) groups_by_id: Together<SecurityGroup>,
    /// `ListSubscriptionsByTopic`: subscriptions, and whether their topic is there.
    pub(crate) subscriptions: InFlight<Subscription>,
    /// `GetResources`: tags of what carries a stack's tag.
    pub(crate) tagged: InFlight<ResourceTagMapping>,
    changes: AtomicU64,
}

impl Reads {
    /// Notes a change that begins now and ends when the answer is dropped: reads asked before
    /// either are not shared with those asked after it.
    pub(crate) fn change(&self) -> Change<'_> {
        self.changes.fetch_add(1, Ordering::SeqCst);
        Change(self)
    }

    /// The text of a question with this content.
    pub(crate) fn text(&self, content: &impl std::fmt::Debug) -> String {
        format!("{} {content:?}", self.changes.load(Ordering::SeqCst))
    }
}

/// A change under way.
pub(crate) struct Change<'a>(&'a Reads);

impl Drop for Change<'_> {
    fn drop(&mut self) {
        self.0.changes.fetch_add(1, Ordering::SeqCst);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicUsize;

    use super::*;

    async fn ask(flight: &InFlight<u8>, text: &str, sent: &Arc<AtomicUsize>) -> Answer<u8> {
        let sent = Arc::clone(sent);
        let question = async move {
            sent.fetch_add(1, Ordering::SeqCst);
            tokio::task::yield_now().await;
            Ok(Arc::new(vec![1]))
        };
        flight.join(text.to_owned(), question.boxed()).await
    }

    #[tokio::test]
    async fn the_same_question_at_the_same_time_is_sent_once_and_later_again() {
        let (flight, sent) = (InFlight::default(), Arc::new(AtomicUsize::new(0)));
        let both = futures_util::future::join(ask(&flight, "a", &sent), ask(&flight, "a", &sent)).await;
        assert!(both.0.is_ok() && both.1.is_ok());
        assert_eq!(sent.load(Ordering::SeqCst), 1);
        assert!(ask(&flight, "a", &sent).await.is_ok());
        assert_eq!(sent.load(Ordering::SeqCst), 2);
    }

    #[tokio::test]
    async fn ids_asked_for_at_the_same_time_are_one_question_and_later_another() {
        let (together, sent) = (Together::default(), Arc::new(Mutex::new(Vec::new())));
        let ask = |ids: &[&str]| {
            let sent = Arc::clone(&sent);
            let question = move |ids: BTreeSet<String>| {
                let answer: Vec<String> = ids.into_iter().collect();
                sent.lock().unwrap().push(answer.join(" "));
                async move { Ok(Arc::new(answer)) }.boxed()
            };
            together.join(ids.iter().map(|id| (*id).to_owned()).collect::<Vec<_>>(), question)
        };
        let (one, other) = futures_util::future::join(ask(&["a", "b"]), ask(&["b", "c"])).await;
        assert_eq!(one, other);
        ask(&["d"]).await.unwrap();
        assert_eq!(*sent.lock().unwrap(), ["a b c", "d"]);
    }

    #[test]
    fn a_change_makes_it_another_question() {
        let reads = Reads::default();
        let before = reads.text(&"x");
        let change = reads.change();
        let during = reads.text(&"x");
        drop(change);
        assert_ne!(before, during);
        assert_ne!(during, reads.text(&"x"));
    }
}
