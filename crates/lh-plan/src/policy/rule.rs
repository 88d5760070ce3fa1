//! The rows of the table that says on what an operation is allowed, and under which condition.

/// Under which condition a permission holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Guard {
    /// Always.
    None,
    /// On what is made with the stack's tag.
    Made,
    /// On what carries the stack's tag.
    Owned,
    /// For commands on, and sessions with, an instance that carries the stack's tag.
    Commanded,
    /// For tags that are written with the creation itself.
    WithCreation,
    /// For a role that is handed to this service.
    PassedTo(&'static str),
    /// For the managed policy that the resource names in `policy_arn`.
    Attached,
    /// For the service-linked role of this service.
    LinkedTo(&'static str),
    /// For a key that is used through this service.
    Via(&'static str),
    /// For listings within the journal of this state.
    Within,
    /// For the item of this state's lock.
    Lock,
}

/// On what operations are allowed.
///
/// Templates of ARNs hold `{partition}`, `{region}`, `{account}` and properties of the resource,
/// `{name}`, or the first there is of `{role|name}`: a list gives one ARN for each, a value that is
/// not known yet `*`, and a value that is an ARN stands for the whole. `{aws:userid}` stands for
/// IAM's variable of that name.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rule {
    /// What for; becomes the statement's Sid.
    pub sid: &'static str,
    /// The operations that are allowed.
    pub actions: &'static [&'static str],
    /// For permissions that AWS asks for beside the operation that is called: these operations.
    /// Empty where `actions` are called themselves.
    pub beside: &'static [&'static str],
    /// Templates of ARNs.
    pub on: &'static [&'static str],
    /// The condition.
    pub guard: Guard,
    /// Only for resources that have this property.
    pub only: Option<&'static str>,
}

impl Rule {
    /// `actions` on `on`, whenever they are called.
    pub const fn of(
        sid: &'static str,
        actions: &'static [&'static str],
        on: &'static [&'static str],
        guard: Guard,
    ) -> Self {
        Self { sid, actions, beside: &[], on, guard, only: None }
    }

    /// `actions` on `on`, which AWS asks for when one of `beside` is called.
    pub const fn beside(
        sid: &'static str,
        beside: &'static [&'static str],
        actions: &'static [&'static str],
        on: &'static [&'static str],
        guard: Guard,
    ) -> Self {
        Self { sid, actions, beside, on, guard, only: None }
    }

    /// The same, only for resources that have this property.
    pub const fn only(self, property: &'static str) -> Self {
        Self { only: Some(property), ..self }
    }

    /// What calling `operation` needs by this rule.
    pub fn needed(&self, operation: &str) -> &'static [&'static str] {
        if self.beside.contains(&operation) {
            return self.actions;
        }
        match self.actions.iter().position(|action| *action == operation) {
            Some(at) if self.beside.is_empty() => &self.actions[at..=at],
            _ => &[],
        }
    }
}
