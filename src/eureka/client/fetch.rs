//! `DiscoveryClient.fetchRegistry(boolean)` under its supervisor.

use std::sync::Arc;

use super::job::{JobId, Step, Worker};
use super::view::ViewId;
use super::{Cx, DiscoveryClient, Effect, Phase, profile};
use crate::eureka::server::Applications;

impl DiscoveryClient {
    pub(super) fn schedule_fetches(&mut self, cx: &Cx<'_>) {
        let period = profile::seconds(cx.profile.client.registry_fetch_interval_seconds);
        let delay = self.refresh.start(period);
        self.refresh.timer = self.order.set(cx.now.mono + delay.nanos());
    }

    /// A fetch is due, or the one under way took too long.
    pub(super) fn refresh_timer(&mut self, cx: &mut Cx<'_>) {
        let config = &cx.profile.client;
        let period = profile::seconds(config.registry_fetch_interval_seconds);
        let late = self.refresh.awaited.take();
        if let Some(late) = late {
            cx.jobs.get(late).interrupted = true;
        }
        if late.is_some() || std::mem::take(&mut self.refresh.blocked) {
            let bound = config.cache_refresh_executor_exponential_back_off_bound;
            let delay = self.refresh.timed_out(period, bound);
            self.refresh.timer = self.order.set(cx.now.mono + delay.nanos());
            return;
        }
        if i32::from(self.refresh.running) >= config.cache_refresh_executor_thread_pool_size {
            let delay = self.refresh.rejected();
            self.refresh.timer = self.order.set(cx.now.mono + delay.nanos());
            return;
        }
        self.refresh.running += 1;
        self.refresh.timer = self.order.set(cx.now.mono + period.nanos());
        let step = self.first_fetch_step(cx);
        let id = cx.jobs.add(Worker::Refresh, step);
        self.refresh.awaited = Some(id);
        self.first_attempt(cx, id);
    }

    /// Full, as long as nothing is known (or deltas are disabled); else a delta.
    pub(super) fn first_fetch_step(&self, cx: &Cx<'_>) -> Step {
        let view = cx.views.get(self.view);
        if cx.profile.client.disable_delta || view.apps.is_empty() || view.version == -1 {
            Step::FetchFull(self.generation)
        } else {
            Step::FetchDelta(self.generation)
        }
    }

    /// `getAndStoreFullRegistry`: stored unless another fetch was faster, or there is no body.
    pub(super) fn fetched_full(
        &mut self,
        cx: &mut Cx<'_>,
        id: JobId,
        generation: u32,
        body: Option<Arc<Applications>>,
    ) {
        if let Some(body) = body
            && self.next_generation(generation)
        {
            let view = cx.views.full(&body);
            self.see(cx, view);
        }
        self.fetch_succeeded(cx, id);
    }

    /// `getAndUpdateDelta`: a refused delta (403, 404) is followed by a full fetch at once, and so is
    /// one after which the hashes differ.
    pub(super) fn fetched_delta(
        &mut self,
        cx: &mut Cx<'_>,
        id: JobId,
        generation: u32,
        code: u16,
        body: Option<Arc<Applications>>,
    ) {
        let Some(delta) = body.filter(|_| code == 200) else {
            let step = Step::FetchFull(self.generation);
            self.next_call(cx, id, step);
            return;
        };
        if !self.next_generation(generation) {
            self.fetch_succeeded(cx, id);
            return;
        }
        let view = cx.views.with_delta(self.view, &delta);
        let differs = cx.views.get(view).counts != delta.hash;
        self.see(cx, view);
        if differs || cx.profile.client.log_delta_diff {
            let step = Step::Reconcile(self.generation, delta.version);
            self.next_call(cx, id, step);
        } else {
            self.fetch_succeeded(cx, id);
        }
    }

    /// `reconcileAndLogDifference`: the registry is replaced, and gets the delta's version.
    pub(super) fn reconciled(
        &mut self,
        cx: &mut Cx<'_>,
        id: JobId,
        generation: u32,
        version: i64,
        body: Option<Arc<Applications>>,
    ) {
        if let Some(body) = body
            && self.next_generation(generation)
        {
            let view = cx.views.reconciled(&body, version);
            self.see(cx, view);
        }
        self.fetch_succeeded(cx, id);
    }

    /// `fetchRegistryGeneration.compareAndSet(generation, generation + 1)`.
    fn next_generation(&mut self, generation: u32) -> bool {
        let unchanged = self.generation == generation;
        self.generation += u32::from(unchanged);
        unchanged
    }

    /// The local registry becomes `view`, whose hold is taken over.
    fn see(&mut self, cx: &mut Cx<'_>, view: ViewId) {
        let old = std::mem::replace(&mut self.view, view);
        if old == view {
            cx.views.release(old);
            return;
        }
        cx.out.push(Effect::View { old, new: view });
    }

    /// `updateInstanceRemoteStatus()`, the last thing a fetch does, is synchronized like `shutdown()`:
    /// while that runs the thread waits for it, and the process ends before it can go on.
    fn fetch_succeeded(&mut self, cx: &mut Cx<'_>, id: JobId) {
        if !matches!(self.phase, Phase::StoppingReplicator | Phase::Unregistering) {
            self.fetch_ended(cx, id);
            return;
        }
        cx.jobs.remove(id);
        if self.refresh.awaited == Some(id) {
            self.refresh.awaited = None;
            self.refresh.blocked = true;
        }
    }

    /// The fetch ended, successful or not.
    pub(super) fn fetch_ended(&mut self, cx: &mut Cx<'_>, id: JobId) {
        let worker = cx.jobs.get(id).worker;
        cx.jobs.remove(id);
        if worker == Worker::Application {
            self.constructed(cx);
            return;
        }
        self.refresh.running -= 1;
        if self.refresh.awaited == Some(id) {
            self.refresh.awaited = None;
            let period = profile::seconds(cx.profile.client.registry_fetch_interval_seconds);
            let delay = self.refresh.finished(period);
            self.refresh.timer = self.order.set(cx.now.mono + delay.nanos());
        }
    }
}
