//! The way back from a change of what is on the data volume: a snapshot of it.

use lh_aws::{Before, copy_volume};
use lh_model::{Address, CloudId};

use crate::{Deployment, Error};

/// How old a copy may be, in seconds, to stand for one that is asked for again: as old as an
/// upgrade that was interrupted and is repeated.
const STANDS: i64 = 3600;

impl Deployment {
    /// Begins a snapshot of the stack's data volume before `what` is done, `upgrade to …`: it holds
    /// what was written until then, and need not be complete for the volume to be written to again.
    /// Asked for the same again within an hour, it is the same snapshot. Nothing deletes it.
    ///
    /// # Errors
    /// When the stack has no data volume yet, or EC2 does not take the snapshot.
    pub async fn copy_data_volume(&self, what: &str) -> Result<CloudId, Error> {
        let state = self.state().await?;
        let Some(volume) = state.resources.get(&Address::new("volume", "data")) else {
            return Err(Error::Host {
                reason: format!("The stack {} has no data volume yet.", self.stack().name()),
                fix: "Apply it first.".to_owned(),
            });
        };
        let clients = self.cloud.clients(self.stack().region()).await?;
        let before = Before {
            stack: self.stack().name().to_string(),
            what: what.to_owned(),
            since: self.cloud.now() - STANDS,
        };
        copy_volume(&clients, &volume.id, &before).await.map_err(|error| Error::Host {
            reason: format!("The data volume was not copied: {error}."),
            fix: "Nothing was changed on the host. Mend that first.".to_owned(),
        })
    }
}
