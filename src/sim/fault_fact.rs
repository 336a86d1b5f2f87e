//! What the script of a run did, as observers and the digest see it.

use super::action::{FleetChange, Member};
use super::digest::Digest;
use super::fact_digest::text;
use super::host::HostId;
use super::host_set::HostSet;
use crate::eureka::InstanceStatus;
use crate::eureka::client::{HealthAnswer, HealthDuration};
use crate::eureka::config::ConfigValue;

/// Something the script did.
#[derive(Clone, Debug)]
pub enum FaultFact<'a> {
    /// To one process: `kill`, `stop`, `pause`, `resume`, …
    Process(&'static str, HostId),
    /// An application was told to set its status.
    SetStatus(HostId, InstanceStatus),
    /// What its health check answers changed, or how long it takes.
    SetHealth(HostId, HealthAnswer, HealthDuration),
    /// A wall clock jumped by this many ns.
    StepClock(HostId, i64),
    /// A wall clock runs fast by this many parts per million from now on.
    SkewClock(HostId, i64),
    /// A configuration value was changed.
    SetConfig(HostId, &'a str, &'a ConfigValue),
    /// A fault of the network begins: its kind, timeline entry and both sides.
    Network {
        /// `partition`, `isolate`, `hold`, `slow`, `lossy`, `fail`
        what: &'static str,
        /// The timeline entry.
        entry: usize,
        /// From these hosts.
        from: &'a HostSet,
        /// To these.
        to: &'a HostSet,
    },
    /// `scale` or `deploy` changes who belongs to an application; what happens to the processes follows.
    Fleet {
        /// The timeline entry.
        entry: usize,
        /// What happens.
        change: FleetChange,
        /// To whom.
        members: &'a [Member],
    },
    /// It ends.
    Heal {
        /// The timeline entry that began it.
        entry: usize,
    },
}

impl FaultFact<'_> {
    /// The process it concerns, if it concerns one.
    #[must_use]
    pub const fn host(&self) -> Option<HostId> {
        match *self {
            Self::Process(_, host)
            | Self::SetStatus(host, _)
            | Self::SetHealth(host, ..)
            | Self::StepClock(host, _)
            | Self::SkewClock(host, _)
            | Self::SetConfig(host, ..) => Some(host),
            Self::Network { .. } | Self::Fleet { .. } | Self::Heal { .. } => None,
        }
    }
}

impl FaultFact<'_> {
    /// Adds the fact to the digest.
    pub(super) fn add_to(&self, digest: &mut Digest) {
        let host = |host: &HostId| host.index() as u64;
        match self {
            Self::Process(what, of) => {
                text(what, digest.word(1).word(host(of)));
            }
            Self::SetStatus(of, status) => {
                digest.word(2).word(host(of)).word(*status as u64);
            }
            Self::SetHealth(of, answer, HealthDuration { takes, interruptible }) => {
                let answer = match answer {
                    HealthAnswer::Status(status) => *status as u64,
                    HealthAnswer::Echo => 10,
                    HealthAnswer::Null => 11,
                    HealthAnswer::Throw => 12,
                };
                let digest = digest.word(8).word(host(of)).word(answer);
                digest.word(takes.nanos()).word(u64::from(*interruptible));
            }
            Self::StepClock(of, by) => {
                digest.word(3).word(host(of)).word(*by as u64);
            }
            Self::SkewClock(of, ppm) => {
                digest.word(4).word(host(of)).word(*ppm as u64);
            }
            Self::SetConfig(of, key, value) => {
                let digest = digest.word(5).word(host(of));
                text(key, digest);
                match value {
                    ConfigValue::Flag(flag) => {
                        digest.word(1).word((*flag).into());
                    }
                    ConfigValue::Int(number) => {
                        digest.word(2).word(*number as u64);
                    }
                    ConfigValue::Decimal(number) => {
                        digest.word(3).word(number.to_bits());
                    }
                    ConfigValue::Text(value) => text(value, digest.word(4)),
                }
            }
            Self::Network { what, entry, from, to } => {
                let digest = digest.word(6).word(*entry as u64);
                text(what, digest);
                hosts(from, digest);
                hosts(to, digest);
            }
            Self::Fleet { entry, change, members } => {
                let digest = digest.word(9).word(*entry as u64).word(*change as u64);
                digest.word(members.len() as u64);
                for Member { host, key } in *members {
                    digest.word((host.index() as u64) << 32 | key.index() as u64);
                }
            }
            Self::Heal { entry } => {
                digest.word(7).word(*entry as u64);
            }
        }
    }
}

/// Hosts, with their number.
fn hosts(hosts: &HostSet, digest: &mut Digest) {
    digest.word(hosts.len() as u64);
    for host in hosts.iter() {
        digest.word(host.index() as u64);
    }
}
