//! Random numbers that depend on who draws and for what, not on when.
//!
//! A draw is a function of (seed, stream, entity, counter). So loss and latency can be drawn for
//! every message whether they are used or not, handling order does not matter, and a change of one
//! knob does not reshuffle the noise of everything else: sweeps compare like with like. Decisions made
//! once, before the run, come from a ChaCha8 stream for each (stream, entity).

use std::convert::Infallible;

use rand::rand_core::{SeedableRng, TryRng};
use rand_chacha::ChaCha8Rng;

/// What a random number is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Stream {
    /// Start times of instances (`spread`); entity: the group.
    Start,
    /// Which of the selected processes an action hits; entity: the timeline entry, counter: the host.
    Pick,
    /// Latency of a request; entity: the caller, counter: its call.
    RequestLatency,
    /// Loss of a request; likewise.
    RequestLoss,
    /// Latency of its reply; likewise.
    ReplyLatency,
    /// Loss of its reply; likewise.
    ReplyLoss,
    /// Order of a client's list of servers; entity: the client, counter: the shuffle.
    ServerOrder,
    /// Length of a client's session; entity: the client, counter: the session.
    SessionLength,
    /// Hand-over between a client's threads; entity: the client.
    HandOff,
    /// Order in which a server copies its peers' instances; entity: the server.
    SyncOrder,
    /// Whether a failing server fails a request; entity: the caller, counter: its call.
    FailShare,
    /// When a consumer makes its first call; entity: the consumer, counter: its process.
    CallPhase,
    /// Where a load balancer begins; likewise.
    BalancerPosition,
    /// Latency of a consumer's call; entity: the caller, counter: its attempt.
    CallLatency,
    /// Loss of a consumer's call; likewise.
    CallLoss,
    /// Latency of its answer; likewise.
    AnswerLatency,
    /// Loss of its answer; likewise.
    AnswerLoss,
}

/// All random numbers of a run.
#[derive(Clone, Copy, Debug)]
pub struct Streams {
    seed: u64,
}

impl Streams {
    /// The random numbers of this seed.
    #[must_use]
    pub const fn new(seed: u64) -> Self {
        Self { seed }
    }

    /// One draw, uniform in 64 bits.
    #[must_use]
    #[inline(always)]
    pub const fn draw(&self, stream: Stream, entity: u64, counter: u64) -> u64 {
        // Two rounds of SplitMix64's finaliser over the key, each part spread by an odd constant.
        let key = self.seed
            ^ (stream as u64 + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15)
            ^ entity.wrapping_add(1).wrapping_mul(0xD1B5_4A32_D192_ED03);
        mix(mix(key).wrapping_add(counter.wrapping_add(1).wrapping_mul(0x8CB9_2BA7_2F3D_8DD7)))
    }

    /// A generator for one decision that needs several draws.
    #[must_use]
    pub const fn decision(&self, stream: Stream, entity: u64, counter: u64) -> CounterRng {
        CounterRng { key: self.draw(stream, entity, counter), counter: 0 }
    }

    /// A ChaCha8 stream for decisions made before the run.
    #[must_use]
    pub fn chacha(&self, stream: Stream, entity: u64) -> ChaCha8Rng {
        let mut rng = ChaCha8Rng::seed_from_u64(self.seed);
        rng.set_stream((stream as u64) << 56 | entity);
        rng
    }
}

/// SplitMix64's finaliser.
#[inline(always)]
const fn mix(mut bits: u64) -> u64 {
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    bits ^ (bits >> 31)
}

/// The draws of one decision, as a generator for `rand`'s distributions and shuffles.
#[derive(Clone, Copy, Debug)]
pub struct CounterRng {
    key: u64,
    counter: u64,
}

impl TryRng for CounterRng {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        Ok((self.try_next_u64()? >> 32) as u32)
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        self.counter = self.counter.wrapping_add(0x9E37_79B9_7F4A_7C15);
        Ok(mix(self.key ^ self.counter))
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Infallible> {
        for chunk in bytes.chunks_mut(8) {
            chunk.copy_from_slice(&self.try_next_u64()?.to_le_bytes()[..chunk.len()]);
        }
        Ok(())
    }
}
