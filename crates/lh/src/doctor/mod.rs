//! The checklist before an apply: everything that a stack needs and does not make. It asks, it
//! rehearses, and it changes nothing.
//!
//! What a plan looks up, and why it would be refused, is told here as rows of one table; what a
//! plan does not need to know (the way out of the subnet, permissions) is asked besides.

mod aws;
mod rows;

use lh_db::{Check, Problem, Report};
use lh_kind::{Observe, Probe};
use lh_model::{Diagnostic, Map};
use lh_plan::{Mode, Plan};
use lh_state::State;

use crate::{Deployment, Error};

impl Deployment {
    /// Looks at everything that the stack needs and does not make.
    ///
    /// # Errors
    /// When there is no way to ask at all, such as a world that cannot be opened. What is missing,
    /// or cannot be told, is a row of the report.
    pub async fn doctor(&self) -> Result<Report, Error> {
        let cloud = self.connect().await?;
        let (state, mut rows) = match self.state().await {
            Ok(state) => {
                let seen = match state.resources.len() {
                    0 => "nothing is recorded yet".to_owned(),
                    count => format!("serial {}, {count} resources", state.serial),
                };
                let place = self.state_place().await?;
                (Some(state), vec![Check::of("state", "account", Ok(vec![place, seen]))])
            }
            Err(error) => (None, vec![rows::state(&error)]),
        };
        let answers = self.answers(cloud.as_ref(), state.as_ref()).await;
        rows.extend(
            self.stack()
                .desired
                .lookups
                .iter()
                .zip(&answers)
                .map(|(lookup, answer)| rows::lookup(lookup, answer)),
        );
        let found = |name: &str| {
            let at = self.stack().desired.lookups.iter().position(|lookup| lookup.name == name)?;
            answers.get(at)?.as_ref().ok()
        };
        rows.extend(self.ask_aws(state.as_ref(), &found).await?);
        match &state {
            Some(_) => rows::planned(&mut rows, &self.plan(Mode::Apply).await),
            None => {
                let why = "No plan can be made without the state";
                rows.extend(["names", "changes"].map(|name| Check::skipped(name, "plan", why)));
            }
        }
        rows.sort_by_key(|row| CHAPTERS.iter().position(|chapter| *chapter == row.chapter));
        Ok(Report { checks: rows })
    }

    /// What the stack's lookups find; where something was found before, whether that still holds.
    async fn answers(&self, cloud: &dyn Observe, state: Option<&State>) -> Vec<Result<Map, Diagnostic>> {
        let pinned = |lookup: &lh_model::Lookup| {
            let pin = state?.pins.get(&lookup.name)?;
            (pin.query == lookup.query).then(|| pin.answer.clone())
        };
        let probes: Vec<Probe> = self
            .stack()
            .desired
            .lookups
            .iter()
            .map(|lookup| Probe { lookup: lookup.clone(), pinned: pinned(lookup) })
            .collect();
        cloud.look_up(&probes).await
    }
}

/// The chapters, in the order in which they are told.
const CHAPTERS: [&str; 8] =
    ["account", "network", "instance", "database", "backups", "monitoring", "dns", "plan"];

/// A finding as a row that does not hold.
fn problem(finding: &Diagnostic) -> Problem {
    let reason = finding
        .reason
        .as_ref()
        .map(|reason| format!(": {}", reason.trim_end_matches('.')))
        .unwrap_or_default();
    Problem::failed(
        format!("{}{reason} ({})", capitalised(&finding.message), finding.code),
        finding.fix.clone().unwrap_or_default(),
    )
}

/// The text as a sentence begins.
fn capitalised(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map(|first| format!("{}{}", first.to_uppercase(), letters.as_str())).unwrap_or_default()
}

/// The plan, or why there is none.
type Planned = Result<Plan, Error>;
