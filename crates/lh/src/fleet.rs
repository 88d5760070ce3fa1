//! Several stacks read together: those of one cloud and region share what is asked of AWS.

use std::collections::{BTreeMap, VecDeque};

use futures_util::future::join_all;
use lh_engine::Session;
use lh_kind::CloudError;
use lh_plan::{Mode, Plan, Scope};

use crate::{Deployment, Error};

/// Several deployments, to be planned together.
///
/// However many stacks there are, each kind of resource is asked for once an account and region,
/// and a lookup that several make in the same words is made once.
#[derive(Default)]
pub struct Fleet<'a>(pub(crate) Vec<&'a Deployment>);

impl<'a> FromIterator<&'a Deployment> for Fleet<'a> {
    fn from_iter<I: IntoIterator<Item = &'a Deployment>>(deployments: I) -> Self {
        Self(deployments.into_iter().collect())
    }
}

impl Fleet<'_> {
    /// [`Deployment::plan`] of each, in their order.
    pub async fn plan(&self, mode: Mode) -> Vec<Result<Plan, Error>> {
        self.plan_within(&mode.into()).await
    }

    /// [`Deployment::plan_within`] of each, in their order. What is wrong with one stack does not
    /// keep the others from being planned.
    pub async fn plan_within(&self, scope: &Scope) -> Vec<Result<Plan, Error>> {
        let mut plans: BTreeMap<usize, Result<Plan, Error>> = BTreeMap::new();
        let groups = groups(&self.0);
        let planned = join_all(groups.iter().map(|group| self.plan_group(group, scope))).await;
        for (group, group_plans) in groups.into_iter().zip(planned) {
            plans.extend(group.into_iter().zip(group_plans));
        }
        plans.into_values().collect()
    }

    /// The plans of stacks of one cloud and region.
    async fn plan_group(&self, group: &[usize], scope: &Scope) -> Vec<Result<Plan, Error>> {
        let stacks: Vec<&Deployment> = group.iter().map(|at| self.0[*at]).collect();
        let Ok(cloud) = stacks[0].connect().await else {
            // Each tells for itself why it cannot be reached.
            return join_all(stacks.iter().map(|stack| stack.plan_within(scope))).await;
        };
        let sessions = join_all(stacks.iter().map(|stack| stack.read(&cloud))).await;
        let readable: Vec<_> = sessions
            .iter()
            .zip(&stacks)
            .filter_map(|(session, stack)| Some((session.as_ref().ok()?, &stack.stack().desired)))
            .collect();
        let mut plans: VecDeque<Result<Plan, CloudError>> = match Session::plan_all(&readable, scope).await {
            Ok(plans) => plans.into_iter().map(Ok).collect(),
            Err(error) => readable.iter().map(|_| Err(error.clone())).collect(),
        };
        let planned: Vec<_> =
            sessions.iter().map(|session| session.as_ref().ok().and_then(|_| plans.pop_front())).collect();
        let both = sessions.into_iter().zip(planned);
        both.filter_map(|(session, plan)| match (session, plan) {
            (Err(error), _) => Some(Err(error)),
            (Ok(_), plan) => plan.map(|plan| plan.map_err(Error::from)),
        })
        .collect()
    }
}

/// The places of those that live in one cloud and region, each group in the order of the whole.
pub(crate) fn groups(all: &[&Deployment]) -> Vec<Vec<usize>> {
    let mut groups: Vec<Vec<usize>> = Vec::new();
    for (at, deployment) in all.iter().enumerate() {
        match groups.iter_mut().find(|group| all[group[0]].is_beside(deployment)) {
            Some(group) => group.push(at),
            None => groups.push(vec![at]),
        }
    }
    groups
}
