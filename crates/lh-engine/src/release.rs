//! Planning a release: what state records is looked at, and the backups of what is given up.

use lh_model::Desired;
use lh_plan::{Mode, Note, Plan, Release, plan_release};
use lh_state::Event;

use crate::{EngineError, Session, settle::settle};

impl Session {
    /// Looks at AWS, settles what earlier runs left open, and plans the release of one resource.
    /// Nothing is written before the plan is carried out.
    ///
    /// # Errors
    /// When AWS cannot be asked at all; everything else is told in the plan.
    pub async fn plan_release(&self, desired: &Desired, release: &Release) -> Result<Plan, EngineError> {
        let cloud = self.ports.cloud.as_ref();
        // The spec's wishes are not looked for: a release concerns what is recorded alone.
        let mut recorded = desired.clone();
        recorded.resources.clear();
        recorded.outputs.clear();
        recorded.lookups.retain(|lookup| lookup.name == "caller");
        let observed = self.look(&recorded, Mode::Release { delete: release.delete }).await?;
        let settled = settle(&self.fold, &observed, cloud.book());
        let mut fold = self.fold.clone();
        settled.iter().for_each(|event| fold.apply(event));
        let (kind, record) = (release.address.kind(), fold.state.resources.get(&release.address));
        let backups = match record {
            Some(record) if release.delete => cloud.backups(kind, &record.id).await?,
            _ => Vec::new(),
        };
        let wanted = Desired { resources: desired.resources.clone(), ..recorded.clone() };
        let mut plan = plan_release(&wanted, &observed, &fold.state, cloud.book(), release, &backups);
        let address = &release.address;
        if settled.iter().any(|event| matches!(event, Event::Gone { address: gone } if gone == address)) {
            // An earlier run did it and died before it could say so: nothing is left but to record it.
            plan.refusals.retain(|refusal| refusal.code != "E0631");
            let text = "It is gone: an interrupted run had deleted it.".to_owned();
            plan.notes.push(Note { address: Some(address.clone()), text });
        }
        self.keep_settled(settled);
        let lookups = recorded.lookups.iter().flat_map(|lookup| cloud.lookup_calls(&lookup.name));
        plan.reads.extend(lookups.chain(cloud.backup_calls(kind)).map(|call| (*call).to_owned()));
        plan.keeping.extend(self.ports.keeping.iter().map(|call| (*call).to_owned()));
        Ok(plan)
    }
}
