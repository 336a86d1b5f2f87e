//! `InstanceReplicationTask`: one operation on its way to a peer.

use crate::eureka::server::objects::{InfoRef, Objects};
use crate::eureka::server::resources::{
    BatchAction, BatchItem, DirtyParameter, Registration, StatusParameter,
};
use crate::eureka::{InstanceKey, InstanceStatus, Names};

/// What a task does at the peer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TaskAction {
    /// `register#APP/id`
    Register,
    /// `heartbeat#APP/id`
    Heartbeat,
    /// `cancel#APP/id`
    Cancel,
    /// `statusUpdate#APP/id`
    StatusUpdate,
    /// `deleteStatusOverride#APP/id`
    DeleteStatusOverride,
}

impl TaskAction {
    /// How many there are.
    pub(super) const COUNT: usize = Self::DeleteStatusOverride as usize + 1;

    /// `PeerRegistryReplicaAction`
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Register => "Register",
            Self::Heartbeat => "Heartbeat",
            Self::Cancel => "Cancel",
            Self::StatusUpdate => "StatusUpdate",
            Self::DeleteStatusOverride => "DeleteStatusOverride",
        }
    }
}

/// A task and its holder (`TaskHolder`). Two with equal key and action have the same task id.
#[derive(Clone, Copy, Debug)]
pub struct Task {
    /// Whose.
    pub key: InstanceKey,
    /// What.
    pub action: TaskAction,
    /// The live instance, counted; none for a cancel.
    pub info: Option<InfoRef>,
    /// The override when the task was made; heartbeats only.
    pub overridden: Option<InstanceStatus>,
    /// Wall clock (ms) from which it is dropped when somebody looks.
    pub expiry: i64,
    /// Wall clock (ms) when it was made.
    pub submitted: i64,
}

impl Task {
    /// `ReplicationTaskProcessor.createReplicationInstanceOf`: the item of a batch, read from the
    /// live instance.
    pub(super) fn on_the_wire(&self, objects: &Objects, names: &Names) -> BatchItem {
        let info = self.info.map(|info| &objects[info]);
        let parameter = |status: Option<InstanceStatus>| {
            status.map_or(StatusParameter::Absent, StatusParameter::Value)
        };
        let action = match self.action {
            TaskAction::Register => BatchAction::Register(info.map(|info| {
                Box::new(Registration::complete(info.clone(), names.app_of(info.key)))
            })),
            TaskAction::Heartbeat => BatchAction::Heartbeat,
            TaskAction::Cancel => BatchAction::Cancel,
            TaskAction::StatusUpdate => BatchAction::StatusUpdate,
            TaskAction::DeleteStatusOverride => BatchAction::DeleteStatusOverride,
        };
        BatchItem {
            key: self.key,
            action,
            dirty: info.map_or(DirtyParameter::Absent, |info| {
                DirtyParameter::Value(info.last_dirty_timestamp)
            }),
            status: parameter(info.map(|info| info.status)),
            overridden: parameter(self.overridden),
        }
    }
}
